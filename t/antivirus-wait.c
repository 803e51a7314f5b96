/* Which mail waits for a second look, for whom, and what of it is shown. */
#include <string.h>

#include "milters/antivirus-multiscan/decide.h"
#include "milters/antivirus-multiscan/options.h"
#include "milters/antivirus-multiscan/wait.h"
#include "t/tap.h"

static struct arena *arena;
static struct antivirus_conf conf;
static struct house_conf house;

enum { NOW = 1795000000 };

static struct conf_list
list(const char *text)
{
	struct slice *items = arena_array(arena, 8, sizeof *items);
	struct slice rest = slice_of(text);
	size_t n = 0;

	while (text[0] != '\0' && rest.ptr != NULL)
		items[n++] = slice_cut(rest, ' ', &rest);
	return (struct conf_list){ .items = items, .count = n };
}

/* ---- classes ---- */

/* A part, and perhaps a member of it. */
struct part_case {
	const char *name, *classes;
	const char *type, *subtype, *filename, *bytes, *member;
	const char *disposition;
	bool waits;
};

static const struct part_case parts[] = {
	{ "an extension", "ext:bin", "application", "x", "a.bin", "x", NULL,
	    NULL, true },
	{ "in any case", "ext:bin", "application", "x", "A.BiN", "x", NULL,
	    NULL, true },
	{ "with what Windows drops", "ext:exe", "application", "x",
	    "a.exe. .", "x", NULL, NULL, true },
	{ "another", "ext:bin", "application", "x", "a.txt", "x", NULL, NULL,
	    false },
	{ "of two the last counts", "ext:bin", "application", "x",
	    "a.bin.txt", "x", NULL, NULL, false },
	{ "no name", "ext:bin", "application", "bin", NULL, "x", NULL, NULL,
	    false },
	{ "a member's", "ext:exe", "application", "zip", "a.zip", "x",
	    "a.zip/dir/b.exe", NULL, true },
	{ "not the container's", "ext:zip", "application", "x", "a.dat", "x",
	    "a.dat/b.exe", NULL, false },
	{ "the type that is said", "mime:application/pdf", "application",
	    "pdf", NULL, "x", NULL, NULL, true },
	{ "all of a kind", "mime:image/*", "image", "png", NULL, "x", NULL,
	    NULL, true },
	{ "not of another", "mime:image/*", "application", "image", NULL, "x",
	    NULL, NULL, false },
	{ "the true type", "type:pe", "image", "png", "a.png", "MZ\x90", NULL,
	    NULL, true },
	{ "of a container", "type:zip", "image", "png", "a.png",
	    "PK\003\004....", NULL, NULL, true },
	{ "of a program", "type:elf", "text", "plain", "a.txt", "\177ELF",
	    NULL, NULL, true },
	{ "not what its name says", "type:pe", "application", "x", "a.exe",
	    "hello", NULL, NULL, false },
	{ "several classes", "ext:a mime:b/c type:pe", "application", "x",
	    "a.b", "MZ", NULL, NULL, true },
	{ "any", "any", "application", "x", NULL, "x", NULL, NULL, true },
	{ "the letter's text is no attachment", "any", "text", "plain", NULL,
	    "Your code is 1234", NULL, NULL, false },
	{ "nor its HTML", "any mime:text/html", "text", "html", NULL, "x",
	    NULL, NULL, false },
	{ "a text that says so is", "any", "text", "plain", NULL, "x", NULL,
	    "attachment", true },
	{ "no classes", "", "application", "x", "a.bin", "x", NULL, NULL,
	    false },
};

static void
fill(struct ledger *l, const struct part_case *c)
{
	struct part *p = arena_alloc(arena, sizeof *p);
	struct ledger_row *row;

	ledger_init(l, arena);
	l->nengines = 1;
	l->names[0] = "one";
	l->engines[0] = (struct engine_status){ .up = true, .newest = NOW };
	l->reads_mail[0] = true;
	row = ledger_add(l, SLICE(""), SLICE("the letter"));
	row->mail = true;
	p->type = slice_of(c->type);
	p->subtype = slice_of(c->subtype);
	p->filename = c->filename != NULL ? slice_of(c->filename) : SLICE_NONE;
	p->disposition = c->disposition != NULL ? slice_of(c->disposition) :
	    SLICE_NONE;
	row = ledger_add(l, p->filename.ptr != NULL ? p->filename :
	    SLICE("part 1, a/b.bin"), slice_of(c->bytes));
	row->part = p;
	row->type = wait_type(row->bytes);
	if (c->member != NULL) {
		row = ledger_add(l, slice_of(c->member), SLICE("inside"));
		row->part = p;
		row->member = true;
	}
	for (row = l->rows; row != NULL; row = row->next)
		row->scans[0] = (struct scan){ SCAN_CLEAN, SLICE(""), 0 };
}

/* ---- a decision ---- */

static struct plan *
decide(const struct part_case *c, const struct mark *release,
    enum direction direction, enum scan_end end)
{
	static struct recipient to[] = {
		{ .address = { "one@gatehouse.test", 18 } },
		{ .address = { "two@other.test", 14 } },
		{ .address = { "no@gatehouse.test", 17 },
		    .mailer = { "error", 5 } },
	};
	struct envelope e = { .sender = SLICE("a@b.test"), .recipients = to,
	    .nrecipients = 3 };
	struct antivirus_answers seen = { .us = 1 };
	static struct message msg;
	const struct job job = { .arena = arena, .house = &house,
	    .conf = &conf, .msg = &msg, .answers = &seen, .now = NOW,
	    .envelope = &e, .store = true, .release = release,
	    .direction = direction };

	message_read(&msg, arena, SLICE("From: a@b.test\r\n"), SLICE(""),
	    NULL);
	fill(&seen.ledger, c);
	seen.ledger.rows->next->scans[0].end = end;
	return antivirus_decide(&job);
}

static const struct verdict *
first(const struct plan *p)
{
	return plan_verdict(p, 0);
}

static struct slice
finding(const struct plan *p, const char *key)
{
	for (const struct plan_pair *f = p->findings; f != NULL; f = f->next)
		if (strcmp(f->key, key) == 0)
			return f->value;
	return SLICE_NONE;
}

static void
test_classes(void)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		const struct part_case *c = &parts[i];
		const struct verdict *v;

		conf.defer = list(c->classes);
		v = first(decide(c, NULL, DIRECTION_IN, SCAN_CLEAN));
		tap_is_str(action_name(v->action), c->waits ? "quarantine" :
		    "accept", "%s", c->name);
		if (c->waits)
			tap_ok(v->cause == CAUSE_DEFERRED &&
			    strcmp(v->rule, "deferred") == 0, "as deferred");
	}
	conf.defer = list("");
}

static void
test_mail(void)
{
	const struct part_case *c = &parts[0];
	struct slice to[] = { SLICE("one@gatehouse.test") };
	struct mark mark = { .cause = CAUSE_DEFERRED, .waited = true,
	    .recipients = to, .nrecipients = 1 };
	const struct plan *p;

	conf.defer = list("ext:bin");
	p = decide(c, NULL, DIRECTION_IN, SCAN_CLEAN);
	tap_is_int(plan_verdict(p, 1)->action, QUARANTINE, "for each");
	tap_is_int(plan_verdict(p, 2)->action, ACCEPT,
	    "but not for whom Postfix refused");
	tap_is_int(first(decide(c, NULL, DIRECTION_OUT, SCAN_CLEAN))->action,
	    ACCEPT, "outbound has classes of its own");
	p = decide(c, NULL, DIRECTION_IN, SCAN_INFECTED);
	tap_is_int(first(p)->cause, CAUSE_VIRUS, "a virus does not wait");
	p = decide(c, &mark, DIRECTION_IN, SCAN_CLEAN);
	tap_is_int(first(p)->action, ACCEPT, "none waits twice");
	tap_is(finding(p, MARK_WAITED), SLICE("yes"), "which is handed on");
	tap_is_int(plan_verdict(p, 1)->action, QUARANTINE,
	    "the mark counts for its recipients only");
	mark.cause = CAUSE_SPAM;
	tap_is_int(first(decide(c, &mark, DIRECTION_IN, SCAN_CLEAN))->action,
	    ACCEPT, "nor when something else held it in between");
	mark.waited = false;
	tap_is_int(first(decide(c, &mark, DIRECTION_IN, SCAN_CLEAN))->action,
	    QUARANTINE, "what was held for something else did not wait");
}

static void
test_sandbox(void)
{
	const struct plan *p;
	struct slice found;

	conf.sandbox = list("ext:exe");
	p = decide(&parts[6], NULL, DIRECTION_IN, SCAN_CLEAN);
	tap_is_int(first(p)->cause, CAUSE_SANDBOX, "a sandbox goes before");
	found = finding(p, "sandbox");
	tap_is(found, SLICE("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db"
	    "02258717921a4881"), "the container of a member is shown");
	tap_ok(finding(decide(&parts[0], NULL, DIRECTION_IN, SCAN_CLEAN),
	    "sandbox").ptr == NULL, "what is only deferred, is not");
	conf.sandbox = list("");
}

/* Mail that comes back is never refused, and passes when its time is over. */
static void
test_back(void)
{
	const struct part_case *c = &parts[0];
	struct slice to[] = { SLICE("one@gatehouse.test"),
	    SLICE("two@other.test") };
	struct mark mark = { .cause = CAUSE_SANDBOX, .waited = true,
	    .recipients = to, .nrecipients = 2 };
	const struct plan *p;

	conf.infected = ANTIVIRUS_REJECT;
	tap_is_int(decide(c, NULL, DIRECTION_IN, SCAN_INFECTED)->all.action,
	    REJECT, "a virus is refused");
	p = decide(c, &mark, DIRECTION_IN, SCAN_INFECTED);
	tap_ok(p->all.action == QUARANTINE && p->all.cause == CAUSE_VIRUS,
	    "one that waited is held: a refusal would be a bounce");
	tap_is_int(decide(c, &mark, DIRECTION_IN, SCAN_DOWN)->all.action,
	    TEMPFAIL, "engines that are down hold it up");
	mark.last = true;
	tap_is_int(decide(c, &mark, DIRECTION_IN, SCAN_DOWN)->all.action,
	    ACCEPT, "until its deadline");
	p = decide(c, &mark, DIRECTION_IN, SCAN_INFECTED);
	tap_is_int(p->all.cause, CAUSE_VIRUS, "a virus, never");
	conf.infected = ANTIVIRUS_QUARANTINE;
}

static void
test_many(void)
{
	struct antivirus_answers seen = { .us = 1 };
	struct recipient to = { .address = SLICE("a@gatehouse.test") };
	struct envelope e = { .sender = SLICE("a@b.test"), .recipients = &to,
	    .nrecipients = 1 };
	struct message msg;
	const struct job job = { .arena = arena, .house = &house,
	    .conf = &conf, .msg = &msg, .answers = &seen, .now = NOW,
	    .envelope = &e, .store = true };
	struct slice found;
	struct plan *p;

	message_read(&msg, arena, SLICE("From: a@b.test\r\n"), SLICE(""),
	    NULL);
	conf.sandbox = list("any");
	fill(&seen.ledger, &parts[0]);
	for (int i = 0; i < WAIT_PARTS + 5; i++) {
		struct ledger_row *row = ledger_add(&seen.ledger,
		    SLICE("a.bin"), arena_printf(arena, "%d", i / 2 * 2));

		row->part = seen.ledger.rows->next->part;
		row->scans[0] = (struct scan){ SCAN_CLEAN, SLICE(""), 0 };
	}
	p = antivirus_decide(&job);
	tap_is_int((long long)finding(p, "sandbox").len, 65 * 14 - 1,
	    "the same file is shown once");
	for (int i = 0; i < WAIT_PARTS + 5; i++) {
		struct ledger_row *row = ledger_add(&seen.ledger,
		    SLICE("a.bin"), arena_printf(arena, "%d", i + 1000));

		row->part = seen.ledger.rows->next->part;
		row->scans[0] = (struct scan){ SCAN_CLEAN, SLICE(""), 0 };
	}
	p = antivirus_decide(&job);
	found = finding(p, "sandbox");
	tap_is_int((long long)found.len, 65 * WAIT_PARTS + 4,
	    "of many, so many");
	tap_ok(slice_ends(found, SLICE(" " WAIT_MORE)),
	    "and that there are more");
	conf.sandbox = list("");
}

/* ---- what is no class ---- */

static void
test_options(void)
{
	static const struct { const char *classes, *why; } cases[] = {
		{ "ext:exe mime:a/b type:pe any", NULL },
		{ "exe", "defer holds \"exe\"; classes are \"ext:exe\", "
		    "\"mime:application/zip\", \"type:pe\", or \"any\"" },
		{ "ext:.exe", "defer holds \"ext:.exe\"; ext: wants an "
		    "extension without dots, as \"ext:exe\"" },
		{ "ext:", "defer holds \"ext:\"; classes are \"ext:exe\", "
		    "\"mime:application/zip\", \"type:pe\", or \"any\"" },
		{ "mime:zip", "defer holds \"mime:zip\"; mime: wants type and "
		    "subtype, as \"mime:application/zip\" or \"mime:image/*\""
		    },
	};
	struct slice why;

	tap_ok(!wait_wanted(&conf), "by default nothing waits");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		why = SLICE("");
		conf.defer = list(cases[i].classes);
		tap_is_int(wait_check(&conf, arena, &why), cases[i].why ==
		    NULL ? RC_OK : RC_BAD, "%s", cases[i].classes);
		tap_is(why, slice_of(cases[i].why != NULL ? cases[i].why : ""),
		    "and why");
	}
	tap_ok(wait_wanted(&conf), "something waits");
	conf.defer = list("");
}

int
main(void)
{
	const struct conf_section sections[] = { { antivirus_options, &conf },
	    { house_options, &house }, { NULL, NULL } };
	struct slice why;

	arena = arena_new();
	tap_is_int(conf_load(arena, NULL, sections, &why), RC_OK,
	    "the defaults are right");
	test_options();
	test_classes();
	test_mail();
	test_sandbox();
	test_back();
	test_many();
	arena_free(arena);
	return tap_done();
}
