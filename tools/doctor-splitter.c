/* Recipients who need different forms: is there somebody who splits? */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "net/stream.h"
#include "policy/policy.h"
#include "services/splitter/splitter.h"
#include "tools/doctor.h"
#include "tools/verb.h"

enum { ANSWER_MS = 3000 };

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

static const char *
socket_of(struct doctor_report *r)
{
	struct splitter_conf *conf = arena_alloc(r->arena, sizeof *conf);
	const struct conf_section sections[] = {
		{ splitter_options, conf }, { NULL, NULL },
	};
	const char *path = r->doctor->conf_dir == NULL ? NULL :
	    arena_printf(r->arena, "%s/splitter.conf",
	    r->doctor->conf_dir).ptr;
	struct slice why;

	if (path != NULL && access(path, F_OK) != 0)
		path = NULL;
	if (conf_load_trusted(r->arena, path, sections, &why) != RC_OK)
		return NULL;			/* config tells */
	return conf->socket[0] == '/' ? conf->socket : arena_printf(r->arena,
	    "%s/%s", r->doctor->house->queue_directory, conf->socket).ptr;
}

/* This process is only ours: from now on it may what lmtp(8) may. */
static bool
become_postfix(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	const char *user = pc == NULL ? "postfix" : arena_str(r->arena,
	    postconf_value(pc, NULL, "mail_owner", r->arena));
	const struct passwd *pw = getpwnam(user);

	if (pw != NULL && initgroups(user, pw->pw_gid) == 0 &&
	    setgid(pw->pw_gid) == 0 && setuid(pw->pw_uid) == 0)
		return true;
	doctor_unseen(r, "cannot become the user %s (mail_owner)", user);
	return false;
}

static void
greet(struct doctor_report *r, const char *path)
{
	static const char restart[] = "systemctl restart gatehouse-splitter";
	int64_t half = deadline_left(r->doctor->until) / 2;
	deadline_t until = deadline_in(half < ANSWER_MS ? half : ANSWER_MS);
	struct slice why = SLICE(""), quit = SLICE("QUIT\r\n");
	struct stream *s = stream_open(path, 0, NULL, until, r->arena, &why);
	char text[200];
	ssize_t n;

	if (s == NULL) {
		doctor_say(r, DOWN, restart, "gatehouse-splitter cannot be "
		    "reached: %.*s", SLICE_ARG(why));
		return;
	}
	n = stream_read(s, text, sizeof text, until, r->arena, &why);
	if (n >= 4 && memcmp(text, "220 ", 4) == 0)
		doctor_saw(r, "gatehouse-splitter answers at %s", path);
	else
		doctor_say(r, SILENT, restart, "gatehouse-splitter takes a "
		    "connection and does not greet: %.*s", SLICE_ARG(n == 0 ?
		    SLICE("it hung up") : n > 0 ? slice_make(text,
		    (size_t)n) : why));
	stream_write(s, quit, until, r->arena, &why);
	stream_close(s);
}

static void
run(struct doctor_report *r)
{
	bool several = several_forms(r);
	const char *path;

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
	path = socket_of(r);
	if (path != NULL && become_postfix(r))
		greet(r, path);
}

const struct doctor_check doctor_splitter = {
	"splitter", "sees whether recipients need different forms of a "
	"message, and asks gatehouse-splitter as Postfix would", kinds,
	DOCTOR_ROOT | DOCTOR_HOUSE, run,
};
