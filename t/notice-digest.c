/* Notices and digests on a real index and a real state, with a clock of our
 * own: who gets what, when, once, and what the links in it can do. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notice/digest.h"
#include "notice/notice.h"
#include "t/tap.h"
#include "text/transfer.h"
#include "verdict/plan.h"

/* Thursday, 2026-11-26 07:00 UTC: eight o'clock in Berlin. */
enum { EIGHT = 1795676400, HOUR = 3600, DAY = 86400 };

static struct arena *a;
static char dir[] = "/tmp/gatehouse-digest.XXXXXX";
static struct notices *n;
static struct house_conf house;
static struct db *state;
static struct store_index *ix;
static struct slice why;

static const char *
in_dir(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name).ptr;
}

static const char *
put_file(const char *name, const char *text)
{
	const char *path = in_dir(name);
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		tap_ok(false, "can write %s", path);
	chmod(path, 0644);
	return path;
}

/* "ok", or why the file is refused; D for our folder, S for the sources. */
static const char *
load(const char *options)
{
	struct buf b = buf_in(a);
	const char *path;
	char *seen;

	buf_addf(&b, "%s\ndigest = true; "
	    "packaged_templates = \"%s/etc/templates\"; "
	    "template_directory = \"%s/own\";\n", options, tap_src(), dir);
	buf_addc(&b, '\0');
	path = put_file("notices.conf", b.ptr);
	why = SLICE("");
	if (notices_load(a, path, false, &house, &n, &why) == RC_OK)
		return "ok";
	seen = arena_str(a, why);
	for (char *at; (at = strstr(seen, dir)) != NULL;) {
		*at = 'D';
		memmove(at + 1, at + strlen(dir), strlen(at + strlen(dir)) + 1);
	}
	for (char *at; (at = strstr(seen, tap_src())) != NULL;) {
		*at = 'S';
		memmove(at + 1, at + strlen(tap_src()),
		    strlen(at + strlen(tap_src())) + 1);
	}
	return seen;
}

static const struct {
	const char *options, *want;
} files[] = {
	{ "", "ok" },
	{ "from = \"quarantine\";", "D/notices.conf: from is \"quarantine\"; "
	  "it wants an address, as \"quarantine@example.org\"" },
	{ "portal_url = \"http://q.example\";", "D/notices.conf: portal_url is "
	  "\"http://q.example\"; it wants a URL as \"https://quarantine."
	  "example.org\", without a slash at its end" },
	{ "portal_url = \"https://q.example/\";", "D/notices.conf: portal_url "
	  "is \"https://q.example/\"; it wants a URL as \"https://quarantine."
	  "example.org\", without a slash at its end" },
	{ "server = \"localhost\";", "D/notices.conf: server is \"localhost\"; "
	  "it wants an address and a port as \"127.0.0.1:10026\", or the path "
	  "of a socket" },
	{ "digest_times = [ \"8:00\" ];", "D/notices.conf: digest_times holds "
	  "\"8:00\"; it wants times of the day from \"00:00\" to \"23:59\"" },
	{ "digest_causes = [ \"vires\" ];", "D/notices.conf: digest_causes "
	  "holds \"vires\"; did you mean \"virus\"?" },
	{ "timezone = \"Europe/Berlim\";", "D/notices.conf: timezone: "
	  "\"Europe/Berlim\" is no time zone of this machine; write it as "
	  "\"Europe/Berlin\" or \"UTC\" (the package tzdata has them)" },
	{ "language = \"tlh\";", "D/notices.conf: language is \"tlh\", and "
	  "there is no S/etc/templates/tlh/digest.txt; it wants one that has "
	  "templates: en, fr, de or your own" },
	{ "language = \"../x\";", "D/notices.conf: language is \"../x\"; it "
	  "wants the name of a folder: letters, digits, - and _" },
	{ "\nscope = (\n  { user = \"a@our.test\"; digest_to = \"x\"; } );",
	  "D/notices.conf:3: digest_to is \"x\"; it wants an address, as "
	  "\"quarantine@example.org\"" },
	{ "scope = ( { domain = \"our.test\"; language = \"fr\"; }, "
	  "{ user = \"a@our.test\"; templates = \"none-yet\"; } );", "ok" },
	{ "link_lifetime = \"31d\";", "D/notices.conf:1: link_lifetime is "
	  "\"31d\"; it wants a time as \"250ms\", \"30s\", \"5m\", \"4h\", "
	  "\"7d\", 1h to 30d" },
};

static void
options(void)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		tap_is_str(load(files[i].options), files[i].want, "%s",
		    files[i].options);
	mkdir(in_dir("own"), 0755);
	mkdir(in_dir("own/en"), 0755);
	put_file("own/en/digest.txt", "Subject: x\n\n{{#rows}}\n{{/rows}}\n");
	tap_is_str(load(""), "D/notices.conf: D/own/en/digest.txt:3: there is "
	    "no {{rows}} here; the manual lists what there is",
	    "a template of one's own is checked");
	put_file("own/en/digest.txt", "Hello\n");
	tap_is_str(load(""), "D/notices.conf: D/own/en/digest.txt:1: a text "
	    "begins with a line \"Subject: ...\" and an empty line",
	    "a text without a subject");
	unlink(in_dir("own/en/digest.txt"));
}

/* --- mails that were made ------------------------------------------------- */

/* The next mail on its way, decoded enough to look into; empty: none. */
static struct slice
next_mail(int64_t now, struct state_mail *mail)
{
	bool found = false;
	unsigned flags;

	state_next(state, a, now, mail, &found, &why);
	if (!found)
		return SLICE("");
	state_sent(state, a, mail->key, SLICE("250 2.0.0 Ok"), &why);
	return transfer_decode(a, TRANSFER_QP, mail->message, 1 << 22, &flags);
}

static bool
has(struct slice text, const char *what)
{
	return slice_search(text, slice_of(what)) < text.len;
}

/* Takes all mails; how many there were. */
static unsigned
drain(int64_t now)
{
	struct state_mail mail;
	unsigned count = 0;

	while (next_mail(now, &mail).len > 0)
		count++;
	return count;
}

static void
fresh(void)
{
	if (ix != NULL)
		ix->does->close(ix);
	if (state != NULL)
		db_close(state);
	ix = NULL;
	state = NULL;
	for (int i = 0; i < 6; i++) {
		static const char *const names[] = { "index.db",
		    "index.db-wal", "index.db-shm", "notices.db",
		    "notices.db-wal", "notices.db-shm" };

		unlink(in_dir(names[i]));
	}
	if (index_sqlite_open(in_dir("index.db"), STORE_WRITE, &ix, a, &why) !=
	    RC_OK || state_open(in_dir("notices.db"), DB_WRITE, &state, a,
	    &why) != RC_OK) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		exit(tap_done());
	}
}

static unsigned serial;

static struct store_object
object(const char *cause, int64_t time)
{
	serial++;
	return (struct store_object){
	    .id = arena_printf(a, "%032x", serial),
	    .content = arena_printf(a, "%064x", serial), .body = true,
	    .time = time, .size = 12345, .sender = SLICE("s@else.test"),
	    .queue_id = SLICE("4Zx1Qk2hJ9z"), .identity = SLICE("i"),
	    .direction = SLICE("in"), .filter = SLICE("antispam"),
	    .rule = SLICE("rule"), .cause = slice_of(cause),
	    .reason = SLICE("because"), .from = SLICE("Bob <s@else.test>"),
	    .subject = arena_printf(a, "subject %u", serial),
	    .message_id = arena_printf(a, "m%u@else.test", serial) };
}

static struct store_object
hold_in_batch(const char *cause, const char *recipient, int64_t time)
{
	struct store_object o = object(cause, time);
	struct store_row row = { .object = o, .recipient = slice_of(recipient),
	    .state = STORE_HELD, .expires = time + 10 * DAY,
	    .changed = time, .actor = SLICE(""), .reply = SLICE("") };
	bool put = false;

	if (ix->does->object_put(ix, &o) != RC_OK ||
	    ix->does->row_put(ix, &row, &put) != RC_OK || !put)
		tap_ok(false, "a row: %.*s", SLICE_ARG(ix->why));
	return o;
}

static struct store_object
hold(const char *cause, const char *recipient, int64_t time)
{
	struct store_object o;

	ix->does->begin(ix);
	o = hold_in_batch(cause, recipient, time);
	ix->does->commit(ix);
	return o;
}

static struct digest_tools
at(int64_t now)
{
	return (struct digest_tools){ n, state, ix, now, a };
}

static unsigned
due(int64_t now)
{
	struct digest_tools tools = at(now);
	unsigned made = 99;

	why = SLICE("");
	if (digest_due(&tools, &made, &why) != RC_OK)
		tap_ok(false, "digest_due: %.*s", SLICE_ARG(why));
	return made;
}

static const char berlin[] = "release_address = \"release@our.test\"; "
    "timezone = \"Europe/Berlin\"; digest_times = [ \"08:00\", \"16:00\" ]; ";

static void
slots(void)
{
	struct state_mail mail;
	struct slice text;

	tap_is_str(load(berlin), "ok", "settings");
	fresh();
	serial = 5;
	hold("spam", "a@our.test", EIGHT - HOUR);
	hold("graymail", "A+x@our.test", EIGHT - 2 * HOUR);
	hold("spam", "b@our.test", EIGHT - HOUR);
	hold("spam", "c@else.test", EIGHT - HOUR);
	hold("policy", "d@our.test", EIGHT + HOUR);
	tap_is_int(due(EIGHT - 1), 0, "a second before eight");
	tap_is_int(due(EIGHT), 2, "at eight: a and b, who have something");
	tap_is_int(due(EIGHT), 0, "not twice");
	tap_is_int(due(EIGHT - HOUR), 0, "a clock that was set back");
	text = next_mail(EIGHT, &mail);
	if (!has(text, "To: <a@our.test>"))
		text = next_mail(EIGHT, &mail);
	tap_ok(has(text, "To: <a@our.test>") && has(text, "subject 6") &&
	    !has(text, "subject 8"), "a's own rows");
	tap_ok(has(text, "subject 7"), "and those of his extension");
	tap_ok(has(text, "Date: Thu, 26 Nov 2026 08:00:00 +0100"), "on his "
	    "clock");
	tap_ok(has(text, "2026-11-26 07:00"), "the times of the rows too");
	tap_ok(has(text, "mailto:release@our.test?subject=release%20"),
	    "links that write a mail");
	drain(EIGHT);
	tap_is_int(due(EIGHT + 2 * HOUR), 0, "what came after eight waits");
	tap_is_int(due(EIGHT + 8 * HOUR), 1, "until four");
	text = next_mail(EIGHT + 8 * HOUR, &mail);
	tap_ok(has(text, "To: <d@our.test>"), "d");
	tap_is_int(due(EIGHT + 2 * DAY + HOUR), 0, "nothing new: none, and "
	    "none on a Saturday");
	hold("spam", "a@our.test", EIGHT + 2 * DAY);
	tap_is_int(due(EIGHT + 3 * DAY), 0, "nor on a Sunday");
	tap_is_int(due(EIGHT + 4 * DAY), 1, "but on Monday");
	text = next_mail(EIGHT + 4 * DAY, &mail);
	tap_ok(!has(text, "subject 6"), "what was listed is not listed again");
}

/* The token of a link behind a subject. */
static struct slice
token_after(struct slice text, const char *subject)
{
	struct slice rest = slice_after(text, slice_search(text,
	    slice_of(subject)));
	size_t link = slice_search(rest, SLICE("release%20"));

	return slice_sub(slice_after(rest, link), 10, TOKEN_TEXT);
}

static void
links(void)
{
	struct token_spec want = { .purpose = TOKEN_RELEASE,
	    .object = SLICE_NONE, .recipient = SLICE_NONE };
	struct store_object spam, twin = object("virus", EIGHT - HOUR);
	struct state_mail mail;
	struct token_row row;
	struct slice text, token;

	fresh();
	hold("virus", "a@our.test", EIGHT - HOUR);
	tap_is_int(due(EIGHT), 1, "a virus");
	text = next_mail(EIGHT, &mail);
	tap_ok(has(text, "Virus") && !has(text, "release%20"), "is told, "
	    "without a link");
	fresh();
	spam = hold("spam", "a@our.test", EIGHT - HOUR);
	tap_is_int(due(EIGHT), 1, "spam");
	text = next_mail(EIGHT, &mail);
	token = token_after(text, "subject");
	tap_is_int(token_check(state, a, token, &want, EIGHT, &row, &why),
	    RC_OK, "has a link that is good");
	tap_is(row.object, spam.id, "for that message");
	tap_is(row.recipient, SLICE("a@our.test"), "to that recipient");
	tap_is_int(row.expires, EIGHT + 2 * DAY, "for two days");
	/* The same bytes are found to be a virus for another one. */
	fresh();
	spam = hold("spam", "a@our.test", EIGHT - HOUR);
	twin.content = spam.content;
	{
		struct store_row r = { .object = twin,
		    .recipient = SLICE("b@our.test"), .state = STORE_HELD,
		    .expires = EIGHT + DAY, .changed = EIGHT,
		    .actor = SLICE(""), .reply = SLICE("") };
		bool put;

		ix->does->object_put(ix, &twin);
		ix->does->row_put(ix, &r, &put);
	}
	tap_is_int(due(EIGHT), 2, "the same bytes as a virus");
	text = next_mail(EIGHT, &mail);
	tap_ok(!has(text, "release%20"), "cost one the link");
	text = next_mail(EIGHT, &mail);
	tap_ok(text.len > 0 && !has(text, "release%20"), "and the other");
	tap_is_str(load("portal_url = \"https://q.our.test\";"), "ok",
	    "a portal");
	fresh();
	hold("spam", "a@our.test", EIGHT - HOUR);
	due(EIGHT + HOUR);
	text = next_mail(EIGHT + HOUR, &mail);
	tap_ok(has(text, "<a class=\"release\" href=\"https://q.our.test/"
	    "release/"), "a link to it: it gives a page, nothing more");
}

static void
scopes(void)
{
	struct state_mail mail;
	struct slice text;

	tap_is_str(load("release_address = \"r@our.test\"; scope = ( "
	    "{ domain = \"our.test\"; digest_to = \"it@our.test\"; "
	    "language = \"de\"; digest_causes = [ \"spam\" ]; }, "
	    "{ user = \"boss@our.test\"; digest_to = \"\"; language = \"fr\"; "
	    "digest_times = [ \"09:00\" ]; }, "
	    "{ user = \"none@our.test\"; digest = false; } );"), "ok",
	    "scopes");
	fresh();
	hold("spam", "a@our.test", EIGHT - HOUR);
	hold("spam", "b@our.test", EIGHT - HOUR);
	hold("virus", "b@our.test", EIGHT - HOUR);
	hold("spam", "boss@our.test", EIGHT - HOUR);
	hold("spam", "none@our.test", EIGHT - HOUR);
	tap_is_int(due(EIGHT + HOUR), 1, "one for the domain");
	text = next_mail(EIGHT + HOUR, &mail);
	tap_ok(has(text, "To: <it@our.test>") && has(text, "a@our.test") &&
	    has(text, "b@our.test") && !has(text, "boss@our.test") &&
	    !has(text, "none@our.test") && !has(text, "Viren ("),
	    "with those of its users who have none of their own");
	tap_ok(has(text, "Content-Language: de") &&
	    has(text, "Nachricht zustellen"), "in its language");
	tap_is_int(due(EIGHT + 2 * HOUR), 1, "the boss at nine");
	text = next_mail(EIGHT + 2 * HOUR, &mail);
	tap_ok(has(text, "To: <boss@our.test>") &&
	    has(text, "Me remettre ce message"), "in his");
}

/* One level names the set, another the language; what the set does not have
 * comes from the package. */
static void
own_templates(void)
{
	struct state_mail mail;
	struct slice text;

	mkdir(in_dir("own/acme"), 0755);
	mkdir(in_dir("own/acme/de"), 0755);
	put_file("own/acme/de/digest.txt", "Subject: ACME {{count}}\n\n"
	    "{{> motto}}\n");
	put_file("own/acme/motto.part", "We care.\n");
	tap_is_str(load("release_address = \"r@our.test\"; scope = ( "
	    "{ domain = \"our.test\"; templates = \"acme\"; }, "
	    "{ user = \"a@our.test\"; language = \"de\"; } );"), "ok",
	    "a set of templates");
	fresh();
	hold("spam", "a@our.test", EIGHT - HOUR);
	due(EIGHT + HOUR);
	text = next_mail(EIGHT + HOUR, &mail);
	tap_ok(has(text, "Subject: ACME 1\r\n") && has(text, "We care.") &&
	    has(text, "Nachricht zustellen"), "text of the set, HTML of the "
	    "package");
	hold("spam", "b@our.test", EIGHT - HOUR);
	due(EIGHT + HOUR);
	text = next_mail(EIGHT + HOUR, &mail);
	tap_ok(has(text, "Subject: Quarantine report (1)\r\n"), "and where "
	    "the set has no such language, all of the package");
}

/* More than a page of the index, and than a digest: the oldest come in first,
 * so that numbers and times of objects do not go together. */
static void
many(void)
{
	struct state_mail mail;
	struct slice text;
	unsigned made = 0;

	tap_is_str(load(berlin), "ok", "settings");
	fresh();
	ix->does->begin(ix);
	for (int i = 0; i < 1300; i++)
		hold_in_batch("spam", i % 13 > 0 ? "a@our.test" : "b@our.test",
		    EIGHT - HOUR - i);
	ix->does->commit(ix);
	tap_is_int(due(EIGHT), 2, "1300 messages for two");
	for (int i = 0; i < 2; i++) {
		text = next_mail(EIGHT, &mail);
		made += has(text, "To: <a@our.test>") ?
		    has(text, "Subject: Quarantine report (500)\r\n") &&
		    has(text, "next report: 700.") :
		    has(text, "Subject: Quarantine report (100)\r\n");
	}
	tap_is_int(made, 2, "each has his own, as many as fit");
	tap_is_int(due(EIGHT + 8 * HOUR), 1, "the others come next time");
	drain(EIGHT + 8 * HOUR);
	due(EIGHT + DAY);
	text = next_mail(EIGHT + DAY, &mail);
	tap_ok(has(text, "Subject: Quarantine report (200)\r\n"), "until all "
	    "were told");
}

static void
asked(void)
{
	struct digest_tools tools;
	struct state_mail mail;
	unsigned made = 0;
	struct slice text;

	tap_is_str(load("release_address = \"r@our.test\"; "
	    "request_address = \"digest@our.test\";"), "ok", "settings");
	fresh();
	hold("spam", "a@our.test", EIGHT - HOUR);
	tools = at(EIGHT);
	digest_for(&tools, SLICE("A@OUR.test"), DIGEST_ASKED, &made, &why);
	tap_is_int(made, 1, "asked for");
	text = next_mail(EIGHT, &mail);
	tap_ok(has(text, "To: <a@our.test>"), "it goes to the mailbox");
	digest_for(&tools, SLICE("a@our.test"), DIGEST_ASKED, &made, &why);
	tap_ok(made == 0 && has(why, "a short while ago"), "not again at once");
	tools = at(EIGHT + 901);
	digest_for(&tools, SLICE("a@our.test"), DIGEST_ASKED, &made, &why);
	tap_is_int(made, 1, "but after a while, with all that is held");
	for (int i = 0; i < 5; i++) {
		static const char *const no[] = { "c@else.test", "",
		    "digest@our.test", "postmaster@our.test",
		    "mailer-daemon@our.test" };

		made = 7;
		digest_for(&tools, slice_of(no[i]), DIGEST_ASKED, &made, &why);
		tap_ok(made == 0, "\"%s\": %.*s", no[i], SLICE_ARG(why));
	}
	tap_is_int(due(EIGHT + 2 * HOUR), 0, "what was sent on request is not "
	    "told again");
}

static const struct {
	const char *subject, *token;
} subjects[] = {
	{ "release abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz" },
	{ "Re: RELEASE ABCDEFGHIJKLMNOPQRSTUVWXYZ please",
	  "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
	{ "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz" },
	{ "release abcdefghijklmnopqrstuvwxy", NULL },
	{ "release abcdefghijklmnopqrstuvwxy1", NULL },
	{ "abcdefghijklmnopqrstuvwxyz bbcdefghijklmnopqrstuvwxyz", NULL },
	{ "", NULL }, { "release", NULL }, { "digest please", NULL },
};

static void
subjects_of_mails(void)
{
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		struct slice got = digest_token_in(slice_of(
		    subjects[i].subject));

		tap_is(got.ptr != NULL ? got : SLICE("none"),
		    slice_of(subjects[i].token != NULL ? subjects[i].token :
		    "none"), "\"%s\"", subjects[i].subject);
	}
}

/* --- every template in every language, with hostile words ----------------- */

static void
hostile(const char *language)
{
	static const char evil[] = "</td><script>alert(1)</script>\r\nBcc: "
	    "x@y.test\xe2\x80\xae" "'\"><img src=x onerror=y>";
	struct store_object o;
	struct digest_tools tools = at(EIGHT);
	struct store_row row;
	struct slice message = SLICE("");
	unsigned flags, wrong = 0;
	bool put;

	tap_is_str(load(arena_printf(a, "language = \"%s\"; "
	    "release_address = \"r@our.test\";", language).ptr), "ok",
	    "%s: all templates are read", language);
	fresh();
	tools = at(EIGHT);
	for (int i = CAUSE_VIRUS; i < CAUSES; i++) {
		o = object(cause_name((enum cause)i), EIGHT - HOUR - i);
		o.subject = o.from = o.reason = o.sender = o.rule =
		    slice_of(evil);
		o.body = i % 3 > 0;
		row = (struct store_row){ .object = o,
		    .recipient = SLICE("a@our.test"),
		    .state = o.body ? STORE_HELD : STORE_DELETED,
		    .expires = EIGHT + DAY, .changed = EIGHT,
		    .actor = SLICE(""), .reply = SLICE("") };
		ix->does->object_put(ix, &o);
		ix->does->row_put(ix, &row, &put);
	}
	tap_is_int(digest_preview(&tools, SLICE("a@our.test"), &message,
	    &why), RC_OK, "%s: a preview", language);
	message = transfer_decode(a, TRANSFER_QP, message, 1 << 22, &flags);
	message = slice_after(message, slice_search(message,
	    SLICE("<!DOCTYPE")));
	wrong += has(message, "<script") || has(message, "<img") ||
	    has(message, "\xe2\x80\xae") || has(message, "{{") ||
	    has(message, "\nBcc");
	tap_is_int(wrong, 0, "%s: nothing of it is HTML", language);
	tap_ok(message.len > 2000 && has(message, "&lt;script&gt;"),
	    "%s: all of it is text", language);
	tap_is_int(drain(EIGHT), 0, "and a preview sends nothing");
}

/* --- notices -------------------------------------------------------------- */

static unsigned
tell(const struct store_object *o, const char *recipient, const char *message,
    int64_t now)
{
	struct slice to = slice_of(recipient);
	const struct notice_event event = { o, &to, 1,
	    message != NULL ? slice_of(message) : SLICE_NONE, false };
	unsigned made = 99;

	if (notice_for_object(n, state, &event, now, a, &made, &why) != RC_OK)
		tap_ok(false, "notice: %.*s", SLICE_ARG(why));
	return made;
}

static void
notices(void)
{
	struct store_object o;
	struct state_mail mail;
	struct slice text;

	tap_is_str(load("notify_recipients = [ \"virus\", \"attachment\" ]; "
	    "notify_admins = [ \"virus\" ]; admins = [ \"it@our.test\" ]; "
	    "officers = [ \"dpo@our.test\" ]; notify_senders = [ \"dlp\" ]; "
	    "rate = 3;"), "ok", "settings");
	fresh();
	o = object("virus", EIGHT);
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT), 2, "a virus: the "
	    "recipient and the admin");
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT), 0, "once");
	tap_is_int(drain(EIGHT), 2, "two mails");
	o = object("spam", EIGHT);
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT), 0, "spam: nobody");
	o = object("virus", EIGHT);
	tap_is_int(tell(&o, "a@else.test", NULL, EIGHT), 1, "a recipient "
	    "elsewhere is not told");
	o = object("virus", EIGHT);
	o.sender = SLICE("");
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT), 1, "null sender: only "
	    "the admin");
	o = object("attachment", EIGHT);
	tap_is_int(tell(&o, "a@our.test", "Auto-Submitted: auto-replied\n\nx",
	    EIGHT), 0, "nor about what a machine wrote");
	o = object("attachment", EIGHT);
	tap_is_int(tell(&o, "a@our.test", "Auto-Submitted: no\n\nList-Id: x",
	    EIGHT), 1, "but what a person wrote");
	drain(EIGHT);
	o = object("dlp", EIGHT);
	o.direction = SLICE("out");
	o.sender = SLICE("me@our.test");
	tap_is_int(tell(&o, "x@else.test", "Subject: secret\n\nbody\n", EIGHT),
	    2, "DLP going out: officer and sender");
	text = next_mail(EIGHT, &mail);
	if (!has(text, "To: <dpo@our.test>"))
		text = next_mail(EIGHT, &mail);
	tap_ok(has(text, "message/rfc822") && has(text, "Subject: secret"),
	    "the officer gets the message");
	drain(EIGHT);
	/* One of ours that was held itself. */
	o = object("virus", EIGHT);
	o.message_id = mail.message_id;
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT), 0, "never about a "
	    "notice");
}

/* A message to ten mailboxes is one notice to the one who looks after them. */
static void
same_admin(void)
{
	struct slice to[10];
	struct store_object o;
	struct notice_event event = { &o, to, 10, SLICE_NONE, false };
	unsigned made = 0;

	fresh();
	for (int i = 0; i < 10; i++)
		to[i] = arena_printf(a, "m%d@else.test", i);
	for (int i = 0; i < 4; i++) {
		o = object("virus", EIGHT);
		notice_for_object(n, state, &event, EIGHT, a, &made, &why);
		tap_is_int(made, i < 3, "ten recipients, one admin, at most "
		    "three: message %d", i + 1);
	}
}

static void
flood(void)
{
	struct state_mail mail;
	struct slice text;
	unsigned made = 0, first = 0;

	fresh();
	for (int i = 0; i < 50; i++) {
		struct store_object o = object(i % 2 ? "virus" : "attachment",
		    EIGHT + i);

		first += tell(&o, "a@our.test", NULL, EIGHT + i);
	}
	tap_is_int(first, 6, "fifty in a minute: three to each");
	drain(EIGHT + 60);
	notice_summaries(n, state, EIGHT + 60, a, &made, &why);
	tap_is_int(made, 0, "no summary yet");
	notice_summaries(n, state, EIGHT + HOUR + 60, a, &made, &why);
	tap_is_int(made, 2, "a summary for each");
	text = next_mail(EIGHT + HOUR + 60, &mail);
	if (!has(text, "To: <a@our.test>"))
		text = next_mail(EIGHT + HOUR + 60, &mail);
	tap_ok(has(text, "Subject: Further notices since 2026-11-26 07:00 "
	    "(47)"), "of what was left out");
	notice_summaries(n, state, EIGHT + HOUR + 61, a, &made, &why);
	tap_is_int(made, 0, "once");
	{
		struct store_object o = object("attachment", EIGHT);

		tap_is_int(tell(&o, "a@our.test", NULL, EIGHT + 2 * HOUR), 1,
		    "and then notices again");
	}
}

/* --- mails that nobody takes ---------------------------------------------- */

static void
not_taken(void)
{
	struct store_object o;
	struct notice_sent sent;

	/* Nobody listens at this port of ours: it was just given back. */
	tap_is_str(load("notify_recipients = [ \"virus\" ]; "
	    "retry_for = \"1h\"; server = \"127.0.0.1:1\";"), "ok",
	    "a server that is not there");
	fresh();
	o = object("virus", EIGHT);
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT), 1, "a notice");
	tap_is_int(notice_send(n, state, EIGHT, a, &sent, &why), RC_OK,
	    "is tried");
	tap_ok(sent.tried && !sent.taken && !sent.failed && sent.reply.len > 0,
	    "and waits: %.*s", SLICE_ARG(sent.reply));
	notice_send(n, state, EIGHT + STATE_BACKOFF - 1, a, &sent, &why);
	tap_ok(!sent.tried, "not at once again");
	notice_send(n, state, EIGHT + STATE_BACKOFF, a, &sent, &why);
	tap_ok(sent.tried && !sent.failed, "but after a while");
	notice_send(n, state, EIGHT + 2 * HOUR, a, &sent, &why);
	tap_ok(sent.tried && sent.failed, "and not for ever");
	notice_send(n, state, EIGHT + 9 * HOUR, a, &sent, &why);
	tap_ok(!sent.tried, "then it is over");
	tap_is_int(tell(&o, "a@our.test", NULL, EIGHT + 9 * HOUR), 0,
	    "and is not made again");
}

/* --- kill -9 -------------------------------------------------------------- */

enum { KILLED_MEMBERS = 20, KILLS = 60 };

static int
make_apart(int64_t now)
{
	struct digest_tools tools = at(now);
	unsigned made;
	enum rc rc;

	if (index_sqlite_open(in_dir("index.db"), STORE_READ, &tools.index, a,
	    &why) != RC_OK || state_open(in_dir("notices.db"), DB_WRITE,
	    &tools.state, a, &why) != RC_OK)
		return 1;
	rc = digest_due(&tools, &made, &why);
	tools.index->does->close(tools.index);
	db_close(tools.state);
	ix->does->close(ix);
	arena_free(a);
	return rc == RC_OK ? 0 : 1;
}

/* The child makes digests until it is killed, or is done: then true. Without a
 * time it is left alone. */
static bool
make_until_killed(int64_t now, unsigned us)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(make_apart(now));
	if (us > 0) {
		usleep(us);
		kill(child, SIGKILL);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whatever the moment: in the end each has one digest, and its link works. */
static void
killed(void)
{
	const struct token_spec want = { .purpose = TOKEN_RELEASE,
	    .object = SLICE_NONE, .recipient = SLICE_NONE };
	unsigned mails = 0, links = 0, tries = 0;
	struct state_mail mail;
	struct token_row row;
	struct slice text;

	tap_is_str(load(berlin), "ok", "settings");
	fresh();
	for (int i = 0; i < KILLED_MEMBERS; i++)
		hold("spam", arena_printf(a, "m%d@our.test", i).ptr,
		    EIGHT - HOUR);
	db_close(state);
	state = NULL;
	while (tries < KILLS && !make_until_killed(EIGHT, 1 + tries * 1000))
		tries++;
	make_until_killed(EIGHT, 0);
	if (state_open(in_dir("notices.db"), DB_WRITE, &state, a, &why) !=
	    RC_OK) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	while ((text = next_mail(EIGHT, &mail)).len > 0) {
		mails++;
		links += token_spend(state, a, token_after(text, "subject"),
		    &want, EIGHT, &row, &why) == RC_OK;
	}
	tap_ok(mails == KILLED_MEMBERS && links == KILLED_MEMBERS, "killed "
	    "again and again: %u digests, %u links that work", mails, links);
	tap_is_int(due(EIGHT), 0, "and nothing is left to do");
}

static int
drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int
main(void)
{
	static const struct slice domains[] = { SLICE("our.test") };

	a = arena_new();
	if (mkdtemp(dir) == NULL) {
		tap_ok(false, "a folder for the test");
		return tap_done();
	}
	house = (struct house_conf){ .hostname = "mx.our.test",
	    .recipient_delimiter = "+",
	    .domains = { domains, 1 } };
	options();
	slots();
	links();
	scopes();
	own_templates();
	many();
	asked();
	subjects_of_mails();
	hostile("en");
	hostile("fr");
	hostile("de");
	notices();
	same_admin();
	flood();
	not_taken();
	killed();
	ix->does->close(ix);
	db_close(state);
	arena_free(a);
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
