/*
 * Two DKIM engines, one opinion: each message of the data is signed by
 * libopendkim, changed in many ways, and put to both. Where libopendkim may
 * not be asked (its guards say why), a table names the reason and how the
 * change or the message must look for it.
 *
 * All messages with all changes take minutes: without GATEHOUSE_FULL each
 * message is signed in one way and gets some of the changes, and one in FEW of
 * the large set counts.
 */
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "dkim/key.h"
#include "milters/auth-check/dkim_guard.h"
#include "milters/auth-check/dkim_opendkim.h"
#include "t/opendkim-lab.h"
#include "t/tap.h"

enum { FEW = 5, FULL_WAYS = 4, SIZE_MAX_FILE = 4 << 20 };

static struct dkim_opendkim *opendkim;
static struct opendkim_lab *lab;
static struct dkim_keys *keys;
static struct dkim_limits limits;
static bool full;

/* A message as it goes to the engines. */
struct mail {
	struct arena *a;
	struct slice head, body;
};

static struct slice
joined(struct arena *a, struct slice x, struct slice y, struct slice z)
{
	struct buf out = buf_in(a);

	buf_add(&out, x);
	buf_add(&out, y);
	buf_add(&out, z);
	return buf_slice(&out);
}

/* text[at .. at + len) becomes `with`. */
static struct slice
spliced(struct arena *a, struct slice text, size_t at, size_t len,
    const char *with)
{
	return joined(a, slice_sub(text, 0, at), slice_of(with),
	    slice_after(text, at + len));
}

/* Where the text first holds `what`, at or behind `from`. */
static bool
find(struct slice text, const char *what, size_t from, size_t *at_r)
{
	struct slice rest = slice_after(text, from);
	size_t at = slice_search(rest, slice_of(what));

	*at_r = from + at;
	return at < rest.len;
}

/* Changes: false when the message has no place for this one. */

static bool
none(struct mail *m)
{
	(void)m;
	return true;
}

static bool
flip(struct arena *a, struct slice *text, size_t from)
{
	char *copy;

	for (size_t i = from; i < text->len; i++)
		if (ascii_alnum(text->ptr[i])) {
			copy = arena_alloc(a, text->len + 1);
			memcpy(copy, text->ptr, text->len);
			copy[i] ^= 1;
			*text = slice_make(copy, text->len);
			return true;
		}
	return false;
}

static bool
body_byte(struct mail *m)
{
	return flip(m->a, &m->body, m->body.len / 2);
}

/* Behind the signature, in the value of the first From. */
static bool
head_byte(struct mail *m)
{
	size_t at;

	return find(m->head, "\r\nFrom:", 0, &at) &&
	    flip(m->a, &m->head, at + strlen("\r\nFrom: "));
}

/* In the signature itself: its a=, h= and the like. */
static bool
signature_byte(struct mail *m)
{
	return flip(m->a, &m->head, 30 + m->body.len % 300);
}

static bool
b_byte(struct mail *m)
{
	size_t at;

	return find(m->head, "; b=", 0, &at) && flip(m->a, &m->head, at + 20);
}

static bool
replace(struct mail *m, struct slice *text, const char *what, size_t from,
    const char *with)
{
	size_t at;

	if (!find(*text, what, from, &at))
		return false;
	*text = spliced(m->a, *text, at, strlen(what), with);
	return true;
}

/* Where the field after the signature begins. */
static size_t
behind_signature(const struct mail *m)
{
	struct slice rest = m->head;
	struct field f;

	return field_next(&rest, &f) ? f.raw.len : 0;
}

static bool
fold_more(struct mail *m)
{
	size_t at;

	return find(m->head, "\r\nFrom: ", 0, &at) &&
	    replace(m, &m->head, " ", at + 2, "\r\n ");
}

static bool
fold_less(struct mail *m)
{
	return replace(m, &m->head, "\r\n\t", behind_signature(m), "\t") ||
	    replace(m, &m->head, "\r\n ", behind_signature(m), " ");
}

static bool
fold_other(struct mail *m)
{
	return replace(m, &m->head, "\r\n\t", behind_signature(m), "\r\n ") ||
	    replace(m, &m->head, "\r\n ", behind_signature(m), "\r\n\t");
}

/* In the signature: relaxed lets it pass. */
static bool
signature_fold(struct mail *m)
{
	return replace(m, &m->head, ";", 20, ";\r\n\t ");
}

static bool
above(struct mail *m, const char *field)
{
	m->head = joined(m->a, slice_of(field), m->head, SLICE(""));
	return true;
}

static bool
field_above(struct mail *m)
{
	return above(m, "X-Added: here\r\n");
}

static bool
field_below(struct mail *m)
{
	m->head = joined(m->a, m->head, SLICE("X-Added: here\r\n"),
	    SLICE(""));
	return true;
}

static bool
second_from(struct mail *m)
{
	return above(m, "From: eve@example.com\r\n");
}

static bool
second_subject_below(struct mail *m)
{
	m->head = joined(m->a, m->head, SLICE("Subject: another\r\n"),
	    SLICE(""));
	return true;
}

static bool
signature_twice(struct mail *m)
{
	m->head = joined(m->a, slice_sub(m->head, 0, behind_signature(m)),
	    m->head, SLICE(""));
	return true;
}

static bool
field_gone(struct mail *m)
{
	struct slice head = slice_sub(m->head, 0, behind_signature(m));
	struct slice rest = slice_after(m->head, head.len);
	struct field f;

	if (!field_next(&rest, &f))
		return false;
	m->head = joined(m->a, head, rest, SLICE(""));
	return true;
}

static bool
name_case(struct mail *m)
{
	return replace(m, &m->head, "\r\nFrom:", 0, "\r\nFROM:");
}

static bool
blank_before_colon(struct mail *m)
{
	return replace(m, &m->head, "\r\nFrom:", 0, "\r\nFrom :");
}

static bool
blanks_in_field(struct mail *m)
{
	return replace(m, &m->head, "\r\nFrom: ", 0, "\r\nFrom: \t  ");
}

static bool
blank_at_field_end(struct mail *m)
{
	return replace(m, &m->head, "\r\n", behind_signature(m), " \t\r\n");
}

static bool
body_more(struct mail *m)
{
	m->body = joined(m->a, m->body, SLICE("appended\r\n"), SLICE(""));
	return true;
}

static bool
blank_lines_more(struct mail *m)
{
	m->body = joined(m->a, m->body, SLICE("\r\n\r\n"), SLICE(""));
	return true;
}

static bool
blank_line_of_blanks(struct mail *m)
{
	m->body = joined(m->a, m->body, SLICE(" \t \r\n\r\n"), SLICE(""));
	return true;
}

static bool
blank_lines_gone(struct mail *m)
{
	bool any = false;

	for (; slice_ends(m->body, SLICE("\r\n\r\n")); any = true)
		m->body = slice_sub(m->body, 0, m->body.len - 2);
	return any;
}

static bool
no_last_crlf(struct mail *m)
{
	if (!slice_ends(m->body, SLICE("\r\n")))
		return false;
	m->body = slice_sub(m->body, 0, m->body.len - 2);
	return true;
}

static bool
body_gone(struct mail *m)
{
	m->body = SLICE("");
	return true;
}

static bool
body_cut(struct mail *m)
{
	m->body = slice_sub(m->body, 0, m->body.len / 2);
	return true;
}

static bool
blanks_doubled(struct mail *m)
{
	return replace(m, &m->body, " ", m->body.len / 3, " \t ");
}

static bool
blank_to_tab(struct mail *m)
{
	return replace(m, &m->body, " ", m->body.len / 3, "\t");
}

static bool
blank_gone(struct mail *m)
{
	return replace(m, &m->body, " ", m->body.len / 3, "");
}

static bool
blank_at_line_end(struct mail *m)
{
	return replace(m, &m->body, "\r\n", m->body.len / 3, "  \t\r\n");
}

static bool
blank_at_line_begin(struct mail *m)
{
	return replace(m, &m->body, "\r\n", m->body.len / 3, "\r\n ");
}

static bool
line_more(struct mail *m)
{
	return replace(m, &m->body, "\r\n", m->body.len / 3, "\r\n\r\n");
}

static bool
nul_in_body(struct mail *m)
{
	m->body = joined(m->a, slice_sub(m->body, 0, m->body.len / 2),
	    SLICE("\0"), slice_after(m->body, m->body.len / 2));
	return true;
}

static bool
high_bytes(struct mail *m)
{
	return replace(m, &m->body, " ", m->body.len / 3, "\xff\xfe\x80");
}

static bool
cr_in_body(struct mail *m)
{
	return replace(m, &m->body, " ", m->body.len / 3, "\r");
}

static bool
crs_at_end(struct mail *m)
{
	m->body = joined(m->a, m->body, SLICE("\r\r\n"), SLICE(""));
	return true;
}

static bool
lf_in_body(struct mail *m)
{
	return replace(m, &m->body, "\r\n", m->body.len / 3, "\n");
}

static bool
nul_in_field(struct mail *m)
{
	size_t at;

	if (!find(m->head, "\r\nFrom: ", 0, &at))
		return false;
	at += strlen("\r\nFrom: ");
	m->head = joined(m->a, slice_sub(m->head, 0, at), SLICE("\0"),
	    slice_after(m->head, at));
	return true;
}

static bool
vt_in_field(struct mail *m)
{
	return replace(m, &m->head, "\r\nFrom: ", 0, "\r\nFrom: \v");
}

static bool
cr_in_field(struct mail *m)
{
	return replace(m, &m->head, "\r\nFrom: ", 0, "\r\nFrom: \r");
}

static const struct change {
	const char *name;
	bool (*make)(struct mail *m);
	bool odd;			/* the guards may keep it back */
} changes[] = {
	{ "unchanged", none, false },
	{ "a byte of the body", body_byte, false },
	{ "a byte of From", head_byte, false },
	{ "a byte of the signature", signature_byte, true },
	{ "a byte of b=", b_byte, false },
	{ "a fold more", fold_more, false },
	{ "a fold less", fold_less, false },
	{ "a fold with another blank", fold_other, false },
	{ "a fold in the signature", signature_fold, false },
	{ "a field above", field_above, false },
	{ "a field below", field_below, false },
	{ "a second From above", second_from, false },
	{ "a second Subject below", second_subject_below, false },
	{ "the signature twice", signature_twice, false },
	/* It may be a signature that another one signs. */
	{ "a field gone", field_gone, true },
	{ "a name in capitals", name_case, false },
	{ "a blank before a colon", blank_before_colon, false },
	{ "blanks in a field", blanks_in_field, false },
	{ "blanks at the end of a field", blank_at_field_end, false },
	{ "text appended", body_more, false },
	{ "blank lines appended", blank_lines_more, false },
	{ "a line of blanks appended", blank_line_of_blanks, false },
	{ "blank lines gone", blank_lines_gone, false },
	{ "no CRLF at the end", no_last_crlf, false },
	{ "no body", body_gone, false },
	{ "half of the body", body_cut, true },
	{ "blanks doubled", blanks_doubled, false },
	{ "a tab for a blank", blank_to_tab, false },
	{ "a blank gone", blank_gone, false },
	{ "blanks at a line's end", blank_at_line_end, false },
	{ "a blank at a line's begin", blank_at_line_begin, false },
	{ "a blank line more", line_more, false },
	{ "a NUL in the body", nul_in_body, true },
	{ "bytes that are no text", high_bytes, false },
	{ "a CR in the body", cr_in_body, true },
	{ "CRs as a last line", crs_at_end, true },
	{ "an LF in the body", lf_in_body, true },
	{ "a NUL in a field", nul_in_field, true },
	{ "a vertical tab in a field", vt_in_field, true },
	{ "a CR in a field", cr_in_field, true },
};

enum { CHANGES = sizeof changes / sizeof *changes };

/*
 * The reasons of the guards. Each stands for a trap; a message without one of
 * the changes that are marked odd may bring them along itself (bare CRs and
 * control characters are in old mail), else it is a disagreement.
 */
static struct reason {
	const char *text;
	unsigned times;
} reasons[] = {
	{ "libopendkim does not hash a CR or LF that stands alone as it stands",
	  0 },
	{ "libopendkim does not hash control characters in header fields as "
	  "they stand", 0 },
	{ "it is longer than libopendkim takes", 0 },
	{ "it names more fields than libopendkim looks for in good time", 0 },
	/* One byte of its own signature changed: "b=" became "c=", a name
	   another one, h= names itself, t= is of before 2000. */
	{ "libopendkim does not find its b=", 0 },
	{ "libopendkim takes two of its tags for one", 0 },
	{ "libopendkim would hash other signatures than it names", 0 },
	{ "libopendkim says: unsupported signature version", 0 },
	{ "libopendkim says: signature timestamp in the future", 0 },
};

static struct tally {
	unsigned messages, unsigned_, pairs, kept_back, apart;
	unsigned by_result[DKIM_PERMERROR + 1];
} tally;

static bool
known_reason(struct slice reason)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (slice_eq(reason, slice_of(reasons[i].text))) {
			reasons[i].times++;
			return true;
		}
	return false;
}

/* Whether this message itself holds what the guards look for. */
static bool
is_odd(const struct mail *m)
{
	if (guard_body(m->body) != NULL)
		return true;
	for (size_t i = 0; i < m->head.len; i++) {
		unsigned char c = (unsigned char)m->head.ptr[i];

		if (c < ' ' && c != '\t' && c != '\r' && c != '\n')
			return true;
		if (c == '\r' && (i + 1 == m->head.len ||
		    m->head.ptr[i + 1] != '\n'))
			return true;
	}
	return false;
}

/* Of those that are not shown nobody can know that they are signed. */
static bool
any_malformed(const struct dkim_signature *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].domain.ptr == NULL || (list[i].rule != NULL &&
		    strcmp(list[i].rule, "syntax") == 0))
			return true;
	return false;
}

static void
differ(const char *file, const struct change *c,
    const struct opendkim_want *want, const struct dkim_signature *own,
    const struct dkim_signature *other)
{
	tally.apart++;
	tap_ok(false, "%s, %s, %s %s/%s: own %s (%.*s), libopendkim %s (%.*s)",
	    file, c->name, dkim_algorithm_name(want->algorithm),
	    want->header == DKIM_RELAXED ? "relaxed" : "simple",
	    want->body == DKIM_RELAXED ? "relaxed" : "simple",
	    dkim_result_name(own->result), SLICE_ARG(own->reason),
	    dkim_result_name(other->result), SLICE_ARG(other->reason));
}

static void
compare(const char *file, const struct change *c,
    const struct opendkim_want *want, const struct mail *m)
{
	struct dkim_signature *own, *other;
	struct dkim_bodies *bodies;
	struct message msg;
	struct slice name;
	size_t n;

	message_read(&msg, m->a, m->head, m->body, NULL);
	bodies = dkim_bodies_new(m->a, &msg);
	n = dkim_signatures(m->a, &msg, &limits, &own);
	dkim_signatures(m->a, &msg, &limits, &other);
	dkim_opendkim_verify(m->a, opendkim, &msg, other, n,
	    opendkim_lab_lookup, lab, &limits);
	for (size_t i = 0; i < n; i++) {
		const struct dns_answer *answer = NULL;

		if (dkim_key_name(m->a, &own[i], &name))
			answer = opendkim_lab_lookup(lab, name);
		dkim_verify(m->a, &own[i], &msg, bodies, answer, keys,
		    &limits);
		tally.pairs++;
		tally.by_result[own[i].result]++;
		if (own[i].result == other[i].result &&
		    strcmp(own[i].rule, other[i].rule) == 0)
			continue;
		if (strcmp(other[i].rule, "engine") == 0 && (c->odd ||
		    is_odd(m) || any_malformed(own, n) ||
		    guard_size(&msg, &own[i]) != NULL) &&
		    known_reason(other[i].reason))
			tally.kept_back++;
		else
			differ(file, c, want, &own[i], &other[i]);
	}
}

static void
try_changes(const char *file, const struct opendkim_want *want,
    const struct mail *signed_mail)
{
	for (size_t i = 0; i < CHANGES; i++) {
		struct mail m = *signed_mail;

		if (!full && i > 0 && (i + tally.messages) % 6 != 0)
			continue;
		m.a = arena_new();
		if (changes[i].make(&m))
			compare(file, &changes[i], want, &m);
		arena_free(m.a);
	}
}

/* Its own signatures, if any, stay: they have no key here. A From is added
 * where there is none. */
static void
sign_and_try(const char *file, struct arena *a, struct slice head,
    struct slice body, const struct opendkim_want *want)
{
	struct mail m = { .a = a, .head = head, .body = body };
	struct message msg;
	struct slice field;

	message_read(&msg, a, head, body, NULL);
	if (message_count(&msg, SLICE("From")) == 0) {
		m.head = joined(a, SLICE("From: a@example.org\r\n"), head,
		    SLICE(""));
		message_read(&msg, a, m.head, body, NULL);
	}
	field = opendkim_lab_sign(lab, a, &msg, want);
	if (field.ptr == NULL) {
		tally.unsigned_++;
		return;
	}
	m.head = joined(a, field, m.head, SLICE(""));
	tally.messages++;
	try_changes(file, want, &m);
}

/* The sixteen ways in turn. */
static void
want_of(unsigned turn, struct opendkim_want *want)
{
	want->algorithm = turn & 1 ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256;
	want->header = turn & 2 ? DKIM_RELAXED : DKIM_SIMPLE;
	want->body = turn & 4 ? DKIM_RELAXED : DKIM_SIMPLE;
	want->all = turn & 8;
}

static void
try_file(const char *path)
{
	struct arena *a = arena_new();
	struct slice text = tap_file(path), head, body;
	union { const char *in; void *out; } u = { text.ptr };
	struct opendkim_want want;

	message_split(a, text, &head, &body);
	for (unsigned i = 0; i < (full ? FULL_WAYS : 1); i++) {
		want_of(tally.messages + tally.unsigned_, &want);
		sign_and_try(path, a, head, body, &want);
	}
	arena_free(a);
	free(u.out);
}

static unsigned visited, one_in;

static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)ftw;
	if (type == FTW_F && st->st_size <= SIZE_MAX_FILE &&
	    visited++ % one_in == 0)
		try_file(path);
	return 0;
}

static void
try_folder(const char *folder, const char *name, unsigned step)
{
	char path[4096];
	struct tally before = tally;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	visited = 0;
	one_in = full ? 1 : step;
	nftw(path, visit, 20, FTW_PHYS);
	tap_ok(tally.apart == before.apart && tally.messages > before.messages,
	    "%s: %u messages, %u signatures judged alike", name,
	    tally.messages - before.messages, tally.pairs - before.pairs);
}

/* Packed mail */

extern char **environ;

static bool
command(const char *const *argv)
{
	union { const char *const *in; char *const *out; } u = { argv };
	int status;
	pid_t pid;

	return posix_spawnp(&pid, argv[0], NULL, NULL, u.out, environ) == 0 &&
	    waitpid(pid, &status, 0) == pid && status == 0;
}

static void
try_packed(void)
{
	char folder[] = "/tmp/gatehouse-engines-XXXXXX", tar[4096];
	const char *const unpack[] = { "tar", "-xJf", tar, "-C", folder,
	    NULL };
	const char *const clean[] = { "rm", "-rf", folder, NULL };

	snprintf(tar, sizeof tar, "%s/spam-ham/mail.tar.xz", tap_data());
	if (mkdtemp(folder) == NULL)
		return;
	if (access(tar, R_OK) == 0 && command(unpack))
		try_folder(folder, "mail", FEW);
	else
		tap_skip(1, "no packed mail, or no tar and xz");
	command(clean);
}

int
main(void)
{
	if (tap_data() == NULL) {
		tap_skip(1, "no data folder");
		return tap_done();
	}
	full = getenv("GATEHOUSE_FULL") != NULL;
	lab = opendkim_lab_open();
	opendkim = dkim_opendkim_open();
	keys = dkim_keys_new(0);
	limits = dkim_limits_default;
	limits.now = clock_wall();
	try_folder(tap_data(), "rfc-vectors", 1);
	try_folder(tap_data(), "mime", 1);
	try_folder(tap_data(), "html-mail", FEW);
	try_packed();
	for (int i = 0; i <= DKIM_PERMERROR; i++)
		tap_diag("%s: %u", dkim_result_name(i), tally.by_result[i]);
	tap_diag("could not be signed: %u", tally.unsigned_);
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].times > 0)
			tap_diag("kept back, %s: %u", reasons[i].text,
			    reasons[i].times);
	dkim_keys_free(keys);
	dkim_opendkim_close(opendkim);
	opendkim_lab_close(lab);
	return tap_done();
}
