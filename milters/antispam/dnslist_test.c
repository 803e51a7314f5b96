#include "dnslist_test.h"

#include <string.h>
#include <sys/socket.h>

/* Any answer that is no refusal. */
static enum dnslist_says
ask(const struct dnslist *list, struct slice name, struct dns_budget *budget,
    struct arena *a)
{
	struct dnslist any = { .zone = list->zone };
	struct dns_answer answer = { .status = DNS_NXDOMAIN };

	if (name.ptr != NULL)
		dns_wait(budget, name, DNS_A, a, &answer);
	return dnslist_answer(&any, &answer);
}

static enum dnslist_says
ask_point(const struct dnslist *list, bool on, bool domain,
    struct dns_budget *budget, struct arena *a)
{
	struct ip ip = { AF_INET, { 127, 0, 0, on ? 2 : 1 } };

	return ask(list, domain ? dnslist_under(a, list, on ? SLICE("test") :
	    SLICE("invalid")) : dnslist_name(a, list, &ip), budget, a);
}

static enum dnslist_state
bad(enum dnslist_says says)
{
	switch (says) {
	case DNSLIST_REFUSED:
		return DNSLIST_REFUSES;
	case DNSLIST_STRANGE:
		return DNSLIST_SOLD;
	case DNSLIST_SILENT:
		return DNSLIST_MUTE;
	default:
		return DNSLIST_WELL;
	}
}

enum dnslist_state
dnslist_test(const struct dnslist *list, struct dns_budget *budget,
    struct arena *a)
{
	bool domain = list->kind != DNSLIST_IP;
	enum dnslist_says on = ask_point(list, true, domain, budget, a), off;
	enum dnslist_state state = bad(on);

	/* Lists of links often have 127.0.0.2 instead of TEST. */
	if (domain && on == DNSLIST_NO) {
		on = ask_point(list, true, false, budget, a);
		state = bad(on);
	}
	if (state != DNSLIST_WELL)
		return state;
	/* Where 127.0.0.1 is answered with itself, that is a refusal. */
	off = ask_point(list, false, domain, budget, a);
	if (off == DNSLIST_HIT)
		return DNSLIST_ALL;
	state = bad(off);
	if (state != DNSLIST_WELL)
		return state;
	return on == DNSLIST_HIT ? DNSLIST_WELL : DNSLIST_BROKEN;
}

const char *
dnslist_state_words(enum dnslist_state state)
{
	static const char *const words[] = {
		[DNSLIST_WELL] = "works",
		[DNSLIST_MUTE] = "gives no answer",
		[DNSLIST_REFUSES] = "refuses our questions",
		[DNSLIST_SOLD] = "answers with addresses outside 127/8: its "
		    "domain was given up",
		[DNSLIST_BROKEN] = "does not have its test point "
		    "(RFC 5782, 5)",
		[DNSLIST_ALL] = "lists everything",
	};

	return words[state];
}
