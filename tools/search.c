/* gatehouse search: where is my mail? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tools/tracked.h"

enum { LIMIT = 100, WIDE = 1000, NARROW = 34, QID = 17 };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "wide", no_argument, NULL, 'w' },
	{ "limit", required_argument, NULL, 'l' },
	{ "page", required_argument, NULL, 'p' },
	{ "since", required_argument, NULL, 'S' },
	{ "until", required_argument, NULL, 'U' },
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 't' },
	{ "queue-id", required_argument, NULL, 'q' },
	{ "message-id", required_argument, NULL, 'm' },
	{ "id", required_argument, NULL, 'i' },
	{ "ip", required_argument, NULL, 'I' },
	{ "user", required_argument, NULL, 'u' },
	{ "rule", required_argument, NULL, 'r' },
	{ "virus", required_argument, NULL, 'v' },
	{ "cause", required_argument, NULL, 'C' },
	{ "verdict", required_argument, NULL, 'V' },
	{ "milter", required_argument, NULL, 'M' },
	{ "direction", required_argument, NULL, 'd' },
	{ "fate", required_argument, NULL, 'F' },
	{ "subject", required_argument, NULL, 'b' },
	{ "text", required_argument, NULL, 'x' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse search [OPTION]...\n"
	    "\n"
	    "Lists messages, a line a recipient, newest first. Options are "
	    "joined by \"and\".\n"
	    "Exit status 1: none was found.\n"
	    "\n"
	    "  --since TIME --until TIME   2026-11-26, 2026-11-26T10:45:00Z, "
	    "seconds, or an\n"
	    "                              age: 90m, 2h, 45d\n"
	    "  --from ADDR --to ADDR       an address, @domain, or <>\n"
	    "  --queue-id ID               also of those before and after "
	    "it\n"
	    "  --message-id ID --id ID     ID: the id= of our log lines\n"
	    "  --ip IP --user NAME         who gave it to Postfix\n"
	    "  --milter NAME --verdict VERDICT --rule RULE --cause CAUSE "
	    "--virus NAME\n"
	    "  --direction inbound|outbound\n"
	    "  --fate FATE                 sent deferred bounced expired "
	    "rejected tempfailed\n"
	    "                              held quarantined discarded "
	    "deleted ...\n"
	    "  --subject TEXT --text TEXT  stands in it (text: subject, "
	    "reply, client)\n"
	    "  --limit N --page CURSOR     as the last page said\n"
	    "  --wide --json --config DIR --state DIR");
	return EX_OK;
}

struct search {
	struct arena *a;
	struct track_query q;
	const char *config, *state;
	bool json, wide;
	struct buf out;
	struct json w;
	unsigned rows;
	int64_t last;
	struct slice last_rcpt;
};

static struct slice
without_brackets(const char *id)
{
	struct slice s = slice_of(id);

	if (s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>')
		s = slice_sub(s, 1, s.len - 2);
	return s;
}

/* "MID:RECIPIENT" */
static bool
take_page(struct track_query *q, const char *text)
{
	struct slice rest, mid = slice_cut(slice_of(text), ':', &rest);
	uint64_t n;

	if (rest.ptr == NULL || !slice_number(mid, INT64_MAX, &n) || n == 0)
		return false;
	q->before = (int64_t)n;
	q->before_rcpt = rest;
	return true;
}

static int
take_option(struct search *s, int o)
{
	struct track_query *q = &s->q;
	struct slice arg = slice_of(optarg);
	enum track_end end;
	uint64_t n;

	switch (o) {
	case 'f': q->sender = arg; return EX_OK;
	case 't': q->recipient = without_brackets(optarg); return EX_OK;
	case 'q': q->queue_id = arg; return EX_OK;
	case 'm': q->message_id = without_brackets(optarg); return EX_OK;
	case 'i': q->identity = arg; return EX_OK;
	case 'I': q->ip = arg; return EX_OK;
	case 'u': q->user = arg; return EX_OK;
	case 'r': q->rule = arg; return EX_OK;
	case 'v': q->virus = arg; return EX_OK;
	case 'C': q->cause = arg; return EX_OK;
	case 'V': q->verdict = arg; return EX_OK;
	case 'M': q->module = arg; return EX_OK;
	case 'd': q->direction = arg; return EX_OK;
	case 'b': q->subject = arg; return EX_OK;
	case 'x': q->text = arg; return EX_OK;
	case 'F':
		if (!track_end_parse(arg, &end))
			return verb_fails(EX_USAGE, "search: there is no fate "
			    "\"%s\"", optarg);
		q->fate = end;
		return EX_OK;
	case 'l':
		if (!slice_number(arg, SEARCH_MOST, &n) || n == 0)
			return verb_fails(EX_USAGE, "search: --limit wants a "
			    "number up to %d", SEARCH_MOST);
		q->limit = (unsigned)n;
		return EX_OK;
	case 'p':
		return take_page(q, optarg) ? EX_OK : verb_fails(EX_USAGE,
		    "search: --page wants what the last page said");
	case 'S':
	case 'U':
		if (tracked_when(optarg, o == 'S' ? &q->since : &q->until))
			return EX_OK;
		return verb_fails(EX_USAGE, "search: \"%s\" is no time",
		    optarg);
	default:
		return EX_USAGE;
	}
}

static void
json_row(struct search *s, const struct track_found *f)
{
	struct json *w = &s->w;

	json_begin_object(w);
	tracked_json(w, &f->m, s->a);
	if (f->has_rcpt)
		tracked_json_rcpt(w, &f->r, s->a);
	if (f->decided.module.len > 0) {
		json_put(w, "milter", f->decided.module);
		json_put(w, "verdict", f->decided.verdict);
		json_put(w, "rule", f->decided.rule);
		if (f->decided.cause.len > 0)
			json_put(w, "cause", f->decided.cause);
		if (f->decided.virus.len > 0)
			json_put(w, "virus", f->decided.virus);
	}
	json_end(w);
}

/* Safe for a terminal, and no wider than its column. */
static void
column(struct search *s, struct slice text, size_t width, bool last)
{
	struct slice safe = verb_safe(s->a, text);
	size_t most = s->wide ? WIDE : width;

	for (size_t i = 0; i < safe.len && i < most; i++)
		buf_addc(&s->out, safe.ptr[i] == '\n' ? ' ' : safe.ptr[i]);
	if (safe.len > most)
		s->out.ptr[s->out.len - 1] = '~';
	for (size_t i = safe.len; !last && i < width; i++)
		buf_addc(&s->out, ' ');
	if (!last)
		buf_adds(&s->out, "  ");
}

/* Whole, however long: it is there to be copied. */
static void
queue_id(struct search *s, struct slice qid)
{
	if (qid.len == 0)
		qid = SLICE("NOQUEUE");
	column(s, qid, qid.len > QID ? qid.len : QID, false);
}

static struct slice
decision(struct search *s, const struct track_found *f)
{
	const struct track_finding *d = &f->decided;

	if (d->module.len == 0)
		return f->r.reply.ptr != NULL ? f->r.reply : SLICE("");
	return arena_printf(s->a, "%.*s: %.*s (%.*s)%s%.*s",
	    SLICE_ARG(d->module), SLICE_ARG(d->verdict), SLICE_ARG(d->rule),
	    d->virus.len > 0 ? " " : "", SLICE_ARG(d->virus));
}

static void
text_row(struct search *s, const struct track_found *f)
{
	const char *fate = f->has_rcpt ? track_end_name(f->r.fate) :
	    track_state_name(f->m.state);

	column(s, slice_sub(tracked_stamp(s->a, track_ms(f->m.mid)), 0, 19),
	    19, false);
	queue_id(s, f->m.qid);
	column(s, slice_of(fate), 11, false);
	column(s, arena_printf(s->a, "<%.*s>", SLICE_ARG(f->m.sender)),
	    NARROW, false);
	column(s, arena_printf(s->a, "<%.*s>", SLICE_ARG(f->r.rcpt)), NARROW,
	    false);
	column(s, decision(s, f), NARROW, true);
	buf_addc(&s->out, '\n');
}

static bool
visit(void *arg, const struct track_found *f)
{
	struct search *s = arg;

	if (s->json)
		json_row(s, f);
	else
		text_row(s, f);
	s->rows++;
	s->last = f->m.mid;
	s->last_rcpt = f->r.rcpt;
	return true;
}

static struct slice
next_page(struct search *s)
{
	return s->rows < s->q.limit ? SLICE_NONE : arena_printf(s->a,
	    "%lld:%.*s", (long long)s->last, SLICE_ARG(s->last_rcpt));
}

static int
run(struct search *s, struct db *db)
{
	struct slice why, next;

	if (s->json) {
		json_init(&s->w, &s->out);
		json_begin_object(&s->w);
		json_key(&s->w, "rows");
		json_begin_array(&s->w);
	}
	if (search_run(db, &s->q, visit, s, s->a, &why) != RC_OK)
		return verb_fails(EX_NOINPUT, "%.*s", SLICE_ARG(why));
	next = next_page(s);
	if (s->json) {
		json_end(&s->w);
		if (next.ptr != NULL)
			json_put(&s->w, "next", next);
		json_end(&s->w);
		buf_addc(&s->out, '\n');
	} else if (next.ptr != NULL) {
		fprintf(stderr, "gatehouse: there may be more: --page '%.*s'\n",
		    SLICE_ARG(verb_safe(s->a, next)));
	}
	return verb_print(&s->out);
}

int
verb_search(int argc, char **argv, struct arena *a)
{
	struct search *s = arena_alloc(a, sizeof *s);
	struct db *db;
	bool absent;
	int o, status = EX_OK;

	*s = (struct search){ .a = a, .out = buf_in(a),
	    .q = { .fate = -1, .limit = LIMIT } };
	optind = 1;
	while (status == EX_OK &&
	    (o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': s->config = optarg; break;
		case 's': s->state = optarg; break;
		case 'j': s->json = true; break;
		case 'w': s->wide = true; break;
		case 'h': return help();
		default: status = take_option(s, o);
		}
	}
	if (status == EX_OK && optind < argc)
		status = verb_fails(EX_USAGE, "search: what is \"%s\"?",
		    argv[optind]);
	if (status == EX_OK)
		status = tracked_state(s->config, s->state, &s->state, a);
	if (status == EX_OK)
		status = tracked_open(s->state, &db, &absent, a);
	if (status != EX_OK)
		return status;
	if (absent)
		return verb_fails(EX_NOINPUT, "%s/track/track.db is not "
		    "there; is gatehouse-track installed?", s->state);
	status = run(s, db);
	db_close(db);
	return status != EX_OK ? status : s->rows > 0 ? EX_OK :
	    EXIT_UNEXPECTED;
}
