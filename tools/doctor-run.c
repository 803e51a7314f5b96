#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/write.h"
#include "tools/child.h"
#include "tools/doctor.h"

enum { UNSEEN, LATE, DIED, REPORT_MAX = 4 << 20 };

const struct doctor_kind doctor_common[] = {
	[UNSEEN] = { "unseen", DOCTOR_UNKNOWN,
	    "What was not looked at may be wrong." },
	[LATE] = { "late", DOCTOR_UNKNOWN,
	    "What it waits for may be what mail waits for." },
	[DIED] = { "died", DOCTOR_UNKNOWN,
	    "A fault of this program; please report it." },
	{ NULL, 0, NULL }
};

static void
add_finding(struct doctor_report *r, const struct doctor_kind *kind,
    struct slice what, struct slice type)
{
	struct doctor_finding *f;

	if (r->nfindings == DOCTOR_FINDINGS) {
		r->more++;
		return;
	}
	f = &r->findings[r->nfindings++];
	f->id = kind->id;
	f->severity = kind->severity;
	f->why = kind->why;
	f->what = what;
	f->type = type;
}

void
doctor_say(struct doctor_report *r, unsigned kind, const char *type,
    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_finding(r, &r->check->kinds[kind], arena_vprintf(r->arena, fmt,
	    args), slice_of(type != NULL ? type : ""));
	va_end(args);
}

void
doctor_saw(struct doctor_report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_add(&r->saw, arena_vprintf(r->arena, fmt, args));
	buf_addc(&r->saw, '\n');
	va_end(args);
}

void
doctor_unseen(struct doctor_report *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_finding(r, &doctor_common[UNSEEN], arena_vprintf(r->arena, fmt,
	    args), SLICE(""));
	va_end(args);
}

const char *
doctor_type(struct doctor_report *r, const char *fmt, ...)
{
	struct slice s;
	va_list args;

	va_start(args, fmt);
	s = arena_vprintf(r->arena, fmt, args);
	va_end(args);
	return s.ptr;
}

static bool
plain_word(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!ascii_alnum(word.ptr[i]) && !slice_has(
		    SLICE("-_./:=@%+,"), word.ptr[i]))
			return false;
	return word.len > 0;
}

const char *
doctor_shell(struct doctor_report *r, struct slice word)
{
	struct buf out = buf_in(r->arena);

	if (plain_word(word))
		return arena_str(r->arena, word);
	buf_addc(&out, '\'');
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] == '\'')
			buf_adds(&out, "'\\''");
		else
			buf_addc(&out, word.ptr[i]);
	}
	buf_addc(&out, '\'');
	return arena_str(r->arena, buf_slice(&out));
}

const char *
doctor_instance(struct doctor_report *r)
{
	const char *dir = r->doctor->postfix_dir;

	return dir == NULL ? "" : doctor_type(r, " -c %s", doctor_shell(r,
	    slice_of(dir)));
}

/* --- a check in a process of its own ------------------------------------- */

/* How a report goes through a pipe: for each finding its kind and two texts;
 * then what was seen. The kinds of all checks come first. */
struct head {
	uint32_t kind, what, type;
};

enum { SAW = 1000000, MORE };

static uint32_t
number_of(const struct doctor_report *r, const struct doctor_finding *f)
{
	uint32_t n = 0;

	for (; doctor_common[n].id != NULL; n++)
		if (doctor_common[n].id == f->id)
			return n;
	for (uint32_t k = 0; r->check->kinds[k].id != NULL; k++)
		if (r->check->kinds[k].id == f->id)
			return n + k;
	return UNSEEN;
}

static const struct doctor_kind *
kind_of(const struct doctor_check *check, uint32_t number)
{
	uint32_t n = 0, k = 0;

	for (; doctor_common[n].id != NULL; n++)
		if (n == number)
			return &doctor_common[n];
	for (; check->kinds[k].id != NULL; k++)
		if (n + k == number)
			return &check->kinds[k];
	return &doctor_common[UNSEEN];
}

static void
pack(struct buf *out, uint32_t kind, struct slice what, struct slice type)
{
	struct head h = { kind, (uint32_t)what.len, (uint32_t)type.len };

	buf_add(out, slice_make(&h, sizeof h));
	buf_add(out, what);
	buf_add(out, type);
}

static void
send_report(struct doctor_report *r, int fd)
{
	struct buf out = buf_in(r->arena);

	for (size_t i = 0; i < r->nfindings; i++)
		pack(&out, number_of(r, &r->findings[i]), r->findings[i].what,
		    r->findings[i].type);
	pack(&out, SAW, buf_slice(&r->saw), SLICE(""));
	pack(&out, MORE, arena_printf(r->arena, "%zu", r->more), SLICE(""));
	/* Who reads it sees that it ends too early. */
	if (!write_all(fd, buf_slice(&out)))
		return;
}

static void
unpack(struct doctor_report *r, struct slice in)
{
	struct head h;

	while (in.len >= sizeof h) {
		struct slice what, type;
		uint64_t more;

		memcpy(&h, in.ptr, sizeof h);
		in = slice_after(in, sizeof h);
		what = slice_sub(in, 0, h.what);
		type = slice_sub(in, h.what, h.type);
		in = slice_after(in, (size_t)h.what + h.type);
		if (h.kind == SAW)
			buf_add(&r->saw, what);
		else if (h.kind == MORE && slice_number(what, SIZE_MAX, &more))
			r->more += more;
		else
			add_finding(r, kind_of(r->check, h.kind), what, type);
	}
}

static const char *
what_lacks(const struct doctor_report *r)
{
	const struct doctor *d = r->doctor;
	unsigned needs = r->check->needs;

	if ((needs & DOCTOR_HOUSE) && d->house == NULL)
		return arena_printf(r->arena, "gatehouse.conf is not to be "
		    "read: %.*s", SLICE_ARG(d->house_why)).ptr;
	if ((needs & DOCTOR_POSTFIX) && d->postfix == NULL)
		return arena_printf(r->arena, "Postfix does not tell its "
		    "configuration: %.*s", SLICE_ARG(d->postfix_why)).ptr;
	if ((needs & DOCTOR_ROOT) && !d->root)
		return "only root can look";
	return NULL;
}

struct runner {
	struct doctor_report *report;
	pid_t pid;
	int fd;				/* -1: over */
	struct buf in;
};

static void
begin(struct runner *w)
{
	int fds[2];

	w->fd = -1;
	if (pipe(fds) != 0) {
		doctor_unseen(w->report, "%m");
		return;
	}
	w->pid = fork();
	if (w->pid == 0) {
		setpgid(0, 0);
		signal(SIGPIPE, SIG_IGN);
		close(fds[0]);
		w->report->check->run(w->report);
		send_report(w->report, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (w->pid < 0) {
		close(fds[0]);
		doctor_unseen(w->report, "%m");
		return;
	}
	setpgid(w->pid, w->pid);
	w->fd = fds[0];
}

/* Its end: of itself, or because time is over. */
static void
finish(struct runner *w, bool late)
{
	struct doctor_report *r = w->report;
	int status = 0;

	close(w->fd);
	w->fd = -1;
	if (!late)
		while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
			;
	else
		child_end(w->pid);
	kill(-w->pid, SIGKILL);
	unpack(r, buf_slice(&w->in));
	if (late)
		add_finding(r, &doctor_common[LATE], arena_printf(r->arena,
		    "not done in %lld ms", (long long)r->doctor->patience),
		    SLICE(""));
	else if (status != 0)
		add_finding(r, &doctor_common[DIED], arena_printf(r->arena,
		    "ended by %s %d", WIFSIGNALED(status) ? "signal" :
		    "status", WIFSIGNALED(status) ? WTERMSIG(status) :
		    WEXITSTATUS(status)), SLICE(""));
}

static void
hear(struct runner *w)
{
	ssize_t n = read(w->fd, buf_room(&w->in, 65536), 65536);

	if (n > 0 && w->in.len < REPORT_MAX)
		buf_took(&w->in, (size_t)n);
	else if (n == 0)
		finish(w, false);
	else if (n > 0 || errno != EINTR)
		finish(w, true);
}

static size_t
watch(struct runner *all, size_t count, struct pollfd *fds)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++) {
		fds[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
		open += all[i].fd >= 0;
	}
	return open;
}

void
doctor_run(const struct doctor *d, const struct doctor_check *const *list,
    size_t count, struct doctor_report *reports, struct arena *a)
{
	struct runner *all = arena_array(a, count + 1, sizeof *all);
	struct pollfd *fds = arena_array(a, count + 1, sizeof *fds);

	for (size_t i = 0; i < count; i++) {
		const char *lacks;

		reports[i] = (struct doctor_report){ .doctor = d,
		    .check = list[i], .arena = a, .saw = buf_in(a) };
		all[i] = (struct runner){ .report = &reports[i], .fd = -1,
		    .in = buf_in(a) };
		lacks = what_lacks(&reports[i]);
		if (lacks != NULL)
			doctor_unseen(&reports[i], "%s", lacks);
		else
			begin(&all[i]);
	}
	while (watch(all, count, fds) > 0) {
		int64_t left = deadline_left(d->until);

		if (left > 0)
			poll(fds, count, left > 1000 ? 1000 : (int)left);
		for (size_t i = 0; i < count; i++) {
			if (all[i].fd >= 0 && fds[i].revents != 0)
				hear(&all[i]);
			else if (all[i].fd >= 0 && left <= 0)
				finish(&all[i], true);
		}
	}
}
