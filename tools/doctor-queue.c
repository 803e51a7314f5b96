/* Postfix itself: does it run, what does it complain of, what waits in it? */
#include "tools/doctor-queue.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "tools/child.h"
#include "tools/doctor.h"

/* --- postfix ------------------------------------------------------------- */

enum { DOWN, COMPLAINT, STALE };

static const struct doctor_kind postfix_kinds[] = {
	[DOWN] = { "down", DOCTOR_CRITICAL, "No mail comes or goes." },
	[COMPLAINT] = { "complaint", DOCTOR_WARNING,
	    "What Postfix does not know it does not do; a name is misspelt, or "
	    "of another version." },
	[STALE] = { "not-reloaded", DOCTOR_WARNING,
	    "What was changed in main.cf or master.cf counts only after a "
	    "reload." },
	{ NULL, 0, NULL }
};

/* The master holds a lock on its pid file as long as it runs. */
static bool
runs(const char *pid_file, bool *known_r)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(pid_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool held;

	*known_r = fd >= 0 || errno == ENOENT;
	if (fd < 0)
		return false;
	/* Postfix locks with flock(2) or fcntl(2); both are asked, and what we
	 * get by asking goes with the descriptor. */
	held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	if (!held)
		held = fcntl(fd, F_GETLK, &lock) == 0 &&
		    lock.l_type != F_UNLCK;
	close(fd);
	return held;
}

/* When a process began, in ms since 1970; its parent; false: it is gone. */
static bool
process_began(const char *pid, const char *comm, long *parent_r,
    int64_t *began_r)
{
	char path[64], text[1000];
	struct timespec real, boot;
	unsigned long long ticks;
	const char *tail;
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = '\0';
	tail = strrchr(text, ')');
	if (tail == NULL || strstr(text, comm) == NULL ||
	    sscanf(tail, ") %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u "
	    "%*u %*d %*d %*d %*d %*d %*d %llu", parent_r, &ticks) != 2)
		return false;
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	*began_r = ((int64_t)real.tv_sec - boot.tv_sec) * 1000 +
	    (real.tv_nsec - boot.tv_nsec) / 1000000 +
	    (int64_t)(ticks * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
	return true;
}

/* A reload makes master(8) start its queue manager anew, and only then is
 * main.cf read by it; 0: there is none to be seen. */
static int64_t
last_reload(long master)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;
	int64_t began = 0, found = 0;
	long parent;

	while (proc != NULL && (e = readdir(proc)) != NULL)
		if (ascii_digit(e->d_name[0]) && process_began(e->d_name,
		    "(qmgr)", &parent, &began) && parent == master)
			found = began;
	if (proc != NULL)
		closedir(proc);
	return found;
}

enum { TICK_MS = 20 };		/* how exact that is */

static void
check_reload(struct doctor_report *r, const char *pid_file)
{
	static const char *const files[] = { "main.cf", "master.cf" };
	const char *dir = arena_str(r->arena, postconf_value(
	    r->doctor->postfix, NULL, "config_directory", r->arena));
	FILE *f = fopen(pid_file, "re");
	long master = 0;
	int64_t loaded;
	struct stat st;

	if (f == NULL || fscanf(f, "%ld", &master) != 1)
		master = 0;
	if (f != NULL)
		fclose(f);
	loaded = master > 0 ? last_reload(master) : 0;
	for (int i = 0; loaded > 0 && i < 2; i++)
		if (stat(arena_printf(r->arena, "%s/%s", dir, files[i]).ptr,
		    &st) == 0 && (int64_t)st.st_mtim.tv_sec * 1000 +
		    st.st_mtim.tv_nsec / 1000000 > loaded + TICK_MS)
			doctor_say(r, STALE, doctor_type(r,
			    "postfix%s reload", doctor_instance(r)),
			    "%s/%s was changed after the last start or reload",
			    dir, files[i]);
}

static void
run_postfix(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	const char *queue = arena_str(r->arena, postconf_value(pc, NULL,
	    "queue_directory", r->arena));
	const char *file = arena_printf(r->arena, "%s/pid/master.pid",
	    queue).ptr;
	bool known, up = runs(file, &known);

	for (size_t i = 0; i < pc->ncomplaints; i++)
		doctor_say(r, COMPLAINT, "# correct that line, or remove it",
		    "postconf says: %.*s", SLICE_ARG(pc->complaints[i]));
	if (!known)
		doctor_unseen(r, "%s: %s", file, strerror(errno));
	else if (!up)
		doctor_say(r, DOWN, r->doctor->postfix_dir == NULL ?
		    "systemctl start postfix" : doctor_type(r,
		    "postfix%s start", doctor_instance(r)), "Postfix does not "
		    "run (nobody holds %s)", file);
	else
		check_reload(r, file);
	if (up)
		doctor_saw(r, "Postfix %.*s runs in %s",
		    SLICE_ARG(postconf_main(pc, "mail_version")), queue);
}

const struct doctor_check doctor_postfix = {
	"postfix", "sees whether Postfix runs, with what its files say, and "
	"understands all of them", postfix_kinds, DOCTOR_POSTFIX, run_postfix,
};

/* --- queue --------------------------------------------------------------- */

enum { CORRUPT, HOLD, LATE };

static const struct doctor_kind queue_kinds[] = {
	[CORRUPT] = { "corrupt", DOCTOR_CRITICAL,
	    "Mail that was taken with 250 was lost: nobody is told of it." },
	[HOLD] = { "hold", DOCTOR_WARNING,
	    "Nobody looks at what was put on hold; neither sender nor "
	    "recipient knows of it." },
	[LATE] = { "late", DOCTOR_WARNING,
	    "Mail does not get out: a server is down, or does not want us." },
	{ NULL, 0, NULL }
};

enum { HOLD_SECONDS = 24 * 3600, LATE_SECONDS = 30 * 60, LATE_LEAST = 10,
    LATE_PERCENT = 5 };

static void
count(struct queue_count *q, const char *name, const char *id, int64_t time)
{
	q->messages++;
	if (strcmp(name, "hold") == 0) {
		q->held++;
		if (q->oldest_held == 0 || time < q->oldest_held) {
			q->oldest_held = time;
			snprintf(q->held_id, sizeof q->held_id, "%s", id);
		}
	} else if (strcmp(name, "deferred") == 0) {
		q->deferred++;
		q->deferred_old += time < q->old_before;
		if (q->oldest_deferred == 0 || time < q->oldest_deferred)
			q->oldest_deferred = time;
	} else {
		q->active++;
	}
}

bool
queue_line(struct slice line, void *arg)
{
	struct queue_count *q = arg;
	json_t *object = json_loadb(line.ptr, line.len, 0, NULL);
	const char *name = json_string_value(json_object_get(object,
	    "queue_name"));
	const char *id = json_string_value(json_object_get(object,
	    "queue_id"));
	int64_t time = json_integer_value(json_object_get(object,
	    "arrival_time"));

	if (name != NULL && id != NULL && time > 0)
		count(q, name, id, time);
	json_decref(object);
	return q->messages < QUEUE_MESSAGES;
}

/* How many files; -1: it cannot be read. */
static int
count_files(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int n = 0;

	if (d == NULL)
		return -1;
	while (n < 100000 && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
check_corrupt(struct doctor_report *r, const char *queue)
{
	const char *dir = arena_printf(r->arena, "%s/corrupt", queue).ptr;
	int n = count_files(dir);

	if (n > 0)
		doctor_say(r, CORRUPT, doctor_type(r, "# look at them with "
		    "postcat %s/*, tell who is concerned, then remove them",
		    dir), "%s holds %d queue files", dir, n);
	else if (n < 0 && errno != ENOENT)
		doctor_unseen(r, "%s: %s", dir, strerror(errno));
}

static void
tell_queue(struct doctor_report *r, const struct queue_count *q, int64_t now)
{
	if (q->held > 0 && q->oldest_held < now - HOLD_SECONDS)
		doctor_say(r, HOLD, doctor_type(r,
		    "# look: postcat%s -q %s; then postsuper%s -H ID lets it "
		    "go, -d ID removes it", doctor_instance(r), q->held_id,
		    doctor_instance(r)), "%zu messages are on hold, the "
		    "oldest (%s) for %lld hours", q->held, q->held_id,
		    (long long)(now - q->oldest_held) / 3600);
	if (q->deferred_old >= LATE_LEAST && q->deferred_old * 100 >=
	    q->deferred * LATE_PERCENT)
		doctor_say(r, LATE, doctor_type(r, "# see why: qshape%s "
		    "deferred; postqueue%s -p", doctor_instance(r),
		    doctor_instance(r)),
		    "%zu of %zu deferred messages wait for more than %d "
		    "minutes, the oldest for %lld hours", q->deferred_old,
		    q->deferred, LATE_SECONDS / 60,
		    (long long)(now - q->oldest_deferred) / 3600);
	doctor_saw(r, "%zu on hold, %zu deferred, %zu under way", q->held,
	    q->deferred, q->active);
}

static void
run_queue(struct doctor_report *r)
{
	const char *queue = arena_str(r->arena, postconf_value(
	    r->doctor->postfix, NULL, "queue_directory", r->arena));
	struct queue_count q = { .old_before = clock_wall() - LATE_SECONDS };
	struct child_lines lines = { .max = QUEUE_LINE, .line = queue_line,
	    .arg = &q };
	const char *dir = r->doctor->postfix_dir;
	const char *const argv[] = { "postqueue", dir != NULL ? "-c" : "-j",
	    dir != NULL ? dir : NULL, "-j", NULL };
	struct child c = { .argv = argv, .take = child_lines,
	    .arg = &lines };
	struct slice why = SLICE("");

	check_corrupt(r, queue);
	if (child_run(&c, r->doctor->until - 500, r->arena, &why) != RC_OK)
		doctor_unseen(r, "the queue: %.*s", SLICE_ARG(why));
	else if (c.status != 0)
		doctor_unseen(r, "the queue: %.*s", SLICE_ARG(slice_trim(
		    c.err)));
	child_lines_end(&lines);
	tell_queue(r, &q, clock_wall());
}

const struct doctor_check doctor_queue = {
	"queue", "counts what waits in Postfix: corrupt, on hold, deferred",
	queue_kinds, DOCTOR_POSTFIX, run_queue,
};
