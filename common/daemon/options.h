/*
 * options - the command line that all daemons share
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

enum daemon_verb { VERB_RUN, VERB_CHECK, VERB_SAMPLE, VERB_MANUAL,
    VERB_VERSION, VERB_HELP, VERB_WRONG };

struct daemon_options {
	enum daemon_verb verb;
	const char *config, *house, *socket;	/* NULL: the default */
	bool verbose;
};

/* A wrong line has been told on standard error when VERB_WRONG comes back.
 * socket: there is an option --socket, as all milters have it. */
void options_read(int argc, char **argv, bool socket,
    struct daemon_options *o);
void options_help(const char *program, bool socket);

#endif
