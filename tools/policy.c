/* gatehouse policy: compile, get, explain, diff, lists. */
#include "tools/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "text/json.h"
#include "tools/verb.h"

static int
help(void)
{
	puts("usage: gatehouse policy compile [--if-stale] [--dry-run]\n"
	    "       gatehouse policy get ADDRESS OPTION\n"
	    "       gatehouse policy explain ADDRESS OPTION\n"
	    "       gatehouse policy diff\n"
	    "       gatehouse policy lists check SENDER --for RECIPIENT "
	    "[--ip IP]\n"
	    "           [--authenticated]\n"
	    "       gatehouse policy lists export\n"
	    "\n"
	    "compile resolves what the scopes of all files, policy.settings, "
	    "policy.lists and\n"
	    "the directory say, into the map that daemons look into; they take "
	    "it up by\n"
	    "themselves. get prints what is set for an address, explain who "
	    "set it and whom\n"
	    "that overruled; OPTION is FILE.OPTION, or an option that one file "
	    "has. diff\n"
	    "prints what a compile would change, by address. lists check says "
	    "what allow and\n"
	    "block lists say about a sender, lists export writes them as CSV.\n"
	    "\n"
	    "  --if-stale       compile only when a file has changed since, or "
	    "there is\n"
	    "                   no map and there ought to be one\n"
	    "  --dry-run        compile, and throw away what it made\n"
	    "  --for R          the recipient\n"
	    "  --ip IP          the client's address\n"
	    "  --authenticated  the message authenticates as the sender's "
	    "domain (DMARC\n"
	    "                   pass): an allow entry for address or domain "
	    "counts\n"
	    "  --config DIR     folder with gatehouse.conf\n"
	    "  --json           JSON instead of text\n"
	    "\n"
	    "Exit status 1: diff found a difference; the sender is blocked.");
	return EX_OK;
}

static const struct option longs[] = {
	{ "if-stale", no_argument, NULL, 's' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "for", required_argument, NULL, 'f' },
	{ "ip", required_argument, NULL, 'i' },
	{ "authenticated", no_argument, NULL, 'a' },
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	const char *name;
	int words;			/* behind the verb's own */
	const char *wants;
	int (*run)(struct build *b, const struct policy_args *args);
} verbs[] = {
	{ "compile", 0, "no argument", policy_compile },
	{ "get", 2, "ADDRESS and OPTION", policy_get },
	{ "explain", 2, "ADDRESS and OPTION", policy_explain },
	{ "diff", 0, "no argument", policy_diff },
	{ "lists check", 1, "SENDER", policy_lists_check },
	{ "lists export", 0, "no argument", policy_lists_export },
};

enum { NVERBS = sizeof verbs / sizeof verbs[0] };

/* The verb that these words begin with; *used_r: how many of them it has. */
static int
find_verb(int n, char **words, int *used_r)
{
	for (int i = 0; i < NVERBS; i++) {
		struct slice second;
		struct slice first = slice_cut(slice_of(verbs[i].name), ' ',
		    &second);

		*used_r = second.ptr != NULL ? 2 : 1;
		if (n >= *used_r && slice_eq(slice_of(words[0]), first) &&
		    (second.ptr == NULL ||
		    slice_eq(slice_of(words[1]), second)))
			return i;
	}
	return NVERBS;
}

static int
run(int verb, const struct policy_args *args, struct arena *a)
{
	struct build *b = arena_alloc(a, sizeof *b);
	int status = build_load(b, args->config, a);

	return status == EX_OK ? verbs[verb].run(b, args) : status;
}

int
verb_policy(int argc, char **argv, struct arena *a)
{
	struct policy_args args = { .config = NULL };
	int o, verb, used;

	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 's': args.if_stale = true; break;
		case 'n': args.dry_run = true; break;
		case 'f': args.recipient = optarg; break;
		case 'i': args.ip = optarg; break;
		case 'a': args.authenticated = true; break;
		case 'c': args.config = optarg; break;
		case 'j': args.json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	verb = find_verb(argc - optind, argv + optind, &used);
	if (verb == NVERBS)
		return verb_fails(EX_USAGE, "policy: compile, get, explain, "
		    "diff, lists check or lists export; gatehouse policy "
		    "--help says more");
	args.nwords = argc - optind - used;
	if (args.nwords != verbs[verb].words)
		return verb_fails(EX_USAGE, "policy %s wants %s",
		    verbs[verb].name, verbs[verb].wants);
	for (int i = 0; i < args.nwords; i++)
		args.words[i] = argv[optind + used + i];
	return run(verb, &args, a);
}

int
policy_in_use(struct build *b, struct policy **policy_r)
{
	const char *path = b->house_file != NULL ? b->map : NULL;
	struct slice why = SLICE("");
	enum rc rc = policy_open(path, &b->house, policy_r, b->arena, &why);

	return rc == RC_OK ? EX_OK : verb_fails(verb_status(rc), "%.*s",
	    SLICE_ARG(why));
}

/* ---- compile ---- */

static int
say_compiled(struct build *b, bool json, const char *what, const char *why)
{
	const struct compile_count *n = &b->count;
	struct buf out = buf_in(b->arena);
	struct json w;

	if (!json) {
		buf_addf(&out, "%s: %s", b->map, what);
		if (why != NULL)
			buf_addf(&out, " (%s)", why);
		if (n->sets > 0)
			buf_addf(&out, ": %zu addresses, %zu domains, %zu "
			    "different sets of settings, %zu list entries",
			    n->addresses, n->domains, n->sets, n->listed);
		buf_addc(&out, '\n');
		return verb_print(&out);
	}
	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "map", slice_of(b->map));
	json_put(&w, "result", slice_of(what));
	json_put(&w, "why", slice_of(why != NULL ? why : ""));
	json_put_int(&w, "addresses", (int64_t)n->addresses);
	json_put_int(&w, "domains", (int64_t)n->domains);
	json_put_int(&w, "sets", (int64_t)n->sets);
	json_put_int(&w, "list_entries", (int64_t)n->listed);
	json_end(&w);
	buf_addc(&out, '\n');
	return verb_print(&out);
}

/* Not where daemons look, and gone when it was seen to be right. */
static int
try_compile(struct build *b, bool json)
{
	char *dir = arena_str(b->arena, SLICE("/tmp/gatehouse-policy-XXXXXX"));
	const char *path;
	int status;

	if (mkdtemp(dir) == NULL)
		return verb_fails(EX_CANTCREAT, "/tmp: no folder for a try");
	path = arena_printf(b->arena, "%s/map", dir).ptr;
	status = build_map(b, path);
	unlink(path);
	rmdir(dir);
	return status == EX_OK ? say_compiled(b, json, "would be compiled",
	    NULL) : status;
}

int
policy_compile(struct build *b, const struct policy_args *args)
{
	const char *why = NULL, *fresh;
	int status, lock;

	if (b->house_file == NULL)
		return verb_fails(EX_NOINPUT, "there is no gatehouse.conf; "
		    "--config DIR names its folder");
	if (args->dry_run)
		return try_compile(b, args->json);
	/* Nearly always nothing is to be done: no lock, no folder for that. */
	if (args->if_stale && build_stale(b) == NULL)
		return EX_OK;
	status = build_lock(b, &lock);
	if (status == EX_OK && args->if_stale) {
		why = build_stale(b);
		if (why == NULL)
			return EX_OK;
	}
	fresh = arena_printf(b->arena, "%s.next", b->map).ptr;
	if (status == EX_OK)
		status = build_map(b, fresh);
	if (status == EX_OK)
		status = build_install(b, fresh);
	else
		unlink(fresh);
	if (status == EX_OK)
		status = say_compiled(b, args->json, "compiled", why);
	return status;
}
