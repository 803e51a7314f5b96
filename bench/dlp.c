/*
 * How fast rules for data loss look at text: bench/dlp [FILE]...
 *
 * All detectors at once, words, a regular expression and a set of fingerprints,
 * over the decoded text of the messages in FILEs (joined, at least 64 MB by
 * repetition), on one thread; the same with one rule less each time; then text
 * that was made to be slow. MB/s of decoded text for each, by the thread's own
 * time on its core, so that it does not matter who else is at work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "content/content.h"
#include "detect/plain.h"
#include "milters/attachment-dlp/dlp_look.h"

enum { ENOUGH = 64 << 20, HOSTILE = 4 << 20 };

static const char rules_text[] =
    "rules = ( { name = \"all\"; card = true; iban = true; bic = true; "
    "national = true; address = true; at_least = 100000; },\n"
    "{ name = \"words\"; words = [ \"strictly confidential\", \"internal use "
    "only\", \"project falcon\", \"merger\", \"salary list\" ]; context = [ "
    "\"secret\", \"draft\" ]; },\n"
    "{ name = \"regex\"; regex = \"PRJ-[0-9]{6}\"; },\n"
    "{ name = \"prints\"; document = \"%s\"; } );\n";

static int64_t
core_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
measure(const struct dlp_rules *rules, const char *name, struct slice bytes)
{
	struct arena *a = arena_new();
	struct dlp_text text = { .where = SLICE("text") };
	struct dlp_texts texts = { .first = &text, .count = 1 };
	struct dlp_found found;
	int64_t before = core_us(), plain;
	unsigned values = 0;

	text.text = plain_text(a, bytes);
	plain = core_us();
	dlp_look(rules, &texts, a, deadline_in(600000), &found);
	for (unsigned i = 0; i < found.n; i++)
		values += found.of[i].values;
	printf("%-12s %8.1f MB/s looking, %8.1f MB/s with plain_text, %u "
	    "values\n", name, (double)bytes.len /
	    (double)(core_us() - plain), (double)bytes.len /
	    (double)(core_us() - before), values);
	arena_free(a);
}

static struct dlp_rules *
load(const char *set)
{
	struct arena *a = arena_new();
	struct buf file = buf_in(a), words = buf_in(a);
	struct dlp_rules *rules;
	struct slice why;
	FILE *f = fopen(set, "w");

	for (unsigned i = 0; i < 200000; i++)
		buf_addf(&words, "w%u ", i * 7919);
	if (f == NULL || !prints_add(NULL, SLICE("one"), buf_slice(&words),
	    &file, a, &why) || fwrite(file.ptr, 1, file.len, f) != file.len ||
	    fclose(f) != 0)
		exit(1);
	if (dlp_parse("bench", arena_printf(a, rules_text, set), &rules, a,
	    &why) != RC_OK) {
		fprintf(stderr, "%.*s\n", SLICE_ARG(why));
		exit(1);
	}
	arena_free(a);
	return rules;
}

static void
add_texts(struct buf *all, struct slice bytes)
{
	struct arena *a = arena_new();
	struct message msg;
	struct content content;
	struct slice head, body;

	message_split(a, bytes, &head, &body);
	message_read(&msg, a, head, body, NULL);
	content_read(&msg, &content_limits_default, &content);
	for (const struct content_text *t = content.first; t != NULL;
	    t = t->next) {
		buf_add(all, t->text);
		buf_addc(all, '\n');
	}
	arena_free(a);
}

static void
add_file(struct buf *all, const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf bytes = { 0 };
	size_t n;

	if (f == NULL) {
		perror(path);
		return;
	}
	do {
		n = fread(buf_room(&bytes, 65536), 1, 65536, f);
		buf_took(&bytes, n);
	} while (n > 0);
	fclose(f);
	add_texts(all, buf_slice(&bytes));
	buf_free(&bytes);
}

static void
hostile(const struct dlp_rules *rules, const char *name, const char *pattern)
{
	char *bytes = mem_alloc(HOSTILE);
	size_t n = strlen(pattern);
	uint32_t seed = 1;

	for (size_t i = 0; i < HOSTILE; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = pattern[i % n] == '0' ?
		    (char)('0' + (seed >> 16) % 10) : pattern[i % n];
	}
	measure(rules, name, slice_make(bytes, HOSTILE));
	free(bytes);
}

int
main(int argc, char **argv)
{
	char set[] = "/tmp/bench-dlp-XXXXXX";
	struct buf all = { 0 };
	struct dlp_rules *rules;
	struct slice one;
	unsigned all_rules;

	close(mkstemp(set));
	rules = load(set);
	all_rules = rules->n;
	for (int i = 1; i < argc; i++)
		add_file(&all, argv[i]);
	if (all.len == 0)
		for (unsigned i = 0; i < 3000; i++)
			buf_addf(&all, "Dear all, the meeting of %u March is "
			    "in room %u; please bring %u copies.\r\n", i % 31,
			    i % 90, i * 37 % 1000);
	one = arena_copy(rules->arena, buf_slice(&all));
	while (all.len < ENOUGH)
		buf_add(&all, one);
	measure(rules, "text", buf_slice(&all));
	for (unsigned n = rules->n; n > 1; ) {
		rules->n = --n;
		rules->nprints = 0;
		measure(rules, "fewer rules", buf_slice(&all));
	}
	rules->n = all_rules;
	rules->nprints = 1;
	hostile(rules, "digits", "0000000000");
	hostile(rules, "one digit", "0 ");
	hostile(rules, "two digits", "00-");
	hostile(rules, "four digits", "0000 ");
	hostile(rules, "letters too", "a00 ");
	hostile(rules, "addresses", "a@b.cd ");
	dlp_free(rules);
	buf_free(&all);
	unlink(set);
	return 0;
}
