/*
 * engine_command - any scanner that can be called as a command
 *
 * The contract, for who writes one:
 *
 *   arguments	one: "file", or "mail" for a whole message. No shell
 *   input	descriptor 0: the item, a read-only memory file of its own
 *		position; it may be mapped, read, or opened as /dev/stdin
 *   environment	PATH, nothing else; working folder: /
 *   output	descriptor 1: with status 1 the virus's name, one line, of
 *		which ENGINE_TEXT bytes count. Descriptor 2 is /dev/null
 *   status	0: all of it was looked at and is clean; 1: infected; 2: it
 *		cannot be read or not all of it was looked at; all else, and a
 *		signal, is trouble of the command: no answer
 *   time	after the time-out its process group is killed. What it left
 *		running behind it is killed when it ends
 *
 * It runs as the daemon's user, without a cell's walls: who needs walls for it
 * puts them into the command (bwrap, systemd-run). At most `workers` at once.
 */
#ifndef ANTIVIRUS_ENGINE_COMMAND_H
#define ANTIVIRUS_ENGINE_COMMAND_H

#include "engine.h"

struct engine_command_conf {
	struct slice name;
	const char *program;		/* absolute */
	unsigned workers;
	int64_t timeout;		/* ms, of one item */
};

/* RC_BAD with *why_r: it cannot be run. */
enum rc engine_command_open(const struct engine_command_conf *conf,
    struct engine **engine_r, struct arena *a, struct slice *why_r);

#endif
