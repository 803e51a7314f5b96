/* The daemons that mail does not wait for: do they run, answer, keep up? */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "services/store/store.h"
#include "services/track/options.h"
#include "store/ask.h"
#include "tools/doctor.h"
#include "tools/verb.h"
#include "track/db.h"
#include "track/follow.h"
#include "track/stamp.h"

enum { ANSWER_MS = 3000, LAG_S = 300, OBJECTS = 100000, LINE = 64 * 1024,
    LINES = 1000, CONF_FILE = 4096 };

static bool
configured(struct doctor_report *r, const char *name, char path[CONF_FILE])
{
	const char *dir = r->doctor->conf_dir;

	if (dir == NULL)
		return false;
	snprintf(path, CONF_FILE, "%s/%s.conf", dir, name);
	return access(path, F_OK) == 0;
}

static const char *
in_state(struct doctor_report *r, const char *file)
{
	return arena_printf(r->arena, "%s/%s",
	    r->doctor->house->state_directory, file).ptr;
}

static int64_t
patience(const struct doctor_report *r)
{
	int64_t half = deadline_left(r->doctor->until) / 2;

	return half < ANSWER_MS ? half : ANSWER_MS;
}

/*
 * Asks a daemon; NULL when it has no answer, and that is said: the kinds down
 * and silent are the first two of each check here.
 */
enum { DOWN, SILENT };

static json_t *
ask_daemon(struct doctor_report *r, const char *name, const char *socket,
    struct slice request)
{
	const char *start = doctor_type(r, "systemctl restart gatehouse-%s",
	    name);
	struct slice line, why = SLICE("");
	json_t *answer = NULL;
	struct ask *ask;

	if (ask_open(socket, patience(r), &ask, r->arena, &why) != RC_OK) {
		doctor_say(r, DOWN, start, "gatehouse-%s does not listen: "
		    "%.*s", name, SLICE_ARG(slice_sub(why, 0,
		    slice_find(why, ';'))));	/* without its advice */
		return NULL;
	}
	if (ask_line(ask, request, &line, &why) == RC_OK)
		answer = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, NULL);
	else
		line = SLICE("");
	if (!json_is_true(json_object_get(answer, "ok"))) {
		doctor_say(r, SILENT, start, "gatehouse-%s was asked and does "
		    "not answer: %.*s", name, SLICE_ARG(line.len > 0 ?
		    slice_sub(line, 0, 200) : why));
		json_decref(answer);
		answer = NULL;
	}
	ask_close(ask);
	return answer;
}

/* --- store --------------------------------------------------------------- */

enum { STORE_BEHIND = SILENT + 1, NEARLY_FULL, CLOSED, NO_PORTAL };

static const struct doctor_kind store_kinds[] = {
	[DOWN] = { "down", DOCTOR_CRITICAL,
	    "Filters go on to hold mail, but nobody sees it or gets it "
	    "released, no digest goes out, and nothing expires." },
	[SILENT] = { "silent", DOCTOR_CRITICAL,
	    "What is held can neither be seen nor released." },
	[STORE_BEHIND] = { "behind", DOCTOR_WARNING,
	    "Mail that a filter held so long ago is in no list and no digest "
	    "yet. (One that came again while it is being released waits for "
	    "that.)" },
	[NEARLY_FULL] = { "nearly-full", DOCTOR_WARNING,
	    "When it is full, filters answer 451 to what they would have to "
	    "hold." },
	[CLOSED] = { "closed", DOCTOR_CRITICAL,
	    "Filters answer 451 to what they would have to hold, until there "
	    "is room." },
	[NO_PORTAL] = { "no-portal", DOCTOR_WARNING,
	    "Links to large attachments in mails lead nowhere until it is "
	    "there again." },
	{ NULL, 0, NULL }
};

static uint64_t
number(const json_t *from, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(from, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void
check_room(struct doctor_report *r, const json_t *stats)
{
	const char *type = "# make room: gatehouse quarantine list, delete or "
	    "release; or raise quota in store.conf; then systemctl reload "
	    "gatehouse-store";
	uint64_t used = number(stats, "used"), limit = number(stats, "limit");

	if (json_is_true(json_object_get(stats, "closed")))
		doctor_say(r, CLOSED, type, "the quarantine is full: %llu of "
		    "%llu bytes", (unsigned long long)used,
		    (unsigned long long)limit);
	else if (limit > 0 && used >= limit / 5 * 4)
		doctor_say(r, NEARLY_FULL, type, "the quarantine has %llu of "
		    "%llu bytes", (unsigned long long)used,
		    (unsigned long long)limit);
	else
		doctor_saw(r, "the quarantine has %llu of %llu bytes",
		    (unsigned long long)used, (unsigned long long)limit);
}

/* Whole objects alone; half ones begin with a dot, and who writes them dies
 * with them. */
static void
check_incoming(struct doctor_report *r)
{
	const char *path = in_state(r, "store/incoming");
	DIR *d = opendir(path);
	int64_t oldest = 0, now = clock_wall();
	size_t late = 0, n = 0;
	struct dirent *e;
	struct stat st;

	if (d == NULL) {
		if (errno != ENOENT)
			doctor_unseen(r, "%s: %s", path, strerror(errno));
		return;
	}
	while (n < OBJECTS && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || fstatat(dirfd(d), e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		n++;
		late += now - st.st_mtime > LAG_S;
		oldest = now - st.st_mtime > oldest ? now - st.st_mtime :
		    oldest;
	}
	closedir(d);
	if (late > 0)
		doctor_say(r, STORE_BEHIND, "systemctl restart "
		    "gatehouse-store", "%zu objects wait in %s, the oldest for "
		    "%lld minutes", late, path, (long long)oldest / 60);
	else
		doctor_saw(r, "%zu objects wait to come in", n);
}

/* Where people come from who have a link; gatehouse.conf may name none. */
static void
check_portal(struct doctor_report *r)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = r->doctor->house->portal;
	int fd;

	if (path[0] == '\0' || strlen(path) >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 &&
	    errno != EAGAIN))
		doctor_say(r, NO_PORTAL, "# start the portal, or take portal "
		    "out of gatehouse.conf", "%s: %s", path, strerror(errno));
	else
		doctor_saw(r, "the portal listens");
	if (fd >= 0)
		close(fd);
}

static void
run_store(struct doctor_report *r)
{
	char path[CONF_FILE];
	json_t *stats;

	if (r->doctor->house->store_key[0] == '\0' &&
	    !configured(r, "store", path)) {
		doctor_saw(r, "there is no store_key, so no gatehouse-store");
		return;
	}
	stats = ask_daemon(r, "store", in_state(r, "store/sock"),
	    SLICE("{\"v\":1,\"op\":\"stats\"}"));
	if (stats != NULL)
		check_room(r, stats);
	json_decref(stats);
	check_incoming(r);
	check_portal(r);
}

const struct doctor_check doctor_store = {
	"store", "asks gatehouse-store whether it runs, has room, and has "
	"taken in what was held", store_kinds, DOCTOR_ROOT | DOCTOR_HOUSE, run_store,
};

/* --- track --------------------------------------------------------------- */

enum { TRACK_BEHIND = SILENT + 1, NO_LOG };

static const struct doctor_kind track_kinds[] = {
	[DOWN] = { "down", DOCTOR_WARNING,
	    "search, explain and reports do not know new mail, and "
	    "gatehouse-store does not learn what Postfix refused." },
	[SILENT] = { "silent", DOCTOR_WARNING,
	    "It hangs, or erases an address at this moment; search and explain "
	    "do not know new mail." },
	[TRACK_BEHIND] = { "behind", DOCTOR_WARNING,
	    "search, explain and reports do not know the newest mail." },
	[NO_LOG] = { "no-log", DOCTOR_WARNING,
	    "What became of mail is only in Postfix's log: without it search "
	    "knows what filters decided, and no delivery." },
	{ NULL, 0, NULL }
};

static struct slice
place_of(struct db *db, struct slice log, struct arena *a)
{
	struct db_query *q = db_query(db, "SELECT place FROM source"
	    " WHERE name = ?1");
	struct slice place = SLICE("");

	db_text(q, 1, log);
	if (db_next(q) == DB_ROW)
		place = db_column(q, 0, a);
	db_done(q);
	return place;
}

/* When the first line was written that was not taken yet; 0: there is none,
 * or none of the next that has a time. */
static int64_t
waits_since(struct follow *f, int64_t now)
{
	struct stamp stamp = { .now = now };
	struct slice line;
	int64_t ms;

	for (int i = 0; i < LINES && follow_next(f, &line) == FOLLOW_LINE; i++)
		if (stamp_read(&stamp, &line, &ms))
			return ms / 1000;
	return 0;
}

static void
check_log(struct doctor_report *r, struct db *db, struct slice log,
    int64_t keep)
{
	size_t slash = log.len;
	int64_t now = clock_wall(), since;
	struct follow *f;

	if (access(arena_str(r->arena, log), R_OK) != 0) {
		doctor_say(r, NO_LOG, "# where does Postfix's log go? Set "
		    "maillogs or journald in track.conf", "%.*s: %s",
		    SLICE_ARG(log), strerror(errno));
		return;
	}
	while (slash > 0 && log.ptr[slash - 1] != '/')
		slash--;
	f = follow_new(arena_str(r->arena, slice_sub(log, 0, slash)),
	    arena_str(r->arena, slice_after(log, slash)), LINE,
	    now - keep / 1000);
	follow_from(f, place_of(db, log, r->arena));
	since = waits_since(f, now);
	if (since > 0 && now - since > LAG_S)
		doctor_say(r, TRACK_BEHIND, "systemctl restart "
		    "gatehouse-track", "%.*s has lines of %lld minutes ago "
		    "that were not read", SLICE_ARG(log),
		    (long long)(now - since) / 60);
	else
		doctor_saw(r, "%.*s is read", SLICE_ARG(log));
	follow_free(f);
}

static void
check_logs(struct doctor_report *r, const struct track_conf *conf)
{
	struct slice why = SLICE("");
	struct db *db;

	if (track_db_open(r->doctor->house->state_directory, DB_READ, &db,
	    r->arena, &why) != RC_OK) {
		doctor_unseen(r, "%.*s", SLICE_ARG(why));
		return;
	}
	for (size_t i = 0; i < conf->maillogs.count; i++)
		check_log(r, db, conf->maillogs.items[i], conf->keep);
	db_close(db);
}

static void
run_track(struct doctor_report *r)
{
	char path[CONF_FILE];
	struct service_set *set;
	struct slice why = SLICE("");

	if (!configured(r, "track", path)) {
		doctor_saw(r, "there is no track.conf, so no gatehouse-track");
		return;
	}
	json_decref(ask_daemon(r, "track", in_state(r, "track/control"),
	    SLICE("{\"verb\":\"hello\"}")));
	if (service_load(&track_settings, verb_house_file(
	    r->doctor->conf_dir, r->arena), path, true, &set, r->arena, &why)
	    != RC_OK)
		return;				/* config tells */
	check_logs(r, set->conf);
	service_set_drop(set);
}

const struct doctor_check doctor_track = {
	"track", "asks gatehouse-track whether it runs, and sees how far it "
	"has read Postfix's log", track_kinds, DOCTOR_ROOT | DOCTOR_HOUSE,
	run_track,
};

/* --- sandbox ------------------------------------------------------------- */

enum { SANDBOX_DOWN = SILENT + 1, SANDBOX_ALONE };
enum { STALE_S = 60 };

static const struct doctor_kind sandbox_kinds[] = {
	[DOWN] = { "down", DOCTOR_WARNING,
	    "Mail that waits for the sandbox waits until its deadline, and "
	    "then sandbox_fallback of store.conf counts." },
	[SILENT] = { "silent", DOCTOR_WARNING,
	    "Nobody can tell whether the sandbox answers." },
	[SANDBOX_DOWN] = { "no-answer", DOCTOR_WARNING,
	    "Mail that waits for the sandbox waits until it answers, or until "
	    "its deadline; the rest of the mail flows." },
	[SANDBOX_ALONE] = { "no-store", DOCTOR_WARNING,
	    "It gets no mail to show to the sandbox, and cannot say "
	    "verdicts." },
	{ NULL, 0, NULL }
};

static const char *
status_text(const json_t *status, const char *key)
{
	const char *s = json_string_value(json_object_get(status, key));

	return s != NULL ? s : "";
}

static void
judge_sandbox(struct doctor_report *r, const json_t *s)
{
	int64_t age = clock_wall() - (int64_t)number(s, "time");
	const char *start = "systemctl restart gatehouse-sandbox";

	if (age > STALE_S)
		doctor_say(r, DOWN, start, "gatehouse-sandbox has not "
		    "written how it is for %lld minutes", (long long)age / 60);
	else if (!json_is_true(json_object_get(s, "up")))
		doctor_say(r, SANDBOX_DOWN, "# does the sandbox run, and are "
		    "url and token right in sandbox.conf?",
		    "the sandbox at %s does not answer: %s",
		    status_text(s, "url"), status_text(s, "why"));
	else if (!json_is_true(json_object_get(s, "store")))
		doctor_say(r, SANDBOX_ALONE, "# is its user in sandbox_users "
		    "of store.conf? Then: systemctl restart gatehouse-store",
		    "gatehouse-sandbox cannot ask gatehouse-store");
	else
		doctor_saw(r, "the sandbox at %s answers; %llu messages wait",
		    status_text(s, "url"), (unsigned long long)number(s,
		    "mails"));
}

static void
run_sandbox(struct doctor_report *r)
{
	const char *path = in_state(r, "sandbox/status.json");
	char conf[CONF_FILE];
	json_error_t error;
	json_t *status;
	FILE *f;

	if (!configured(r, "sandbox", conf)) {
		doctor_saw(r, "there is no sandbox.conf, so no "
		    "gatehouse-sandbox");
		return;
	}
	f = fopen(path, "re");
	if (f == NULL) {
		doctor_say(r, DOWN, "systemctl restart gatehouse-sandbox",
		    "gatehouse-sandbox has never run: %s: %s", path,
		    strerror(errno));
		return;
	}
	status = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
	fclose(f);
	if (json_is_object(status))
		judge_sandbox(r, status);
	else
		doctor_say(r, SILENT, "systemctl restart gatehouse-sandbox",
		    "%s is no status", path);
	json_decref(status);
}

const struct doctor_check doctor_sandbox = {
	"sandbox", "sees whether gatehouse-sandbox runs, and whether its "
	"sandbox answers", sandbox_kinds, DOCTOR_HOUSE, run_sandbox,
};
