#include "tools/dmarc-events.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal/event.h"
#include "net/ip.h"
#include "text/address.h"
#include "tools/dmarc-xml.h"

enum {
	ROW_COST = 64,			/* of the map, beside the text */
	REPORT_COST = 1024,
	MAILBOXES = 1000,		/* recipients looked at, of one mail */
};

struct dmarc_events {
	const struct dmarc_events_conf *conf;
	struct arena *arena;		/* of the reports */
	struct arena *scratch;		/* of one line */
	struct map *reports;		/* "domain interval" */
	char from[32], to[32];		/* as @timestamp begins */
	uint64_t memory;
	struct dmarc_counts counts;
};

static const char *const tag_names[DMARC_TAGS] = {
	[DMARC_TAG_P] = "gatehouse.dmarc.record.p",
	[DMARC_TAG_SP] = "gatehouse.dmarc.record.sp",
	[DMARC_TAG_NP] = "gatehouse.dmarc.record.np",
	[DMARC_TAG_ADKIM] = "gatehouse.dmarc.record.adkim",
	[DMARC_TAG_ASPF] = "gatehouse.dmarc.record.aspf",
	[DMARC_TAG_FO] = "gatehouse.dmarc.record.fo",
	[DMARC_TAG_T] = "gatehouse.dmarc.record.t",
	[DMARC_TAG_PCT] = "gatehouse.dmarc.record.pct",
	[DMARC_TAG_DISCOVERY] = "gatehouse.dmarc.record.discovery",
	[DMARC_TAG_RUA] = "gatehouse.dmarc.record.rua",
};

bool
dmarc_time_parse(struct slice text, int64_t *seconds_r)
{
	char room[32];
	struct tm tm = { 0 }, back;
	const char *end;
	uint64_t n;
	time_t t;

	if (slice_number(text, INT32_MAX, &n)) {
		*seconds_r = (int64_t)n;
		return true;
	}
	if (text.len < 10 || text.len >= sizeof room || !ascii_digit(*text.ptr))
		return false;
	memcpy(room, text.ptr, text.len);
	room[text.len] = '\0';
	end = strptime(room, text.len == 10 ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S",
	    &tm);
	if (end == NULL || tm.tm_year < 70 || tm.tm_year > 8000)
		return false;
	if (*end == '.' && text.len > 10)
		end += 1 + strspn(end + 1, "0123456789");
	if (strcmp(end, text.len == 10 ? "" : "Z") != 0 || tm.tm_sec > 59)
		return false;
	back = tm;
	t = timegm(&back);
	/* strptime(3) takes a 31st of June, timegm(3) makes it July. */
	if (back.tm_mday != tm.tm_mday)
		return false;
	*seconds_r = t;
	return true;
}

static void
time_text(int64_t seconds, char *room, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(room, size, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		room[0] = '\0';
}

struct dmarc_events *
dmarc_events_new(const struct dmarc_events_conf *conf, struct arena *a)
{
	struct dmarc_events *ev = arena_alloc(a, sizeof *ev);

	ev->conf = conf;
	ev->arena = a;
	ev->scratch = arena_new();
	ev->reports = map_new();
	time_text(conf->from, ev->from, sizeof ev->from);
	time_text(conf->to, ev->to, sizeof ev->to);
	return ev;
}

/*
 * Is it worth the JSON reader? Both texts are keys: within a value the quotes
 * would be escaped. Times are compared as text; the reader looks again.
 */
static bool
worth(const struct dmarc_events *ev, struct slice line)
{
	static const char time_key[] = "\"@timestamp\":\"";
	struct slice key = SLICE("\"gatehouse.dmarc.record.rua\":");
	struct slice when;
	size_t at = slice_search(line, slice_of(time_key));

	if (at == line.len)
		return false;
	when = slice_sub(line, at + sizeof time_key - 1, 19);
	if (slice_cmp(when, slice_of(ev->from)) < 0 ||
	    slice_cmp(when, slice_of(ev->to)) >= 0)
		return false;
	return slice_search(line, key) < line.len;
}

static bool
lies_below(const struct conf_list *list, struct slice domain)
{
	while (list != NULL && domain.ptr != NULL) {
		if (conf_list_has(list, domain))
			return true;
		slice_cut(domain, '.', &domain);
	}
	return false;
}

static bool
is_mailbox(const struct dmarc_events_conf *conf, struct slice address)
{
	return conf_list_has_nocase(conf->mailboxes, address) ||
	    slice_eq_nocase(address, conf->email) ||
	    (conf->sender.len > 0 &&
	    slice_eq_nocase(address, conf->sender));
}

/* Mail to our report mailboxes and to nobody else. */
static bool
is_of_reports(const struct dmarc_events_conf *conf, const json_t *event)
{
	const json_t *list = json_object_get(event, "email.to.address");
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const json_t *to = json_array_get(list, i);
		struct slice local, domain;
		struct slice path = slice_make(json_string_value(to),
		    json_string_length(to));

		if (i == MAILBOXES || !address_split(path, &local, &domain) ||
		    !is_mailbox(conf, slice_make(local.ptr,
		    (size_t)(domain.ptr + domain.len - local.ptr))))
			return false;
	}
	return n > 0;
}

/* Tags are short; a rua may name some addresses. */
static size_t
tag_max(enum dmarc_tag tag)
{
	return tag == DMARC_TAG_RUA ? 8192 : 64;
}

/* The last policy seen counts; of two at one moment, the greater text, so that
 * the order of files does not matter. */
static void
take_tags(struct dmarc_events *ev, struct dmarc_report *r,
    const json_t *event)
{
	struct slice when = slice_sub(event_text(event, "@timestamp"), 0,
	    sizeof r->stamp - 1);
	struct buf text = buf_in(ev->scratch);
	size_t ends[DMARC_TAGS], at = 0;
	int order = slice_cmp(when, slice_of(r->stamp));

	if (order < 0)
		return;
	for (int i = 0; i < DMARC_TAGS; i++) {
		buf_add(&text, slice_sub(event_text(event, tag_names[i]), 0,
		    tag_max((enum dmarc_tag)i)));
		buf_addc(&text, '\0');
		ends[i] = text.len - 1;
	}
	memcpy(r->stamp, when.ptr, when.len);
	r->stamp[when.len] = '\0';
	if (slice_eq(buf_slice(&text), buf_slice(&r->text)) || (order == 0 &&
	    slice_cmp(buf_slice(&text), buf_slice(&r->text)) < 0))
		return;
	ev->memory += text.len > r->text.len ? text.len - r->text.len : 0;
	buf_clear(&r->text);
	buf_add(&r->text, buf_slice(&text));
	for (int i = 0; i < DMARC_TAGS; at = ends[i++] + 1)
		r->tags[i] = slice_make(r->text.ptr + at, ends[i] - at);
}

static struct dmarc_report *
report_of(struct dmarc_events *ev, struct slice domain, int64_t t)
{
	const struct dmarc_events_conf *c = ev->conf;
	int64_t n = (t - c->from) / c->interval;
	struct slice key = arena_printf(ev->scratch, "%.*s %lld",
	    SLICE_ARG(domain), (long long)n);
	struct dmarc_report *r = map_get(ev->reports, key);

	if (r != NULL)
		return r;
	if (ev->memory + REPORT_COST > c->max_memory)
		return NULL;
	ev->memory += REPORT_COST;
	r = arena_alloc(ev->arena, sizeof *r);
	r->domain = arena_copy(ev->arena, domain);
	r->begin = c->from + n * c->interval;
	r->end = r->begin + c->interval < c->to ? r->begin + c->interval :
	    c->to;
	r->ignored = lies_below(c->own, domain) ||
	    lies_below(c->skip, domain) ||
	    (c->only.count > 0 && !conf_list_has(&c->only, domain));
	r->rows = r->ignored ? NULL : map_new();
	map_put(ev->reports, key, r);
	return r;
}

static bool
below(struct slice domain, struct slice of)
{
	return of.len > 0 && slice_ends_nocase(domain, of) &&
	    (domain.len == of.len ||
	    domain.ptr[domain.len - of.len - 1] == '.');
}

/* RFC 9990, 3.1.4: passes in strict alignment, in relaxed, others, fails. */
static int
rank_of(const struct dmarc_signature *s, struct slice from, struct slice org)
{
	if (!slice_eq(s->result, SLICE("pass")))
		return 3;
	return slice_eq_nocase(s->domain, from) ? 0 :
	    below(s->domain, org) ? 1 : 2;
}

static int
compare(const struct dmarc_signature *x, const struct dmarc_signature *y,
    struct slice from, struct slice org)
{
	int order = rank_of(x, from, org) - rank_of(y, from, org);

	if (order == 0)
		order = slice_cmp(x->domain, y->domain);
	if (order == 0)
		order = slice_cmp(x->selector, y->selector);
	return order != 0 ? order : slice_cmp(x->result, y->result);
}

/* Puts it where it belongs; the same once more is nothing new. */
static void
insert(struct dmarc_event *e, const struct dmarc_signature *s,
    struct slice org)
{
	size_t at = e->ndkims;

	while (at > 0 && compare(s, &e->dkims[at - 1], e->header_from,
	    org) < 0)
		at--;
	if (at > 0 && compare(s, &e->dkims[at - 1], e->header_from, org) == 0)
		return;
	memmove(&e->dkims[at + 1], &e->dkims[at],
	    (e->ndkims - at) * sizeof *s);
	e->dkims[at] = *s;
	e->ndkims++;
}

static void
take_signatures(const json_t *event, struct dmarc_event *e)
{
	struct slice org = event_text(event, "gatehouse.dmarc.org");
	char key[64];

	for (unsigned i = 1; i < DMARC_SIGNATURES; i++) {
		struct dmarc_signature s;

		snprintf(key, sizeof key, "gatehouse.dkim.%u.result", i);
		s.result = event_text(event, key);
		if (s.result.len == 0)
			break;
		snprintf(key, sizeof key, "gatehouse.dkim.%u.domain", i);
		s.domain = event_text(event, key);
		snprintf(key, sizeof key, "gatehouse.dkim.%u.selector", i);
		s.selector = event_text(event, key);
		/* What names no domain says nothing to anybody. */
		if (s.domain.len > 0)
			insert(e, &s, org);
	}
}

static bool
has_word(struct slice list, struct slice word)
{
	while (list.ptr != NULL)
		if (slice_eq(slice_cut(list, ' ', &list), word))
			return true;
	return false;
}

/* "mailing_list: list.example.org": a code, then words. */
static void
take_override(const json_t *event, struct dmarc_event *e)
{
	struct slice s = event_text(event, "gatehouse.dmarc.override");
	size_t n = 0;

	while (n < s.len && (ascii_alpha(s.ptr[n]) || s.ptr[n] == '_'))
		n++;
	e->reason = slice_sub(s, 0, n);
	s = slice_after(s, n);
	if (s.len > 0 && s.ptr[0] == ':')
		s = slice_after(s, 1);
	e->comment = slice_trim(s);
}

/* What was done, and why it is not what was asked for: a reason must be given
 * then (RFC 9990, 3.1.1.9). */
static void
take_evaluated(const json_t *event, const struct dmarc_report *r,
    struct dmarc_event *e)
{
	struct slice aligned = event_text(event, "gatehouse.dmarc.aligned");
	struct slice result = event_text(event, "gatehouse.dmarc.result");
	struct slice policy = event_text(event, "gatehouse.dmarc.policy");

	e->disposition = event_text(event, "gatehouse.dmarc.disposition");
	e->dkim = has_word(aligned, SLICE("dkim"));
	e->spf = has_word(aligned, SLICE("spf"));
	take_override(event, e);
	if (!slice_eq(result, SLICE("pass"))) {
		if (e->reason.len == 0 && policy.len > 0 &&
		    e->disposition.len > 0 &&
		    !slice_eq(e->disposition, policy)) {
			e->reason = SLICE("other");
			e->comment = result;
		}
		return;
	}
	/* The policy that a fail would have met: of the record, not of this
	 * message. */
	policy = SLICE("");
	if (!slice_eq(e->header_from, r->domain))
		policy = event_text(event, tag_names[DMARC_TAG_SP]);
	if (policy.len == 0)
		policy = event_text(event, tag_names[DMARC_TAG_P]);
	e->enforced = policy.len > 0 && !slice_eq(policy, SLICE("none"));
	e->disposition = SLICE("none");
}

/* The domain of the reverse-path, in small letters; empty for the null one. */
static struct slice
path_domain(struct arena *a, struct slice path)
{
	struct slice local, domain, ascii;

	if (!address_split(path, &local, &domain))
		return SLICE("");
	return domain_ascii(a, domain, &ascii) ? ascii : domain;
}

static void
take_event(struct dmarc_events *ev, const json_t *event,
    const struct dmarc_report *r, struct slice ip, struct dmarc_event *e)
{
	e->ip = ip;
	e->header_from = event_text(event, "gatehouse.from.domain");
	if (e->header_from.len == 0)
		e->header_from = r->domain;
	e->envelope_from = path_domain(ev->scratch,
	    event_text(event, "email.sender.address"));
	e->helo = event_text(event, "gatehouse.helo");
	e->spf_domain = event_text(event, "gatehouse.spf.domain");
	e->spf_result = event_text(event, "gatehouse.spf.result");
	e->helo_result = event_text(event, "gatehouse.spf.helo.result");
	take_evaluated(event, r, e);
	take_signatures(event, e);
}

static void
count_row(struct dmarc_events *ev, struct dmarc_report *r, struct slice row)
{
	uintptr_t n = (uintptr_t)map_get(r->rows, row);

	if (n == 0) {
		if (map_count(r->rows) >= ev->conf->max_rows ||
		    ev->memory + row.len + ROW_COST > ev->conf->max_memory) {
			r->left_out++;
			ev->counts.left_out++;
			return;
		}
		ev->memory += row.len + ROW_COST;
	}
	/* The map keeps the number itself: a row is its text and no more. */
	map_put(r->rows, row, (void *)(n + 1));
	r->messages++;
	ev->counts.events++;
}

static void
take(struct dmarc_events *ev, const json_t *event)
{
	struct dmarc_event *e;
	struct dmarc_report *r;
	struct slice domain;
	struct ip ip;
	struct buf row = buf_in(ev->scratch);
	int64_t t;

	if (event_text(event, "gatehouse.dmarc.record.rua").len == 0 ||
	    slice_eq(event_text(event, "network.direction"), SLICE("outbound")))
		return;
	/* Mail that was split has been judged, and is counted, in the first. */
	if (event_int(event, "gatehouse.pass", 1) == 2)
		return;
	if (!dmarc_time_parse(event_text(event, "@timestamp"), &t) ||
	    !domain_ascii(ev->scratch, event_text(event, "gatehouse.dmarc.domain"),
	    &domain) || !ip_parse(event_text(event, "source.ip"), &ip)) {
		ev->counts.unusable++;
		return;
	}
	if (t < ev->conf->from || t >= ev->conf->to)
		return;
	if (is_of_reports(ev->conf, event)) {
		ev->counts.of_reports++;
		return;
	}
	r = report_of(ev, domain, t);
	if (r == NULL)
		ev->counts.left_out++;
	if (r == NULL || r->ignored)
		return;
	take_tags(ev, r, event);
	e = arena_alloc(ev->scratch, sizeof *e);
	take_event(ev, event, r, ip_format(ev->scratch, &ip), e);
	dmarc_xml_row(&row, ev->conf->schema, e);
	count_row(ev, r, buf_slice(&row));
}

bool
dmarc_events_line(struct slice line, void *events)
{
	struct dmarc_events *ev = events;
	json_t *event;

	if (!worth(ev, line))
		return true;
	event = event_read(line);
	if (event != NULL)
		take(ev, event);
	else
		ev->counts.unusable++;
	json_decref(event);
	arena_reset(ev->scratch);
	return true;
}

struct collect {
	struct dmarc_report **list;
	size_t count;
};

static bool
collect(struct slice key, void *value, void *arg)
{
	struct dmarc_report *r = value;
	struct collect *c = arg;

	(void)key;
	if (!r->ignored && map_count(r->rows) > 0)
		c->list[c->count++] = r;
	return true;
}

static int
by_domain(const void *a, const void *b)
{
	const struct dmarc_report *const *x = a, *const *y = b;
	int order = slice_cmp((*x)->domain, (*y)->domain);

	return order != 0 ? order : (*x)->begin < (*y)->begin ? -1 :
	    (*x)->begin > (*y)->begin;
}

struct dmarc_report **
dmarc_events_reports(struct dmarc_events *ev, size_t *count_r)
{
	struct collect c = { .count = 0 };

	c.list = arena_array(ev->arena, map_count(ev->reports) + 1,
	    sizeof *c.list);
	map_each(ev->reports, collect, &c);
	qsort(c.list, c.count, sizeof *c.list, by_domain);
	*count_r = c.count;
	return c.list;
}

struct dmarc_counts
dmarc_events_counts(const struct dmarc_events *ev)
{
	return ev->counts;
}

static bool
forget(struct slice key, void *value, void *arg)
{
	struct dmarc_report *r = value;

	(void)key;
	(void)arg;
	map_free(r->rows);
	buf_free(&r->text);
	return false;
}

void
dmarc_events_free(struct dmarc_events *ev)
{
	map_each(ev->reports, forget, NULL);
	map_free(ev->reports);
	arena_free(ev->scratch);
}
