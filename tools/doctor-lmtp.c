#include "tools/doctor-lmtp.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "net/stream.h"

enum { ANSWER_MS = 3000 };

bool
doctor_service(struct doctor_report *r, const char *name,
    const struct conf_option *options, void *conf)
{
	const struct conf_section sections[] = { { options, conf },
	    { NULL, NULL } };
	const char *path = r->doctor->conf_dir == NULL ? NULL :
	    arena_printf(r->arena, "%s/%s.conf", r->doctor->conf_dir,
	    name).ptr;
	struct slice why;

	if (path != NULL && access(path, F_OK) != 0)
		path = NULL;
	return conf_load_trusted(r->arena, path, sections, &why) == RC_OK;
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

void
doctor_lmtp(struct doctor_report *r, const char *name, const char *socket,
    unsigned down, unsigned silent)
{
	const char *restart = doctor_type(r, "systemctl restart gatehouse-%s",
	    name);
	const char *path = socket[0] == '/' ? socket : arena_printf(r->arena,
	    "%s/%s", r->doctor->house->queue_directory, socket).ptr;
	int64_t half = deadline_left(r->doctor->until) / 2;
	deadline_t until = deadline_in(half < ANSWER_MS ? half : ANSWER_MS);
	struct slice why = SLICE(""), quit = SLICE("QUIT\r\n");
	struct stream *s;
	char text[200];
	ssize_t n;

	if (!become_postfix(r))
		return;
	s = stream_open(path, 0, NULL, until, r->arena, &why);
	if (s == NULL) {
		doctor_say(r, down, restart, "gatehouse-%s cannot be reached: "
		    "%.*s", name, SLICE_ARG(why));
		return;
	}
	n = stream_read(s, text, sizeof text, until, r->arena, &why);
	if (n >= 4 && memcmp(text, "220 ", 4) == 0)
		doctor_saw(r, "gatehouse-%s answers at %s", name, path);
	else
		doctor_say(r, silent, restart, "gatehouse-%s takes a "
		    "connection and does not greet: %.*s", name, SLICE_ARG(
		    n == 0 ? SLICE("it hung up") : n > 0 ? slice_make(text,
		    (size_t)n) : why));
	stream_write(s, quit, until, r->arena, &why);
	stream_close(s);
}
