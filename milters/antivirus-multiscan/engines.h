/*
 * engines - those that the administrator named
 *
 * An entry is KIND, KIND:WHERE or NAME=KIND:WHERE; the name is the kind's when
 * there is none, and stands in the log.
 *
 *	clamav				libclamav in a cell
 *	clamd				at /run/clamav/clamd.ctl
 *	clamd:/path, clamd:host:3310	clamd; over a path it gets descriptors
 *	clamd-stream:/path		the same, but its bytes
 *	icap:host:1344/service		ICAP; icaps with TLS (port 11344)
 *	command:/path/to/program	see engine_command.h
 *
 * engine_spec_read	one entry, pure. RC_BAD with *why_r. Text lives in the
 *		arena
 * engines_check	all entries: each can be read, no two have one name
 * engines_open	opens and watches them, in their order; what was opened stands
 *		in `out` whatever the end is
 */
#ifndef ANTIVIRUS_ENGINES_H
#define ANTIVIRUS_ENGINES_H

#include "engine.h"
#include "options.h"

enum engine_type { ENGINE_CLAMAV, ENGINE_CLAMD, ENGINE_CLAMD_STREAM,
    ENGINE_ICAP, ENGINE_ICAPS, ENGINE_COMMAND };

struct engine_spec {
	enum engine_type type;
	struct slice name;
	const char *host;		/* or the path of a socket, or of the
					   command */
	unsigned port;
	const char *service;		/* ICAP */
};

enum rc engine_spec_read(struct slice entry, struct engine_spec *spec_r,
    struct arena *a, struct slice *why_r);
enum rc engines_check(const struct antivirus_conf *conf, struct arena *a,
    struct slice *why_r);
enum rc engines_open(const struct antivirus_conf *conf, struct engine **out,
    size_t *count_r, struct arena *a, struct slice *why_r);

#endif
