/* The directory of users: is it there, whole, and as young as it should be? */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "policy/directory.h"
#include "tools/directory-conf.h"
#include "tools/doctor.h"

enum { NEVER, BROKEN, OLD, FAILED };

static const struct doctor_kind kinds[] = {
	[NEVER] = { "never", DOCTOR_WARNING,
	    "Nobody is known: Postfix takes mail for any address, or answers "
	    "451 where main.cf names the maps already." },
	[BROKEN] = { "broken", DOCTOR_CRITICAL,
	    "Nothing new is taken up from it, and the next sync stops at it." },
	[OLD] = { "old", DOCTOR_WARNING,
	    "Mail for people who came since is refused, and mail for people "
	    "who went is taken." },
	[FAILED] = { "failed", DOCTOR_WARNING,
	    "The directory stays as it was before, until the source is "
	    "mended." },
	{ NULL, 0, NULL }
};

enum { TEXT = 64 * 1024 };

static const char *
sync_command(struct doctor_report *r, const char *more)
{
	const char *dir = r->doctor->conf_given ? r->doctor->conf_dir : NULL;

	return doctor_type(r, "gatehouse directory sync%s%s%s", more,
	    dir != NULL ? " --config " : "", dir != NULL ?
	    doctor_shell(r, slice_of(dir)) : "");
}

static const char *
in_state(struct doctor_report *r, const char *file)
{
	return arena_printf(r->arena, "%s/directory/%s",
	    r->doctor->house->state_directory, file).ptr;
}

/* All of it, as whoever uses it reads it. */
static void
check_file(struct doctor_report *r, int fd, const char *path)
{
	struct directory_reader *d = directory_open(fd, path);
	struct directory_record record;
	struct slice why = SLICE("");
	bool more = false;
	size_t n = 0;
	enum rc rc;

	while ((rc = directory_next(d, &record, &more, &why)) == RC_OK && more)
		n++;
	if (rc == RC_BAD)
		doctor_say(r, BROKEN, sync_command(r, " --force-shrink"),
		    "%.*s", SLICE_ARG(why));
	else if (rc != RC_OK)
		doctor_unseen(r, "%.*s", SLICE_ARG(why));
	else
		doctor_saw(r, "%s: %zu records", path, n);
	directory_close(d);
}

static void
check_age(struct doctor_report *r, const struct directory_conf *conf)
{
	const char *path = in_state(r, "last");
	struct stat st;
	int64_t age;

	if (stat(path, &st) != 0) {
		doctor_unseen(r, "%s: %s", path, strerror(errno));
		return;
	}
	age = clock_wall() - st.st_mtime;
	if (age > conf->max_age / 1000)
		doctor_say(r, OLD, arena_printf(r->arena, "%s\n# look why "
		    "nothing does that: systemctl status "
		    "gatehouse-directory.timer", sync_command(r, "")).ptr,
		    "the last sync that went well was %lld hours ago (max_age "
		    "in directory.conf: %lld)", (long long)age / 3600,
		    (long long)conf->max_age / 3600000);
	else
		doctor_saw(r, "the last sync was %lld minutes ago",
		    (long long)age / 60);
}

/* Why the last one failed; gone with the next that goes well. */
static void
check_failed(struct doctor_report *r)
{
	int fd = open(in_state(r, "failed"), O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(r->arena, TEXT);
	const char *why = NULL;
	json_t *event = NULL;
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, text, TEXT);
	close(fd);
	if (n > 0)
		event = json_loadb(text, (size_t)n, 0, NULL);
	why = json_string_value(json_object_get(event, "error.message"));
	doctor_say(r, FAILED, sync_command(r, ""), "the last sync failed: %s",
	    why != NULL ? why : "it is not known why");
	json_decref(event);
}

static void
run(struct doctor_report *r)
{
	struct house_conf *house = arena_alloc(r->arena, sizeof *house);
	struct directory_conf *conf = arena_alloc(r->arena, sizeof *conf);
	struct slice why = SLICE("");
	const char *path;
	int fd;

	if (directory_conf_load(r->doctor->conf_dir, house, conf, r->arena,
	    &why) != RC_OK) {
		doctor_unseen(r, "%.*s", SLICE_ARG(why));
		return;
	}
	if (!conf->configured) {
		doctor_saw(r, "no directory.conf names sources");
		return;
	}
	path = in_state(r, "current/directory");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		check_file(r, fd, path);
		close(fd);
		check_age(r, conf);
	} else if (errno == ENOENT) {
		doctor_say(r, NEVER, sync_command(r, ""), "there is no %s",
		    path);
	} else {
		doctor_unseen(r, "%s: %s", path, strerror(errno));
	}
	check_failed(r);
}

const struct doctor_check doctor_directory = {
	"directory", "reads the directory of users: whether it is whole, when "
	"the last sync was and how it went", kinds, DOCTOR_HOUSE, run,
};
