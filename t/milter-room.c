/*
 * The milter room without a milter: gathering, the seal, the in-flight table,
 * and whole sessions played by the offline engine with the probe filters.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "milter/hold.h"
#include "milter/offline.h"
#include "milter/report.h"
#include "t/probe/probe.h"
#include "t/tap.h"

static char folder[] = "/tmp/gatehouse-milter-XXXXXX";

static void
gathers_heap_and_file(void)
{
	struct gather_budget budget = { .spool = folder, .heap_max = 1 << 20,
	    .file_max = 4 << 20 };
	struct gather g;
	struct slice head, body;
	unsigned char hash[GATHER_HASH], again[GATHER_HASH];
	char *big = mem_alloc(300000);

	memset(big, 'x', 300000);
	gather_init(&g, &budget);
	gather_field(&g, SLICE("Subject"), SLICE(" a\r\n\tb"));
	gather_body(&g, SLICE("one\r\n"));
	gather_body(&g, SLICE("two\r\n"));
	tap_is_int(gather_end(&g, &head, &body, hash), RC_OK, "small message");
	tap_is(head, SLICE("Subject: a\r\n\tb\r\n"), "its header block");
	tap_is(body, SLICE("one\r\ntwo\r\n"), "its body");
	gather_reset(&g);
	tap_is_int((long long)budget.heap, 0, "gives its memory back");

	for (int i = 0; i < 3; i++)
		gather_body(&g, slice_make(big, 60000));
	tap_is_int((long long)budget.heap, 0, "a big body is not on the heap");
	tap_is_int((long long)budget.file, 180000, "but in the spool");
	tap_is_int(gather_end(&g, &head, &body, hash), RC_OK, "big message");
	tap_is(body, slice_make(big, 180000), "its body");
	gather_reset(&g);
	gather_body(&g, slice_make(big, 180000));
	gather_end(&g, &head, &body, again);
	tap_ok(memcmp(hash, again, sizeof hash) == 0,
	    "the hash does not depend on the chunks");
	gather_reset(&g);
	gather_body(&g, slice_make(big, 180001));
	gather_end(&g, &head, &body, again);
	tap_ok(memcmp(hash, again, sizeof hash) != 0, "but on the length");
	gather_reset(&g);
	big[70] = 'y';
	gather_body(&g, slice_make(big, 180000));
	gather_end(&g, &head, &body, again);
	tap_ok(memcmp(hash, again, sizeof hash) != 0, "and on the bytes");
	big[70] = 'x';
	gather_reset(&g);
	tap_is_int((long long)budget.file, 0, "gives its spool back");

	for (int i = 0; i < 20; i++)
		gather_body(&g, slice_make(big, 300000));
	tap_is_int(gather_end(&g, &head, &body, hash), RC_RETRY,
	    "over the spool's budget is trouble");
	gather_reset(&g);
	tap_is_int((long long)budget.file, 0, "which is given back too");
	for (int i = 0; i < 20; i++)
		gather_field(&g, SLICE("X"), slice_make(big, 60000));
	tap_is_int(gather_end(&g, &head, &body, hash), RC_RETRY,
	    "over the memory's budget is trouble");
	gather_free(&g);
	tap_is_int((long long)budget.heap, 0, "nothing is left");

	budget.spool = "/nonexistent";
	gather_init(&g, &budget);
	gather_body(&g, slice_make(big, 100000));
	tap_is_int(gather_end(&g, &head, &body, hash), RC_RETRY,
	    "a spool that cannot be written is trouble");
	gather_free(&g);
	tap_is_int((long long)budget.file, 0, "and gives back");
	free(big);
}

static struct seal
a_seal(struct arena *a)
{
	static struct finding findings[] = {
		{ { "auth-check", 10 }, { "spf", 3 }, { "pass", 4 } },
		{ { "probe", 5 }, { "text", 4 }, { "a;b=c%\r\n\0\xff", 9 } },
	};
	static struct plan_address third, second = { .next = &third },
	    first = { .next = &second };
	static struct slice to[] = { { "us@example.org", 14 } };
	static struct mark mark = { .cause = CAUSE_SPAM, .recipients = to,
	    .nrecipients = 1 };
	struct seal s = { .queue_id = SLICE("4Zx1Qk2hJ9z"), .time = 1795000000,
	    .pass = 1, .direction = DIRECTION_OUT, .sender = SLICE("") };

	first.removed = SLICE("a@example.org");
	first.added = SLICE("b@example.org");
	second.removed = SLICE_NONE;
	second.added = SLICE("c d@example.org");
	memset(s.identity, 'a', 32);
	ip_parse(SLICE("2001:db8::1"), &s.client.ip);
	s.client.name = SLICE("mail.example.org");
	s.client.helo = arena_copy(a, SLICE("[192.0.2.1]; m=x"));
	s.client.user = SLICE("anna");
	s.client.tls = SLICE("TLSv1.3");
	s.client.daemon_name = SLICE("ORIGINATING");
	third.removed = SLICE("gone@example.org");
	third.added = SLICE_NONE;
	s.addresses = &first;
	s.findings = findings;
	s.nfindings = 2;
	memset(s.content, 'c', 64);
	memset(mark.object, '1', 32);
	memset(mark.body_sha256, 'b', 64);
	mark.waited = mark.last = true;
	s.release = &mark;
	return s;
}

static void
seals_round_trip(struct arena *a)
{
	struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };
	struct seal_key other = { .bytes = "0123456789abcdeF", .len = 16 };
	struct seal_key none = { .len = 0 };
	struct seal s = a_seal(a), r;
	struct slice body, rest, line;
	char *spoilt;
	size_t longest = 0;
	unsigned believed = 0;

	tap_is_int(seal_write(&s, &key, a, &body), RC_OK, "a seal is written");
	rest = body;
	while (slice_line(&rest, &line))
		longest = line.len > longest ? line.len : longest;
	tap_ok(longest <= 120, "in lines of mail (longest %zu)", longest);
	tap_is_int(seal_read(body, s.queue_id, &key, a, &r), RC_OK, "and read");
	tap_is_str(r.identity, s.identity, "identity");
	tap_is(r.client.helo, s.client.helo, "HELO with tag characters");
	tap_is(ip_format(a, &r.client.ip), SLICE("2001:db8::1"), "address");
	tap_is_int(r.direction, DIRECTION_OUT, "direction");
	tap_is(r.sender, SLICE(""), "the empty reverse-path is a change");
	tap_is(r.addresses->removed, SLICE("a@example.org"), "removed");
	tap_is(r.addresses->next->added, SLICE("c d@example.org"), "added");
	tap_ok(r.addresses->next->removed.ptr == NULL, "only added");
	tap_is(r.addresses->next->next->removed, SLICE("gone@example.org"),
	    "kept back");
	tap_ok(r.addresses->next->next->added.ptr == NULL, "for nobody else");
	tap_is_str(r.content, s.content, "content hash");
	tap_ok(r.release != NULL && r.release->cause == CAUSE_SPAM &&
	    r.release->nrecipients == 1 && mark_has(r.release,
	    SLICE("us@example.org")) && strcmp(r.release->body_sha256,
	    s.release->body_sha256) == 0 && r.release->waited &&
	    r.release->last, "what was released");
	tap_is_int((long long)r.nfindings, 2, "two findings");
	tap_is(r.findings[1].value, s.findings[1].value, "of any bytes");

	tap_is_int(seal_read(body, SLICE("4Zx1Qk2hJ9y"), &key, a, &r), RC_BAD,
	    "another queue id: no seal");
	tap_is_int(seal_read(body, s.queue_id, &other, a, &r), RC_BAD,
	    "another key: no seal");
	tap_is_int(seal_read(body, s.queue_id, &none, a, &r), RC_BAD,
	    "no key: no seal");
	tap_is_int(seal_read(SLICE(""), s.queue_id, &key, a, &r), RC_BAD,
	    "nothing: no seal");
	for (size_t i = 0; i < body.len; i++) {
		spoilt = arena_str(a, body);
		spoilt[i] ^= 4;
		if (seal_read(slice_make(spoilt, body.len), s.queue_id, &key,
		    a, &r) == RC_OK && !ascii_space(spoilt[i]))
			believed++;
	}
	tap_is_int(believed, 0, "no spoilt byte is believed");
	for (size_t i = 0; i < body.len; i++)
		believed += seal_read(slice_sub(body, 0, i), s.queue_id, &key,
		    a, &r) == RC_OK;
	tap_is_int(believed, 0, "no part of it is believed");
}

static void
seal_keys(struct arena *a)
{
	struct seal_key key;
	struct slice why;
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/key", folder);
	tap_is_int(seal_key_load(path, &key, a, &why), RC_BAD, "no key file");
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	tap_ok(write(fd, "short", 5) == 5, "a short one");
	tap_is_int(seal_key_load(path, &key, a, &why), RC_BAD, "is refused");
	tap_ok(write(fd, "0123456789abcdef", 16) == 16, "a long one");
	tap_is_int(seal_key_load(path, &key, a, &why), RC_OK, "is taken");
	fchmod(fd, 0644);
	tap_is_int(seal_key_load(path, &key, a, &why), RC_BAD,
	    "not when others may read it");
	tap_ok(slice_search(why, SLICE("chmod o=")) < why.len,
	    "and says what to type");
	fchmod(fd, 0600);
	close(fd);
}

/* A process that dies with the message in hand. */
static void
crash_with(const char *path, unsigned char seed)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct arena *a = arena_new();
		unsigned char hash[INFLIGHT_HASH] = { seed };
		struct inflight *t;
		struct slice why;
		int slot;

		if (inflight_open(path, &t, a, &why) != RC_OK)
			_exit(1);
		inflight_enter(t, hash, SLICE("ID"), deadline_in(1000), &slot);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
blames_what_was_in_hand(struct arena *a)
{
	unsigned char hash[INFLIGHT_HASH] = { 7 }, good[INFLIGHT_HASH] = { 9 };
	struct inflight *t, *second;
	struct slice why;
	enum inflight_state state;
	char path[64];
	int slot, other;

	snprintf(path, sizeof path, "%s/inflight", folder);
	crash_with(path, 9);
	tap_is_int(inflight_open(path, &t, a, &why), RC_OK, "table opens");
	tap_is_int(inflight_blamed(t), 1, "one message is blamed");
	tap_is_int(inflight_open(path, &second, a, &why), RC_BAD,
	    "a second process is refused");
	state = inflight_enter(t, good, SLICE("ID"), deadline_in(1000), &slot);
	tap_is_int(state, INFLIGHT_SUSPECT, "it is a suspect");
	inflight_leave(t, good, state, slot, false);
	tap_is_int(inflight_enter(t, good, SLICE("ID"), deadline_in(1000), &slot),
	    INFLIGHT_CLEAN, "and cleared when it got through");
	inflight_leave(t, good, INFLIGHT_CLEAN, slot, false);
	inflight_close(t);

	for (int i = 0; i < 2; i++)
		crash_with(path, 7);
	crash_with(path, 9);
	inflight_open(path, &t, a, &why);
	tap_is_int(inflight_enter(t, hash, SLICE("ID"), deadline_in(1000), &slot),
	    INFLIGHT_SUSPECT, "two crashes: still read");
	tap_is_int(inflight_enter(t, good, SLICE("ID"), deadline_in(50), &other),
	    INFLIGHT_BUSY, "but with no other suspect beside it");
	inflight_leave(t, hash, INFLIGHT_SUSPECT, slot, false);
	inflight_close(t);
	for (int i = 0; i < 3; i++)
		crash_with(path, 7);
	inflight_open(path, &t, a, &why);
	tap_is_int(inflight_enter(t, hash, SLICE("ID"), deadline_in(1000), &slot),
	    INFLIGHT_IS_POISON, "three crashes: poison");
	inflight_close(t);
	tap_is_int(truncate(path, 100), 0, "a torn table file");
	tap_is_int(inflight_open(path, &t, a, &why), RC_OK, "is made anew");
	tap_is_int(inflight_blamed(t), 0, "and blames nobody");
	inflight_close(t);
}

struct told {
	unsigned reports;
	enum action last;
	uint64_t size;
	char rule[32], filter[32], finding[64];
	size_t held;			/* recipients of objects */
	enum cause cause;		/* of the first */
};

static void
witness(void *arg, const struct report *r)
{
	struct told *told = arg;

	told->reports++;
	told->last = r->applied->action;
	for (const struct held *h = r->held; h != NULL && h->durable;
	    h = h->next) {
		if (told->held == 0)
			told->cause = h->meta.cause;
		told->held += h->meta.nrecipients;
	}
	told->size = r->size;
	snprintf(told->rule, sizeof told->rule, "%s", r->applied->rule);
	snprintf(told->filter, sizeof told->filter, "%s", r->job->filter);
	for (const struct plan_pair *f = r->plan->facts; f != NULL;
	    f = f->next)
		if (strcmp(f->key, "gatehouse.probe.found") == 0)
			snprintf(told->finding, sizeof told->finding, "%.*s",
			    SLICE_ARG(f->value));
}

struct play {
	struct host host;
	struct told told;
	struct offline_result result;
	struct offline_input input;
	struct slice recipients[2];
};

static void
no_limit(struct settings *set, void *arg)
{
	set->house.message_size_limit = *(uint64_t *)arg;
	set->milter.deadline = 300;
}

static bool
open_play(struct play *p, const struct filter *const *filters, uint64_t limit,
    struct arena *a)
{
	struct settings_source source = { .name = "probe",
	    .filters = filters, .adjust = no_limit, .arg = &limit };
	struct settings *set;
	struct slice why = SLICE("");

	memset(p, 0, sizeof *p);
	if (settings_load(&source, NULL, &set, a, &why) != RC_OK) {
		tap_ok(false, "settings: %.*s", SLICE_ARG(why));
		return false;
	}
	host_init(&p->host, set);
	p->host.budget.spool = folder;
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
	return true;
}

static struct slice
run(struct play *p, struct slice message, struct arena *a)
{
	memset(&p->told, 0, sizeof p->told);
	p->input.message = message;
	offline_run(&p->host, &p->input, a, &p->result);
	return p->result.message;
}

static void
sessions_edit(struct arena *a)
{
	static const struct filter *const one[] = { &probe_filter, NULL };
	struct play p;
	char *big = mem_alloc(200000);

	if (!open_play(&p, one, 0, a))
		return;
	tap_is(run(&p, SLICE("A: 1\nb:2\nFolded: x\n\ty\n\nbody\n"), a),
	    SLICE("A: 1\r\nb:2\r\nFolded: x\r\n\ty\r\n\r\nbody\r\n"),
	    "nothing asked: nothing changed but LF to CRLF");
	tap_is_int(p.result.answer, ANSWER_CONTINUE, "and it goes on");
	tap_is(run(&p, SLICE("From x\nA: 1\nno field\nbody"), a),
	    SLICE("From x\r\nA: 1\r\nno field\r\nbody"),
	    "mbox line, and a header block that a junk line ends");
	tap_is(run(&p, SLICE("X-Probe: delete change insert append\n"
	    "x-delete: 1\nX-Change: old\nKeep : me\nX-DELETE: 2\n\nb"), a),
	    SLICE("X-Inserted: by probe\r\n"
	    "X-Probe: delete change insert append\r\n"
	    "X-Change: changed\r\n\tand folded\r\nKeep : me\r\n"
	    "X-Appended: by probe\r\n\r\nb"), "header fields edited");
	tap_is(run(&p, SLICE("X-Probe: body\n\na probe, a probe\n"), a),
	    SLICE("X-Probe: body\r\n\r\na PROBE!, a PROBE!\r\n"),
	    "body edited");
	tap_is(run(&p, SLICE("X-Probe: empty\n\nbody\n"), a),
	    SLICE("X-Probe: empty\r\n\r\n"), "body emptied");
	run(&p, SLICE("X-Probe: sender recipient\n\nb"), a);
	tap_is(p.result.sender, SLICE("probe@example.net"), "sender changed");
	tap_is_int((long long)p.result.nrecipients, 2, "recipient changed");
	tap_is(p.result.recipients[1], SLICE("other@example.net"), "to this");
	memset(big, 'x', 200000);
	memcpy(big, "A: 1\r\n\r\n", 8);
	tap_is(run(&p, slice_make(big, 200000), a), slice_make(big, 200000),
	    "a big one, through the spool");
	host_end(&p.host);
	free(big);
}

static const struct {
	const char *words, *rule;
	enum answer answer;
	const char *code, *text;
} endings[] = {
	{ "reject", "reject", ANSWER_REJECT, "550", "refused by probe" },
	{ "tempfail", "tempfail", ANSWER_TEMPFAIL, "451",
	  "deferred by probe" },
	{ "discard", "discard", ANSWER_DISCARD, "", "" },
	{ "hold", "hold", ANSWER_CONTINUE, "", "" },
	{ "mixed", "mixed", ANSWER_CONTINUE, "", "" },
	{ "trouble", "trouble", ANSWER_TEMPFAIL, "451",
	  "Service unavailable - try again later" },
	{ "late body", "trouble", ANSWER_TEMPFAIL, "451",
	  "Service unavailable - try again later" },
	{ "grow", "trouble", ANSWER_TEMPFAIL, "451",
	  "Service unavailable - try again later" },
	{ "reject insert", "reject", ANSWER_REJECT, "550",
	  "refused by probe" },
};

static void
sessions_end(struct arena *a)
{
	static const struct filter *const one[] = { &probe_filter, NULL };
	struct play p;
	char *body = mem_alloc(40000);

	if (!open_play(&p, one, 60000, a))
		return;
	memset(body, 'x', 40000);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		const char *words = endings[i].words;
		struct slice message = arena_printf(a,
		    "X-Probe: %s\r\n\r\n%.40000s", words, body);
		struct slice out = run(&p, message, a);

		tap_is_int(p.result.answer, endings[i].answer, "%s: answer",
		    words);
		tap_is_str(p.told.rule, endings[i].rule, "%s: rule", words);
		tap_is_str(p.result.code, endings[i].code, "%s: code", words);
		tap_ok(slice_eq(p.result.text, slice_of(endings[i].text)) ||
		    endings[i].text[0] == '\0', "%s: text", words);
		tap_ok(slice_eq(out, message), "%s: nothing is edited", words);
	}
	run(&p, SLICE("X-Probe: hold\n\nb"), a);
	tap_ok(p.result.held, "held");
	tap_is(p.result.held_reason, SLICE("asked to hold"), "with a reason");
	host_end(&p.host);
	free(body);
}

/* With a store: who is left and what would be held, and nothing is written. */
static const struct {
	const char *words;
	enum answer answer;
	size_t left, held;		/* recipients */
	enum cause cause;
} holdings[] = {
	{ "accept", ANSWER_CONTINUE, 2, 0, CAUSE_NONE },
	{ "hold", ANSWER_HELD, 2, 2, CAUSE_POLICY },
	{ "hold cause:virus", ANSWER_HELD, 2, 2, CAUSE_VIRUS },
	{ "hold:b@example.net:spam", ANSWER_CONTINUE, 1, 1, CAUSE_SPAM },
	{ "discard:a@example.net:graymail", ANSWER_CONTINUE, 1, 1,
	  CAUSE_GRAYMAIL },
	{ "discard", ANSWER_DISCARD, 2, 2, CAUSE_POLICY },
	{ "reject:a@example.net", ANSWER_CONTINUE, 1, 1, CAUSE_POLICY },
	{ "reject", ANSWER_REJECT, 2, 0, CAUSE_NONE },
	{ "tempfail:a@example.net hold:b@example.net", ANSWER_TEMPFAIL, 2, 0,
	  CAUSE_NONE },
	{ "hold:a@example.net late", ANSWER_TEMPFAIL, 2, 0, CAUSE_NONE },
};

static void
with_store(struct settings *set, void *arg)
{
	(void)arg;
	set->store = true;
	set->milter.deadline = 300;
	set->house.state_directory = "/nonexistent";
}

static void
sessions_hold(struct arena *a)
{
	static const struct filter *const one[] = { &probe_filter, NULL };
	struct settings_source source = { .name = "probe", .filters = one,
	    .adjust = with_store };
	struct settings *set;
	struct slice why;
	struct play p;

	if (!open_play(&p, one, 0, a) ||
	    settings_load(&source, NULL, &set, a, &why) != RC_OK)
		return;
	host_swap(&p.host, set);
	p.host.dry = true;
	for (size_t i = 0; i < sizeof holdings / sizeof holdings[0]; i++) {
		const char *words = holdings[i].words;

		run(&p, arena_printf(a, "X-Probe: %s\n\nb\n", words), a);
		tap_is_int(p.result.answer, holdings[i].answer, "%s: answer",
		    words);
		tap_is_int((long long)p.result.nrecipients,
		    (long long)holdings[i].left, "%s: who is left", words);
		tap_is_int((long long)p.told.held,
		    (long long)holdings[i].held, "%s: for how many", words);
		tap_is_int(p.told.cause, holdings[i].cause, "%s: cause",
		    words);
	}
	host_end(&p.host);
}

/* What may be held must be there, whether a filter wants to read it or not. */
static void
store_wants_bodies(struct arena *a)
{
	static const struct filter *const light[] = { &probe_light_filter,
	    NULL };
	struct settings_source source = { .name = "probe", .filters = light,
	    .adjust = with_store };
	struct slice m = SLICE("X-Probe: skip hold\r\n\r\na probe\r\n"), why;
	struct settings *set;
	struct play p;

	if (!open_play(&p, light, 0, a) ||
	    settings_load(&source, NULL, &set, a, &why) != RC_OK)
		return;
	run(&p, m, a);
	tap_ok(p.told.size == 0 && p.result.answer == ANSWER_CONTINUE,
	    "without a store it is not wanted, and Postfix holds");
	host_swap(&p.host, set);
	p.host.dry = true;
	run(&p, m, a);
	tap_is_int(p.result.answer, ANSWER_HELD, "with one it would be held");
	tap_is_int((long long)p.told.size, (long long)m.len - 2,
	    "with its body");
	tap_is_int(set->needs & LEAVES_BODY, 0, "none is left out");
	host_end(&p.host);
}

static void
with_store_key(struct settings *set, void *arg)
{
	const char *const *files = arg;

	set->house.seal_key = files[0];
	set->house.store_key = files[1];
}

static void
stores_configured(struct arena *a)
{
	static const struct filter *const one[] = { &probe_filter, NULL };
	const char *seal = arena_printf(a, "%s/key", folder).ptr;
	const char *pub = arena_printf(a, "%s/pub", folder).ptr;
	const struct { const char *name, *files[2], *says; } cases[] = {
		{ "both keys", { seal, pub }, NULL },
		{ "no seal key", { "", pub }, "openssl rand" },
		{ "no public key", { seal, "/nonexistent" }, "keygen" },
		{ "a seal key as the public one", { seal, seal },
		  "gatehouse-store-public" },
		{ "no store", { seal, "" }, NULL },
	};
	struct slice why = SLICE("");

	if (store_key_make(arena_printf(a, "%s/priv", folder).ptr, pub, a,
	    &why) != RC_OK)
		tap_ok(false, "keys: %.*s", SLICE_ARG(why));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct settings_source source = { .name = "probe",
		    .filters = one, .adjust = with_store_key,
		    .arg = (void *)(uintptr_t)cases[i].files };
		struct settings *set = NULL;
		enum rc rc = settings_load(&source, NULL, &set, a, &why);

		tap_is_int(rc, cases[i].says != NULL ? RC_BAD : RC_OK, "%s",
		    cases[i].name);
		if (cases[i].says != NULL)
			tap_ok(slice_search(why, slice_of(cases[i].says)) <
			    why.len, "says what to do: %.*s", SLICE_ARG(why));
		if (set != NULL)
			tap_is_int((set->needs & HOLDS) != 0,
			    cases[i].files[1][0] != '\0', "%s: removes "
			    "recipients", cases[i].name);
		settings_drop(set);
	}
	unlink(pub);
	unlink(arena_printf(a, "%s/priv", folder).ptr);
}

static void
with_key(struct settings *set, void *arg)
{
	static const struct slice names[] = { { "probe-head", 10 },
	    { "probe", 5 } };

	set->house.seal_key = arg;
	set->house.inbound.count = 2;
	set->house.inbound.items = names;
}

/* What the one leaves is what the other gets, through a seal. */
static void
seals_hand_over(struct arena *a)
{
	static const struct filter *const head[] = { &probe_head_filter, NULL };
	static const struct filter *const body[] = { &probe_filter, NULL };
	static const struct filter *const both[] = { &probe_head_filter,
	    &probe_filter, NULL };
	struct slice message = SLICE("X-Probe: finding body recipient\r\n"
	    "x-gatehouse-SEAL: v=1; forged\r\nA: 1\r\n\r\nprobe\r\n");
	struct settings_source source = { .adjust = with_key,
	    .arg = arena_str(a, arena_printf(a, "%s/key", folder)) };
	const struct filter *const *sets[] = { head, body, both };
	const char *names[] = { "probe-head", "probe", "chain" };
	struct slice between, apart, together;
	struct settings *set;
	struct play p[3];
	struct slice why;

	for (int i = 0; i < 3; i++) {
		open_play(&p[i], sets[i], 0, a);
		source.filters = sets[i];
		source.name = names[i];
		if (settings_load(&source, NULL, &set, a, &why) != RC_OK) {
			tap_ok(false, "settings: %.*s", SLICE_ARG(why));
			return;
		}
		host_swap(&p[i].host, set);
	}
	between = run(&p[0], message, a);
	tap_ok(slice_starts(between, SLICE(SEAL_FIELD ": v=1")),
	    "the first filter puts its seal on top");
	tap_ok(slice_search(between, SLICE("forged")) == between.len,
	    "and removes a forged one");
	apart = run(&p[1], between, a);
	tap_is_str(p[1].told.finding, "a;b=c%\r\n\xc3\xa9",
	    "the second finds what the first found");
	tap_is(apart, SLICE("X-Probe: finding body recipient\r\nA: 1\r\n\r\n"
	    "PROBE!\r\n"), "and, being the last, removes the seal");
	together = run(&p[2], message, a);
	tap_is(together, apart, "one process gives the same bytes as two");
	tap_is_int(p[2].told.reports, 2, "and a line for each filter");
	tap_is_str(p[2].told.finding, "a;b=c%\r\n\xc3\xa9",
	    "findings are handed on inside too");
	p[1].input.queue_id = SLICE("other");
	run(&p[1], between, a);
	tap_is_str(p[1].told.finding, "", "a seal of another message is none");
	for (int i = 0; i < 3; i++)
		host_end(&p[i].host);
}

static void
breaches(struct arena *a)
{
	static const struct filter *const head[] = { &probe_head_filter, NULL };
	struct play p;

	if (!open_play(&p, head, 0, a))
		return;
	run(&p, SLICE("X-Probe: forbidden\n\nb"), a);
	tap_is_int(p.result.answer, ANSWER_TEMPFAIL,
	    "an edit that the filter's table does not allow is trouble");
	host_end(&p.host);
}

/* What of the body is there when one of these filters does not want it. */
static void
leaves_bodies(struct arena *a)
{
	static const struct filter *const light[] = { &probe_light_filter,
	    NULL };
	static const struct filter *const heads[] = { &probe_light_filter,
	    &probe_head_filter, NULL };
	static const struct filter *const both[] = { &probe_light_filter,
	    &probe_filter, NULL };
	static const struct {
		const struct filter *const *filters;
		const char *name, *message;
		uint64_t size;
		bool changed;
	} cases[] = {
		{ light, "it does not", "X-Probe: skip\r\n\r\na probe\r\n", 0,
		    false },
		{ light, "it does", "X-Probe: body\r\n\r\na probe\r\n", 24,
		    true },
		{ light, "there is none", "X-Probe: skip\r\n\r\n", 15, false },
		{ heads, "nor does one that never does",
		    "X-Probe: skip\r\n\r\na probe\r\n", 0, false },
		{ both, "another does",
		    "X-Probe: skip body\r\n\r\na probe\r\n", 29, true },
	};
	struct play p;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice m = slice_of(cases[i].message);

		if (!open_play(&p, cases[i].filters, 0, a))
			return;
		tap_ok(p.host.current->needs & NEED_BODY &&
		    ((p.host.current->needs & LEAVES_BODY) != 0) ==
		    (cases[i].filters != both), "%s: negotiated",
		    cases[i].name);
		tap_ok(!slice_eq(run(&p, m, a), m) == cases[i].changed,
		    "%s: the body of the message", cases[i].name);
		tap_is_int(p.result.answer, ANSWER_CONTINUE, "%s: goes on",
		    cases[i].name);
		tap_is_int((long long)p.told.size, (long long)cases[i].size,
		    "%s: size", cases[i].name);
		host_end(&p.host);
	}
	if (!open_play(&p, light, 0, a))
		return;
	/* An edit of what is not there would replace what is. */
	run(&p, SLICE("X-Probe: skip empty\r\n\r\na probe\r\n"), a);
	tap_is_int(p.result.answer, ANSWER_TEMPFAIL,
	    "an edit of a body that was not wanted is trouble");
	tap_is(p.result.body_after, SLICE("a probe\r\n"), "the body stays");
	tap_is(run(&p, SLICE("X-Probe: body\r\n\r\na probe\r\n"), a),
	    SLICE("X-Probe: body\r\n\r\na PROBE!\r\n"), "the next is wanted");
	host_end(&p.host);
}

static void
remove_folder(void)
{
	static const char *const files[] = { "key", "inflight" };
	char path[64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

int
main(void)
{
	struct arena *a = arena_new();

	log_open("t-milter-room", "/dev/null");
	if (mkdtemp(folder) == NULL)
		return 1;
	gathers_heap_and_file();
	seals_round_trip(a);
	seal_keys(a);
	blames_what_was_in_hand(a);
	sessions_edit(a);
	sessions_end(a);
	sessions_hold(a);
	store_wants_bodies(a);
	seals_hand_over(a);
	stores_configured(a);
	breaches(a);
	leaves_bodies(a);
	arena_free(a);
	remove_folder();
	return tap_done();
}
