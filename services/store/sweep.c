/*
 * sweep - what time does to the quarantine
 *
 * sweep_clock	compares the wall clock with the one that only goes forward.
 *		When the first has jumped against the second, nothing expires for the
 *		time of clock_guard: neither a clock set wrong nor its
 *		correction may throw mail away. What both said last stands in
 *		the file `clock`, so a restart does not forget it
 * sweep_expire	what is due: held, released and not accepted rows expire, their
 *		message is removed when no row needs it, and the memory of what
 *		is over is given up. At most expire_cap rows a run. A dry run
 *		asks the same question and changes nothing. A row on hold is
 *		never due
 * sweep_quota	looks at quota, disk and inodes, warns at 80 % of each, and
 *		closes incoming/ for filters when the quota is reached (they
 *		answer 451); opens it again below 95 %. Nothing is thrown away to make room
 * sweep_refused
 *		asks what became of messages that were held a short while ago:
 *		one that Postfix refused in the end is "not accepted"
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "services/store/files.h"
#include "services/store/store.h"
#include "track/fate.h"

enum {
	JUMP = 300,			/* s of difference that is no drift */
	AWAY = 7 * 24 * 3600,		/* s without us that are believed */
	REFUSED_KEEP = 24 * 3600,
	WARN_MS = 3600 * 1000,
	FATE_WINDOW = 3 * 3600,
	OPEN_MODE = 03770, CLOSED_MODE = 03550,
};

/* --- clocks -------------------------------------------------------------- */

/* Seconds since the machine started, sleep included. */
static int64_t
since_boot(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

static void
boot_id(char id[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, 36) : 0;

	id[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static void
write_clock(struct store *s, int64_t wall, int64_t boot)
{
	char id[40], text[120];
	int n, fd = openat(s->vault.fd, "clock.new", O_WRONLY | O_CREAT |
	    O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	boot_id(id);
	n = snprintf(text, sizeof text, "%lld %lld %s\n", (long long)wall,
	    (long long)boot, id);
	if (fd < 0)
		return;
	if (write(fd, text, (size_t)n) == n)
		renameat(s->vault.fd, "clock.new", s->vault.fd, "clock");
	close(fd);
}

/* What both clocks said when we last ran; false: never, or unreadable. */
static bool
read_clock(struct store *s, int64_t *wall_r, int64_t *boot_r, bool *same_r)
{
	char text[120] = "", id[40] = "", now[40];
	long long wall, boot;
	int fd = openat(s->vault.fd, "clock", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		close(fd);
	if (n <= 0 || sscanf(text, "%lld %lld %39s", &wall, &boot, id) < 2)
		return false;
	boot_id(now);
	*wall_r = wall;
	*boot_r = boot;
	*same_r = strcmp(id, now) == 0;
	return true;
}

static void
guard(struct store *s, const char *how, int64_t by)
{
	struct service_set *set = service_set(s->run);
	const struct store_conf *conf = set->conf;

	s->sweep.guarded = deadline_in(conf->clock_guard);
	log_warning("the clock has %s by %lld s; nothing expires for the next "
	    "%lld s", how, (long long)llabs(by),
	    (long long)conf->clock_guard / 1000);
	service_set_drop(set);
}

static void
first_look(struct store *s, int64_t wall, int64_t boot)
{
	int64_t last, last_boot;
	bool same;

	if (!read_clock(s, &last, &last_boot, &same))
		return;
	if (same && llabs((wall - last) - (boot - last_boot)) > JUMP)
		guard(s, "jumped", (wall - last) - (boot - last_boot));
	else if (wall < last - JUMP)
		guard(s, "gone back", wall - last);
	else if (wall - last > AWAY)
		guard(s, "gone ahead since the last run", wall - last);
}

void
sweep_clock(struct store *s)
{
	int64_t wall = clock_wall(), boot = since_boot();
	int64_t by = (wall - s->sweep.wall) - (boot - s->sweep.mono);

	if (s->sweep.wall == 0)
		first_look(s, wall, boot);
	else if (llabs(by) > JUMP)
		guard(s, "jumped", by);
	s->sweep.wall = wall;
	s->sweep.mono = boot;
	write_clock(s, wall, boot);
}

/* --- expiry -------------------------------------------------------------- */

struct run {
	struct store *s;
	const struct sweep_due *due;
	struct arena *a;
	struct store_row *rows;
	size_t count, room;
};

static bool
collect(const struct store_row *row, void *arg)
{
	struct run *r = arg;

	if (r->count == r->room)
		return false;
	r->rows[r->count++] = *row;
	return true;
}

struct over {
	bool all;			/* rows are over and due */
	int64_t now;
};

static bool
see_over(const struct store_row *row, void *arg)
{
	struct over *o = arg;

	if ((row->state != STORE_DELETED && row->state != STORE_EXPIRED) ||
	    row->hold || row->expires > o->now)
		o->all = false;
	return o->all;
}

/* Nothing of it is left. The log goes first: an index row without one is
 * forgotten at the next start. */
static enum rc
forget(struct store *s, struct slice id, int64_t now, struct arena *a,
    struct slice *why_r)
{
	struct store_index *x = s->vault.index;
	struct over over = { true, now };
	char path[VAULT_PATH];
	enum rc rc = x->does->rows_of(x, id, a, see_over, &over);

	if (rc == RC_OK && over.all) {
		vault_path(path, id, "");
		unlinkat(s->vault.fd, path, 0);
		vault_path(path, id, ".log");
		if (unlinkat(s->vault.fd, path, 0) != 0 && errno != ENOENT) {
			*why_r = arena_printf(a, "%s: %s", path,
			    strerror(errno));
			return RC_RETRY;
		}
		vault_fsync(&s->vault, id);
		rc = x->does->forget(x, id);
	}
	if (rc != RC_OK)
		*why_r = arena_copy(a, x->why);
	return rc;
}

static enum rc
expire_row(struct store *s, const struct store_row *row, int64_t now,
    struct arena *a, struct slice *why_r)
{
	const struct store_change c = { .time = now, .actor = SLICE("expiry"),
	    .reply = row->reply, .tries = row->tries,
	    .expires = now + store_records(s) };
	bool moved;
	enum rc rc;

	if (row->state == STORE_DELETED || row->state == STORE_EXPIRED)
		return forget(s, row->object.id, now, a, why_r);
	rc = store_change(s, row, STORE_EXPIRED, &c, a, &moved, why_r);
	return rc == RC_OK && moved ?
	    store_drop_body(s, row->object.id, a, why_r) : rc;
}

static const enum store_state dying[] = { STORE_HELD, STORE_RELEASED,
    STORE_NOT_ACCEPTED, STORE_DELETED, STORE_EXPIRED };

static enum rc
find_due(struct run *r, int64_t now, struct slice *why_r)
{
	struct store_index *x = r->s->vault.index;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && r->count < r->room &&
	    i < sizeof dying / sizeof dying[0]; i++)
		rc = x->does->due(x, dying[i], now,
		    (unsigned)(r->room - r->count), r->a, collect, r);
	if (rc != RC_OK)
		*why_r = arena_copy(r->a, x->why);
	return rc;
}

static enum rc
expire_found(struct run *r, int64_t now, uint64_t *expired_r,
    struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < r->count; i++) {
		struct arena *a = arena_new();
		struct slice why = SLICE("");

		if (r->due->visit != NULL)
			r->due->visit(&r->rows[i], r->due->arg);
		if (!r->due->dry)
			rc = expire_row(r->s, &r->rows[i], now, a, &why);
		if (rc == RC_OK)
			++*expired_r;
		else
			*why_r = arena_copy(r->a, why);
		arena_free(a);
	}
	return rc;
}

/* Inside the vault. */
static enum rc
expire(struct run *r, unsigned cap, uint64_t *expired_r, struct slice *why_r)
{
	int64_t now = clock_wall();
	enum rc rc;

	r->room = cap;
	r->rows = arena_array(r->a, cap, sizeof *r->rows);
	rc = vault_catch_up(&r->s->vault, why_r);
	if (rc == RC_OK)
		rc = find_due(r, now, why_r);
	if (rc == RC_OK)
		rc = expire_found(r, now, expired_r, why_r);
	if (rc == RC_OK && r->count == cap && !r->due->dry)
		log_warning("%u rows have expired in one run, which is the cap "
		    "(expire_cap); more may be due", cap);
	return rc;
}

enum rc
sweep_expire(struct store *s, const struct sweep_due *due,
    uint64_t *expired_r, struct slice *why_r)
{
	struct service_set *set = service_set(s->run);
	unsigned cap = ((const struct store_conf *)set->conf)->expire_cap;
	struct run r = { .s = s, .due = due, .a = due->arena };
	struct arena *own = arena_new();
	enum rc rc = RC_OK;

	if (r.a == NULL)
		r.a = own;
	service_set_drop(set);
	*expired_r = 0;
	*why_r = SLICE("");
	sweep_clock(s);
	if (deadline_left(s->sweep.guarded) > 0) {
		*why_r = SLICE("the clock jumped a while ago; nothing expires "
		    "now (clock_guard)");
		rc = RC_RETRY;
	} else {
		rc = expire(&r, cap, expired_r, why_r);
		*why_r = arena_copy(s->vault.log_arena, *why_r);
	}
	arena_free(own);
	return rc;
}

/* --- room ---------------------------------------------------------------- */

static void
close_or_open(struct store *s, bool close)
{
	if (s->sweep.closed == close)
		return;
	if (fchmod(s->vault.incoming, close ? CLOSED_MODE : OPEN_MODE) != 0) {
		log_error("%s/incoming: %s", s->vault.dir, strerror(errno));
		return;
	}
	s->sweep.closed = close;
	if (close)
		log_error("the quarantine is full: %llu of %llu bytes; filters "
		    "answer 451 to what they would have to hold. Release or "
		    "delete mail, or raise quota",
		    (unsigned long long)s->sweep.used,
		    (unsigned long long)s->sweep.limit);
	else
		log_info("the quarantine has room again");
}

/* Once an hour each. */
static void
warn(struct store *s, enum sweep_room room, uint64_t used, uint64_t limit,
    const char *of)
{
	if (limit == 0 || used < limit / 5 * 4 ||
	    deadline_left(s->sweep.warned[room]) > 0)
		return;
	s->sweep.warned[room] = deadline_in(WARN_MS);
	log_warning("the quarantine is nearly full: %llu of %llu %s",
	    (unsigned long long)used, (unsigned long long)limit, of);
}

/* The disk, but for a twentieth of it, unless there is a quota. A quota may be
 * more than the disk has, and either may be out of inodes first. */
static bool
look_at_room(struct store *s, uint64_t quota)
{
	struct store_stats st;
	struct statvfs disk;
	struct store_index *x;
	uint64_t all;
	bool good;

	if (fstatvfs(s->vault.fd, &disk) != 0)
		return false;
	all = (uint64_t)disk.f_blocks * disk.f_frsize;
	s->sweep.limit = all - all / 20;
	s->sweep.used = all - (uint64_t)disk.f_bavail * disk.f_frsize;
	warn(s, SWEEP_DISK, s->sweep.used, s->sweep.limit,
	    "bytes (the whole disk)");
	/* File systems that make them as they go say that they have none. */
	warn(s, SWEEP_INODES, disk.f_files - disk.f_favail, disk.f_files,
	    "inodes of the disk; a message takes two");
	if (quota == 0)
		return true;
	x = vault_read(&s->vault);
	good = x->does->stats(x, &st) == RC_OK;
	vault_read_end(&s->vault);
	s->sweep.limit = quota;
	s->sweep.used = st.stored + files_stored(s);
	if (good)
		warn(s, SWEEP_QUOTA, s->sweep.used, quota, "bytes (quota)");
	return good;
}

void
sweep_quota(struct store *s)
{
	struct service_set *set = service_set(s->run);
	uint64_t quota = ((const struct store_conf *)set->conf)->quota;

	service_set_drop(set);
	if (look_at_room(s, quota)) {
		uint64_t used = s->sweep.used, limit = s->sweep.limit;

		if (used >= limit)
			close_or_open(s, true);
		else if (used < limit - limit / 20)
			close_or_open(s, false);
		if (used < limit - limit / 20)
			vault_reserve(&s->vault, true);
	}
}

/* --- what Postfix made of it --------------------------------------------- */

static enum rc
refuse_row(struct store *s, const struct store_row *row, int64_t now,
    struct slice *why_r)
{
	const struct store_change c = { .time = now, .actor = SLICE("postfix"),
	    .reply = SLICE("the message was refused after all"),
	    .expires = now + REFUSED_KEEP };
	struct arena *a = arena_new();
	bool moved;
	enum rc rc = store_change(s, row, STORE_NOT_ACCEPTED, &c, a, &moved,
	    why_r);

	if (rc != RC_OK)
		*why_r = arena_copy(s->vault.log_arena, *why_r);
	arena_free(a);
	return rc;
}

static bool
refused(struct store *s, const struct store_row *row)
{
	if (s->fates == NULL) {
		struct service_set *set = service_set(s->run);

		s->fates = track_fates_open(set->house.state_directory);
		service_set_drop(set);
	}
	return track_fate(s->fates, row->object.queue_id, row->object.time) ==
	    TRACK_FATE_REFUSED;
}

/* Inside the vault. Rows are asked about until their message is old enough for
 * its fate to be known or never. Without gatehouse-track nothing is known, and
 * what is held stays held. */
void
sweep_refused(struct store *s)
{
	int64_t now = clock_wall();
	struct run r = { .s = s, .a = arena_new(), .room = STORE_LIST_MAX };
	struct store_filter f = { .since = now - FATE_WINDOW,
	    .states = 1u << STORE_HELD };
	struct store_index *x = s->vault.index;
	struct slice why = SLICE("");
	enum rc rc = RC_OK;

	r.rows = arena_array(r.a, r.room, sizeof *r.rows);
	if (x->does->list(x, &f, r.a, collect, &r) != RC_OK)
		r.count = 0;
	for (size_t i = 0; rc == RC_OK && i < r.count; i++)
		if (refused(s, &r.rows[i]))
			rc = refuse_row(s, &r.rows[i], now, &why);
	if (rc != RC_OK)
		log_error("a message that was refused stays in the list: %.*s",
		    SLICE_ARG(why));
	arena_free(r.a);
}
