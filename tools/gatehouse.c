/* gatehouse(1): one command, many verbs. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "tools/verb.h"

static const struct verb verbs[] = {
	{ "antivirus", "say how the engines against viruses are",
	  verb_antivirus },
	{ "backlog", "say what waits in the queue, or let it go in batches",
	  verb_backlog },
	{ "check-config", "read all configuration and say what is wrong",
	  verb_check_config },
	{ "digest", "make or show digests of the quarantine; take mail about "
	  "them", verb_digest },
	{ "directory", "sync the directory of users from where they are kept",
	  verb_directory },
	{ "dmarc-report", "build, store or send DMARC aggregate reports",
	  verb_dmarc_report },
	{ "doctor", "look for what is wrong here, and say how to mend it",
	  verb_doctor },
	{ "explain", "say what was decided about a message and became of it",
	  verb_explain },
	{ "forget", "erase an address from tracking and journals",
	  verb_forget },
	{ "harvest", "show or forget who asks for unknown recipients",
	  verb_harvest },
	{ "lint", "say which rules for outbound mail a message keeps",
	  verb_lint },
	{ "policy", "compile who gets what, and say what was set for whom",
	  verb_policy },
	{ "postfix-config", "set up Postfix for the house, and undo it",
	  verb_postfix_config },
	{ "quarantine", "list, show, release, delete or export held mail",
	  verb_quarantine },
	{ "report", "write finished deliveries as CSV", verb_report },
	{ "rules", "say what rules make of a message, or what is wrong with "
	  "them", verb_rules },
	{ "search", "find messages, and what became of them", verb_search },
	{ "spam", "how likely a message is spam; learn and train", verb_spam },
	{ "spf", "evaluate SPF for an address, a HELO name and a sender",
	  verb_spf },
	{ "store", "the quarantine as a whole: figures, keys, its index anew",
	  verb_store },
	{ "tenant", "clients of the house: take in, check, give notice, "
	  "remove", verb_tenant },
	{ "test", "run a message through the milters, without side effects",
	  verb_test },
};

enum { NVERBS = sizeof verbs / sizeof verbs[0] };

static int
usage(FILE *to, int status)
{
	fputs("usage: gatehouse VERB [OPTION]... ; "
	    "gatehouse VERB --help says more\n\n", to);
	for (int i = 0; i < NVERBS; i++)
		fprintf(to, "  %-14s %s\n", verbs[i].name, verbs[i].summary);
	return status;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, EX_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage(stdout, EX_OK);
	if (strcmp(argv[1], "--version") == 0) {
		printf("gatehouse %s\n", VERSION);
		return EX_OK;
	}
	for (int i = 0; i < NVERBS; i++) {
		if (strcmp(argv[1], verbs[i].name) == 0) {
			struct arena *a = arena_new();
			int status = verbs[i].run(argc - 1, argv + 1, a);

			arena_free(a);
			return status;
		}
	}
	fprintf(stderr, "gatehouse: there is no verb \"%s\"\n", argv[1]);
	return usage(stderr, EX_USAGE);
}
