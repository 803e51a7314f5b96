/*
 * A message that is split, as the milter room plays it: both passes with the
 * probe filters and the offline engine, the mark, and what is no mark.
 */
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "milter/forms.h"
#include "milter/offline.h"
#include "milter/report.h"
#include "milter/split.h"
#include "t/probe/probe.h"
#include "t/tap.h"

static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };
static const struct seal_key other = { .bytes = "fedcba9876543210", .len = 16 };

/* --- form classes ------------------------------------------------------ */

/* all@ is an alias of a@ and b@, many@ of more than anybody looks at. */
static enum rc
members(const void *arg, struct arena *a, struct slice address,
    struct slice **members_r, size_t *n_r)
{
	bool all = slice_starts(address, SLICE("all@"));
	bool many = slice_starts(address, SLICE("many@"));

	(void)arg;
	if (slice_starts(address, SLICE("broken@")))
		return RC_RETRY;
	*n_r = all ? 2 : many ? FORMS_MAX + 1 : 1;
	*members_r = arena_array(a, *n_r, sizeof **members_r);
	for (size_t i = 0; i < *n_r; i++)
		(*members_r)[i] = all && i == 0 ? SLICE("a@example.net") :
		    all ? SLICE("b@example.net") : address;
	return RC_OK;
}

/* By the first letter: a and A are one class, b another. */
static enum rc
form(const void *arg, struct arena *a, struct slice mailbox,
    uint64_t *form_r)
{
	(void)arg;
	(void)a;
	*form_r = (uint64_t)ascii_lower(mailbox.ptr[0]);
	return RC_OK;
}

static const struct forms forms = { members, form, NULL };

static const struct {
	const char *name, *to[3];
	enum rc rc;
	bool differ;
} classes[] = {
	{ "nobody", { NULL }, RC_OK, false },
	{ "one", { "a@x" }, RC_OK, false },
	{ "two alike", { "a@x", "a2@y" }, RC_OK, false },
	{ "two apart", { "a@x", "b@x" }, RC_OK, true },
	{ "an alias of two", { "all@x" }, RC_OK, true },
	{ "an alias of very many", { "many@x" }, RC_OK, true },
	{ "trouble", { "a@x", "broken@x" }, RC_RETRY, false },
	{ "trouble that need not be asked", { "a@x", "b@x", "broken@x" },
	  RC_OK, true },
};

static void
form_classes(struct arena *a)
{
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		struct slice to[3];
		size_t n = 0;
		bool differ = false;

		for (; n < 3 && classes[i].to[n] != NULL; n++)
			to[n] = slice_of(classes[i].to[n]);
		tap_is_int(forms_differ(&forms, a, to, n, &differ),
		    classes[i].rc, "%s", classes[i].name);
		tap_is_int(differ, classes[i].differ, "differ");
	}
}

/* --- the mark ---------------------------------------------------------- */

static struct seal
a_seal(unsigned pass)
{
	struct seal s = { .identity = "0123456789abcdef0123456789abcdef",
	    .queue_id = SLICE("4Zx1Qk2hJ9z"), .time = 1764000000,
	    .pass = pass, .split = true, .sender = SLICE_NONE,
	    .client = { .name = SLICE("secret.example"), .helo = SLICE("h"),
	    .daemon_name = SLICE(""), .user = SLICE("bcc@example.net"),
	    .tls = SLICE("") } };

	return s;
}

static void
marks(struct arena *a)
{
	struct seal s = a_seal(1), second = a_seal(2), r;
	struct slice body, again;
	unsigned believed = 0;

	tap_is_int(split_write(&s, &key, a, &body), RC_OK, "a mark");
	tap_is_int(split_read(body, 1, s.queue_id, &key, a, &r), RC_OK,
	    "is read");
	tap_is(r.client.name, s.client.name, "with its origin");
	tap_ok(slice_search(body, SLICE("secret")) == body.len &&
	    slice_search(body, SLICE("bcc")) == body.len,
	    "which nobody else can read");
	split_write(&s, &key, a, &again);
	tap_ok(!slice_eq(body, again), "no two are the same");
	tap_is_int(split_read(body, 2, SLICE_NONE, &key, a, &r), RC_BAD,
	    "one of the first pass is none of the second");
	tap_is_int(split_read(body, 1, SLICE("4Zx1Qk2hJ9y"), &key, a, &r),
	    RC_BAD, "not under another queue id");
	tap_is_int(split_read(body, 1, s.queue_id, &other, a, &r), RC_BAD,
	    "not with another key");
	tap_is_int(split_read(SLICE(""), 1, s.queue_id, &key, a, &r), RC_BAD,
	    "nothing is no mark");
	for (size_t i = 0; i < body.len; i++) {
		char *spoilt = arena_alloc(a, body.len);

		memcpy(spoilt, body.ptr, body.len);
		spoilt[i] = spoilt[i] == 'A' ? 'B' : 'A';
		believed += !ascii_space(body.ptr[i]) && split_read(slice_make(
		    spoilt, body.len), 1, s.queue_id, &key, a, &r) == RC_OK;
		believed += split_read(slice_sub(body, 0, i), 1, s.queue_id,
		    &key, a, &r) == RC_OK;
	}
	tap_is_int(believed, 0, "no byte may be another, or missing");
	tap_is_int(split_write(&second, &key, a, &body), RC_OK, "the second");
	tap_is_int(split_read(body, 2, SLICE_NONE, &key, a, &r), RC_OK,
	    "is bound to no queue id");
	clock_pin(clock_wall() + SPLIT_FRESH + 1);
	tap_is_int(split_read(body, 2, SLICE_NONE, &key, a, &r), RC_BAD,
	    "but to its time");
	clock_pin(0);
}

/* --- sessions ---------------------------------------------------------- */

struct told {
	unsigned reports, pass;
	enum action last;
	char rule[32];
};

static void
witness(void *arg, const struct report *r)
{
	struct told *told = arg;

	told->reports++;
	told->pass = r->pass;
	told->last = r->applied->action;
	strncpy(told->rule, r->applied->rule, sizeof told->rule - 1);
}

struct play {
	struct host host;
	struct told told;
	struct offline_result result;
	struct offline_input input;
	struct slice recipients[3];
};

static void
adjust(struct settings *set, void *arg)
{
	(void)arg;
	set->key = key;
	set->milter.deadline = 5000;
}

static void
no_key(struct settings *set, void *arg)
{
	(void)arg;
	set->house.splitter = true;
}

static void
needs_a_key(struct arena *a)
{
	static const struct filter *const filters[] = { &probe_filter, NULL };
	const struct settings_source source = { .name = "probe",
	    .filters = filters, .adjust = no_key };
	struct settings *set;
	struct slice why = SLICE("");

	tap_ok(settings_load(&source, NULL, &set, a, &why) == RC_BAD &&
	    slice_search(why, SLICE("seal_key must name")) < why.len,
	    "a splitter without a key is a mistake");
}

static void
open_play(struct play *p, const struct filter *const *filters,
    struct arena *a)
{
	struct settings_source source = { .name = "probe", .filters = filters,
	    .adjust = adjust };
	struct settings *set;
	struct slice why = SLICE("");

	memset(p, 0, sizeof *p);
	if (settings_load(&source, NULL, &set, a, &why) != RC_OK) {
		tap_ok(false, "settings: %.*s", SLICE_ARG(why));
		exit(1);
	}
	set->key = key;			/* no file names it, */
	set->forms = forms;		/* nor a policy */
	host_init(&p->host, set);
	p->host.budget.spool = "/tmp";
	p->host.witness = witness;
	p->host.witness_arg = &p->told;
	p->recipients[0] = SLICE("a@example.net");
	p->recipients[1] = SLICE("b@example.net");
	p->input = (struct offline_input){
		.sender = SLICE("s@example.org"), .recipients = p->recipients,
		.nrecipients = 2, .queue_id = SLICE("4Zx1Qk2hJ9z"),
		.client = { .name = SLICE("unknown"), .helo = SLICE("h") },
	};
	ip_parse(SLICE("192.0.2.1"), &p->input.client.ip);
}

static struct slice
run(struct play *p, struct slice message, struct arena *a)
{
	memset(&p->told, 0, sizeof p->told);
	p->input.message = message;
	offline_run(&p->host, &p->input, a, &p->result);
	return p->result.message;
}

/* The body of the n-th field of that name, or SLICE_NONE. */
static struct slice
field_of(struct arena *a, struct slice message, const char *name, unsigned n)
{
	struct message *m = arena_alloc(a, sizeof *m);
	size_t end = slice_search(message, SLICE("\r\n\r\n"));
	const struct field *f;

	message_read(m, a, slice_sub(message, 0, end + 2),
	    slice_after(message, end + 4), NULL);
	f = message_field(m, slice_of(name), n);
	return f != NULL ? f->body : SLICE_NONE;
}

/* What the splitter makes of it. */
static struct slice
second_of(struct arena *a, struct slice message)
{
	struct slice mark = field_of(a, message, SPLIT_FIELD, 0);
	size_t end = slice_search(message, mark) + mark.len + 2;
	struct seal seal;

	if (mark.ptr == NULL || split_read(mark, 1, SLICE("4Zx1Qk2hJ9z"), &key,
	    a, &seal) != RC_OK) {
		tap_ok(false, "no mark of the first pass");
		return message;
	}
	seal.pass = 2;
	seal.sender = SLICE_NONE;
	seal.addresses = NULL;
	split_write(&seal, &key, a, &mark);
	return arena_printf(a, SPLIT_FIELD ":%.*s\r\n%.*s", SLICE_ARG(mark),
	    SLICE_ARG(slice_after(message, end)));
}

static void
to_second_pass(struct play *p)
{
	p->input.client = (struct client){ .name = SLICE("localhost"),
	    .helo = SLICE("mx"), .daemon_name = SLICE(SPLIT_DAEMON) };
	ip_parse(SLICE("127.0.0.1"), &p->input.client.ip);
	p->input.queue_id = SLICE("4Zx1Qk2hJ9B");
	p->input.nrecipients = 1;
}

#define MAIL	"X-Probe: insert body finding\r\nA: 1\r\n\r\na probe\r\n"
#define EDITED	"X-Inserted: by probe\r\nX-Probe: insert body finding\r\n" \
    "A: 1\r\n\r\na PROBE!\r\n"

static const struct filter *const one[] = { &probe_filter, NULL };

static void
one_class(struct arena *a)
{
	struct play p;

	open_play(&p, one, a);
	p.recipients[1] = SLICE("a2@example.net");
	tap_is(run(&p, SLICE(MAIL), a), SLICE(EDITED),
	    "recipients who agree: edited at once");
	tap_is_int(p.told.pass, 0, "and nobody speaks of passes");
	p.input.nrecipients = 1;
	tap_is(run(&p, SLICE(MAIL), a), SLICE(EDITED), "one alone");
	p.recipients[1] = SLICE("b@example.net");
	p.input.nrecipients = 2;
	p.input.client.user = SLICE("somebody");
	tap_is(run(&p, SLICE(MAIL), a), SLICE(EDITED),
	    "outbound mail goes by its sender");
	host_end(&p.host);
}

static void
both_passes(struct arena *a)
{
	struct play p;
	struct slice first, second;

	open_play(&p, one, a);
	first = run(&p, SLICE(MAIL), a);
	tap_is_int(p.result.answer, ANSWER_CONTINUE, "two classes: taken");
	tap_is_int(p.told.pass, 1, "in a first pass");
	tap_ok(slice_starts(first, SLICE(SPLIT_FIELD ": ")), "marked");
	tap_ok(slice_ends(first, SLICE(MAIL)), "and nothing else changed");
	second = second_of(a, first);
	run(&p, second, a);
	tap_ok(field_of(a, p.result.message, SPLIT_FIELD, 1).ptr == NULL,
	    "a mark that comes in by another door is replaced by ours");
	to_second_pass(&p);
	tap_is(run(&p, second, a), SLICE(EDITED),
	    "the second pass edits, and takes the mark off");
	tap_is_int(p.told.pass, 2, "and says so");
	p.input.nrecipients = 2;
	run(&p, second, a);
	tap_is_int(p.result.answer, ANSWER_TEMPFAIL,
	    "a copy for two classes, by now, is sorted anew");
	run(&p, SLICE(MAIL), a);
	tap_is_int(p.result.answer, ANSWER_TEMPFAIL,
	    "without a mark nothing is taken there");
	run(&p, first, a);
	tap_is_int(p.result.answer, ANSWER_TEMPFAIL,
	    "nor with the one of the first pass");
	host_end(&p.host);
}

/* An alias is one recipient and two classes; trouble is ours. */
static void
aliases(struct arena *a)
{
	struct play p;

	open_play(&p, one, a);
	p.input.nrecipients = 1;
	p.recipients[0] = SLICE("all@example.net");
	run(&p, SLICE(MAIL), a);
	tap_is_int(p.told.pass, 1, "an alias of two classes is split");
	p.recipients[0] = SLICE("broken@example.net");
	run(&p, SLICE(MAIL), a);
	tap_is_int(p.result.answer, ANSWER_TEMPFAIL,
	    "settings that cannot be read: later");
	host_end(&p.host);
}

static void
forged(struct arena *a)
{
	struct play p;

	open_play(&p, one, a);
	p.input.nrecipients = 1;
	tap_is(run(&p, SLICE(SPLIT_FIELD ": forged\r\n" MAIL
	    "x-gatehouse-split: too\r\n"), a), SLICE(EDITED
	    "x-gatehouse-split: too\r\n"), "a forged mark goes (in the body it is text)");
	host_end(&p.host);
}

static const struct {
	const char *words;
	enum answer first, second;
	bool held;
	const char *rule;
} verdicts[] = {
	{ "insert", ANSWER_CONTINUE, ANSWER_CONTINUE, false, "accept" },
	{ "reject", ANSWER_REJECT, ANSWER_CONTINUE, true, "reject" },
	{ "tempfail", ANSWER_TEMPFAIL, ANSWER_TEMPFAIL, false, "tempfail" },
	{ "discard", ANSWER_DISCARD, ANSWER_DISCARD, false, "discard" },
};

/* A filter may decide otherwise in the second pass, and may not refuse. */
static void
decides(struct arena *a)
{
	struct play p;

	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
		const char *words = verdicts[i].words;
		struct slice mail = arena_printf(a, "X-Probe: %s\r\n\r\nb",
		    words), plain, second;

		open_play(&p, one, a);
		run(&p, mail, a);
		tap_is_int(p.result.answer, verdicts[i].first, "%s, first",
		    words);
		plain = run(&p, SLICE("A: 1\r\n\r\nb"), a);
		second = second_of(a, plain);
		second = arena_printf(a, "%.*s%.*s", SLICE_ARG(slice_sub(second,
		    0, second.len - 9)), SLICE_ARG(mail));
		to_second_pass(&p);
		run(&p, second, a);
		tap_is_int(p.result.answer, verdicts[i].second, "%s, second",
		    words);
		tap_is_int(p.result.held, verdicts[i].held, "held");
		tap_is_str(p.told.rule, verdicts[i].rule, "by its rule");
		host_end(&p.host);
	}
}

/* On hold in Postfix after the first pass: whoever lets it go has it
 * delivered, and it is not held again on the way. */
static void
let_go(struct arena *a)
{
	struct play p;
	struct slice first;

	open_play(&p, one, a);
	first = run(&p, SLICE("X-Probe: hold insert\r\n\r\nb"), a);
	tap_ok(p.result.held, "on hold");
	tap_ok(slice_starts(first, SLICE(SPLIT_FIELD ": ")), "with its mark");
	to_second_pass(&p);
	tap_is(run(&p, second_of(a, first), a), SLICE("X-Inserted: by probe\r\n"
	    "X-Probe: hold insert\r\n\r\nb"), "edited for its class");
	tap_ok(!p.result.held, "and not held again");
	tap_is_str(p.told.rule, "released", "since it was let go");
	host_end(&p.host);
}

/* Filters in processes of their own: the first says that it is split, each
 * writes the mark anew, and the second pass runs through all of them. */
static void
adjust_chain(struct play *p)
{
	static const struct slice names[] = { { "probe-head", 10 },
	    { "probe", 5 } };
	struct settings *set = host_settings(&p->host);

	set->house.inbound = (struct conf_list){ names, 2 };
	settings_drop(set);
}

static void
chain(struct arena *a)
{
	static const struct filter *const head[] = { &probe_head_filter, NULL };
	struct play first, last;
	struct slice m;

	open_play(&first, head, a);
	open_play(&last, one, a);
	adjust_chain(&first);
	adjust_chain(&last);
	m = run(&first, SLICE("X-Probe: probe-head/insert probe/append "
	    "probe-head/finding\r\n\r\nb"), a);
	tap_ok(field_of(a, m, SEAL_FIELD, 0).ptr != NULL &&
	    field_of(a, m, SPLIT_FIELD, 0).ptr != NULL, "seal and mark");
	m = run(&last, m, a);
	tap_is_int(last.told.pass, 1, "the last one knows it from the seal");
	tap_ok(field_of(a, m, SEAL_FIELD, 0).ptr == NULL &&
	    field_of(a, m, SPLIT_FIELD, 0).ptr != NULL &&
	    field_of(a, m, SPLIT_FIELD, 1).ptr == NULL,
	    "the seal has gone, one mark stays");
	m = second_of(a, m);
	to_second_pass(&first);
	to_second_pass(&last);
	m = run(&first, m, a);
	tap_ok(field_of(a, m, SPLIT_FIELD, 0).ptr == NULL &&
	    field_of(a, m, SEAL_FIELD, 0).ptr != NULL,
	    "in the second the first one turns the mark into a seal");
	m = run(&last, m, a);
	tap_is(m, SLICE("X-Inserted: by probe\r\nX-Probe: probe-head/insert "
	    "probe/append probe-head/finding\r\nX-Appended: by probe\r\n"
	    "\r\nb"), "and both edit");
	host_end(&first.host);
	host_end(&last.host);
}

/* The same in one process: nothing of a seal is needed. */
static void
hosted(struct arena *a)
{
	static const struct filter *const both[] = { &probe_head_filter,
	    &probe_filter, NULL };
	struct play p;
	struct slice first;

	open_play(&p, both, a);
	adjust_chain(&p);
	first = run(&p, SLICE("X-Probe: probe-head/insert probe/append\r\n"
	    "\r\nb"), a);
	tap_ok(field_of(a, first, SPLIT_FIELD, 0).ptr != NULL &&
	    field_of(a, first, SEAL_FIELD, 0).ptr == NULL &&
	    slice_ends(first, SLICE("append\r\n\r\nb")),
	    "hosted together: a mark, and nothing else");
	first = second_of(a, first);
	to_second_pass(&p);
	tap_is(run(&p, first, a), SLICE("X-Inserted: by probe\r\nX-Probe: "
	    "probe-head/insert probe/append\r\nX-Appended: by probe\r\n\r\n"
	    "b"), "and both edit in the second pass");
	host_end(&p.host);
}

int
main(void)
{
	struct arena *a = arena_new();

	log_open("t", "/dev/null");
	form_classes(a);
	marks(a);
	needs_a_key(a);
	one_class(a);
	both_passes(a);
	aliases(a);
	forged(a);
	decides(a);
	let_go(a);
	chain(a);
	hosted(a);
	arena_free(a);
	return tap_done();
}
