/*
 * Does each milter that Postfix names answer, where and as whom Postfix asks?
 *
 * Each socket is tried by a process of its own, which goes where the Postfix
 * daemon is (the queue folder, chrooted or not) and becomes its user. So what
 * stops Postfix stops us: folders, modes, the peer check.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "milter/wire.h"
#include "tools/child.h"
#include "tools/doctor.h"

enum { GONE, OUTSIDE, DENIED, REFUSED, NAMELESS, WEDGED, HUNG_UP, NONSENSE,
    VERSION_OLD, FAILED };

static const struct doctor_kind kinds[] = {
	[GONE] = { "gone", DOCTOR_CRITICAL,
	    "Postfix answers 451 to all mail while its milter is not there." },
	[OUTSIDE] = { "outside-chroot", DOCTOR_CRITICAL,
	    "A chrooted Postfix daemon cannot reach what lies outside of its "
	    "queue folder, so it answers 451 to all mail." },
	[DENIED] = { "denied", DOCTOR_CRITICAL,
	    "Postfix may not come to the socket and answers 451 to all "
	    "mail." },
	[REFUSED] = { "refused", DOCTOR_CRITICAL,
	    "Nobody listens where Postfix wants its milter, so it answers 451 "
	    "to all mail." },
	[NAMELESS] = { "name", DOCTOR_CRITICAL,
	    "Postfix cannot find the milter's address and answers 451 to all "
	    "mail." },
	[WEDGED] = { "wedged", DOCTOR_CRITICAL,
	    "Each SMTP session stands still for milter_command_timeout; then "
	    "Postfix answers 451." },
	[HUNG_UP] = { "hung-up", DOCTOR_CRITICAL,
	    "The milter does not speak to Postfix's user, or has no session "
	    "left; Postfix answers 451." },
	[NONSENSE] = { "nonsense", DOCTOR_CRITICAL,
	    "What answers there is no milter; Postfix answers 451." },
	[VERSION_OLD] = { "version", DOCTOR_WARNING,
	    "A milter of an old protocol sees less of a message, and asks "
	    "Postfix for more." },
	[FAILED] = { "failed", DOCTOR_CRITICAL,
	    "Where we cannot come to the milter, Postfix cannot either." },
	{ NULL, 0, NULL }
};

enum { ENDPOINTS = 200, DETAIL = 1100, FINE = 1000 };

struct endpoint {
	struct slice name;		/* "unix:gatehouse/auth-check/sock" */
	const struct postconf_service *service;
	const char *parameter;
	int fd;				/* of the process that tries it */
	pid_t pid;
};

struct outcome {
	int kind;			/* or FINE */
	unsigned version;
	char detail[DETAIL];		/* a path, or an error */
};

struct trial {
	struct endpoint *e;
	const char *queue;
	uid_t uid;
	gid_t gid;
	const char *user;
	deadline_t until;
	struct outcome out;
};

static void
ends(struct trial *t, int kind, const char *detail)
{
	t->out.kind = kind;
	snprintf(t->out.detail, sizeof t->out.detail, "%s", detail);
}

static bool
is_unix(struct slice name, struct slice *path_r)
{
	*path_r = slice_after(name, 5);
	return slice_starts(name, SLICE("unix:"));
}

/* --- as Postfix, in the child -------------------------------------------- */

static bool
become_postfix(struct trial *t)
{
	const char *what = NULL;

	if (initgroups(t->user, t->gid) != 0)
		what = "initgroups";
	else if (chdir(t->queue) != 0)
		what = "chdir to the queue folder";
	else if (t->e->service->chroot && chroot(".") != 0)
		what = "chroot to the queue folder";
	else if (setgid(t->gid) != 0 || setuid(t->uid) != 0)
		what = "setuid";
	if (what != NULL)
		ends(t, FAILED, what);
	return what == NULL;
}

/* The first part of the path that is missing or closed. */
static void
blame_path(struct trial *t, const char *path, int error)
{
	char part[DETAIL];
	struct stat st;

	for (size_t i = 1; i < sizeof part - 1 && path[i] != '\0'; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (stat(part, &st) != 0) {
			ends(t, GONE, part);
			return;
		}
		if (access(part, X_OK) != 0) {
			ends(t, DENIED, part);
			return;
		}
	}
	ends(t, error == EACCES ? DENIED : GONE, path);
}

static int
connect_unix(struct trial *t, struct slice path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (path.len >= sizeof addr.sun_path) {
		ends(t, FAILED, "the path is too long for a socket");
		return -1;
	}
	memcpy(addr.sun_path, path.ptr, path.len);
	if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0)
		return fd;
	if (errno == ENOENT || errno == ENOTDIR || errno == EACCES)
		blame_path(t, addr.sun_path, errno);
	else
		ends(t, errno == ECONNREFUSED ? REFUSED : FAILED,
		    strerror(errno));
	return -1;
}

/* Waits for the end of a connect; false when it failed. */
static bool
connected(struct trial *t, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof (int);
	int error = 0;

	if (poll(&p, 1, (int)deadline_left(t->until)) <= 0) {
		ends(t, WEDGED, "no connection");
		return false;
	}
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0)
		ends(t, error == ECONNREFUSED ? REFUSED : FAILED,
		    strerror(error));
	return error == 0;
}

/* "host:port"; the host may stand in brackets. */
static int
connect_inet(struct trial *t, struct slice where)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	size_t colon = slice_find_last(where, ':');
	char host[256], port[32];
	struct slice name = slice_sub(where, 0, colon);
	int fd = -1, error;

	if (name.len >= 2 && name.ptr[0] == '[')
		name = slice_sub(name, 1, name.len - 2);
	snprintf(host, sizeof host, "%.*s", SLICE_ARG(name));
	snprintf(port, sizeof port, "%.*s", SLICE_ARG(slice_after(where,
	    colon + 1)));
	error = getaddrinfo(host, port, &hints, &list);
	if (error != 0) {
		ends(t, NAMELESS, gai_strerror(error));
		return -1;
	}
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fd < 0)
			continue;
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0 ||
		    errno == EINPROGRESS)
			if (connected(t, fd))
				break;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

static void
negotiate(struct trial *t, int fd)
{
	struct arena *a = arena_new();
	struct buf out = buf_in(a), in = buf_in(a);
	struct wire_terms terms = { 0 };
	struct slice rest, data = SLICE("");
	char code = 0;
	enum rc rc;

	wire_offer(&out);
	if (send(fd, out.ptr, out.len, MSG_NOSIGNAL) < 0) {
		ends(t, HUNG_UP, strerror(errno));
		return;
	}
	do {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, (int)deadline_left(t->until)) <= 0) {
			ends(t, WEDGED, "no word");
			return;
		}
		n = read(fd, buf_room(&in, 4096), 4096);
		if (n <= 0) {
			ends(t, HUNG_UP, n < 0 ? strerror(errno) :
			    "closed the connection");
			return;
		}
		buf_took(&in, (size_t)n);
		rest = buf_slice(&in);
		rc = wire_take(&rest, &code, &data);
	} while (rc == RC_RETRY);
	if (rc != RC_OK || code != 'O' || !wire_agreed(data, &terms) ||
	    terms.version < 2 || terms.version > WIRE_VERSION) {
		ends(t, NONSENSE, "no answer to a negotiation");
		return;
	}
	buf_clear(&out);
	wire_put(&out, 'Q', SLICE(""));
	send(fd, out.ptr, out.len, MSG_NOSIGNAL);
	t->out.version = terms.version;
	ends(t, terms.version < WIRE_VERSION ? VERSION_OLD : FINE, "");
	arena_free(a);
}

static void
try_endpoint(struct trial *t)
{
	struct slice path;
	int fd;

	if (!become_postfix(t))
		return;
	if (is_unix(t->e->name, &path)) {
		fd = connect_unix(t, path);
	} else if (slice_starts(t->e->name, SLICE("inet:"))) {
		fd = connect_inet(t, slice_after(t->e->name, 5));
	} else {
		ends(t, FAILED, "it begins with neither unix: nor inet:");
		return;
	}
	if (fd >= 0)
		negotiate(t, fd);
}

/* --- outside ------------------------------------------------------------- */

static void
begin(struct trial *t)
{
	int fds[2];

	t->e->fd = -1;
	if (pipe(fds) != 0)
		return;
	t->e->pid = fork();
	if (t->e->pid == 0) {
		ssize_t n;

		try_endpoint(t);
		n = write(fds[1], &t->out, sizeof t->out);
		_exit(n == (ssize_t)sizeof t->out ? 0 : 1);
	}
	close(fds[1]);
	t->e->fd = fds[0];
}

static void
finish(struct trial *t)
{
	struct pollfd p = { .fd = t->e->fd, .events = POLLIN };

	ends(t, WEDGED, "no end of the attempt");
	if (t->e->fd < 0)
		ends(t, FAILED, "no process to try it with");
	/* Its own time-outs come first; this one is for name look-ups. */
	else if (poll(&p, 1, (int)deadline_left(t->until) + 500) > 0 &&
	    read(t->e->fd, &t->out, sizeof t->out) != sizeof t->out)
		ends(t, FAILED, "the attempt broke off");
	t->out.detail[DETAIL - 1] = '\0';
	close(t->e->fd);
	child_end(t->e->pid);
}

/* "auth-check" of unix:gatehouse/auth-check/sock; empty: not one of ours. */
static struct slice
our_name(struct slice endpoint)
{
	size_t at = slice_search(endpoint, SLICE("gatehouse/"));
	struct slice name = slice_after(endpoint, at + 10), rest;

	name = slice_cut(name, '/', &rest);
	return at < endpoint.len && slice_eq(rest, SLICE("sock")) ? name :
	    SLICE("");
}

static const char *
start_again(struct doctor_report *r, struct slice endpoint, const char *verb)
{
	struct slice name = our_name(endpoint);

	if (name.len == 0)
		return doctor_type(r, "# %s the milter behind %.*s", verb,
		    SLICE_ARG(endpoint));
	return doctor_type(r, "systemctl %s gatehouse-%s", verb,
	    doctor_shell(r, name));
}

/* A path as it is outside of the chroot. */
static struct slice
outer(struct doctor_report *r, const struct trial *t, const char *path)
{
	if (path[0] == '/' && !t->e->service->chroot)
		return arena_copy(r->arena, slice_of(path));
	return arena_printf(r->arena, "%s%s%s", t->queue,
	    path[0] == '/' ? "" : "/", path);
}

/* The folder that a socket is made in hands its group on to it. */
static void
say_denied(struct doctor_report *r, const struct trial *t)
{
	struct slice path = outer(r, t, t->out.detail), all;
	struct group *group = getgrgid(t->gid);
	const char *name = group != NULL ? group->gr_name : t->user;
	const char *word = doctor_shell(r, path), *folder, *more = "";
	struct stat st;
	bool is_folder = stat(path.ptr, &st) == 0 && S_ISDIR(st.st_mode);

	is_unix(t->e->name, &all);
	all = outer(r, t, arena_str(r->arena, all));
	all.len = slice_find_last(all, '/');
	folder = doctor_shell(r, all);
	if (!is_folder)
		more = doctor_type(r, " && chgrp %s %s && chmod g+xs %s", name,
		    folder, folder);
	doctor_say(r, DENIED, doctor_type(r, "chgrp %s %s && chmod g+%s %s%s",
	    name, word, !is_folder ? "rw" : slice_eq(path, all) ? "xs" : "x",
	    word, more), "%.*s: the %s %.*s lets user %s not %s",
	    SLICE_ARG(t->e->name), is_folder ? "folder" : "socket",
	    SLICE_ARG(path), t->user, is_folder ? "enter" : "write");
}

/* A socket that is not in the chroot, but is where its name says outside. */
static void
say_gone(struct doctor_report *r, const struct trial *t)
{
	const struct postconf_service *s = t->e->service;
	struct slice path, queue = slice_of(t->queue);
	struct stat st;

	is_unix(t->e->name, &path);
	if (!s->chroot || path.len == 0 || path.ptr[0] != '/' ||
	    stat(arena_str(r->arena, path), &st) != 0) {
		doctor_say(r, GONE, start_again(r, t->e->name, "restart"),
		    "%.*s: there is no %.*s", SLICE_ARG(t->e->name),
		    SLICE_ARG(outer(r, t, t->out.detail)));
		return;
	}
	doctor_say(r, OUTSIDE, slice_starts(path, queue) ?
	    doctor_type(r, "# in %s, say unix:%.*s", t->e->parameter,
	    SLICE_ARG(slice_after(path, queue.len + 1))) :
	    doctor_type(r, "postconf%s -F %s/%s/chroot=n && postfix%s reload",
	    doctor_instance(r), doctor_shell(r, s->name), doctor_shell(r,
	    s->type), doctor_instance(r)),
	    "%.*s: the service %.*s is chrooted to %s and does not see it",
	    SLICE_ARG(t->e->name), SLICE_ARG(s->name), t->queue);
}

static void
tell(struct doctor_report *r, const struct trial *t)
{
	struct slice name = t->e->name;
	const char *detail = t->out.detail;

	switch (t->out.kind) {
	case FINE:
		doctor_saw(r, "%.*s answers user %s, version %u",
		    SLICE_ARG(name), t->user, t->out.version);
		break;
	case GONE:
		say_gone(r, t);
		break;
	case DENIED:
		say_denied(r, t);
		break;
	case HUNG_UP:
		doctor_say(r, HUNG_UP, our_name(name).len == 0 ? NULL :
		    doctor_type(r, "# in gatehouse.conf, peers must name "
		    "\"%s\"\n%s", t->user, start_again(r, name, "restart")),
		    "%.*s hung up on user %s: %s", SLICE_ARG(name), t->user,
		    detail);
		break;
	case VERSION_OLD:
		doctor_say(r, VERSION_OLD, NULL, "%.*s speaks version %u of "
		    "the milter protocol, Postfix %d", SLICE_ARG(name),
		    t->out.version, WIRE_VERSION);
		break;
	case NONSENSE:
		doctor_say(r, NONSENSE, start_again(r, name, "restart"),
		    "%.*s gave %s", SLICE_ARG(name), detail);
		break;
	default:
		doctor_say(r, (unsigned)t->out.kind, start_again(r, name,
		    "restart"), "%.*s: %s", SLICE_ARG(name), detail);
	}
}

static size_t
add_list(const struct doctor_report *r, const struct postconf_service *s,
    const char *parameter, struct endpoint *list, size_t count)
{
	struct postconf_milter milters[POSTCONF_MILTERS];
	size_t n = postconf_milters(r->doctor->postfix, s, parameter,
	    r->arena, milters);

	for (size_t i = 0; i < n && count < ENDPOINTS; i++) {
		size_t k = 0;

		while (k < count && (!slice_eq(list[k].name,
		    milters[i].endpoint) ||
		    list[k].service->chroot != s->chroot))
			k++;
		if (k < count)
			continue;
		list[count++] = (struct endpoint){ .name =
		    milters[i].endpoint, .service = s,
		    .parameter = parameter };
	}
	return count;
}

static size_t
find_endpoints(struct doctor_report *r, struct endpoint list[ENDPOINTS])
{
	const struct postconf *pc = r->doctor->postfix;
	size_t count = 0;

	for (size_t i = 0; i < pc->nservices; i++) {
		const struct postconf_service *s = &pc->services[i];

		if (slice_eq(s->command, SLICE("smtpd")))
			count = add_list(r, s, "smtpd_milters", list, count);
		if (slice_eq(s->command, SLICE("cleanup")))
			count = add_list(r, s, "non_smtpd_milters", list,
			    count);
	}
	return count;
}

static void
run(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	struct endpoint list[ENDPOINTS];
	size_t count = find_endpoints(r, list);
	struct trial *trials = arena_array(r->arena, count + 1,
	    sizeof *trials);
	const char *user = arena_str(r->arena, postconf_value(pc, NULL,
	    "mail_owner", r->arena));
	const char *queue = arena_str(r->arena, postconf_value(pc, NULL,
	    "queue_directory", r->arena));
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL) {
		doctor_unseen(r, "there is no user %s (mail_owner)", user);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		trials[i] = (struct trial){ .e = &list[i], .queue = queue,
		    .user = user, .uid = pw->pw_uid, .gid = pw->pw_gid,
		    .until = deadline_earlier(deadline_in(
		    r->doctor->patience / 2), r->doctor->until - 1000) };
		begin(&trials[i]);
	}
	for (size_t i = 0; i < count; i++) {
		finish(&trials[i]);
		tell(r, &trials[i]);
	}
}

const struct doctor_check doctor_sockets = {
	"sockets", "speaks to each milter that Postfix names, as its user and "
	"from inside its chroot", kinds, DOCTOR_ROOT | DOCTOR_POSTFIX, run,
};
