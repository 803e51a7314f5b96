/*
 * gatehouse spam lists: the DNS lists that antispam asks, and how they are.
 */
#include <stdio.h>
#include <sysexits.h>

#include "milters/antispam/dnslist_test.h"
#include "net/dns.h"
#include "text/json.h"
#include "tools/spam.h"

enum { QUESTIONS = 200, PATIENCE_MS = 30000 };

static void
say(struct spam_options *o, struct json *w, const struct dnslist *l,
    const char *state)
{
	if (!o->json) {
		buf_addf(&o->out, "%-6s %+5.1f  %.*s%s%s\n",
		    dnslist_kind_name(l->kind), l->weight, SLICE_ARG(l->zone),
		    state != NULL ? ": " : "", state != NULL ? state : "");
		return;
	}
	json_begin_object(w);
	json_put(w, "zone", l->zone);
	json_put(w, "kind", slice_of(dnslist_kind_name(l->kind)));
	json_put(w, "weight", arena_printf(o->a, "%.2f", l->weight));
	if (state != NULL)
		json_put(w, "state", slice_of(state));
	json_end(w);
}

/* How many are not well. */
static unsigned
say_all(struct spam_options *o, const struct conf_list *entries,
    struct dns_budget *budget)
{
	struct json w;
	unsigned bad = 0;

	json_init(&w, &o->out);
	if (o->json) {
		json_pretty(&w);
		json_begin_array(&w);
	}
	for (size_t i = 0; i < entries->count; i++) {
		enum dnslist_state state = DNSLIST_WELL;
		struct dnslist l;
		struct slice why;

		if (dnslist_read(entries->items[i], &l, o->a, &why) != RC_OK)
			continue;	/* the load has refused it */
		if (budget != NULL)
			state = dnslist_test(&l, budget, o->a);
		bad += state != DNSLIST_WELL;
		say(o, &w, &l, budget != NULL ? dnslist_state_words(state) :
		    NULL);
	}
	if (o->json) {
		json_end(&w);
		buf_addc(&o->out, '\n');
	}
	return bad;
}

int
spam_lists(struct spam_options *o)
{
	struct dns_conf dns_conf = { .resolver = o->house.resolver,
	    .timeout_ms = (unsigned)o->house.resolver_timeout };
	struct dns_budget *budget = NULL;
	struct antispam_conf conf = { .model = NULL };
	struct dns *dns = NULL;
	struct slice why;
	unsigned bad;
	int status = spam_own(o, &conf);

	if (status != EX_OK)
		return status;
	if (antispam_check(&conf, &o->house, o->a, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	if (o->check) {
		dns = dns_open(&dns_conf, o->a, &why);
		if (dns == NULL)
			return verb_fails(EX_OSERR, "no resolver: %.*s",
			    SLICE_ARG(why));
		budget = dns_budget_new(dns, QUESTIONS,
		    deadline_in(PATIENCE_MS));
	}
	bad = say_all(o, &conf.dns_lists, budget);
	if (budget != NULL)
		dns_budget_free(budget);
	if (dns != NULL)
		dns_close(dns);
	if (conf.dns_lists.count == 0 && !o->json)
		buf_adds(&o->out, "dns_lists in antispam.conf names none\n");
	status = verb_print(&o->out);
	return status != EX_OK ? status : bad > 0 ? 1 : EX_OK;
}
