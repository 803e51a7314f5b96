/* Drafts for the spam check: is there somebody who answers? */
#include "services/spamcheck/options.h"
#include "tools/doctor-lmtp.h"

enum { DOWN, SILENT };

static const struct doctor_kind kinds[] = {
	[DOWN] = { "down", DOCTOR_WARNING,
	    "Drafts wait in Postfix's queue, and who sent them hears "
	    "nothing." },
	[SILENT] = { "silent", DOCTOR_WARNING,
	    "It hangs, and drafts wait in Postfix's queue." },
	{ NULL, 0, NULL }
};

static void
run(struct doctor_report *r)
{
	struct spamcheck_conf *conf = arena_alloc(r->arena, sizeof *conf);

	if (r->doctor->house->spamcheck.count == 0)
		doctor_saw(r, "there is no address of a spam check");
	else if (doctor_service(r, "spamcheck", spamcheck_options, conf))
		doctor_lmtp(r, "spamcheck", conf->socket, DOWN, SILENT);
}

const struct doctor_check doctor_spamcheck = {
	"spamcheck", "asks gatehouse-spamcheck, where it has an address, as "
	"Postfix would", kinds, DOCTOR_ROOT | DOCTOR_HOUSE, run,
};
