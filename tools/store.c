/* gatehouse store: the quarantine as a whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "services/store/store.h"
#include "tools/quarantine.h"
#include "tools/verb.h"

enum { LONG_MS = 3600 * 1000 };

struct whole {
	struct asking q;
	const char *public, *private;
	bool json, dry;
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state-directory", required_argument, NULL, 's' },
	{ "public", required_argument, NULL, 'p' },
	{ "private", required_argument, NULL, 'k' },
	{ "json", no_argument, NULL, 'j' },
	{ "dry-run", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse store stats [--json]\n"
	    "       gatehouse store files|file|revoke|fetch ... (store files "
	    "--help)\n"
	    "       gatehouse store check\n"
	    "       gatehouse store expire [--dry-run] [--json]\n"
	    "       gatehouse store rebuild\n"
	    "       gatehouse store keygen [--private FILE] [--public FILE]\n"
	    "\n"
	    "  stats     what is held, and how much room it takes\n"
	    "  check     is the index whole?\n"
	    "  expire    what is due; --dry-run only says what would be\n"
	    "  rebuild   makes the index anew from the logs beside the "
	    "objects, with\n"
	    "            gatehouse-store running or not\n"
	    "  keygen    a new key pair; older private keys stay in their "
	    "file\n"
	    "\n"
	    "  --config DIR           folder with gatehouse.conf and "
	    "store.conf\n"
	    "  --state-directory DIR  instead of the state_directory in it");
	return EX_OK;
}

static int
print_answer(struct whole *w)
{
	char *text = json_dumps(w->q.answer, JSON_INDENT(2) |
	    JSON_ENSURE_ASCII);

	puts(text != NULL ? text : "null");
	free(text);
	return EX_OK;
}

static long long
number(const json_t *from, const char *key)
{
	return json_integer_value(json_object_get(from, key));
}

static int
stats(struct whole *w)
{
	const json_t *states;
	int status = asking_open(&w->q, LONG_MS);

	if (status != EX_OK)
		return status;
	asking_begin(&w->q, "stats");
	status = asking_ask(&w->q);
	if (status != EX_OK || w->json)
		return status != EX_OK ? status : print_answer(w);
	states = json_object_get(w->q.answer, "states");
	for (unsigned i = 0; i < STORE_STATES; i++) {
		const json_t *s = json_object_get(states, store_state_name(i));

		printf("%-13s %10lld rows %15lld bytes\n",
		    store_state_name(i), number(s, "rows"),
		    number(s, "bytes"));
	}
	printf("%-13s %10lld\n%-13s %10lld\n", "objects",
	    number(w->q.answer, "objects"), "on hold",
	    number(w->q.answer, "on_hold"));
	printf("%-13s %27lld bytes\n", "large files",
	    number(w->q.answer, "files"));
	printf("%-13s %lld of %lld bytes%s\n", "room",
	    number(w->q.answer, "used"), number(w->q.answer, "limit"),
	    json_is_true(json_object_get(w->q.answer, "closed")) ?
	    "; FULL: filters answer 451" : "");
	return EX_OK;
}

static int
simple(struct whole *w, const char *op, const char *done)
{
	int status = asking_open(&w->q, LONG_MS);

	if (status != EX_OK)
		return status;
	asking_begin(&w->q, op);
	status = asking_ask(&w->q);
	if (status == EX_OK)
		puts(done);
	return status;
}

static int
check(struct whole *w)
{
	return simple(w, "check", "the index is whole");
}

static int
expire(struct whole *w)
{
	const json_t *rows;
	int status = asking_open(&w->q, LONG_MS);

	if (status != EX_OK)
		return status;
	asking_begin(&w->q, "expire");
	if (w->dry)
		json_put_bool(&w->q.w, "dry", true);
	status = asking_ask(&w->q);
	if (status != EX_OK || w->json)
		return status != EX_OK ? status : print_answer(w);
	rows = json_object_get(w->q.answer, "rows");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		printf("%s %s %s <%s>\n", asking_text(&w->q, row, "object"),
		    asking_text(&w->q, row, "state"), asking_text(&w->q, row,
		    "cause"), asking_text(&w->q, row, "recipient"));
	}
	printf("%lld rows %s\n", number(w->q.answer, "expired"), w->dry ?
	    "are due" : "were due");
	return EX_OK;
}

/* No daemon runs: the folder's lock is ours while we work. */
static int
rebuild_alone(struct whole *w)
{
	const char *dir = verb_conf_dir(w->q.config);
	const char *file = dir == NULL ? NULL :
	    arena_printf(w->q.a, "%s/store.conf", dir).ptr;
	struct service_set *set;
	struct vault_conf conf;
	struct slice why;
	uint64_t n = 0;
	enum rc rc = service_load(&store_service, verb_house_file(dir,
	    w->q.a), file, false, &set, w->q.a, &why);

	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "%.*s", SLICE_ARG(why));
	conf = (struct vault_conf){ .dir = arena_printf(w->q.a, "%s/store",
	    w->q.state).ptr, .key = ((struct store_conf *)set->conf)->key };
	rc = heal_rebuild_alone(&conf, &n, w->q.a, &why);
	service_set_drop(set);
	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "%.*s", SLICE_ARG(why));
	printf("%llu objects\n", (unsigned long long)n);
	return EX_OK;
}

static int
rebuild(struct whole *w)
{
	int status = asking_state(&w->q);
	struct slice why;

	if (status != EX_OK)
		return status;
	if (ask_open(arena_printf(w->q.a, "%s/store/sock", w->q.state).ptr,
	    LONG_MS, &w->q.ask, w->q.a, &why) != RC_OK)
		return rebuild_alone(w);
	asking_begin(&w->q, "rebuild");
	status = asking_ask(&w->q);
	if (status == EX_OK)
		printf("%lld objects\n", number(w->q.answer, "objects"));
	return status;
}

static int
keygen(struct whole *w)
{
	const char *private = w->private != NULL ? w->private :
	    SYSCONFDIR "/gatehouse/store.key";
	const char *public = w->public != NULL ? w->public :
	    SYSCONFDIR "/gatehouse/store.pub";
	struct slice why;
	enum rc rc = store_key_make(private, public, w->q.a, &why);

	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "%.*s", SLICE_ARG(why));
	printf("%s: keep a copy of it in a safe place\n%s: what filters "
	    "encrypt to\n", private, public);
	return EX_OK;
}

static const struct {
	const char *name;
	int (*run)(struct whole *w);
} verbs[] = {
	{ "stats", stats }, { "check", check }, { "expire", expire },
	{ "rebuild", rebuild }, { "keygen", keygen },
};

int
verb_store(int argc, char **argv, struct arena *a)
{
	struct whole w = { .q = { .a = a } };
	int o, status = EX_USAGE;

	if (argc > 1 && store_files_verb(argv[1]))
		return store_files(argc, argv, a);
	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': w.q.config = optarg; break;
		case 's': w.q.state = optarg; break;
		case 'p': w.public = optarg; break;
		case 'k': w.private = optarg; break;
		case 'j': w.json = true; break;
		case 'd': w.dry = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	for (size_t i = 0; argc - optind == 1 &&
	    i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(verbs[i].name, argv[optind]) == 0) {
			status = verbs[i].run(&w);
			asking_close(&w.q);
			return status;
		}
	}
	return verb_fails(EX_USAGE, "store: stats, check, expire, rebuild or "
	    "keygen? gatehouse store --help says more");
}
