/* Recipients who need different forms: is there somebody who splits? */
#include "policy/policy.h"
#include "services/splitter/splitter.h"
#include "tools/doctor-lmtp.h"

enum { DOWN, SILENT, OFF };

static const struct doctor_kind kinds[] = {
	[DOWN] = { "down", DOCTOR_CRITICAL,
	    "Mail whose recipients need different forms waits in Postfix's "
	    "queue, and is returned when its time there is over." },
	[SILENT] = { "silent", DOCTOR_CRITICAL,
	    "It hangs, and mail whose recipients need different forms waits "
	    "in Postfix's queue." },
	[OFF] = { "off", DOCTOR_WARNING,
	    "All recipients of a message get what was set for the first of "
	    "them (its tags, disclaimers, links)." },
	{ NULL, 0, NULL }
};

static bool
several_forms(struct doctor_report *r)
{
	struct slice why = SLICE("");
	struct policy *p;
	bool several;

	if (policy_open(policy_path(r->doctor->house, r->arena),
	    r->doctor->house, &p, r->arena, &why) != RC_OK) {
		doctor_unseen(r, "%.*s", SLICE_ARG(why));
		return false;
	}
	several = policy_several_forms(p);
	policy_drop(p);
	return several;
}

static void
run(struct doctor_report *r)
{
	bool several = several_forms(r);
	struct splitter_conf *conf = arena_alloc(r->arena, sizeof *conf);

	if (!r->doctor->house->splitter) {
		if (several)
			doctor_say(r, OFF, "# set splitter = true in "
			    "gatehouse.conf, reload the filters, and: "
			    "gatehouse postfix-config --apply", "the policy "
			    "has settings that change mail for some "
			    "recipients and not for others, and splitter is "
			    "false");
		else
			doctor_saw(r, "all recipients need the same form");
		return;
	}
	if (!several)
		doctor_saw(r, "all recipients need the same form, as far as "
		    "the policy says");
	if (doctor_service(r, "splitter", splitter_options, conf))
		doctor_lmtp(r, "splitter", conf->socket, DOWN, SILENT);
}

const struct doctor_check doctor_splitter = {
	"splitter", "sees whether recipients need different forms of a "
	"message, and asks gatehouse-splitter as Postfix would", kinds,
	DOCTOR_ROOT | DOCTOR_HOUSE, run,
};
