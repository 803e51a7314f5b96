/* The house itself: its files, who may touch them, daemons and journals. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/check-config.h"
#include "tools/child.h"
#include "milters/all.h"
#include "tools/doctor-chain.h"

/* --- config -------------------------------------------------------------- */

enum { WRONG };

static const struct doctor_kind config_kinds[] = {
	[WRONG] = { "wrong", DOCTOR_CRITICAL,
	    "The daemon goes on with what it read before, and does not start "
	    "again." },
	{ NULL, 0, NULL }
};

static void
told(void *arg, const char *program, enum rc rc, struct slice why)
{
	struct doctor_report *r = arg;

	if (rc == RC_OK)
		doctor_saw(r, "%s is right", program);
	else if (!r->doctor->root && slice_search(why,
	    SLICE("ermission denied")) < why.len)
		doctor_unseen(r, "%s: %.*s", program, SLICE_ARG(why));
	else
		doctor_say(r, WRONG, doctor_type(r, "# correct that line; then "
		    "gatehouse check-config --config %s", doctor_shell(r,
		    slice_of(r->doctor->conf_dir))), "%s: %.*s", program,
		    SLICE_ARG(why));
}

static void
run_config(struct doctor_report *r)
{
	if (r->doctor->conf_dir == NULL)
		doctor_unseen(r, "there is no folder with configuration");
	else
		check_config_each(r->doctor->conf_dir, r->arena, told, r);
}

const struct doctor_check doctor_config = {
	"config", "reads all configuration as the daemons do", config_kinds, 0,
	run_config,
};

/* --- rights -------------------------------------------------------------- */

enum { CONF_OPEN, CONF_OWNER, KEY_GONE, KEY_OPEN, STATE_OPEN, SOCKET_OPEN };

static const struct doctor_kind rights_kinds[] = {
	[CONF_OPEN] = { "config-open", DOCTOR_CRITICAL,
	    "Whoever may change the configuration decides about all mail; the "
	    "daemons refuse to start with it." },
	[CONF_OWNER] = { "config-owner", DOCTOR_CRITICAL,
	    "Its owner may change it, and decides about all mail; the daemons "
	    "refuse to start with it." },
	[KEY_GONE] = { "key-gone", DOCTOR_CRITICAL,
	    "Without it no filter believes what another one found; the daemons "
	    "do not start." },
	[KEY_OPEN] = { "key-open", DOCTOR_CRITICAL,
	    "Who reads it can forge what the filters find; the daemons refuse "
	    "to start with it." },
	[STATE_OPEN] = { "state-open", DOCTOR_WARNING,
	    "Journals hold addresses and subjects of everybody's mail." },
	[SOCKET_OPEN] = { "socket-open", DOCTOR_WARNING,
	    "Any local user comes to the socket; only the peer check keeps him "
	    "from having mail signed or judged." },
	{ NULL, 0, NULL }
};

enum { FILES = 1000 };

static void
check_conf_file(struct doctor_report *r, const char *path)
{
	const char *word = doctor_shell(r, slice_of(path));
	struct stat st;

	if (stat(path, &st) != 0) {
		doctor_unseen(r, "%s: %s", path, strerror(errno));
		return;
	}
	if ((st.st_mode & S_IWOTH) || ((st.st_mode & S_IWGRP) &&
	    st.st_gid != 0))
		doctor_say(r, CONF_OPEN, doctor_type(r, "chmod go-w %s", word),
		    "%s may be changed by others (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		doctor_say(r, CONF_OWNER, doctor_type(r, "chown root %s",
		    word), "%s belongs to uid %u", path, (unsigned)st.st_uid);
	else
		doctor_saw(r, "%s", path);
}

static void
check_conf_files(struct doctor_report *r)
{
	const char *folder = r->doctor->conf_dir;
	struct dirent **entries = NULL;
	int n;

	if (folder == NULL)
		return;
	check_conf_file(r, folder);
	n = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (i < FILES && slice_ends(slice_of(entries[i]->d_name),
		    SLICE(".conf")))
			check_conf_file(r, arena_printf(r->arena, "%s/%s",
			    folder, entries[i]->d_name).ptr);
		free(entries[i]);
	}
	free(entries);
}

static void
check_key(struct doctor_report *r, const char *key)
{
	const char *word = doctor_shell(r, slice_of(key));
	struct stat st;

	if (key[0] == '\0')
		return;
	if (stat(key, &st) == 0) {
		if (st.st_mode & 07)
			doctor_say(r, KEY_OPEN, doctor_type(r, "chmod o= %s",
			    word), "others may read or write %s (mode %04o)",
			    key, (unsigned)(st.st_mode & 07777));
		else
			check_conf_file(r, key);
	} else if (errno == ENOENT) {
		doctor_say(r, KEY_GONE, doctor_type(r, "(umask 027 && openssl "
		    "rand -hex 32 > %s && chgrp -f gatehouse %s; true)", word,
		    word), "seal_key names %s, which is not there", key);
	} else {
		doctor_unseen(r, "%s: %s", key, strerror(errno));
	}
}

/* Each daemon's folder below the state directory, or below the sockets'. The
 * store's is entered by filters on their way to incoming, and shows nothing. */
static void
check_folders(struct doctor_report *r, const char *above, unsigned kind,
    mode_t bad)
{
	struct dirent **entries = NULL;
	int n = scandir(above, &entries, NULL, alphasort);
	struct stat st;

	if (n < 0 && errno != ENOENT)
		doctor_unseen(r, "%s: %s", above, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *dir = arena_printf(r->arena, "%s/%s", above,
		    entries[i]->d_name).ptr;

		if (i < FILES && entries[i]->d_name[0] != '.' &&
		    lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
		    (st.st_mode & bad & (strcmp(entries[i]->d_name, "store") ==
		    0 ? ~(mode_t)01 : ~(mode_t)0)))
			doctor_say(r, kind, doctor_type(r, "chmod o= %s",
			    doctor_shell(r, slice_of(dir))), "others may "
			    "enter %s (mode %04o)", dir,
			    (unsigned)(st.st_mode & 07777));
		free(entries[i]);
	}
	free(entries);
}

static void
run_rights(struct doctor_report *r)
{
	const struct house_conf *house = r->doctor->house;

	check_conf_files(r);
	if (house == NULL) {
		doctor_unseen(r, "gatehouse.conf is not to be read: %.*s",
		    SLICE_ARG(r->doctor->house_why));
		return;
	}
	check_key(r, house->seal_key);
	check_folders(r, house->state_directory, STATE_OPEN, 05);
	check_folders(r, arena_printf(r->arena, "%s/gatehouse",
	    house->queue_directory).ptr, SOCKET_OPEN, 03);
}

const struct doctor_check doctor_rights = {
	"rights", "sees who may read and change configuration, key, journals "
	"and sockets", rights_kinds, 0, run_rights,
};

/* --- daemons ------------------------------------------------------------- */

enum { DOWN, REPLACED, OTHER_VERSION, IDLE };

static const struct doctor_kind daemon_kinds[] = {
	[DOWN] = { "down", DOCTOR_CRITICAL,
	    "Postfix answers 451 to all mail while its milter is not there." },
	[REPLACED] = { "replaced", DOCTOR_WARNING,
	    "It still runs the program that was there before; what was mended "
	    "since is not." },
	[OTHER_VERSION] = { "version", DOCTOR_WARNING,
	    "Parts of different versions may not understand each other's "
	    "files and seals." },
	[IDLE] = { "idle", DOCTOR_WARNING,
	    "It was installed and runs, and no mail passes it." },
	{ NULL, 0, NULL }
};

enum { HOSTS = 100 };

/* Connects and says nothing; the peer's process, or -1 with errno. */
static int
peer_of(const char *path, struct ucred *peer_r)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *peer_r;
	int error = 0;

	if (fd < 0 || strlen(path) >= sizeof addr.sun_path)
		error = fd < 0 ? errno : ENAMETOOLONG;
	else
		memcpy(addr.sun_path, path, strlen(path));
	if (error == 0 && connect(fd, (struct sockaddr *)&addr,
	    sizeof addr) != 0)
		error = errno;
	if (error == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer_r,
	    &len) != 0)
		error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return error == 0 ? 0 : -1;
}

/* It is asked as the user that it runs as: whoever changed the program is not
 * run by root. */
static void
check_version(struct doctor_report *r, const char *name, const char *exe,
    const struct ucred *peer)
{
	const char *const argv[] = { exe, "--version", NULL };
	struct child c = { .argv = argv, .uid = peer->uid, .gid = peer->gid };
	const char *want = arena_printf(r->arena, "gatehouse-%s %s", name,
	    VERSION).ptr;
	struct slice why = SLICE("");

	if (child_run(&c, r->doctor->until, r->arena, &why) != RC_OK)
		doctor_unseen(r, "the version of %s: %.*s", exe,
		    SLICE_ARG(why));
	else if (!slice_eq(slice_trim(c.out), slice_of(want)))
		doctor_say(r, OTHER_VERSION, doctor_type(r, "apt-get install "
		    "--only-upgrade gatehouse-%s gatehouse-tools", name),
		    "%s is \"%.*s\", this is gatehouse %s", exe,
		    SLICE_ARG(slice_sub(slice_trim(c.out), 0, 100)), VERSION);
	else
		doctor_saw(r, "gatehouse-%s runs (pid %d), version %s", name,
		    (int)peer->pid, VERSION);
}

static void
check_daemon(struct doctor_report *r, const struct recipe_filter *host)
{
	struct slice socket = slice_after(slice_of(host->socket), 5);
	const char *path = socket.ptr[0] == '/' ? socket.ptr :
	    arena_printf(r->arena, "%s/%s",
	    r->doctor->house->queue_directory, socket.ptr).ptr;
	char exe[4096];
	struct ucred peer;
	ssize_t n;

	if (peer_of(path, &peer) != 0) {
		if (errno == EACCES)
			doctor_unseen(r, "%s: %s", path, strerror(errno));
		else
			doctor_say(r, DOWN, doctor_type(r,
			    "systemctl restart gatehouse-%s", host->name),
			    "gatehouse-%s does not listen on %s: %s",
			    host->name, path, strerror(errno));
		return;
	}
	n = readlink(arena_printf(r->arena, "/proc/%d/exe",
	    (int)peer.pid).ptr, exe, sizeof exe - 1);
	if (n < 0) {
		doctor_unseen(r, "the program of pid %d: %s", (int)peer.pid,
		    strerror(errno));
		return;
	}
	exe[n] = '\0';
	if (slice_ends(slice_of(exe), SLICE(" (deleted)")))
		doctor_say(r, REPLACED, doctor_type(r,
		    "systemctl restart gatehouse-%s", host->name),
		    "gatehouse-%s (pid %d) runs a program that is no longer "
		    "there", host->name, (int)peer.pid);
	else
		check_version(r, host->name, exe, &peer);
}

/* The daemons that gatehouse.conf asks for: of its filters, those that Postfix
 * reaches through gatehouse-chain are served by that. */
static size_t
find_hosts(struct doctor_report *r, struct recipe_filter hosts[HOSTS])
{
	const struct house_conf *house = r->doctor->house;
	const struct conf_list *lists[] = { &house->inbound,
	    &house->outbound };
	struct recipe_filter host;
	struct slice why = SLICE("");
	size_t count = 0;
	bool hosted = chain_hosted(r);

	for (int l = 0; l < 2; l++) {
		for (size_t i = 0; i < lists[l]->count; i++) {
			size_t k = 0;

			if (chain_host(r, lists[l]->items[i].ptr, hosted,
			    &host, &why) != RC_OK)
				continue;	/* config tells */
			while (k < count && strcmp(hosts[k].socket,
			    host.socket) != 0)
				k++;
			if (k == count && count < HOSTS)
				hosts[count++] = host;
		}
	}
	return count;
}

/* A filter that gatehouse.conf does not name has no place in Postfix. */
static void
check_idle(struct doctor_report *r, const char *name)
{
	const struct house_conf *house = r->doctor->house;
	const char *path = arena_printf(r->arena, "%s/gatehouse/%s/sock",
	    house->queue_directory, name).ptr;
	struct ucred peer;

	if (!conf_list_has(&house->inbound, slice_of(name)) &&
	    !conf_list_has(&house->outbound, slice_of(name)) &&
	    peer_of(path, &peer) == 0)
		doctor_say(r, IDLE, doctor_type(r, "# in gatehouse.conf, add "
		    "\"%s\" to inbound, outbound or both; then gatehouse "
		    "postfix-config --apply. Or: systemctl disable --now "
		    "gatehouse-%s", name, name), "gatehouse-%s runs, and "
		    "neither inbound nor outbound names it", name);
}

static void
run_daemons(struct doctor_report *r)
{
	struct recipe_filter hosts[HOSTS];
	size_t count = find_hosts(r, hosts);

	for (size_t i = 0; i < count; i++)
		check_daemon(r, &hosts[i]);
	for (const struct filter *const *f = all_filters; *f != NULL; f++)
		check_idle(r, (*f)->name);
}

const struct doctor_check doctor_daemons = {
	"daemons", "sees whether the daemons of inbound and outbound run, and "
	"run what is installed", daemon_kinds, DOCTOR_ROOT | DOCTOR_HOUSE,
	run_daemons,
};

/* --- journal ------------------------------------------------------------- */

enum { LOST, NO_FOLDER };

static const struct doctor_kind journal_kinds[] = {
	[LOST] = { "lost", DOCTOR_WARNING,
	    "What was decided about these messages is only in the log; explain "
	    "and reports do not know them." },
	[NO_FOLDER] = { "no-folder", DOCTOR_CRITICAL,
	    "The daemon has no place for its journal and does not start." },
	{ NULL, 0, NULL }
};

enum { TAIL = 16 << 20 };

/* What the journal says of itself, in its newest part. */
static void
check_tail(struct doctor_report *r, const char *path)
{
	struct slice mark = SLICE("\"event.action\":\"journal-lost\",");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	size_t size = end > TAIL ? TAIL : (size_t)(end < 0 ? 0 : end);
	char *bytes = arena_alloc(r->arena, size + 1);
	ssize_t n = fd < 0 ? -1 : pread(fd, bytes, size, end - (off_t)size);
	struct slice rest = slice_make(bytes, n > 0 ? (size_t)n : 0), line;
	size_t times = 0;

	if (fd >= 0)
		close(fd);
	if (n < 0) {
		if (errno != ENOENT)
			doctor_unseen(r, "%s: %s", path, strerror(errno));
		return;
	}
	while (slice_line(&rest, &line))
		times += slice_search(line, mark) < line.len;
	if (times > 0)
		doctor_say(r, LOST, doctor_type(r, "# was the disk full? df -h "
		    "%s; grep journal-lost %s", doctor_shell(r,
		    slice_of(path)), doctor_shell(r, slice_of(path))),
		    "%s says that events were lost, %zu times", path, times);
	else
		doctor_saw(r, "%s", path);
}

static void
run_journal(struct doctor_report *r)
{
	struct recipe_filter hosts[HOSTS];
	size_t count = find_hosts(r, hosts);

	for (size_t i = 0; i < count; i++) {
		const char *dir = arena_printf(r->arena, "%s/%s",
		    r->doctor->house->state_directory, hosts[i].name).ptr;

		if (access(dir, X_OK) == 0)
			check_tail(r, arena_printf(r->arena,
			    "%s/journal.json", dir).ptr);
		else if (errno == ENOENT)
			doctor_say(r, NO_FOLDER, doctor_type(r, "systemctl "
			    "restart gatehouse-%s", hosts[i].name),
			    "%s is not there", dir);
		else
			doctor_unseen(r, "%s: %s", dir, strerror(errno));
	}
}

const struct doctor_check doctor_journal = {
	"journal", "looks for events that could not be written",
	journal_kinds, DOCTOR_HOUSE, run_journal,
};
