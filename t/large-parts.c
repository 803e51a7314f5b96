/*
 * Which parts of a large message become links (milters/attachment-dlp/large.h),
 * what stays, whose settings count, and that the same message always has the
 * same links. Pure: the message is taken apart here, nothing is opened.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "milters/attachment-dlp/judge.h"
#include "milters/attachment-dlp/large.h"
#include "store/token.h"
#include "t/tap.h"

#define URL	"https://portal.test/f/"

static struct arena *a;
static struct notes *notes;
static struct policy *nobody;
static const struct seal_key key = { .bytes = "a key of the house", .len = 18 };
static struct house_conf house = { .hostname = "mx.test",
    .recipient_delimiter = "+" };

/* ---- a message ---- */

/* One of a letter's parts: fields, and how many bytes. */
struct piece {
	const char *fields;
	size_t size;
};

static struct slice
filled(size_t n)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < n; i++)
		buf_addc(&out, i % 70 == 69 ? '\n' : (char)('a' + i % 23));
	return buf_slice(&out);
}

static struct message *
letter(const char *kind, const struct piece *pieces, size_t n,
    const char *message_id)
{
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct buf out = buf_in(a);
	struct slice head, body;

	buf_addf(&out, "From: a@far.test\nDate: x\nMessage-ID: %s\n"
	    "MIME-Version: 1.0\nContent-Type: multipart/%s; boundary=b\n\n",
	    message_id, kind);
	for (size_t i = 0; i < n; i++)
		buf_addf(&out, "--b\n%s\n\n%.*s\n", pieces[i].fields,
		    SLICE_ARG(filled(pieces[i].size)));
	buf_adds(&out, "--b--\n");
	message_split(a, buf_slice(&out), &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	return msg;
}

/* As items_of_message does, without a cell. */
static void
take_apart(struct message *msg, struct items *items)
{
	const struct part *root = message_parts(msg);
	unsigned number = 0;

	*items = (struct items){ .last = &items->first };
	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		struct slice bytes;
		unsigned flags = 0;

		for (unsigned k = 0; !part_multipart(p) && part_reading(p, k,
		    a, 1 << 20, &bytes, &flags); k++) {
			struct item *i = arena_alloc(a, sizeof *i);

			i->part = p;
			i->number = ++number;
			i->name = p->filename.ptr != NULL ? p->filename :
			    SLICE("");
			i->path = i->name;
			i->bytes = bytes;
			identify_part(a, p, bytes, &i->identity);
			i->text = part_is(p, "text", NULL) &&
			    i->identity.nnames == 0;
			*items->last = i;
			items->last = &i->next;
		}
	}
}

/* ---- asking ---- */

struct question {
	struct attachment_conf conf;	/* of all */
	struct envelope envelope;
	struct job job;
	struct attachment_answers seen;
};

static struct question *
question(struct message *msg, struct recipient *to, size_t n)
{
	struct question *q = arena_alloc(a, sizeof *q);

	q->conf = (struct attachment_conf){ .large_at = 2000,
	    .large_part = 1000, .large_keep = 3600 * 1000,
	    .large_downloads = 3, .large_url = URL, .large_note = "",
	    .note = "", .copy_to = "kept@our.test" };
	q->envelope = (struct envelope){ .sender = SLICE("a@far.test"),
	    .recipients = to, .nrecipients = n, .queue_id = SLICE("4Zx") };
	q->job = (struct job){ .filter = "attachment-dlp", .arena = a,
	    .house = &house, .conf = &q->conf, .policy = nobody,
	    .view = notes, .envelope = &q->envelope, .msg = msg,
	    .now = 1795687200, .answers = &q->seen };
	q->seen.of = arena_array(a, n, sizeof *q->seen.of);
	for (size_t i = 0; i < n; i++)
		q->seen.of[i].conf = q->conf;
	take_apart(msg, &q->seen.items);
	return q;
}

static struct recipient *
people(size_t n, const char *const *names)
{
	struct recipient *to = arena_array(a, n, sizeof *to);

	for (size_t i = 0; i < n; i++)
		to[i] = (struct recipient){ .address = slice_of(names[i]),
		    .mailer = SLICE("smtp") };
	return to;
}

static struct large_answers *
ask(struct question *q)
{
	static struct large_answers none;
	struct slice why = SLICE("");

	tap_is_int(large_ask(&q->job, &q->seen, &key, &why), RC_OK,
	    "asked: %.*s", SLICE_ARG(why));
	return q->seen.large != NULL ? q->seen.large : &none;
}

static struct plan *
plan_of(struct question *q)
{
	struct work w = { .job = &q->job, .conf = &q->conf, .seen = &q->seen,
	    .plan = plan_new(a, q->job.msg) };

	step_large(&w);
	return w.plan;
}

/* ---- which parts ---- */

#define TEXT	{ "Content-Type: text/plain", 100 }
#define PDF(n)	{ "Content-Type: application/pdf; name=a.pdf", n }

static const struct {
	const char *name, *kind;
	struct piece pieces[4];
	size_t n, files;
} cases[] = {
	{ "one that is large", "mixed", { TEXT, PDF(3000) }, 2, 1 },
	{ "one that is small beside it", "mixed", { TEXT, PDF(3000),
	    PDF(900) }, 3, 1 },
	{ "two", "mixed", { PDF(1500), TEXT, PDF(1500) }, 3, 2 },
	{ "a message that is not large", "mixed", { TEXT, PDF(1200) }, 2, 0 },
	{ "a long letter", "mixed", { { "Content-Type: text/plain", 9000 },
	    PDF(100) }, 2, 0 },
	{ "a long letter in HTML", "alternative", { TEXT,
	    { "Content-Type: text/html", 9000 } }, 2, 0 },
	{ "a text with a name", "mixed", { TEXT,
	    { "Content-Type: text/plain; name=a.txt", 3000 } }, 2, 1 },
	{ "a picture of the letter", "related", { TEXT,
	    { "Content-Type: image/png; name=a.png\nContent-ID: <i>\n"
	    "Content-Disposition: inline", 3000 } }, 2, 0 },
	{ "an attachment beside it", "related", { TEXT,
	    { "Content-Type: image/png; name=a.png\n"
	    "Content-Disposition: attachment", 3000 } }, 2, 1 },
	{ "another form of it", "alternative", { TEXT,
	    { "Content-Type: text/calendar; name=a.ics", 3000 } }, 2, 0 },
	{ "what is signed", "signed", { PDF(3000),
	    { "Content-Type: application/pgp-signature", 10 } }, 2, 0 },
	{ "what is encrypted", "encrypted", {
	    { "Content-Type: application/pgp-encrypted", 10 }, PDF(3000) }, 2,
	    0 },
	{ "base64 that goes on behind its end", "mixed", { TEXT,
	    { "Content-Type: application/pdf; name=a.pdf\n"
	    "Content-Transfer-Encoding: base64\n\nQUJD\nQUI=\nQUJD", 3000 } },
	    2, 0 },
};

/* What is no link is byte for byte where it was. */
static void
same_rest(const struct message *old, const struct plan *plan, size_t files,
    const char *name)
{
	struct slice head, body;
	struct message edited;
	const struct part *root, *first;
	size_t links = 0;

	patches_apply(&plan->edits, a, &head, &body);
	message_read(&edited, a, head, body, &message_limits_default);
	root = message_parts(&edited);
	first = root->child;
	tap_ok(slice_eq(head, old->head), "%s: the header is the same", name);
	for (const struct part *o = old->root->child; o != NULL &&
	    first != NULL; o = o->next, first = first->next) {
		struct slice is = part_decoded(first, a, 1 << 20, NULL);

		if (slice_search(is, SLICE(URL)) < is.len)
			links++;
		else
			tap_ok(slice_eq(o->body, first->body) &&
			    slice_eq(o->head, first->head), "%s: a part is "
			    "the same", name);
	}
	tap_ok(first == NULL, "%s: as many parts", name);
	tap_is_int((long long)links, (long long)files, "%s: a link for each "
	    "that went", name);
}

static void
test_parts(void)
{
	static const char *const us[] = { "us@our.test" };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct message *msg = letter(cases[i].kind, cases[i].pieces,
		    cases[i].n, "<1>");
		struct question *q = question(msg, people(1, us), 1);
		struct large_answers *large = ask(q);
		struct plan *plan = plan_of(q);
		size_t files = 0;

		tap_is_int((long long)large->count,
		    (long long)cases[i].files, "%s", cases[i].name);
		for (const struct plan_file *f = plan->files; f != NULL;
		    f = f->next)
			files++;
		tap_is_int((long long)files, (long long)large->count,
		    "%s: files in the plan", cases[i].name);
		if (files > 0)
			same_rest(msg, plan, files, cases[i].name);
		else
			tap_ok(!plan_edits(plan), "%s: not a byte",
			    cases[i].name);
	}
}

/* ---- for whom ---- */

static const struct piece usual[] = { TEXT, PDF(3000) };
static const char *const three[] = { "a@our.test", "b@our.test",
    "c@our.test" };
static const char *const kept[] = { "Kept@our.test" };
static const char *const turned[] = { "c@our.test", "a@our.test",
    "b@our.test" };

static void
test_whose(void)
{
	struct message *msg = letter("mixed", usual, 2, "<1>");
	struct question *q = question(msg, people(3, three), 3);

	for (int i = 0; i < 3; i++)
		q->seen.of[i].conf.large_at = i == 1 ? 2000 : 0;
	q->seen.of[1].conf.large_downloads = 7;
	tap_is_int((long long)ask(q)->count, 1, "large for one: for all");
	tap_is_int(q->seen.large->files->file.uses, 7, "by his settings");
	q = question(msg, people(3, three), 3);
	for (int i = 0; i < 3; i++)
		q->seen.of[i].verdict.action = ATTACHMENT_QUARANTINE;
	tap_ok(ask(q)->files == NULL, "not where nobody gets it");
	q = question(msg, people(3, three), 3);
	for (int i = 0; i < 3; i++)
		q->envelope.recipients[i].mailer = SLICE("error");
	tap_ok(ask(q)->files == NULL, "nor for whom Postfix refused");
	q = question(msg, people(1, kept), 1);
	tap_ok(ask(q)->files == NULL, "nor for a mailbox for copies");
	q = question(msg, people(1, three), 1);
	q->job.direction = DIRECTION_OUT;
	q->seen.of[0].external = true;
	q->seen.sender.conf = q->conf;
	tap_ok(ask(q)->files == NULL, "going out it is another option");
	q->seen.sender.conf.large_at_outbound = 2000;
	tap_is_int((long long)ask(q)->count, 1, "of the sender");
}

static void
test_sealed(void)
{
	struct piece pieces[] = { PDF(3000),
	    { "Content-Type: application/pgp-signature", 10 } };
	struct message *msg = letter("signed", pieces, 2, "<1>");
	struct question *q = question(msg, people(3, three), 3);
	struct plan *plan;

	q->seen.of[1].conf.large_sealed = LARGE_SEALED_REJECT;
	ask(q);
	plan = plan_of(q);
	tap_is_int(plan_verdict(plan, 0)->action, ACCEPT, "signed: delivered");
	tap_is_int(plan_verdict(plan, 1)->action, REJECT, "or refused");
	tap_is_str(plan_verdict(plan, 1)->rule, "large-sealed", "by its rule");
}

/* ---- links ---- */

static const char *
token_of(const char *id, const struct piece *pieces, const char *const *names,
    size_t n)
{
	struct message *msg = letter("mixed", pieces, 2, id);
	struct large_answers *large = ask(question(msg, people(n, names), n));

	return large->files == NULL ? "" : large->files->file.token;
}

static void
test_links(void)
{
	static const struct piece other[] = { TEXT, PDF(3001) };
	const char *usually = token_of("<1>", usual, three, 3);
	struct large_answers *large = ask(question(letter("mixed", usual, 2,
	    "<1>"), people(3, three), 3));
	struct slice note = large->files->note;
	size_t at = slice_search(note, SLICE(URL));
	struct slice token = slice_sub(note, at + sizeof URL - 1, TOKEN_TEXT);
	char hash[65] = "";

	tap_is_str(token_of("<1>", usual, three, 3), usually,
	    "the same message: the same link");
	tap_is_str(token_of("<1>", usual, turned, 3), usually,
	    "whatever the order of recipients");
	tap_ok(strcmp(token_of("<2>", usual, three, 3), usually) != 0,
	    "another message: another");
	tap_ok(strcmp(token_of("<1>", usual, three, 2), usually) != 0,
	    "other recipients");
	tap_ok(strcmp(token_of("<1>", other, three, 3), usually) != 0,
	    "another file");
	tap_ok(strcmp(large->files->file.token, usually) == 0, "and again");
	tap_ok(token_hash(token, hash) && strcmp(hash, usually) == 0,
	    "what stands in the note is what the hash is of");
	tap_ok(slice_search(note, SLICE("2026-11-26")) < note.len,
	    "and until when: %.*s", SLICE_ARG(note));
}

int
main(void)
{
	struct attachment_conf conf = { .note = "", .large_note = "" };
	struct slice why = SLICE("");

	a = arena_new();
	if (policy_open("/nonexistent/map", &house, &nobody, a, &why) !=
	    RC_OK || notes_load(&conf, nobody, a, &notes, &why) != RC_OK)
		tap_ok(false, "%.*s", SLICE_ARG(why));
	test_parts();
	test_whose();
	test_sealed();
	test_links();
	policy_drop(nobody);
	arena_free(a);
	return tap_done();
}
