#include "tools/dmarc-dest.h"

#include "milters/auth-check/dmarc.h"
#include "text/address.h"

enum { QUESTIONS = 200 };

struct asker {
	struct dns_budget *budget;
	struct arena *arena;
	struct slice domain;
	const struct dmarc_report_conf *conf;
	const struct conf_list *own;
	struct dmarc_dests *dests;
};

/* An answer is always there: whoever asks here may wait. */
static bool
ask(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	struct asker *k = arg;

	dns_wait(k->budget, name, type, k->arena, answer_r);
	return true;
}

static struct dmarc_dest *
add(struct asker *k, struct slice address, uint64_t limit)
{
	struct dmarc_dests *d = k->dests;

	for (size_t i = 0; i < d->count; i++)
		if (slice_eq(d->list[i].address, address))
			return NULL;
	if (d->count == sizeof d->list / sizeof d->list[0])
		return NULL;
	d->list[d->count] = (struct dmarc_dest){ .address = address,
	    .limit = limit, .why = SLICE("") };
	return &d->list[d->count++];
}

static void
says(struct dmarc_dest *dest, enum dmarc_dest_state state, struct slice why)
{
	dest->state = state;
	dest->why = why;
}

static bool
is_own(const struct conf_list *own, struct slice host)
{
	while (own != NULL && host.ptr != NULL) {
		if (conf_list_has(own, host))
			return true;
		slice_cut(host, '.', &host);
	}
	return false;
}

/* Is it theirs? RC_RETRY: DNS did not say. */
static enum rc
same_organization(struct asker *k, struct slice host, bool *same_r)
{
	struct slice mine = SLICE_NONE, other = SLICE_NONE;
	bool pending;
	enum rc rc;

	*same_r = slice_eq(host, k->domain);
	if (*same_r)
		return RC_OK;
	rc = dmarc_organization(k->arena, k->domain, DMARC_RFC9989, NULL, ask,
	    k, &mine, &pending);
	if (rc == RC_OK)
		rc = dmarc_organization(k->arena, host, DMARC_RFC9989, NULL,
		    ask, k, &other, &pending);
	*same_r = rc == RC_OK && mine.len > 0 && slice_eq(mine, other);
	return rc;
}

/* The first record that is one (RFC 9990, 4, steps 5 to 8). */
static const struct dns_record *
record_of(const struct dns_answer *answer)
{
	for (size_t i = 0; answer->status == DNS_OK && i < answer->count; i++)
		if (dmarc_record_is(answer->records[i].data))
			return &answer->records[i];
	return NULL;
}

/* Step 9: what it names instead must be of the same host, all of it. */
static void
take_instead(struct asker *k, const struct dmarc_uri *uri,
    const struct dmarc_uri *instead)
{
	bool same = true;

	for (const struct dmarc_uri *u = instead; u != NULL; u = u->next)
		same = same && slice_eq(u->host, uri->host);
	for (const struct dmarc_uri *u = same ? instead : uri; u != NULL;
	    u = same ? u->next : NULL) {
		struct dmarc_dest *dest = add(k, u->address, u->limit);

		if (dest != NULL && !same)
			says(dest, DEST_REFUSES, arena_printf(k->arena,
			    "%.*s names another host to send to",
			    SLICE_ARG(uri->host)));
	}
}

static void
take_external(struct asker *k, const struct dmarc_uri *uri)
{
	struct dns_answer answer = { .status = DNS_NXDOMAIN };
	struct slice name = SLICE("a name too long for DNS");
	const struct dns_record *found;
	struct dmarc_record record;
	struct dmarc_dest *dest;

	if (dmarc_report_name(k->arena, k->domain, uri->host, &name) == RC_OK)
		ask(k, name, DNS_TXT, &answer);
	found = record_of(&answer);
	if (found != NULL) {
		dmarc_record_read(k->arena, found->data, &record);
		if (record.rua != NULL) {
			take_instead(k, uri, record.rua);
			return;
		}
	}
	dest = add(k, uri->address, uri->limit);
	if (dest == NULL || found != NULL)
		return;
	if (answer.status == DNS_OK || answer.status == DNS_NODATA ||
	    answer.status == DNS_NXDOMAIN)
		says(dest, DEST_REFUSES, arena_printf(k->arena,
		    "%.*s has no record that agrees", SLICE_ARG(name)));
	else
		says(dest, DEST_LATER, arena_printf(k->arena, "%.*s: %s",
		    SLICE_ARG(name), dns_status_name(answer.status)));
}

static void
take_uri(struct asker *k, const struct dmarc_uri *uri)
{
	struct dmarc_dest *dest;
	bool same;
	enum rc rc;

	if (uri->address.len == 0) {
		dest = add(k, uri->text, 0);
		if (dest != NULL)
			says(dest, DEST_OTHER_SCHEME,
			    SLICE("only mailto is served"));
		return;
	}
	if (is_own(k->own, uri->host) || !address_plain(uri->address)) {
		dest = add(k, uri->address, 0);
		if (dest != NULL)
			says(dest, is_own(k->own, uri->host) ? DEST_OWN :
			    DEST_REFUSES, is_own(k->own, uri->host) ?
			    SLICE("an address of ours (own_domains)") :
			    SLICE("an address that would need quoting"));
		return;
	}
	rc = same_organization(k, uri->host, &same);
	if (rc == RC_OK && !same) {
		take_external(k, uri);
		return;
	}
	dest = add(k, uri->address, uri->limit);
	if (dest != NULL && rc != RC_OK)
		says(dest, DEST_LATER, arena_printf(k->arena, "DNS did not say "
		    "whose %.*s is", SLICE_ARG(uri->host)));
}

/* Of those that take it, the first max_destinations. */
static void
cut(struct asker *k)
{
	unsigned n = 0;

	for (size_t i = 0; i < k->dests->count; i++) {
		struct dmarc_dest *d = &k->dests->list[i];

		if (!address_plain(d->address) &&
		    d->state == DEST_TAKES)
			says(d, DEST_REFUSES,
			    SLICE("an address that would need quoting"));
		if (d->state == DEST_TAKES && n++ >=
		    k->conf->max_destinations)
			says(d, DEST_TOO_MANY, SLICE("beyond "
			    "max_destinations"));
	}
}

void
dmarc_destinations(struct dns *dns, struct arena *a, struct slice domain,
    struct slice rua, const struct dmarc_report_conf *conf,
    const struct conf_list *own, struct dmarc_dests *dests_r)
{
	struct asker k = { .arena = a, .domain = domain, .conf = conf,
	    .own = own, .dests = dests_r };
	struct slice list = arena_copy(a, rua);
	char *text = arena_str(a, list);
	bool faults;

	dests_r->count = 0;
	/* The journal may part its items with blanks. */
	for (size_t i = 0; i < list.len; i++)
		if (ascii_space(text[i]))
			text[i] = ',';
	k.budget = dns_budget_new(dns, QUESTIONS, deadline_in(DEST_MS));
	for (const struct dmarc_uri *u = dmarc_uris_read(a,
	    slice_make(text, list.len), &faults); u != NULL; u = u->next)
		take_uri(&k, u);
	cut(&k);
	dns_budget_free(k.budget);
}
