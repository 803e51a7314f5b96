/*
 * process - what all our daemons are as processes, milters or not
 *
 * process_begin	reads the command line and does what is over at once
 *			(--help, --version, a wrong line). PROCESS_GO: go on,
 *			with paths made absolute (a daemon may change its
 *			folder, and a reload must find its file); else the exit
 *			status. `socket`: there is an option --socket
 * process_text		--sample or --manual of these sections; exit status
 * process_complain	to the person who typed it, on standard error; returns
 *			the exit status: 78 for RC_BAD, else 75
 * process_signals	blocks USR1, TERM, INT and HUP and ignores PIPE and
 *			XFSZ; called before the first thread
 * process_signal_set	those four, for who waits for them
 * process_descriptors	raises the soft limit of descriptors
 * process_peers	the users of option peers by number: asked once, for
 *		the system may ask others
 * process_folder	makes it, 0750, when it is not there
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <signal.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "daemon/options.h"

enum { PROCESS_GO = -1 };

/* Where the configuration of a daemon is. */
struct process_files {
	const char *house;		/* gatehouse.conf */
	const char *conf;		/* as given with --config, or NULL */
	const char *dir;		/* of NAME.conf */
};

int process_begin(int argc, char **argv, const char *name, bool socket,
    struct daemon_options *options_r, struct process_files *files_r,
    struct arena *a);
int process_text(const struct daemon_options *options, const char *name,
    const struct conf_section *sections);
int process_complain(const char *name, enum rc rc, struct slice why);
void process_signals(void);
void process_signal_set(sigset_t *set_r);
void process_descriptors(void);
enum rc process_peers(const struct conf_list *names, uid_t **peers_r,
    size_t *n_r, struct arena *a, struct slice *why_r);
enum rc process_folder(const char *path, struct arena *a,
    struct slice *why_r);

#endif
