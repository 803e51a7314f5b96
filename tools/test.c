/*
 * gatehouse test: a message through the milters, with the code of the daemons
 * and without side effects: no log, no journal, no table, no socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log/log.h"
#include "milter/offline.h"
#include "milters/all.h"
#include "tools/policy-build.h"
#include "tools/told.h"
#include "tools/verb.h"

enum { MILTERS = 20, RECIPIENTS = 10000 };

struct test {
	struct arena *a;
	const char *milters[MILTERS];
	size_t nmilters;
	const char *client_ip, *client_name, *helo, *mail_from;
	struct slice *recipients;
	size_t nrecipients;
	const char *resolver, *config, *output, *expect, *path;
	enum direction direction;
	bool has_direction, json, help;
};

static const struct option longs[] = {
	{ "milter", required_argument, NULL, 'm' },
	{ "client-ip", required_argument, NULL, 'i' },
	{ "client-name", required_argument, NULL, 'n' },
	{ "helo", required_argument, NULL, 'l' },
	{ "mail-from", required_argument, NULL, 'f' },
	{ "rcpt", required_argument, NULL, 'r' },
	{ "direction", required_argument, NULL, 'd' },
	{ "resolver", required_argument, NULL, 's' },
	{ "now", required_argument, NULL, 't' },
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "output", required_argument, NULL, 'o' },
	{ "expect", required_argument, NULL, 'e' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse test [OPTION]... MESSAGE\n"
	    "\n"
	    "Runs MESSAGE (a file, or - for standard input) through the "
	    "milters with the code\n"
	    "of the daemons and without side effects, and says what each "
	    "decides and why.\n"
	    "\n"
	    "  --milter NAME      this one, instead of those that inbound and "
	    "outbound in\n"
	    "                     gatehouse.conf name; may be given several "
	    "times\n"
	    "  --client-ip IP     who sends it (no address: a local pipe)\n"
	    "  --client-name N    the client's verified host name\n"
	    "  --helo H           what the client says in HELO\n"
	    "  --mail-from F      reverse-path; <> or nothing is the empty "
	    "one\n"
	    "  --rcpt R           recipient; may be given several times\n"
	    "  --direction in|out instead of what networks and listener say\n"
	    "  --resolver H:P     DNS server to ask\n"
	    "  --now TIME         the clock: seconds since 1970, or "
	    "2026-11-22T03:20:00Z\n"
	    "  --config DIR       folder with gatehouse.conf and NAME.conf\n"
	    "  --json             one JSON object\n"
	    "  --output FILE      write the message as the milters leave it\n"
	    "  --expect VERDICT   exit status 1 when it is another one\n"
	    "\n"
	    "Verdicts: accept, reject, tempfail, discard, quarantine.");
	return EX_OK;
}

static int
add_milter(struct test *t, const char *name)
{
	for (const struct filter *const *f = all_filters; *f != NULL; f++) {
		if (strcmp((*f)->name, name) == 0 && t->nmilters < MILTERS) {
			t->milters[t->nmilters++] = name;
			return EX_OK;
		}
	}
	return verb_fails(EX_USAGE, "--milter %s: there is no such milter",
	    name);
}

static int
add_recipient(struct test *t, const char *address)
{
	if (t->nrecipients == RECIPIENTS)
		return verb_fails(EX_USAGE, "over %d recipients", RECIPIENTS);
	t->recipients[t->nrecipients++] =
	    verb_path(slice_of(address));
	return EX_OK;
}

static int
set_direction(struct test *t, const char *text)
{
	if (strcmp(text, "in") != 0 && strcmp(text, "out") != 0)
		return verb_fails(EX_USAGE, "--direction %s: in or out", text);
	t->has_direction = true;
	t->direction = text[0] == 'i' ? DIRECTION_IN : DIRECTION_OUT;
	return EX_OK;
}

static int
take_option(struct test *t, int c)
{
	switch (c) {
	case 'm': return add_milter(t, optarg);
	case 'i': t->client_ip = optarg; break;
	case 'n': t->client_name = optarg; break;
	case 'l': t->helo = optarg; break;
	case 'f': t->mail_from = optarg; break;
	case 'r': return add_recipient(t, optarg);
	case 'd': return set_direction(t, optarg);
	case 's': t->resolver = optarg; break;
	case 't': return verb_clock(optarg);
	case 'c': t->config = optarg; break;
	case 'j': t->json = true; break;
	case 'o': t->output = optarg; break;
	case 'e': t->expect = optarg; break;
	case 'h': t->help = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

static int
read_line(struct test *t, int argc, char **argv)
{
	enum action action;
	int c, status = EX_OK;

	t->recipients = arena_array(t->a, RECIPIENTS, sizeof *t->recipients);
	optind = 1;
	while (status == EX_OK && !t->help &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		status = take_option(t, c);
	if (status != EX_OK || t->help)
		return status;
	if (argc - optind != 1)
		return verb_fails(EX_USAGE, "test: one MESSAGE is wanted; "
		    "gatehouse test --help says more");
	if (t->expect != NULL && !action_parse(slice_of(t->expect), &action))
		return verb_fails(EX_USAGE, "--expect %s: accept, reject, "
		    "tempfail, discard or quarantine", t->expect);
	t->path = argv[optind];
	return EX_OK;
}

static void
adjust(struct settings *set, void *arg)
{
	const struct test *t = arg;

	if (t->resolver != NULL)
		set->house.resolver = t->resolver;
	/* One process plays them all: nothing is handed over. */
	set->house.tried = set->house.store_key[0] != '\0';
	set->house.seal_key = "";
	/* With a store it decides as with one, and writes no object. */
	set->store = set->house.store_key[0] != '\0';
	set->house.store_key = "";
	set->house.inbound.count = set->house.outbound.count = 0;
}

/* Those of the site's chains. What is wrong with the file is told later. */
static const struct filter *const *
chain_filters(const struct test *t, const char *house_file)
{
	const struct filter **picked = arena_array(t->a, MILTERS + 1,
	    sizeof *picked);
	struct house_conf house = { 0 };
	const struct conf_section sections[] = { { house_options, &house },
	    { NULL, NULL } };
	struct slice why;
	size_t n = 0;

	conf_load(t->a, house_file, sections, &why);
	for (const struct filter *const *f = all_filters; *f != NULL; f++)
		if (conf_list_has(&house.inbound, slice_of((*f)->name)) ||
		    conf_list_has(&house.outbound, slice_of((*f)->name)))
			picked[n++] = *f;
	return n > 0 ? picked : all_filters;
}

/* Those that were named. */
static const struct filter *const *
pick_filters(const struct test *t, const char *house_file)
{
	const struct filter **picked = arena_array(t->a, MILTERS + 1,
	    sizeof *picked);
	size_t n = 0;

	if (t->nmilters == 0)
		return chain_filters(t, house_file);
	for (size_t i = 0; i < t->nmilters; i++)
		for (const struct filter *const *f = all_filters; *f != NULL;
		    f++)
			if (strcmp((*f)->name, t->milters[i]) == 0)
				picked[n++] = *f;
	return picked;
}

/*
 * A configuration that was not compiled, or is not the machine's, is tried with
 * what a compile would make of it; *map_r is that, in a folder of its own, or
 * NULL. What is wrong with the files is told by who loads them.
 */
static int
try_policy(struct test *t, const char **map_r)
{
	struct build *b = arena_alloc(t->a, sizeof *b);
	const char *tmp = getenv("TMPDIR"), *stale;
	struct slice why;
	char *dir;

	*map_r = NULL;
	if (build_read(b, t->config, t->a, &why) != RC_OK ||
	    b->house_file == NULL)
		return EX_OK;
	stale = build_stale(b);
	if (stale == NULL)
		return EX_OK;
	fprintf(stderr, "gatehouse: the policy map is not of these files (%s); "
	    "tested with what a compile would make\n", stale);
	dir = arena_str(t->a, arena_printf(t->a, "%s/gatehouse-test-XXXXXX",
	    tmp != NULL ? tmp : "/tmp"));
	if (mkdtemp(dir) == NULL)
		return verb_fails(EX_CANTCREAT, "%s: %s", dir,
		    strerror(errno));
	*map_r = arena_printf(t->a, "%s/map", dir).ptr;
	return build_map(b, *map_r);
}

/* It is open, or of no use. */
static void
drop_policy(struct test *t, const char *map)
{
	if (map == NULL)
		return;
	unlink(map);
	rmdir(arena_str(t->a, slice_sub(slice_of(map), 0,
	    slice_find_last(slice_of(map), '/'))));
}

static int
load(struct test *t, struct settings **set_r)
{
	struct settings_source source = {
		.conf_dir = verb_conf_dir(t->config), .name = "test",
		.optional = true,
		.adjust = adjust, .arg = t,
	};
	int status = try_policy(t, &source.map);
	struct slice why;
	enum rc rc;

	if (status != EX_OK) {
		drop_policy(t, source.map);
		return status;
	}
	source.house_file = verb_house_file(source.conf_dir, t->a);
	source.filters = pick_filters(t, source.house_file);
	rc = settings_load(&source, NULL, set_r, t->a, &why);
	drop_policy(t, source.map);
	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "%.*s", SLICE_ARG(why));
	return EX_OK;
}

static int
describe_client(const struct test *t, struct offline_input *in)
{
	in->client.name = slice_of(t->client_name != NULL ? t->client_name :
	    "unknown");
	in->client.helo = slice_of(t->helo != NULL ? t->helo : "");
	in->client.daemon_name = in->client.user = in->client.tls = SLICE("");
	in->sender = verb_path(slice_of(t->mail_from != NULL ?
	    t->mail_from : ""));
	in->recipients = t->recipients;
	in->nrecipients = t->nrecipients;
	in->queue_id = SLICE("");
	if (t->client_ip != NULL &&
	    !ip_parse(slice_of(t->client_ip), &in->client.ip))
		return verb_fails(EX_USAGE, "--client-ip %s: no address",
		    t->client_ip);
	return EX_OK;
}

static const char *
verdict_of(const struct offline_result *r)
{
	switch (r->answer) {
	case ANSWER_CONTINUE:
		return r->held ? "quarantine" : "accept";
	case ANSWER_REJECT:
		return "reject";
	case ANSWER_DISCARD:
		return "discard";
	case ANSWER_HELD:
		return "quarantine";
	case ANSWER_TEMPFAIL:
		break;
	}
	return "tempfail";
}

static void
print_json(struct buf *out, const struct offline_result *r,
    const struct told_list *told)
{
	bool applied = r->answer == ANSWER_CONTINUE;
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put(&w, "verdict", slice_of(verdict_of(r)));
	json_put(&w, "direction", told->direction == DIRECTION_OUT ?
	    SLICE("out") : SLICE("in"));
	if (r->code[0] != '\0') {
		json_key(&w, "reply");
		json_begin_object(&w);
		json_put(&w, "code", slice_of(r->code));
		json_put(&w, "enhanced", r->enhanced);
		json_put(&w, "text", r->text);
		json_end(&w);
	}
	json_key(&w, "milters");
	json_begin_array(&w);
	for (const struct told *t = told->first; t != NULL; t = t->next)
		told_json(&w, t, applied);
	json_end(&w);
	json_key(&w, "envelope");
	json_begin_object(&w);
	json_put(&w, "sender", r->sender);
	json_key(&w, "recipients");
	json_begin_array(&w);
	for (size_t i = 0; i < r->nrecipients; i++)
		json_text(&w, r->recipients[i]);
	json_end(&w);
	json_end(&w);
	json_put_int(&w, "size", (int64_t)r->message.len);
	json_end(&w);
	buf_addc(out, '\n');
}

static void
print_text(struct buf *out, struct arena *a, const struct offline_result *r,
    const struct told_list *told)
{
	for (const struct told *t = told->first; t != NULL; t = t->next)
		told_text(out, a, t, r->answer == ANSWER_CONTINUE);
	buf_addf(out, "%s", verdict_of(r));
	if (r->code[0] != '\0')
		buf_addf(out, ": %s %.*s %.*s", r->code,
		    SLICE_ARG(r->enhanced), SLICE_ARG(r->text));
	buf_addc(out, '\n');
}

static int
write_output(const char *path, struct slice bytes)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	bool good = f != NULL &&
	    fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len;

	if (f != NULL && f != stdout)
		good = fclose(f) == 0 && good;
	return good ? EX_OK : verb_fails(EX_IOERR, "%s: %s", path,
	    strerror(errno));
}

static int
print(struct test *t, const struct offline_result *r,
    const struct told_list *told)
{
	struct buf out = buf_in(t->a);
	int status = EX_OK;

	if (t->json)
		print_json(&out, r, told);
	else
		print_text(&out, t->a, r, told);
	if (t->output != NULL)
		status = write_output(t->output, r->message);
	if (status == EX_OK)
		status = verb_print(&out);
	if (status == EX_OK && t->expect != NULL &&
	    strcmp(t->expect, verdict_of(r)) != 0)
		status = EXIT_UNEXPECTED;
	return status;
}

static int
play(struct test *t, struct settings *set, const struct offline_input *in)
{
	struct told_list told = { .a = t->a, .last = &told.first };
	struct offline_result result;
	struct host host = { .witness = told_take, .witness_arg = &told,
	    .dry = true };
	const char *tmp = getenv("TMPDIR");

	if (t->has_direction)
		host.direction = &t->direction;
	host_init(&host, set);
	host.budget.spool = tmp != NULL ? tmp : "/tmp";
	offline_run(&host, in, t->a, &result);
	host_end(&host);
	return print(t, &result, &told);
}

int
verb_test(int argc, char **argv, struct arena *a)
{
	struct test t = { .a = a };
	struct offline_input in = { .sender = SLICE_NONE };
	struct settings *set;
	int status = read_line(&t, argc, argv);

	if (status != EX_OK)
		return status;
	if (t.help)
		return help();
	log_open("gatehouse", "-");
	status = describe_client(&t, &in);
	if (status == EX_OK)
		status = verb_read(t.path, a, &in.message);
	if (status == EX_OK)
		status = load(&t, &set);
	return status == EX_OK ? play(&t, set, &in) : status;
}
