/*
 * gatehouse dmarc-report: aggregate reports (RFC 9990) from the journals.
 *
 * read the journals (dmarc-events), and then, one report after the other:
 * write it (dmarc-xml), ask who gets it (dmarc-dest), and print, store or send
 * it (dmarc-mail; dmarc-sent remembers).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "journal/journal.h"
#include "text/address.h"
#include "text/json.h"
#include "tools/dmarc-conf.h"
#include "tools/dmarc-dest.h"
#include "tools/dmarc-events.h"
#include "tools/dmarc-mail.h"
#include "tools/dmarc-sent.h"
#include "tools/dmarc-xml.h"
#include "tools/verb.h"

enum {
	DAY = 86400,
	FOLDERS = 100,
	DOMAINS = 1000,			/* --domain */
	XML_MAX = 1 << 30,
	FAILURES = 3,			/* of sendmail, one after the other */
};

enum how { HOW_PRINT, HOW_OUTPUT, HOW_SEND };

struct run {
	struct arena *a;		/* of the whole run */
	struct arena *report;		/* of one report */
	const char *config, *state, *output, *resolver;
	const char *from, *to, *day;
	struct slice only[DOMAINS];
	size_t nonly;
	unsigned rate;
	bool json, dry;
	enum how how;

	struct house_conf house;
	struct dmarc_report_conf conf;
	struct dmarc_events_conf events;
	struct dns *dns;
	struct sent *sent;
	deadline_t next;		/* mail goes out no earlier */
	unsigned failures;
	int status;
	struct buf out;
	struct json w;
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 't' },
	{ "day", required_argument, NULL, 'd' },
	{ "domain", required_argument, NULL, 'D' },
	{ "output", required_argument, NULL, 'o' },
	{ "send", no_argument, NULL, 'S' },
	{ "rate", required_argument, NULL, 'r' },
	{ "resolver", required_argument, NULL, 'R' },
	{ "json", no_argument, NULL, 'j' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "sample", no_argument, NULL, 'x' },
	{ "manual", no_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse dmarc-report [OPTION]...\n"
	    "\n"
	    "Builds DMARC aggregate reports (RFC 9990) from the journals: one "
	    "for each domain\n"
	    "whose policy names addresses for them. Says what would be done, "
	    "unless told to\n"
	    "do it.\n"
	    "\n"
	    "  --output DIR       write the reports into this folder\n"
	    "  --send             hand them to Postfix, each of them once\n"
	    "  --dry-run          with one of these: only say what it would "
	    "do\n"
	    "  --day YYYY-MM-DD   of this day (UTC); without it: of yesterday\n"
	    "  --from TIME --to TIME\n"
	    "                     of this time: seconds since 1970, or "
	    "2026-11-22T03:20:00Z\n"
	    "  --domain D         only about this domain; may be given several "
	    "times\n"
	    "  --rate N           mails a minute, instead of rate of the "
	    "configuration\n"
	    "  --resolver H:P     DNS server to ask\n"
	    "  --config DIR       folder with gatehouse.conf and "
	    "dmarc-report.conf\n"
	    "  --state DIR        folder of the journals, instead of "
	    "state_directory\n"
	    "  --json             one JSON array\n"
	    "  --sample           print a commented dmarc-report.conf\n"
	    "  --manual           print its options as manual page text\n"
	    "\n"
	    "Exit status 75: some reports did not go; the same command once "
	    "more sends just\n"
	    "those.");
	return EX_OK;
}

static int
print_options(bool manual)
{
	static const struct conf_section sections[] = {
	    { dmarc_report_options, NULL }, { NULL, NULL } };

	return verb_options("dmarc-report.conf", sections, manual);
}

/* --- what is wanted --- */

static int
add_domain(struct run *r, const char *text)
{
	if (r->nonly == DOMAINS)
		return verb_fails(EX_USAGE, "--domain: %d at most", DOMAINS);
	if (!domain_ascii(r->a, slice_of(text), &r->only[r->nonly]))
		return verb_fails(EX_USAGE, "--domain %s: no domain", text);
	r->nonly++;
	return EX_OK;
}

static int
set_rate(struct run *r, const char *text)
{
	uint64_t n;

	if (!slice_number(slice_of(text), 60000, &n) || n == 0)
		return verb_fails(EX_USAGE, "--rate %s: 1 to 60000 a minute",
		    text);
	r->rate = (unsigned)n;
	return EX_OK;
}

static int
set_how(struct run *r, enum how how)
{
	if (r->how != HOW_PRINT && r->how != how)
		return verb_fails(EX_USAGE, "dmarc-report: --output or --send, "
		    "not both");
	r->how = how;
	return EX_OK;
}

static int
take_option(struct run *r, int c)
{
	switch (c) {
	case 'c': r->config = optarg; break;
	case 's': r->state = optarg; break;
	case 'f': r->from = optarg; break;
	case 't': r->to = optarg; break;
	case 'd': r->day = optarg; break;
	case 'D': return add_domain(r, optarg);
	case 'o': r->output = optarg; return set_how(r, HOW_OUTPUT);
	case 'S': return set_how(r, HOW_SEND);
	case 'r': return set_rate(r, optarg);
	case 'R': r->resolver = optarg; break;
	case 'j': r->json = true; break;
	case 'n': r->dry = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

/* --day, or --from and --to, or yesterday. */
static int
set_window(struct run *r, int64_t now)
{
	struct dmarc_events_conf *e = &r->events;

	e->from = now - now % DAY - DAY;
	if ((r->from == NULL) != (r->to == NULL) ||
	    (r->from != NULL && r->day != NULL))
		return verb_fails(EX_USAGE, "dmarc-report: --day, or --from "
		    "and --to");
	if (r->day != NULL && (strlen(r->day) != 10 ||
	    !dmarc_time_parse(slice_of(r->day), &e->from)))
		return verb_fails(EX_USAGE, "--day %s: a day, as 2026-11-22",
		    r->day);
	e->to = e->from + DAY;
	if (r->from == NULL)
		return EX_OK;
	if (!dmarc_time_parse(slice_of(r->from), &e->from) ||
	    !dmarc_time_parse(slice_of(r->to), &e->to) || e->from >= e->to)
		return verb_fails(EX_USAGE, "dmarc-report: from %s to %s is no "
		    "time; seconds since 1970, or 2026-11-22T03:20:00Z",
		    r->from, r->to);
	return EX_OK;
}

static int
check_send(const struct run *r, int64_t now)
{
	if (!r->conf.has_email)
		return verb_fails(EX_CONFIG, "dmarc-report.conf: email is not "
		    "set; reports need an address to come from");
	if (r->events.to > now)
		return verb_fails(EX_USAGE, "dmarc-report: that time is not "
		    "over; a report goes out once, so it would stay "
		    "incomplete");
	if (r->events.from < now - SENT_DAYS * INT64_C(86400))
		return verb_fails(EX_USAGE, "dmarc-report: what was sent is "
		    "remembered for %d days; older reports are not sent",
		    SENT_DAYS);
	return EX_OK;
}

static int
load(struct run *r)
{
	struct slice why;

	if (dmarc_report_load(verb_conf_dir(r->config), &r->house, &r->conf,
	    r->a, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	if (r->state == NULL)
		r->state = r->house.state_directory;
	if (r->rate == 0)
		r->rate = r->conf.rate;
	return EX_OK;
}

static void
set_events(struct run *r)
{
	struct dmarc_events_conf *e = &r->events;

	e->interval = r->conf.interval / 1000;
	e->schema = (enum dmarc_schema)r->conf.schema;
	e->max_rows = r->conf.max_rows;
	e->max_memory = r->conf.max_memory;
	e->only = (struct conf_list){ r->only, r->nonly };
	e->skip = &r->conf.skip_domains;
	e->own = r->conf.own_domains ? NULL : &r->house.domains;
	e->mailboxes = &r->conf.report_mailboxes;
	e->email = slice_of(r->conf.email);
	e->sender = slice_of(r->conf.sender);
}

/* --- the journals --- */

static int
read_journals(struct run *r, struct dmarc_events *ev)
{
	struct dirent **entries;
	int n = scandir(r->state, &entries, NULL, alphasort);
	int status = EX_OK;
	size_t all = 0;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", r->state,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *dir = arena_printf(r->a, "%s/%s", r->state,
		    entries[i]->d_name).ptr;
		struct slice why = SLICE("");
		size_t torn = 0;

		if (entries[i]->d_name[0] != '.' &&
		    entries[i]->d_type != DT_REG && i < FOLDERS &&
		    journal_each(dir, "journal", r->a, dmarc_events_line, ev,
		    &torn, &why) != RC_OK)
			status = verb_fails(EX_NOINPUT, "%.*s",
			    SLICE_ARG(why));
		all += torn;
		free(entries[i]);
	}
	free(entries);
	if (all > 0)
		fprintf(stderr, "gatehouse: %zu torn lines passed over\n",
		    all);
	return status;
}

/* What the reports do not hold is said aloud. */
static void
tell_counts(const struct dmarc_counts *c)
{
	if (c->unusable > 0)
		fprintf(stderr, "gatehouse: %" PRIu64 " events without a "
		    "usable domain, address or time passed over\n",
		    c->unusable);
	if (c->left_out > 0)
		fprintf(stderr, "gatehouse: %" PRIu64 " messages left out: "
		    "max_rows or max_memory of dmarc-report.conf\n",
		    c->left_out);
	if (c->of_reports > 0)
		fprintf(stderr, "gatehouse: %" PRIu64 " messages to our report "
		    "mailboxes not counted\n", c->of_reports);
}

/* --- one report --- */

/* What became of one destination: a word for scripts, the reason in words. */
static void
tell_destination(struct run *r, struct slice address, const char *state,
    struct slice why)
{
	if (r->json) {
		json_begin_object(&r->w);
		json_put(&r->w, "address", address);
		json_put(&r->w, "state", slice_of(state));
		json_put(&r->w, "reason", why);
		json_end(&r->w);
		return;
	}
	buf_adds(&r->out, "  ");
	buf_add(&r->out, verb_safe(r->report, address));
	buf_addf(&r->out, ": %s", state);
	if (why.len > 0) {
		buf_adds(&r->out, " (");
		buf_add(&r->out, verb_safe(r->report, why));
		buf_adds(&r->out, ")");
	}
	buf_addc(&r->out, '\n');
}

static void
tell_report(struct run *r, const struct dmarc_report *report,
    struct slice file, size_t bytes)
{
	if (!r->json) {
		buf_addf(&r->out, "%.*s: %" PRIu64 " messages in %zu rows, "
		    "%zu bytes", SLICE_ARG(file), report->messages,
		    map_count(report->rows), bytes);
		if (report->left_out > 0)
			buf_addf(&r->out, "; %" PRIu64 " messages left out",
			    report->left_out);
		buf_addc(&r->out, '\n');
		return;
	}
	json_begin_object(&r->w);
	json_put(&r->w, "domain", report->domain);
	json_put_int(&r->w, "begin", report->begin);
	json_put_int(&r->w, "end", report->end - 1);
	json_put(&r->w, "report_id", dmarc_report_id(r->report,
	    r->conf.submitter, report));
	json_put(&r->w, "file", file);
	json_put_int(&r->w, "messages", (int64_t)report->messages);
	json_put_int(&r->w, "rows", (int64_t)map_count(report->rows));
	json_put_int(&r->w, "left_out", (int64_t)report->left_out);
	json_put_int(&r->w, "bytes", (int64_t)bytes);
}

/* Whole or not there: written beside, and renamed. */
static int
store(struct run *r, struct slice name, struct slice bytes)
{
	const char *path = arena_printf(r->report, "%s/%.*s", r->output,
	    SLICE_ARG(name)).ptr;
	const char *new = arena_printf(r->report, "%s/.new.%ld", r->output,
	    (long)getpid()).ptr;
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0644);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool good = f != NULL && fwrite(bytes.ptr, 1, bytes.len, f) ==
	    bytes.len && fflush(f) == 0 && fsync(fd) == 0;
	int why = errno;

	if (f != NULL && fclose(f) != 0 && good) {
		good = false;
		why = errno;
	}
	if (good && rename(new, path) != 0) {
		good = false;
		why = errno;
	}
	if (good)
		return EX_OK;
	unlink(new);
	return verb_fails(EX_IOERR, "%s: %s", path, strerror(why));
}

/* At most `rate` a minute, evenly. */
static void
wait_turn(struct run *r)
{
	int64_t ms = deadline_left(r->next);
	struct timespec t = { .tv_sec = ms / 1000,
	    .tv_nsec = ms % 1000 * 1000000 };

	while (ms > 0 && nanosleep(&t, &t) != 0 && errno == EINTR)
		;
	r->next = deadline_in((60000 + r->rate - 1) / r->rate);
}

static const char *
hand_over(struct run *r, struct slice key, struct slice to,
    struct slice message, struct slice *why_r)
{
	struct slice ignored;

	wait_turn(r);
	/* On disk first: who is killed from here on never sends it twice. */
	if (sent_mark(r->sent, key, why_r) != RC_OK) {
		r->status = EX_TEMPFAIL;
		return "failed";
	}
	switch (dmarc_sendmail(r->report, r->conf.sendmail, r->conf.sender,
	    to, message, why_r)) {
	case HANDED:
		r->failures = 0;
		return "sent";
	case NOT_HANDED:
		r->status = EX_TEMPFAIL;
		r->failures++;
		if (sent_unmark(r->sent, key, &ignored) == RC_OK)
			return "failed";
		break;
	case HANDED_PERHAPS:
		r->failures++;
		break;
	}
	return "unknown";
}

static const char *
deliver(struct run *r, const struct dmarc_report *report,
    const struct dmarc_dest *dest, struct slice gzip, struct slice *why_r)
{
	struct slice key = sent_key(r->report, report->domain, report->begin,
	    report->end, dest->address);
	uint64_t most = r->house.message_size_limit;
	struct buf message = buf_in(r->report);

	if (sent_has(r->sent, key))
		return "already-sent";
	dmarc_message(&message, r->report, &r->conf, report, dest->address,
	    gzip, clock_wall());
	if (dest->limit > 0 && (most == 0 || dest->limit < most))
		most = dest->limit;
	if (most > 0 && message.len > most) {
		*why_r = arena_printf(r->report, "%zu bytes, %" PRIu64
		    " are taken", message.len, most);
		return "too-large";
	}
	if (r->how != HOW_SEND || r->dry)
		return "would-send";
	if (r->failures >= FAILURES) {
		*why_r = SLICE("sendmail failed too often");
		r->status = EX_TEMPFAIL;
		return "failed";
	}
	return hand_over(r, key, dest->address, buf_slice(&message), why_r);
}

static void
do_destinations(struct run *r, const struct dmarc_report *report,
    struct slice gzip)
{
	static const char *const states[] = {
		[DEST_REFUSES] = "refused", [DEST_LATER] = "later",
		[DEST_OWN] = "own-domain",
		[DEST_OTHER_SCHEME] = "no-mailto",
		[DEST_TOO_MANY] = "too-many",
	};
	struct dmarc_dests *dests = arena_alloc(r->report, sizeof *dests);

	dmarc_destinations(r->dns, r->report, report->domain,
	    report->tags[DMARC_TAG_RUA], &r->conf, r->events.own, dests);
	for (size_t i = 0; i < dests->count; i++) {
		struct dmarc_dest *d = &dests->list[i];
		struct slice why = d->why;
		const char *state = d->state == DEST_TAKES ?
		    deliver(r, report, d, gzip, &why) : states[d->state];

		if (d->state == DEST_LATER && r->how == HOW_SEND)
			r->status = EX_TEMPFAIL;
		tell_destination(r, d->address, state, why);
	}
}

static void
build(struct run *r, const struct dmarc_report *report, struct buf *gzip)
{
	struct dmarc_xml_head head = {
		.schema = (enum dmarc_schema)r->conf.schema,
		.org_name = r->conf.org_name, .email = r->conf.email,
		.contact = r->conf.contact,
		.report_id = dmarc_report_id(r->report, r->conf.submitter,
		    report),
	};
	struct buf xml = { 0 };

	dmarc_xml_report(&xml, r->report, &head, report);
	if (xml.len <= XML_MAX)
		dmarc_gzip(gzip, buf_slice(&xml));
	buf_free(&xml);
}

static int
do_report(struct run *r, const struct dmarc_report *report)
{
	struct slice file = dmarc_file_name(r->report, r->conf.submitter,
	    report);
	struct buf gzip = buf_in(r->report);
	int status = EX_OK;

	build(r, report, &gzip);
	if (gzip.len == 0)
		return verb_fails(EX_UNAVAILABLE, "%.*s: over 1 GB; a smaller "
		    "max_rows helps", SLICE_ARG(file));
	tell_report(r, report, file, gzip.len);
	if (r->json) {
		json_key(&r->w, "destinations");
		json_begin_array(&r->w);
	}
	if (r->how == HOW_OUTPUT && !r->dry)
		status = store(r, file, buf_slice(&gzip));
	if (r->how != HOW_OUTPUT)
		do_destinations(r, report, buf_slice(&gzip));
	if (r->json) {
		json_end(&r->w);
		json_end(&r->w);
	}
	return status;
}

/* What is done is told at once: a run may take hours. */
static int
tell(struct run *r)
{
	int status = verb_print(&r->out);

	buf_clear(&r->out);
	return status;
}

static int
do_reports(struct run *r, struct dmarc_report **list, size_t count)
{
	int status = EX_OK;

	json_init(&r->w, &r->out);
	if (r->json) {
		json_pretty(&r->w);
		json_begin_array(&r->w);
	}
	for (size_t i = 0; i < count && status == EX_OK; i++) {
		status = do_report(r, list[i]);
		if (status == EX_OK)
			status = tell(r);
		arena_reset(r->report);
	}
	if (r->json) {
		json_end(&r->w);
		buf_addc(&r->out, '\n');
	} else if (count == 0) {
		buf_adds(&r->out, "nothing to report\n");
	}
	return status != EX_OK ? status : tell(r);
}

/* --- all of it --- */

static int
open_dns(struct run *r)
{
	struct dns_conf conf = {
		.resolver = r->resolver != NULL ? r->resolver :
		    r->house.resolver,
		.timeout_ms = (unsigned)r->house.resolver_timeout,
		.cache_entries = 10000, .ttl_max = 3600,
	};
	struct slice why;

	r->dns = dns_open(&conf, r->a, &why);
	return r->dns != NULL ? EX_OK : verb_fails(EX_TEMPFAIL, "%.*s",
	    SLICE_ARG(why));
}

static int
open_sent(struct run *r)
{
	const char *dir = arena_printf(r->a, "%s/dmarc-report",
	    r->state).ptr;
	struct slice why;
	enum rc rc = r->how == HOW_SEND && !r->dry ?
	    sent_open(dir, clock_wall(), r->a, &r->sent, &why) :
	    sent_look(dir, r->a, &r->sent, &why);

	return rc == RC_OK ? EX_OK : verb_fails(EX_TEMPFAIL, "%.*s",
	    SLICE_ARG(why));
}

static int
report(struct run *r)
{
	struct dmarc_events *ev = dmarc_events_new(&r->events, r->a);
	int status = read_journals(r, ev), done;
	struct dmarc_counts counts = dmarc_events_counts(ev);
	struct dmarc_report **list;
	size_t count;

	tell_counts(&counts);
	list = dmarc_events_reports(ev, &count);
	/* An incomplete report is worse than a late one. */
	done = status == EX_OK ? do_reports(r, list, count) : status;
	dmarc_events_free(ev);
	return done != EX_OK ? done : r->status;
}

static int
run(struct run *r)
{
	int64_t now = clock_wall();
	int status = load(r);

	if (status == EX_OK)
		status = set_window(r, now);
	if (status == EX_OK && r->how == HOW_SEND)
		status = check_send(r, now);
	if (status != EX_OK)
		return status;
	set_events(r);
	status = open_sent(r);
	if (status == EX_OK)
		status = open_dns(r);
	if (status == EX_OK)
		status = report(r);
	if (r->dns != NULL)
		dns_close(r->dns);
	sent_close(r->sent);
	return status;
}

int
verb_dmarc_report(int argc, char **argv, struct arena *a)
{
	struct run *r = arena_alloc(a, sizeof *r);
	int c, status = EX_OK;

	r->a = a;
	r->report = arena_new();
	r->out = buf_in(a);
	optind = 1;
	while (status == EX_OK &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'h': status = help(); goto end;
		case 'x': status = print_options(false); goto end;
		case 'm': status = print_options(true); goto end;
		default: status = take_option(r, c); break;
		}
	}
	if (status == EX_OK && optind < argc)
		status = verb_fails(EX_USAGE, "dmarc-report: no such argument: "
		    "%s", argv[optind]);
	if (status == EX_OK)
		status = run(r);
end:
	arena_free(r->report);
	return status;
}
