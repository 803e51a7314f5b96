/* Do the DNS lists and back ends of antispam answer us? */
#include <unistd.h>

#include "milter/settings.h"
#include "milters/antispam/backend.h"
#include "milters/antispam/dnslist_test.h"
#include "milters/antispam/options.h"
#include "tools/doctor.h"
#include "tools/verb.h"

enum { REFUSES, MUTE, SOLD, BROKEN, ALL, BACKEND };

static const struct doctor_kind kinds[] = {
	[REFUSES] = { "refuses", DOCTOR_WARNING,
	    "The list counts for no message. Most do not answer public "
	    "resolvers, nor who asks more than is free." },
	[MUTE] = { "mute", DOCTOR_WARNING,
	    "Each message waits for it until dns_list_timeout, for nothing." },
	[SOLD] = { "sold", DOCTOR_WARNING,
	    "Its domain was given up and belongs to somebody else; whoever "
	    "believes it refuses all mail." },
	[BROKEN] = { "broken", DOCTOR_WARNING,
	    "It has not what each list has, so nobody knows what it has." },
	[ALL] = { "all", DOCTOR_CRITICAL,
	    "Each message gets its weight: lists do that to get rid of who "
	    "still asks them." },
	[BACKEND] = { "backend", DOCTOR_WARNING,
	    "Messages are judged without it, or deferred where "
	    "backend_required is set." },
	{ NULL, 0, NULL }
};

enum { QUESTIONS = 200, PING_MS = 3000 };

static const unsigned finding[] = { [DNSLIST_MUTE] = MUTE,
    [DNSLIST_REFUSES] = REFUSES, [DNSLIST_SOLD] = SOLD,
    [DNSLIST_BROKEN] = BROKEN, [DNSLIST_ALL] = ALL };

static void
check_list(struct doctor_report *r, const struct dnslist *l,
    struct dns_budget *budget)
{
	enum dnslist_state state = dnslist_test(l, budget, r->arena);
	const char *resolver = r->doctor->house->resolver;

	if (state == DNSLIST_WELL) {
		doctor_saw(r, "DNS list %.*s works", SLICE_ARG(l->zone));
		return;
	}
	doctor_say(r, finding[state], doctor_type(r, state ==
	    DNSLIST_REFUSES ? "# ask it through a resolver of your own (apt "
	    "install unbound; resolver in gatehouse.conf), or take %.*s out of "
	    "dns_lists in antispam.conf" : "# take %.*s out of dns_lists in "
	    "antispam.conf", SLICE_ARG(l->zone)), "DNS list %.*s %s (asked "
	    "through %s)", SLICE_ARG(l->zone), dnslist_state_words(state),
	    resolver[0] != '\0' ? resolver : "/etc/resolv.conf");
}

/* Several entries may be about one zone. */
static bool
again(const struct dnslist *lists, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (slice_eq(lists[j].zone, lists[i].zone))
			return true;
	return false;
}

static void
check_lists(struct doctor_report *r, const struct conf_list *entries)
{
	const struct house_conf *house = r->doctor->house;
	int64_t left = deadline_left(r->doctor->until - 500) + 100;
	struct dns_conf conf = { .resolver = house->resolver, .timeout_ms =
	    (unsigned)(house->resolver_timeout < left / 3 ?
	    house->resolver_timeout : left / 3) };
	struct dnslist *lists = arena_array(r->arena, entries->count + 1,
	    sizeof *lists);
	struct slice why = SLICE("");
	struct dns_budget *budget;
	struct dns *dns;

	if (entries->count == 0)
		return;
	dns = dns_open(&conf, r->arena, &why);
	if (dns == NULL) {
		doctor_unseen(r, "no resolver: %.*s", SLICE_ARG(why));
		return;
	}
	budget = dns_budget_new(dns, QUESTIONS, deadline_in(left));
	for (size_t i = 0; i < entries->count; i++)
		if (dnslist_read(entries->items[i], &lists[i], r->arena,
		    &why) == RC_OK && !again(lists, i))
			check_list(r, &lists[i], budget);
	dns_budget_free(budget);
	dns_close(dns);
}

static void
check_backends(struct doctor_report *r, const struct conf_list *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		struct backend_spec spec;
		struct slice why = SLICE("");

		if (backend_read(entries->items[i], &spec, r->arena, &why) !=
		    RC_OK)
			continue;
		if (backend_ping(&spec, deadline_earlier(deadline_in(PING_MS),
		    r->doctor->until - 300), r->arena, &why) == RC_OK)
			doctor_saw(r, "back end %.*s answers",
			    SLICE_ARG(spec.name));
		else
			doctor_say(r, BACKEND, doctor_type(r, "# start it, or "
			    "mend its place in antispam.conf: %.*s",
			    SLICE_ARG(entries->items[i])),
			    "back end %.*s does not answer: %.*s",
			    SLICE_ARG(spec.name), SLICE_ARG(why));
	}
}

/* A file that is not there is all defaults; what is wrong in it another check
 * says. */
static bool
load(struct doctor_report *r, struct antispam_conf *conf)
{
	struct milter_conf milter;
	struct conf_section own[] = { { milter_options, &milter },
	    { antispam_options, conf }, { NULL, NULL } };
	const char *dir = verb_conf_dir(r->doctor->conf_dir), *file = NULL;
	struct slice why;

	if (dir != NULL)
		file = arena_printf(r->arena, "%s/antispam.conf", dir).ptr;
	if (file != NULL && access(file, F_OK) != 0)
		file = NULL;
	return conf_load(r->arena, file, own, &why) == RC_OK;
}

static void
run(struct doctor_report *r)
{
	struct antispam_conf *conf = arena_alloc(r->arena, sizeof *conf);

	if (!load(r, conf)) {
		doctor_unseen(r, "antispam.conf is wrong; gatehouse "
		    "check-config says where");
		return;
	}
	if (conf->backends.count == 0 && conf->dns_lists.count == 0)
		doctor_saw(r, "antispam asks no list and no other filter");
	check_backends(r, &conf->backends);
	check_lists(r, &conf->dns_lists);
}

const struct doctor_check doctor_spam = {
	"spam", "asks the DNS lists of antispam for their test points, and its "
	"back ends whether they are there", kinds, DOCTOR_HOUSE, run,
};
