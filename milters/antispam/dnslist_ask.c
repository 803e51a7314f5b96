#include "dnslist_ask.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "decide.h"
#include "log/log.h"
#include "net/asking.h"
#include "text/address.h"

enum { FROMS = 4, WARN_MS = 3600 * 1000, TEXT = 100 };

struct dnslists {
	struct arena *arena;
	struct dns *dns;
	struct dnslist *lists;
	_Atomic deadline_t *warned;	/* of each: no warning of it before */
	size_t count;
	bool wants[DNSLIST_KINDS], hops;
};

/* That list about that subject. */
struct question {
	struct question *next;
	struct asking *asking;
	size_t list;
	struct slice name, subject;
	enum dnslist_says says;
};

struct dnslist_ask {
	struct job *job;
	struct dnslists *lists;
	struct asking *asking;		/* who gets the next question */
	struct asking *early, *links;	/* links: NULL before there are any */
	deadline_t until, links_until;
	struct question *first, **last;
	unsigned questions, most;
	unsigned hops, froms;
	bool *missed;			/* of each list */
};

/* ---- for all messages ---- */

enum rc
dnslist_open(const struct antispam_conf *conf, struct dns *dns,
    struct dnslists **lists_r, struct arena *a, struct slice *why_r)
{
	size_t n = conf->dns_lists.count;
	struct dnslists *lists;

	*lists_r = NULL;
	if (n == 0)
		return RC_OK;
	lists = mem_alloc(sizeof *lists);
	*lists = (struct dnslists){ .arena = arena_new(), .dns = dns,
	    .count = n };
	lists->lists = arena_array(lists->arena, n, sizeof *lists->lists);
	lists->warned = arena_array(lists->arena, n, sizeof *lists->warned);
	for (size_t i = 0; i < n; i++) {
		struct dnslist *l = &lists->lists[i];
		struct slice why;

		if (dnslist_read(conf->dns_lists.items[i], l, lists->arena,
		    &why) != RC_OK) {
			*why_r = arena_copy(a, why);
			dnslist_close(lists);
			return RC_BAD;
		}
		lists->wants[l->kind] = true;
		lists->hops = lists->hops || l->hops;
	}
	*lists_r = lists;
	return RC_OK;
}

void
dnslist_close(struct dnslists *lists)
{
	if (lists == NULL)
		return;
	arena_free(lists->arena);
	free(lists);
}

/* ---- asking ---- */

static void
want(struct dnslist_ask *k, size_t list, struct slice name,
    struct slice subject)
{
	struct question *q;

	if (name.ptr == NULL || k->questions == k->most)
		return;
	for (q = k->first; q != NULL; q = q->next)
		if (q->list == list && slice_eq(q->name, name))
			return;
	q = arena_alloc(k->job->arena, sizeof *q);
	*q = (struct question){ .asking = k->asking, .list = list,
	    .name = name, .subject = subject };
	*k->last = q;
	k->last = &q->next;
	k->questions++;
	asking_want(k->asking, name, DNS_A);
}

static void
want_ip(struct dnslist_ask *k, const struct ip *ip, bool hop)
{
	struct arena *a = k->job->arena;

	for (size_t i = 0; i < k->lists->count; i++) {
		const struct dnslist *l = &k->lists->lists[i];

		if (l->kind == DNSLIST_IP && (!hop || l->hops))
			want(k, i, dnslist_name(a, l, ip), ip_format(a, ip));
	}
}

static bool
below(struct slice domain, const struct slice *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct slice of = items[i];

		if (slice_eq(domain, of) || (domain.len > of.len &&
		    domain.ptr[domain.len - of.len - 1] == '.' &&
		    slice_ends(domain, of)))
			return true;
	}
	return false;
}

/* Ours, and what everybody links to. */
static bool
known(const struct dnslist_ask *k, struct slice domain)
{
	const struct antispam_conf *conf = k->job->conf;
	const struct conf_list *own = &k->job->house->domains;
	const struct conf_list *all = &conf->dns_list_known;

	return below(domain, own->items, own->count) ||
	    below(domain, all->items, all->count);
}

static void
want_domain(struct dnslist_ask *k, enum dnslist_kind kind,
    struct slice domain)
{
	for (size_t i = 0; i < k->lists->count; i++)
		if (k->lists->lists[i].kind == kind)
			want(k, i, dnslist_under(k->job->arena,
			    &k->lists->lists[i], domain), domain);
}

/* The name itself, and the domain that somebody has registered: lists have
 * the one or the other. */
static void
want_host(struct dnslist_ask *k, enum dnslist_kind kind, struct slice host)
{
	const struct antispam_shared *shared = k->job->shared;
	struct slice org;

	if (!k->lists->wants[kind] || !slice_has(host, '.') || known(k, host))
		return;
	org = suffixes_org(shared->suffixes, host);
	want_domain(k, kind, host);
	if (org.ptr != NULL && !slice_eq(org, host))
		want_domain(k, kind, org);
}

static void
want_written(struct dnslist_ask *k, enum dnslist_kind kind,
    struct slice written)
{
	struct slice host;

	if (domain_ascii(k->job->arena, written, &host))
		want_host(k, kind, host);
}

static void
free_asking(void *arg)
{
	asking_free(arg);
}

static bool
skipped(const struct job *job)
{
	const struct antispam_conf *conf = job->conf;

	return job->direction != DIRECTION_IN || job->budget == NULL ||
	    job->client->user.len > 0 || !dnslist_public(&job->client->ip) ||
	    conf_nets_hold(&job->house->networks, &job->client->ip) ||
	    conf_nets_hold(&conf->dns_list_exempt, &job->client->ip);
}

struct dnslist_ask *
dnslist_begin(struct job *job, struct dnslists *lists)
{
	const struct antispam_conf *conf = job->conf;
	struct slice local, domain;
	struct dnslist_ask *k;

	if (lists == NULL || skipped(job))
		return NULL;
	k = arena_alloc(job->arena, sizeof *k);
	*k = (struct dnslist_ask){ .job = job, .lists = lists,
	    /* Words of what has hit are asked for as well. */
	    .early = asking_new(job->budget, 2 * conf->dns_list_questions),
	    .most = conf->dns_list_questions,
	    .until = deadline_in(conf->dns_list_timeout) };
	k->last = &k->first;
	k->asking = k->early;
	k->missed = arena_array(job->arena, lists->count, sizeof *k->missed);
	arena_defer(job->arena, free_asking, k->early);
	want_ip(k, &job->client->ip, false);
	want_written(k, DNSLIST_HELO, job->client->helo);
	if (address_split(job->envelope->sender, &local, &domain))
		want_written(k, DNSLIST_SENDER, domain);
	return k;
}

/* ---- header fields ---- */

/* [192.0.2.1], [IPv6:2001:db8::1]: each may be forged, and none is asked
 * about more than once. */
static void
read_hops(struct dnslist_ask *k, struct slice body)
{
	const struct antispam_conf *conf = k->job->conf;

	for (size_t at = slice_find(body, '['); at < body.len &&
	    k->hops < DNSLIST_HOPS; at = slice_find(body, '[')) {
		struct slice text;
		struct ip ip;

		body = slice_after(body, at + 1);
		text = slice_sub(body, 0, slice_find(body, ']'));
		if (text.len < 60 && ip_parse(text, &ip) &&
		    dnslist_public(&ip) &&
		    !conf_nets_hold(&k->job->house->networks, &ip) &&
		    !conf_nets_hold(&conf->dns_list_exempt, &ip)) {
			k->hops++;
			want_ip(k, &ip, true);
		}
	}
}

static void
read_from(struct dnslist_ask *k, struct slice body)
{
	struct address_list list;
	struct address one;

	address_open(&list, k->job->arena, arena_copy(k->job->arena, body));
	while (k->froms < FROMS && address_next(&list, &one)) {
		k->froms++;
		want_written(k, DNSLIST_FROM, one.domain);
	}
}

void
dnslist_field(struct dnslist_ask *k, struct slice name, struct slice body)
{
	if (k == NULL)
		return;
	if (k->lists->wants[DNSLIST_FROM] &&
	    slice_eq_nocase(name, SLICE("From")))
		read_from(k, body);
	if (k->lists->hops && slice_eq_nocase(name, SLICE("Received")))
		read_hops(k, body);
}

/* ---- links ---- */

static struct dnslist_ask *
ask_of(const struct spam_look *look)
{
	const struct antispam_answers *seen;

	if (look->job == NULL)
		return NULL;
	seen = look->job->answers;
	return seen->lists;
}

static void
want_link(struct dnslist_ask *k, const struct weburl *url)
{
	struct arena *a = k->job->arena;
	struct ip ip;

	if (!url->numeric) {
		want_host(k, DNSLIST_URL, url->host);
		return;
	}
	if (!ip_parse(url->host, &ip) || !dnslist_public(&ip))
		return;
	for (size_t i = 0; i < k->lists->count; i++)
		if (k->lists->lists[i].kind == DNSLIST_URL)
			want(k, i, dnslist_name(a, &k->lists->lists[i], &ip),
			    url->host);
}

static void
free_budget(void *arg)
{
	dns_budget_free(arg);
}

/* The body may come long after MAIL FROM, when the time of the message's own
 * questions is up. */
static void
begin_links(struct dnslist_ask *k)
{
	const struct antispam_conf *conf = k->job->conf;
	unsigned most = 2 * conf->dns_list_questions;
	struct dns_budget *budget;

	k->links_until = deadline_earlier(deadline_in(conf->dns_list_timeout),
	    k->job->deadline);
	budget = dns_budget_new(k->lists->dns, most, k->links_until);
	arena_defer(k->job->arena, free_budget, budget);
	k->links = asking_new(budget, most);
	arena_defer(k->job->arena, free_asking, k->links);
	k->asking = k->links;
}

/* What counts is the domain: a page of a hundred hosts has one question. */
static bool
seen_before(const struct dnslist_ask *k, struct slice *hosts, unsigned n,
    struct slice host)
{
	const struct antispam_shared *shared = k->job->shared;
	struct slice org = suffixes_org(shared->suffixes, host);

	if (org.ptr == NULL)
		org = host;
	for (unsigned i = 0; i < n; i++)
		if (slice_eq(hosts[i], org))
			return true;
	hosts[n] = org;
	return false;
}

enum rc
dnslist_links(struct spam_look *look, struct slice *why_r)
{
	struct dnslist_ask *k = ask_of(look);
	struct slice hosts[DNSLIST_DOMAINS];
	const struct content_link *l;
	unsigned n = 0;

	(void)why_r;
	if (k == NULL || !k->lists->wants[DNSLIST_URL] ||
	    look->links == NULL || look->links->first == NULL)
		return RC_OK;
	begin_links(k);
	for (l = look->links->first; l != NULL && n < DNSLIST_DOMAINS;
	    l = l->next) {
		struct slice host = l->url.host;

		if (host.len == 0 || host.len > DNS_NAME_MAX ||
		    known(k, host) || seen_before(k, hosts, n, host))
			continue;
		n++;
		want_link(k, &l->url);
	}
	return RC_OK;
}

/* ---- answers ---- */

static void
warn(struct dnslist_ask *k, size_t list, const char *what)
{
	struct slice zone = k->lists->lists[list].zone;
	_Atomic deadline_t *warned = &k->lists->warned[list];
	deadline_t before = atomic_load(warned);

	if (deadline_left(before) > 0 || !atomic_compare_exchange_strong(
	    warned, &before, deadline_in(WARN_MS)))
		return;
	log_warning("DNS list %.*s %s", SLICE_ARG(zone), what);
}

/* Several entries may be about one zone. */
static void
missed(struct spam_look *look, struct dnslist_ask *k, size_t list)
{
	const struct dnslist *lists = k->lists->lists;

	for (size_t i = 0; i < k->lists->count; i++)
		if (k->missed[i] && slice_eq(lists[i].zone, lists[list].zone))
			return;
	k->missed[list] = true;
	look_missed(look, arena_printf(look->msg->arena, "list %.*s",
	    SLICE_ARG(lists[list].zone)));
}

static void
read_answer(struct spam_look *look, struct dnslist_ask *k,
    struct question *q)
{
	const struct dnslist *l = &k->lists->lists[q->list];
	const struct dns_answer *answer = asking_answer(q->asking, q->name,
	    DNS_A);

	q->says = answer == NULL ? DNSLIST_SILENT :
	    dnslist_answer(l, answer);
	if (q->says == DNSLIST_REFUSED)
		warn(k, q->list, "refuses our questions: its limits, or a "
		    "public resolver. Ask it through a resolver of your own, "
		    "or take it out of dns_lists");
	if (q->says == DNSLIST_STRANGE)
		warn(k, q->list, "answers with addresses outside 127/8, as a "
		    "domain that has been given up and sold does; nothing it "
		    "says is believed. Take it out of dns_lists");
	if (q->says == DNSLIST_SILENT || q->says == DNSLIST_REFUSED)
		missed(look, k, q->list);
	if (q->says == DNSLIST_HIT && l->text)
		asking_want(q->asking, q->name, DNS_TXT);
}

/* Whom an allow list names has to be who it says he is. */
static bool
believed(const struct job *job, const struct dnslist *l,
    const struct question *q)
{
	struct slice of = job_finding(job, SLICE("auth-check"),
	    SLICE("dmarc-from"));

	return l->weight > 0 || l->kind != DNSLIST_FROM ||
	    (slice_eq(job_finding(job, SLICE("auth-check"), SLICE("dmarc")),
	    SLICE("pass")) && below(of, &q->subject, 1));
}

static struct slice
text_of(struct dnslist_ask *k, const struct question *q)
{
	const struct dnslist *l = &k->lists->lists[q->list];
	const struct dns_answer *answer = l->text ?
	    asking_answer(q->asking, q->name, DNS_TXT) : NULL;

	if (answer == NULL || answer->status != DNS_OK || answer->count == 0)
		return l->words;
	return log_safe(k->job->arena, answer->records[0].data, TEXT);
}

static void
say(struct spam_look *look, struct dnslist_ask *k, const struct question *q,
    double weight)
{
	static const char *const whose[DNSLIST_KINDS] = { "", "HELO ",
	    "sender ", "From ", "link to " };
	const struct dnslist *l = &k->lists->lists[q->list];
	struct slice text = text_of(k, q);

	clues_add(look->clues, weight < 0 ? "dns-allowed" : "dns-listed",
	    weight, l->phishing ? CLASS_PHISHING : CLASS_SPAM,
	    arena_printf(look->msg->arena, "%s%.*s is on %.*s%s%.*s%s",
	    whose[l->kind], SLICE_ARG(slice_sub(q->subject, 0, 60)),
	    SLICE_ARG(l->zone), text.len > 0 ? " (" : "", SLICE_ARG(text),
	    text.len > 0 ? ")" : ""));
}

/* The first hit of each entry, and which of its kind is the heaviest. */
static size_t
gather_hits(struct dnslist_ask *k, const struct question **hits,
    double heaviest[DNSLIST_KINDS])
{
	size_t n = 0;

	for (const struct question *q = k->first; q != NULL; q = q->next) {
		const struct dnslist *l = &k->lists->lists[q->list];

		if (q->says != DNSLIST_HIT || hits[q->list] != NULL ||
		    !believed(k->job, l, q))
			continue;
		hits[q->list] = q;
		n++;
		if (l->weight > heaviest[l->kind])
			heaviest[l->kind] = l->weight;
	}
	return n;
}

static void
say_hits(struct spam_look *look, struct dnslist_ask *k)
{
	double heaviest[DNSLIST_KINDS] = { 0 };
	const struct question **hits = arena_array(k->job->arena,
	    k->lists->count, sizeof *hits);

	if (gather_hits(k, hits, heaviest) == 0)
		return;
	for (size_t i = 0; i < k->lists->count; i++) {
		const struct dnslist *l = &k->lists->lists[i];
		bool half = l->weight > 0 && l->weight < heaviest[l->kind];

		if (hits[i] == NULL)
			continue;
		if (l->weight > 0 && !half)
			heaviest[l->kind] = 11;	/* above any: the rest half */
		say(look, k, hits[i], half ? l->weight / 2 : l->weight);
	}
}

static void
wait_all(struct dnslist_ask *k)
{
	asking_wait(k->early, deadline_earlier(k->until, k->job->deadline));
	if (k->links != NULL)
		asking_wait(k->links, k->links_until);
}

enum rc
dnslist_check(struct spam_look *look, struct slice *why_r)
{
	struct dnslist_ask *k = ask_of(look);

	(void)why_r;
	if (k == NULL)
		return RC_OK;
	wait_all(k);
	for (struct question *q = k->first; q != NULL; q = q->next)
		read_answer(look, k, q);
	/* Nothing is asked here but the words of entries that have hit. */
	wait_all(k);
	say_hits(look, k);
	return RC_OK;
}
