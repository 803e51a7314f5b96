#include "header_ask.h"

#include <string.h>

#include "net/asking.h"

/* One evaluation of DMARC; the resolver's thread may run it. */
struct policy {
	struct from from;
	struct dmarc_query query;
	struct dmarc_answer answer;
};

struct header_ask {
	const struct job *job;
	const struct auth_check_conf *conf;
	const struct suffixes *suffixes;
	struct dns_budget *budget;
	struct asking *keys, *policies;
	struct slice spf_domain;

	struct dmarc_identifier maybe[DMARC_IDENTIFIERS];
	size_t nmaybe;			/* d= seen so far */
	unsigned signatures, froms;
	struct buf arc;			/* its fields so far */
	bool arc_open;			/* not asked for yet */
};

struct header_ask *
header_ask_new(const struct job *job, struct dns *dns,
    const struct suffixes *suffixes, struct slice spf_domain)
{
	const struct auth_check_conf *conf = job->conf;
	struct header_ask *h = arena_alloc(job->arena, sizeof *h);
	unsigned keys = conf->dkim_signatures + ARC_SETS + 1;

	h->job = job;
	h->conf = conf;
	h->suffixes = suffixes;
	h->spf_domain = spf_domain;
	h->budget = dns_budget_new(dns, keys + HEADER_ASK_POLICY,
	    deadline_in(job->house->dns_budget));
	h->keys = asking_new(h->budget, keys);
	h->policies = asking_new(h->budget, HEADER_ASK_POLICY);
	h->arc = buf_in(job->arena);
	return h;
}

void
header_ask_free(struct header_ask *h)
{
	if (h == NULL)
		return;
	dns_budget_cancel(h->budget);
	asking_free(h->keys);
	asking_free(h->policies);
	dns_budget_free(h->budget);
}

static void
want_key(struct header_ask *h, const struct dkim_signature *sig)
{
	struct slice name;

	if (dkim_key_name(h->job->arena, sig, &name))
		asking_want(h->keys, name, DNS_TXT);
}

/* ---- DMARC ---- */

/* The answer holds lists: it is not copied but made once more where it can
 * stay, from the same answers. */
static bool
run_policy(struct arena *scratch, struct arena *keep, asking_lookup *lookup,
    void *arg, void *state)
{
	struct policy *p = state;
	struct dmarc_answer answer;

	dmarc_check_from(scratch, &p->from, &p->query, lookup, arg, &answer);
	if (answer.result == DMARC_PENDING)
		return false;
	dmarc_check_from(keep, &p->from, &p->query, lookup, arg, &p->answer);
	return true;
}

/* What may be wanted when all that vouches for the mail passes. */
static void
ask_policy_ahead(struct header_ask *h, struct slice head)
{
	struct arena *a = h->job->arena;
	struct policy *p = arena_alloc(a, sizeof *p);
	struct dmarc_identifier *maybe = arena_array(a, h->nmaybe + 1,
	    sizeof *maybe);

	from_read(a, head, &p->from);
	if (h->nmaybe > 0)
		memcpy(maybe, h->maybe, h->nmaybe * sizeof *maybe);
	p->query = (struct dmarc_query){
	    .spf = { .domain = h->spf_domain }, .dkim = maybe,
	    .ndkim = h->nmaybe,
	    .mode = (enum dmarc_mode)h->conf->dmarc_mode,
	    .suffixes = h->suffixes };
	asking_add(h->policies, run_policy, p);
}

int64_t
header_ask_policy(struct header_ask *h, struct dmarc_query *query,
    const struct from *from, deadline_t until, struct dmarc_answer *answer_r)
{
	struct policy *p = arena_alloc(h->job->arena, sizeof *p);
	int64_t waited;

	p->from = *from;
	p->query = *query;
	asking_add(h->policies, run_policy, p);
	waited = asking_wait(h->policies, until);
	*answer_r = p->answer;
	return waited;
}

/* ---- fields as they come ---- */

static struct slice
whole_field(struct arena *a, struct slice name, struct slice body)
{
	struct buf raw = buf_in(a);

	buf_add(&raw, name);
	buf_addc(&raw, ':');
	buf_add(&raw, body);
	buf_adds(&raw, "\r\n");
	return buf_slice(&raw);
}

static void
note_identifier(struct header_ask *h, struct slice domain)
{
	for (size_t i = 0; i < h->nmaybe; i++)
		if (slice_eq(h->maybe[i].domain, domain))
			return;
	if (h->nmaybe < DMARC_IDENTIFIERS)
		h->maybe[h->nmaybe++].domain = domain;
}

static void
signature_field(struct header_ask *h, struct slice raw)
{
	struct dkim_limits limits = auth_check_limits(h->conf, h->job->now);
	struct dkim_signature sig;
	struct field f;

	if (h->signatures++ >= h->conf->dkim_signatures ||
	    !field_next(&raw, &f))
		return;
	dkim_signature(h->job->arena, &f, &limits, &sig);
	if (sig.result != DKIM_NONE)
		return;
	want_key(h, &sig);
	note_identifier(h, sig.domain);
}

static void
want_chain(struct header_ask *h, const struct arc_chain *chain)
{
	struct slice *names;
	size_t n = arc_names(h->job->arena, chain, &names);

	for (size_t i = 0; i < n; i++)
		asking_want(h->keys, names[i], DNS_TXT);
}

/* The fields of a chain stand together: at the first other field they are
 * read as if they were a message. */
static void
close_arc(struct header_ask *h)
{
	struct dkim_limits limits = auth_check_limits(h->conf, h->job->now);
	struct arc_chain chain;
	struct message msg;

	h->arc_open = false;
	message_read(&msg, h->job->arena, buf_slice(&h->arc), SLICE(""),
	    NULL);
	arc_read(h->job->arena, &msg, &limits, &chain);
	want_chain(h, &chain);
}

void
header_ask_field(struct header_ask *h, struct slice name, struct slice body)
{
	struct arena *a = h->job->arena;
	bool arc = h->conf->arc && slice_starts_nocase(name, SLICE("ARC-"));

	if (arc && h->arc.len + body.len < HEADER_ASK_ARC) {
		buf_add(&h->arc, whole_field(a, name, body));
		h->arc_open = true;
		return;
	}
	if (h->arc_open && !arc)
		close_arc(h);
	if (h->conf->dkim && slice_eq_nocase(name, SLICE("DKIM-Signature")))
		signature_field(h, whole_field(a, name, body));
	else if (h->conf->dmarc && slice_eq_nocase(name, SLICE("From")) &&
	    h->froms++ < FROM_DOMAINS)
		ask_policy_ahead(h, whole_field(a, name, body));
}

void
header_ask_message(struct header_ask *h, const struct message *msg,
    const struct dkim_signature *list, size_t n,
    const struct arc_chain *chain)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].result == DKIM_NONE) {
			want_key(h, &list[i]);
			note_identifier(h, list[i].domain);
		}
	if (h->conf->arc)
		want_chain(h, chain);
	if (h->conf->dmarc)
		ask_policy_ahead(h, msg->head);
}

int64_t
header_ask_wait(struct header_ask *h, deadline_t until)
{
	return asking_wait(h->keys, until) + asking_wait(h->policies, until);
}

const struct dns_answer *
header_ask_key(void *arg, struct slice name)
{
	struct header_ask *h = arg;

	return asking_answer(h->keys, name, DNS_TXT);
}
