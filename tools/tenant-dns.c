#include "tools/tenant-dns.h"

#include <string.h>

#include "milters/auth-check/dmarc_record.h"
#include "milters/auth-check/spf_ask.h"
#include "tools/tenant-key.h"

enum { QUESTIONS = 400, PATIENCE = 20000, ITEMS = 4 };

struct look {
	struct dns *dns;		/* NULL: nothing is asked */
	struct dns_budget *budget;
	const struct tenant *t;
	const struct tenant_conf *conf;
	struct arena *a;
	struct slice domain;
	struct tenant_items *out;
};

static struct tenant_item *
item(struct look *k, const char *about)
{
	struct tenant_item *i = &k->out->items[k->out->count++];

	*i = (struct tenant_item){ .domain = k->domain, .about = about,
	    .state = TENANT_WRONG, .found = SLICE("not looked at") };
	return i;
}

/* False: there is no answer, and that is said. */
static bool
ask(struct look *k, struct tenant_item *i, struct slice name,
    enum dns_type type, struct dns_answer *answer)
{
	dns_wait(k->budget, name, type, k->a, answer);
	if (answer->status == DNS_OK || answer->status == DNS_NODATA ||
	    answer->status == DNS_NXDOMAIN)
		return true;
	i->state = TENANT_UNKNOWN;
	i->found = arena_printf(k->a, "DNS has no answer for %.*s (%s)",
	    SLICE_ARG(name), dns_status_name(answer->status));
	return false;
}

/* --- MX ----------------------------------------------------------------- */

static bool
ours(const struct look *k, struct slice name)
{
	return conf_list_has_nocase(&k->conf->mx, name);
}

static void
mx_record(struct look *k, struct tenant_item *i)
{
	struct buf b = buf_in(k->a);

	for (size_t n = 0; n < k->conf->mx.count; n++)
		buf_addf(&b, "%s%.*s. IN MX 10 %.*s.", n > 0 ? "\n" : "",
		    SLICE_ARG(k->domain), SLICE_ARG(k->conf->mx.items[n]));
	i->publish = buf_slice(&b);
}

static void
look_mx(struct look *k)
{
	struct tenant_item *i = item(k, "mx");
	struct buf found = buf_in(k->a);
	struct dns_answer answer;
	bool good;

	mx_record(k, i);
	if (k->dns == NULL || !ask(k, i, k->domain, DNS_MX, &answer))
		return;
	good = answer.count > 0;
	for (size_t n = 0; n < answer.count; n++) {
		bool one = ours(k, answer.records[n].data);

		good = good && one;
		buf_addf(&found, "%s%u %.*s%s", n > 0 ? ", " : "",
		    answer.records[n].preference,
		    SLICE_ARG(answer.records[n].data), one ? "" :
		    " (not ours: mail to it passes no filter)");
	}
	i->found = answer.count == 0 ? SLICE("there is no MX record") :
	    buf_slice(&found);
	i->state = good ? TENANT_RIGHT : TENANT_WRONG;
}

/* --- SPF ---------------------------------------------------------------- */

/* For each of our addresses; the first that does not pass is told. */
static void
evaluate(struct look *k, struct tenant_item *i)
{
	struct slice sender = arena_printf(k->a, "postmaster@%.*s",
	    SLICE_ARG(k->domain));
	struct spf_answer answer;

	for (size_t n = 0; n < k->conf->outbound.count; n++) {
		struct spf_query q = { .sender = sender, .helo = sender,
		    .voids = SPF_VOIDS, .now = clock_wall(), .ahead = true };

		q.helo = k->domain;
		if (!ip_parse(k->conf->outbound.items[n], &q.ip))
			continue;
		spf_query_run(k->budget, &q, SPF_ENGINE_OWN,
		    deadline_in(PATIENCE), k->a, &answer);
		if (answer.result == SPF_PASS)
			continue;
		i->state = answer.result == SPF_TEMPERROR ? TENANT_UNKNOWN :
		    TENANT_WRONG;
		i->found = arena_printf(k->a, "%s for %.*s: %.*s",
		    spf_result_name(answer.result),
		    SLICE_ARG(k->conf->outbound.items[n]),
		    SLICE_ARG(answer.reason));
		return;
	}
	i->state = TENANT_RIGHT;
	i->found = k->conf->outbound.count > 0 ?
	    SLICE("passes for each of our addresses") :
	    SLICE("names our include");
}

/* The include as a term of its own, with or without '+' (RFC 7208, 5.2). */
static bool
includes(struct slice record, const char *domain)
{
	while (record.ptr != NULL) {
		struct slice term = slice_cut(record, ' ', &record);

		if (slice_starts(term, SLICE("+")))
			term = slice_after(term, 1);
		if (slice_starts_nocase(term, SLICE("include:")) &&
		    slice_eq_nocase(slice_after(term, 8), slice_of(domain)))
			return true;
	}
	return false;
}

static bool
is_spf(struct slice txt)
{
	return slice_starts_nocase(txt, SLICE("v=spf1")) &&
	    (txt.len == 6 || txt.ptr[6] == ' ');
}

static void
look_spf(struct look *k)
{
	struct tenant_item *i;
	const char *include = k->conf->spf_include;
	struct slice record = SLICE_NONE;
	struct dns_answer answer;
	size_t records = 0;

	if (include[0] == '\0' && k->conf->outbound.count == 0)
		return;
	i = item(k, "spf");
	i->publish = include[0] == '\0' ? SLICE_NONE : arena_printf(k->a,
	    "%.*s. IN TXT \"v=spf1 include:%s -all\"", SLICE_ARG(k->domain),
	    include);
	if (k->dns == NULL || !ask(k, i, k->domain, DNS_TXT, &answer))
		return;
	for (size_t n = 0; n < answer.count; n++)
		if (is_spf(answer.records[n].data)) {
			record = answer.records[n].data;
			records++;
		}
	if (records == 0) {
		i->found = SLICE("there is no SPF record");
	} else if (records > 1) {
		i->found = arena_printf(k->a, "there are %zu SPF records; with "
		    "more than one, none counts (RFC 7208, 4.5)", records);
	} else if (include[0] != '\0' && !includes(record, include)) {
		i->found = arena_printf(k->a, "\"%.*s\" does not include %s",
		    SLICE_ARG(record), include);
		i->publish = arena_printf(k->a, "add include:%s to the SPF "
		    "record of %.*s, before its \"all\"", include,
		    SLICE_ARG(k->domain));
	} else {
		evaluate(k, i);
	}
}

/* --- DKIM --------------------------------------------------------------- */

/* As in a zone file: strings of at most 255 bytes. */
static struct slice
txt(struct look *k, struct slice name, struct slice text)
{
	struct buf b = buf_in(k->a);

	buf_addf(&b, "%.*s. IN TXT (", SLICE_ARG(name));
	for (size_t at = 0; at < text.len; at += 255)
		buf_addf(&b, " \"%.*s\"", SLICE_ARG(slice_sub(text, at, 255)));
	buf_adds(&b, " )");
	return buf_slice(&b);
}

static void
compare_keys(struct look *k, struct tenant_item *i, struct slice name,
    EVP_PKEY *key)
{
	struct slice why = SLICE("");
	struct dns_answer answer;

	if (!ask(k, i, name, DNS_TXT, &answer))
		return;
	if (answer.count == 0) {
		i->found = arena_printf(k->a, "there is no record %.*s",
		    SLICE_ARG(name));
	} else if (answer.count > 1) {
		i->found = arena_printf(k->a, "%.*s has %zu records; one of "
		    "them is taken by chance", SLICE_ARG(name), answer.count);
	} else if (!key_same(key, answer.records[0].data, k->a, &why)) {
		i->found = arena_printf(k->a, "%.*s: %.*s", SLICE_ARG(name),
		    SLICE_ARG(why));
	} else {
		i->state = TENANT_RIGHT;
		i->found = arena_printf(k->a, "%.*s is of our key",
		    SLICE_ARG(name));
	}
}

static void
look_dkim(struct look *k)
{
	struct slice name, record, why = SLICE("");
	struct tenant_item *i;
	EVP_PKEY *key = NULL;
	enum rc rc;

	if (k->t->dkim_key[0] == '\0')
		return;
	i = item(k, "dkim");
	name = arena_printf(k->a, "%s._domainkey.%.*s", k->t->dkim_selector,
	    SLICE_ARG(k->domain));
	rc = key_load(k->t->dkim_key, k->a, &key, &why);
	if (rc == RC_OK)
		rc = key_record(key, k->a, &record, &why);
	if (rc != RC_OK) {
		i->found = why;
		i->state = rc == RC_BAD ? TENANT_WRONG : TENANT_UNKNOWN;
		EVP_PKEY_free(key);
		return;
	}
	i->publish = txt(k, name, record);
	if (k->dns != NULL)
		compare_keys(k, i, name, key);
	EVP_PKEY_free(key);
}

/* --- DMARC -------------------------------------------------------------- */

static void
look_dmarc(struct look *k)
{
	struct tenant_item *i = item(k, "dmarc");
	struct slice name = arena_printf(k->a, "_dmarc.%.*s",
	    SLICE_ARG(k->domain)), is = SLICE_NONE;
	struct dmarc_record record;
	struct dns_answer answer;

	i->publish = arena_printf(k->a, "%.*s. IN TXT \"v=DMARC1; p=none; "
	    "rua=mailto:postmaster@%.*s\"", SLICE_ARG(name),
	    SLICE_ARG(k->domain));
	if (k->dns == NULL || !ask(k, i, name, DNS_TXT, &answer))
		return;
	for (size_t n = 0; n < answer.count && is.ptr == NULL; n++)
		if (dmarc_record_is(answer.records[n].data))
			is = answer.records[n].data;
	if (is.ptr == NULL) {
		i->found = SLICE("there is no DMARC record");
		return;
	}
	dmarc_record_read(k->a, is, &record);
	if (!dmarc_record_settle(&record, DMARC_RFC9989)) {
		i->found = arena_printf(k->a, "\"%.*s\" has no policy that "
		    "counts", SLICE_ARG(is));
		return;
	}
	i->state = TENANT_RIGHT;
	i->found = arena_printf(k->a, "\"%.*s\"", SLICE_ARG(is));
}

/* --- all ---------------------------------------------------------------- */

static void
look_at(struct look *k)
{
	k->out->items = arena_array(k->a, k->t->domains.count * ITEMS + 1,
	    sizeof *k->out->items);
	for (size_t i = 0; i < k->t->domains.count; i++) {
		k->domain = k->t->domains.items[i];
		if (k->dns != NULL)
			k->budget = dns_budget_new(k->dns, QUESTIONS,
			    deadline_in(PATIENCE));
		look_mx(k);
		look_spf(k);
		look_dkim(k);
		look_dmarc(k);
		if (k->budget != NULL)
			dns_budget_free(k->budget);
		k->budget = NULL;
	}
	for (size_t i = 0; i < k->out->count; i++) {
		k->out->wrong += k->out->items[i].state == TENANT_WRONG;
		k->out->down += k->out->items[i].state == TENANT_UNKNOWN;
	}
}

void
tenant_dns(struct dns *dns, const struct tenant *t,
    const struct tenant_conf *conf, struct arena *a,
    struct tenant_items *items_r)
{
	struct look k = { .dns = dns, .t = t, .conf = conf, .a = a,
	    .out = items_r };

	*items_r = (struct tenant_items){ 0 };
	look_at(&k);
}

void
tenant_wants(const struct tenant *t, const struct tenant_conf *conf,
    struct arena *a, struct tenant_items *items_r)
{
	tenant_dns(NULL, t, conf, a, items_r);
}
