#include "iprev.h"

#include <netinet/in.h>

#include "spf_name.h"

const char *
iprev_result_name(enum iprev_result result)
{
	static const char *const names[] = { "temperror", "pass", "fail",
	    "temperror", "permerror" };

	return names[result];
}

static bool
silent(enum dns_status status)
{
	return status != DNS_OK && status != DNS_NODATA &&
	    status != DNS_NXDOMAIN;
}

static enum dns_type
type_of(const struct ip *ip)
{
	return ip->family == AF_INET ? DNS_A : DNS_AAAA;
}

static bool
holds(const struct dns_answer *answer, const struct ip *ip)
{
	size_t len = ip->family == AF_INET ? 4 : 16;

	for (size_t i = 0; answer->status == DNS_OK && i < answer->count;
	    i++) {
		struct ip other;

		if (answer->records[i].data.len != len)
			continue;
		ip_of_bytes(ip->family, answer->records[i].data.ptr, &other);
		if (ip_match(ip, &other, (unsigned)len * 8))
			return true;
	}
	return false;
}

/* What the names of the address say, all together. */
struct names {
	bool pending, silent, addresses;
};

/* True when one of them fits; all are asked for at once. */
static bool
look_forward(struct arena *a, const struct dns_answer *names,
    const struct ip *ip, asking_lookup *lookup, void *arg,
    struct names *seen_r, struct slice *fits_r)
{
	for (size_t i = 0; i < names->count && i < IPREV_NAMES; i++) {
		struct slice name = spf_unescape(a, names->records[i].data);
		struct dns_answer answer;

		if (!spf_askable(name))
			continue;
		if (!lookup(arg, name, type_of(ip), &answer)) {
			seen_r->pending = true;
		} else if (holds(&answer, ip)) {
			*fits_r = name;
			return true;
		} else {
			seen_r->silent = seen_r->silent ||
			    silent(answer.status);
			seen_r->addresses = seen_r->addresses ||
			    answer.status == DNS_OK;
		}
	}
	return false;
}

static void
judge(struct arena *a, const struct names *seen, struct slice address,
    struct iprev_answer *r)
{
	struct slice name = spf_printable(a, r->name, DNS_NAME_MAX);

	if (seen->pending)
		return;
	if (seen->silent) {
		r->result = IPREV_TEMPERROR;
		r->reason = arena_printf(a, "DNS did not say whether %.*s has "
		    "the address %.*s", SLICE_ARG(name), SLICE_ARG(address));
	} else if (seen->addresses) {
		r->result = IPREV_FAIL;
		r->reason = arena_printf(a, "%.*s is called %.*s, which has "
		    "other addresses", SLICE_ARG(address), SLICE_ARG(name));
	} else {
		r->result = IPREV_PERMERROR;
		r->reason = arena_printf(a, "%.*s is called %.*s, which has no "
		    "address", SLICE_ARG(address), SLICE_ARG(name));
	}
}

void
iprev_check(struct arena *a, const struct ip *ip, struct slice likely,
    asking_lookup *lookup, void *arg, struct iprev_answer *r)
{
	struct slice address = ip_format(a, ip);
	struct names seen = { .pending = false };
	struct dns_answer names, ahead;

	*r = (struct iprev_answer){ .name = SLICE_NONE,
	    .reason = SLICE("") };
	if (!lookup(arg, ip_reverse(a, ip), DNS_PTR, &names)) {
		if (slice_has(likely, '.') && spf_askable(likely))
			lookup(arg, likely, type_of(ip), &ahead);
		return;
	}
	if (names.status != DNS_OK || names.count == 0) {
		bool error = silent(names.status);

		r->result = error ? IPREV_TEMPERROR : IPREV_PERMERROR;
		r->reason = arena_printf(a, "%s%.*s%s", error ? "DNS did not "
		    "say what " : "", SLICE_ARG(address), error ?
		    " is called" : " has no name");
		return;
	}
	r->name = names.records[0].data;
	if (look_forward(a, &names, ip, lookup, arg, &seen, &r->name)) {
		r->result = IPREV_PASS;
		r->reason = arena_printf(a, "%.*s is called %.*s",
		    SLICE_ARG(address), SLICE_ARG(spf_printable(a, r->name,
		    DNS_NAME_MAX)));
		return;
	}
	judge(a, &seen, address, r);
}
