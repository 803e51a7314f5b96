/*
 * gatehouse store files, file, revoke, fetch: attachments that were too large
 * to carry.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "tools/quarantine.h"
#include "tools/verb.h"

enum { ANSWER_MS = 10 * 60 * 1000 };

struct files_verb {
	struct asking q;
	const char *recipient, *reason, *output;
	bool json;
	const char *what;		/* an object, or a token */
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state-directory", required_argument, NULL, 's' },
	{ "recipient", required_argument, NULL, 'r' },
	{ "reason", required_argument, NULL, 'w' },
	{ "output", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse store files [--recipient ADDRESS] [--json]\n"
	    "       gatehouse store file OBJECT [--json]\n"
	    "       gatehouse store revoke OBJECT [--recipient ADDRESS] "
	    "[--reason TEXT]\n"
	    "       gatehouse store fetch TOKEN [--recipient ADDRESS] "
	    "[--output FILE]\n"
	    "\n"
	    "  files     attachments that recipients have by a link, for each "
	    "of them\n"
	    "  file      one of them, and who has fetched it\n"
	    "  revoke    nobody can have it any more, or that recipient "
	    "cannot\n"
	    "  fetch     what the portal does: looks for viruses, counts, and "
	    "gives the file\n"
	    "            (to standard output). Where a link is for several "
	    "recipients,\n"
	    "            --recipient says for whom\n"
	    "\n"
	    "  --config DIR           folder with gatehouse.conf\n"
	    "  --state-directory DIR  instead of its state_directory\n"
	    "\n"
	    "Exit status 1: it was not done; the reason is said.");
	return EX_OK;
}

static long long
number(const json_t *from, const char *key)
{
	return json_integer_value(json_object_get(from, key));
}

static int
print_answer(struct files_verb *v)
{
	char *text = json_dumps(v->q.answer, JSON_INDENT(2) |
	    JSON_ENSURE_ASCII);

	puts(text != NULL ? text : "null");
	free(text);
	return EX_OK;
}

static const char *
when(struct arena *a, long long seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[40] = "-";

	if (t != 0 && localtime_r(&t, &tm) != NULL)
		strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
	return arena_str(a, slice_of(text));
}

static const char *
state_of(const json_t *row)
{
	if (number(row, "revoked") > 0)
		return "revoked";
	if (!json_is_true(json_object_get(row, "body")))
		return "gone";
	return number(row, "expires") <= (long long)time(NULL) ? "expired" :
	    "open";
}

static void
print_rows(struct files_verb *v)
{
	const json_t *rows = json_object_get(v->q.answer, "rows");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *r = json_array_get(rows, i);
		const char *virus = asking_text(&v->q, r, "infected");

		printf("%s %s <%s> until %s, %lld of %lld given, %lld bytes: "
		    "%s%s%s\n", asking_text(&v->q, r, "object"), state_of(r),
		    asking_text(&v->q, r, "recipient"), when(v->q.a,
		    number(r, "expires")), number(r, "given"),
		    number(r, "given") + number(r, "left"),
		    number(r, "size"), asking_text(&v->q, r, "name"),
		    virus[0] != '\0' ? " INFECTED " : "", virus);
	}
}

static int
ask_about(struct files_verb *v, const char *op, const char *key)
{
	int status = asking_open(&v->q, ANSWER_MS);

	if (status != EX_OK)
		return status;
	asking_begin(&v->q, op);
	asking_put(&v->q, key, v->what);
	asking_put(&v->q, "recipient", v->recipient);
	asking_put(&v->q, "reason", v->reason);
	return asking_ask(&v->q);
}

static int
list(struct files_verb *v)
{
	int status = ask_about(v, "file-list", "object");

	if (status != EX_OK || v->json)
		return status != EX_OK ? status : print_answer(v);
	print_rows(v);
	if (json_is_true(json_object_get(v->q.answer, "more")))
		puts("and more");
	return EX_OK;
}

static int
show(struct files_verb *v)
{
	int status = ask_about(v, "file-show", "object");
	const json_t *list;

	if (status != EX_OK || v->json)
		return status != EX_OK ? status : print_answer(v);
	print_rows(v);
	list = json_object_get(v->q.answer, "fetches");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *f = json_array_get(list, i);

		printf("fetched %s <%s> by %s from %s\n", when(v->q.a,
		    number(f, "time")), asking_text(&v->q, f, "recipient"),
		    asking_text(&v->q, f, "by"), asking_text(&v->q, f,
		    "peer"));
	}
	return EX_OK;
}

static int
take_back(struct files_verb *v)
{
	int status = ask_about(v, "file-revoke", "object");

	if (status == EX_OK)
		printf("%lld revoked\n", number(v->q.answer, "revoked"));
	return status;
}

static int
copy(struct files_verb *v, FILE *to)
{
	uint64_t left = (uint64_t)number(v->q.answer, "bytes");
	struct slice piece = SLICE(""), why = SLICE("");

	while (left > 0) {
		if (ask_bytes(v->q.ask, left, &piece, &why) != RC_OK ||
		    piece.len == 0)
			return verb_fails(EX_TEMPFAIL, "fetch: it ended too "
			    "early%s%.*s; what came is of no use",
			    why.len > 0 ? ": " : "", SLICE_ARG(why));
		if (fwrite(piece.ptr, 1, piece.len, to) != piece.len)
			return verb_fails(EX_IOERR, "fetch: %s",
			    strerror(errno));
		left -= piece.len;
	}
	return fflush(to) == 0 ? EX_OK : verb_fails(EX_IOERR, "fetch: %s",
	    strerror(errno));
}

/* The output is made before a use of the link is counted, and is new. */
static int
fetch(struct files_verb *v)
{
	FILE *to = stdout;
	int fd, status;

	if (v->output != NULL) {
		fd = open(v->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
		to = fd >= 0 ? fdopen(fd, "w") : NULL;
		if (to == NULL)
			return verb_fails(EX_CANTCREAT, "%s: %s", v->output,
			    strerror(errno));
	}
	status = ask_about(v, "file-fetch", "token");
	if (status == EX_OK)
		status = copy(v, to);
	if (to != stdout && fclose(to) != 0 && status == EX_OK)
		status = verb_fails(EX_IOERR, "%s: %s", v->output,
		    strerror(errno));
	if (status != EX_OK && v->output != NULL)
		unlink(v->output);
	if (status == EX_OK && v->output != NULL)
		printf("%s: %lld bytes, %s, named %s, left %lld\n", v->output,
		    number(v->q.answer, "bytes"), asking_text(&v->q,
		    v->q.answer, "type"), asking_text(&v->q, v->q.answer,
		    "name"), number(v->q.answer, "left"));
	return status;
}

static const struct {
	const char *name;
	int (*run)(struct files_verb *v);
	int wants;			/* arguments behind the name */
} verbs[] = {
	{ "files", list, 0 }, { "file", show, 1 }, { "revoke", take_back, 1 },
	{ "fetch", fetch, 1 },
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

bool
store_files_verb(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return true;
	return false;
}

int
store_files(int argc, char **argv, struct arena *a)
{
	struct files_verb v = { .q = { .a = a } };
	const char *name = argv[1];
	int o, status;

	optind = 2;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': v.q.config = optarg; break;
		case 's': v.q.state = optarg; break;
		case 'r': v.recipient = optarg; break;
		case 'w': v.reason = optarg; break;
		case 'o': v.output = optarg; break;
		case 'j': v.json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, name) != 0 ||
		    argc - optind != verbs[i].wants)
			continue;
		v.what = verbs[i].wants > 0 ? argv[optind] : NULL;
		status = verbs[i].run(&v);
		asking_close(&v.q);
		return status;
	}
	return verb_fails(EX_USAGE, "store %s: gatehouse store %s --help says "
	    "how", name, name);
}
