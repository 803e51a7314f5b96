#include "daemon/process.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define CONF_DIR	SYSCONFDIR "/gatehouse"

/* A reload must find the file when the daemon has gone to another folder. */
static const char *
absolute(struct arena *a, const char *path)
{
	char here[PATH_MAX];

	if (path == NULL || path[0] == '/' ||
	    getcwd(here, sizeof here) == NULL)
		return path;
	return arena_printf(a, "%s/%s", here, path).ptr;
}

/* The folder of --config, else where packages put it. */
static const char *
folder_of(struct arena *a, const char *file)
{
	struct slice s = slice_of(file);
	size_t at;

	if (file == NULL)
		return CONF_DIR;
	at = slice_find_last(s, '/');
	return at == s.len ? "." : arena_str(a, slice_sub(s, 0, at));
}

int
process_begin(int argc, char **argv, const char *name, bool socket,
    struct daemon_options *o, struct process_files *files_r, struct arena *a)
{
	const char *program = arena_printf(a, "gatehouse-%s", name).ptr;

	options_read(argc, argv, socket, o);
	switch (o->verb) {
	case VERB_WRONG:
		return EX_USAGE;
	case VERB_HELP:
		options_help(program, socket);
		return EX_OK;
	case VERB_VERSION:
		printf("%s %s\n", program, VERSION);
		return EX_OK;
	default:
		break;
	}
	files_r->house = o->house != NULL ? absolute(a, o->house) :
	    CONF_DIR "/gatehouse.conf";
	files_r->conf = absolute(a, o->config);
	files_r->dir = folder_of(a, files_r->conf);
	return PROCESS_GO;
}

int
process_text(const struct daemon_options *o, const char *name,
    const struct conf_section *sections)
{
	struct buf out = { 0 }, title = { 0 };

	buf_addf(&title, "gatehouse-%s", name);
	buf_addc(&title, '\0');
	if (o->verb == VERB_MANUAL)
		conf_manual(&out, sections);
	else
		conf_sample(&out, title.ptr, sections);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	buf_free(&title);
	return ferror(stdout) ? EX_IOERR : EX_OK;
}

int
process_complain(const char *name, enum rc rc, struct slice why)
{
	fprintf(stderr, "gatehouse-%s: %.*s\n", name, SLICE_ARG(why));
	return rc == RC_BAD ? EX_CONFIG : EX_TEMPFAIL;
}

void
process_signal_set(sigset_t *set_r)
{
	sigemptyset(set_r);
	sigaddset(set_r, SIGUSR1);
	sigaddset(set_r, SIGTERM);
	sigaddset(set_r, SIGINT);
	sigaddset(set_r, SIGHUP);
}

/* Threads that somebody else starts (libmilter's, for TERM, INT and HUP) or we
 * (for USR1) wait for these; no other thread may be hit by them. */
void
process_signals(void)
{
	sigset_t set;

	process_signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* A file at its size limit is an error to be told, not our end. */
	signal(SIGXFSZ, SIG_IGN);
}

/* Sessions, spooled bodies and DNS questions each hold a descriptor, and the
 * usual soft limit of 1024 is for programs that use select(2). */
void
process_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max :
		    65536;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

enum rc
process_folder(const char *path, struct arena *a, struct slice *why_r)
{
	if (mkdir(path, 0750) == 0 || errno == EEXIST)
		return RC_OK;
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

/* A user name, or a number. */
static bool
uid_of(const char *name, uid_t *uid_r)
{
	const struct passwd *pw = getpwnam(name);
	uint64_t n;

	if (pw != NULL) {
		*uid_r = pw->pw_uid;
		return true;
	}
	if (!slice_number(slice_of(name), UINT32_MAX - 1, &n))
		return false;
	*uid_r = (uid_t)n;
	return true;
}

enum rc
process_peers(const struct conf_list *names, uid_t **peers_r, size_t *n_r,
    struct arena *a, struct slice *why_r)
{
	*peers_r = arena_array(a, names->count + 1, sizeof **peers_r);
	for (*n_r = 0; *n_r < names->count; ++*n_r) {
		const char *name = names->items[*n_r].ptr;

		if (uid_of(name, &(*peers_r)[*n_r]))
			continue;
		*why_r = arena_printf(a, "peers: there is no user \"%s\"",
		    name);
		return RC_BAD;
	}
	return RC_OK;
}
