/* Is the policy map what a compile would make of the files as they are? */
#include <unistd.h>

#include "policy/file.h"
#include "tools/doctor.h"
#include "tools/policy-build.h"

enum { STALE, MISSING, BROKEN };

static const struct doctor_kind policy_kinds[] = {
	[STALE] = { "stale", DOCTOR_WARNING,
	    "What was changed since does not count yet; a daemon whose scopes "
	    "are others than those that were compiled refuses to reload, and "
	    "does not start." },
	[MISSING] = { "missing", DOCTOR_CRITICAL,
	    "Daemons that start now know no user of the directory, no line of "
	    "policy.settings and no allow or block list." },
	[BROKEN] = { "broken", DOCTOR_CRITICAL,
	    "Daemons that run go on with the map that they have; none can "
	    "start." },
	{ NULL, 0, NULL }
};

static const char *
mend(struct doctor_report *r)
{
	return r->doctor->conf_given ? doctor_type(r, "gatehouse policy "
	    "compile --config %s", doctor_shell(r,
	    slice_of(r->doctor->conf_dir))) : "gatehouse policy compile";
}

static void
run_policy(struct doctor_report *r)
{
	struct build *b = arena_alloc(r->arena, sizeof *b);
	struct policy_file *file;
	struct slice why = SLICE("");
	const char *stale;

	/* What is wrong with the files, the check config says. */
	if (build_read(b, r->doctor->conf_dir, r->arena, &why) != RC_OK) {
		doctor_unseen(r, "%.*s", SLICE_ARG(why));
		return;
	}
	if (access(b->map, F_OK) != 0) {
		if (build_stale(b) != NULL)
			doctor_say(r, MISSING, mend(r), "there is no %s",
			    b->map);
		else
			doctor_saw(r, "nothing asks for a policy map");
		return;
	}
	if (file_open(b->map, &file, r->arena, &why) != RC_OK) {
		doctor_say(r, BROKEN, mend(r), "%.*s", SLICE_ARG(slice_sub(why,
		    0, slice_search(why, SLICE("; type:")))));
		return;
	}
	stale = build_stale(b);
	if (stale != NULL)
		doctor_say(r, STALE, mend(r), "the policy map is not of today: "
		    "%s", stale);
	else
		doctor_saw(r, "%s is what the files say: %llu addresses",
		    b->map, (unsigned long long)file_header(file)->addresses);
	file_close(file);
}

const struct doctor_check doctor_policy = {
	"policy", "compares the policy map with the files that it was compiled "
	"from", policy_kinds, DOCTOR_HOUSE, run_policy,
};
