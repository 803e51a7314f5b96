#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "house", required_argument, NULL, 'H' },
	{ "check-config", no_argument, NULL, 'k' },
	{ "sample", no_argument, NULL, 'S' },
	{ "manual", no_argument, NULL, 'M' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ "socket", required_argument, NULL, 's' },	/* the last one */
	{ NULL, 0, NULL, 0 },
};

void
options_help(const char *program, bool socket)
{
	printf("usage: %s [--config FILE] [--house FILE] %s[--verbose]\n"
	    "       %s --check-config [--config FILE] [--house FILE]\n"
	    "       %s --sample | --manual | --version | --help\n"
	    "\n"
	    "  --config FILE    options of this daemon\n"
	    "  --house FILE     options that all our daemons share\n"
	    "%s"
	    "  --check-config   read the configuration, say what is wrong, "
	    "end\n"
	    "  --sample         print a commented configuration file\n"
	    "  --manual         print the options as manual page text\n"
	    "  --verbose        log what is for debugging too\n"
	    "\n"
	    "It stays in the foreground. SIGTERM stops it, SIGUSR1 reloads.\n",
	    program, socket ? "[--socket PATH] " : "", program, program,
	    socket ? "  --socket PATH    instead of the socket in the file\n" :
	    "");
}

void
options_read(int argc, char **argv, bool socket, struct daemon_options *o)
{
	struct option known[sizeof longs / sizeof longs[0]];
	int c;

	memcpy(known, longs, sizeof longs);
	if (!socket)
		memset(&known[sizeof longs / sizeof longs[0] - 2], 0,
		    sizeof known[0]);
	memset(o, 0, sizeof *o);
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'H': o->house = optarg; break;
		case 's': o->socket = optarg; break;
		case 'k': o->verb = VERB_CHECK; break;
		case 'S': o->verb = VERB_SAMPLE; break;
		case 'M': o->verb = VERB_MANUAL; break;
		case 'v': o->verbose = true; break;
		case 'V': o->verb = VERB_VERSION; break;
		case 'h': o->verb = VERB_HELP; break;
		default: o->verb = VERB_WRONG; return;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: no such argument: %s\n", argv[0],
		    argv[optind]);
		o->verb = VERB_WRONG;
	}
}
