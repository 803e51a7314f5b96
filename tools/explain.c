/*
 * gatehouse explain: what the journals know of one message.
 *
 * The journals of all milters lie below state_directory, a folder each; a
 * message is named by Postfix's queue id, by its identity, or by Message-ID.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "journal/event.h"
#include "journal/journal.h"
#include "text/json.h"
#include "tools/explain-track.h"
#include "tools/policy.h"
#include "tools/tracked.h"

enum { FOLDERS = 100, EVENTS = 10000 };

struct explain {
	struct arena *a;
	const char *name;		/* what is looked for */
	const char *config, *state;
	bool json;
	json_t *events[EVENTS];
	size_t nevents;
	bool more;			/* than EVENTS */
	size_t torn;
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse explain [OPTION]... NAME\n"
	    "       gatehouse explain [OPTION]... ADDRESS FILE.OPTION\n"
	    "\n"
	    "Says what each milter decided about a message, and why, and what "
	    "became of it.\n"
	    "NAME is a queue id of Postfix, the id= of a log line, a "
	    "Message-ID, or the id\n"
	    "of an object in quarantine; or the address of a client, for what "
	    "was done to it\n"
	    "before it sent a message. Without gatehouse-track, or when it "
	    "does not know\n"
	    "the message, journals of the milters alone are read. Exit status "
	    "1: nobody\n"
	    "knows it. With an option: what is set for an address and who set "
	    "it, as\n"
	    "gatehouse policy explain says.\n"
	    "\n"
	    "  --config DIR   folder with gatehouse.conf\n"
	    "  --state DIR    folder of the journals, instead of "
	    "state_directory\n"
	    "  --json         one JSON array: of messages, or (journals "
	    "alone) of events");
	return EX_OK;
}

/* As a C string: what is printed ends at a NUL. */
static const char *
text_of(const json_t *event, const char *key)
{
	struct slice text = event_text(event, key);

	return text.len > 0 ? text.ptr : "";
}

static bool
visit(struct slice line, void *arg)
{
	struct explain *e = arg;
	json_t *event;

	/* Most lines are of other messages: no need to read them. */
	if (slice_search(line, slice_of(e->name)) == line.len)
		return true;
	event = event_read(line);
	if (event == NULL || !event_named(event, slice_of(e->name))) {
		json_decref(event);
		return true;
	}
	if (e->nevents == EVENTS) {
		json_decref(event);
		e->more = true;
		return false;
	}
	e->events[e->nevents++] = event;
	return true;
}

static int
by_time(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strcmp(text_of(*x, "@timestamp"), text_of(*y, "@timestamp"));
}

static int
read_journals(struct explain *e)
{
	struct dirent **entries;
	int n = scandir(e->state, &entries, NULL, alphasort);
	int status = EX_OK;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", e->state,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *dir = arena_printf(e->a, "%s/%s", e->state,
		    entries[i]->d_name).ptr;
		struct slice why = SLICE("");
		size_t torn = 0;

		if (entries[i]->d_name[0] != '.' && i < FOLDERS &&
		    journal_each(dir, "journal", e->a, visit, e, &torn,
		    &why) != RC_OK)
			status = verb_fails(EX_NOINPUT, "%.*s",
			    SLICE_ARG(why));
		e->torn += torn;
		free(entries[i]);
	}
	free(entries);
	qsort(e->events, e->nevents, sizeof e->events[0], by_time);
	return status;
}

static void
add_line(struct buf *out, struct arena *a, const char *label,
    const char *value)
{
	if (value[0] == '\0')
		return;
	buf_addf(out, "  %-10s ", label);
	buf_add(out, verb_safe(a, slice_of(value)));
	buf_addc(out, '\n');
}

/* The milter's own facts: what stands below no common name. */
static void
add_facts(struct buf *out, struct arena *a, json_t *event)
{
	static const char *const common[] = { "gatehouse.id",
	    "gatehouse.queue_id", "gatehouse.helo", "gatehouse.size",
	    "gatehouse.verdict", "gatehouse.rule", "gatehouse.reason",
	    "gatehouse.coverage", "gatehouse.scope", "gatehouse.recipients" };
	const char *key;
	json_t *value;

	json_object_foreach(event, key, value) {
		bool known = strncmp(key, "gatehouse.", 10) != 0 ||
		    !json_is_string(value);

		for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
			known = known || strcmp(key, common[i]) == 0;
		if (!known && json_string_value(value)[0] != '\0')
			add_line(out, a, "fact", arena_printf(a, "%s = %s",
			    key + 10, json_string_value(value)).ptr);
	}
}

static void
add_recipients(struct buf *out, struct arena *a, const json_t *event)
{
	const json_t *list = json_object_get(event, "gatehouse.recipients");
	const json_t *to = json_object_get(event, "email.to.address");
	const json_t *item;
	size_t i;

	json_array_foreach(to, i, item)
		add_line(out, a, "to", json_string_value(item));
	json_array_foreach(list, i, item)
		add_line(out, a, "for", arena_printf(a, "%s: %s (%s): %s%s%s",
		    text_of(item, "address"), text_of(item, "verdict"),
		    text_of(item, "rule"), text_of(item, "reason"),
		    text_of(item, "scope")[0] != '\0' ? "; set by " : "",
		    text_of(item, "scope")).ptr);
}

static void
add_event(struct buf *out, struct arena *a, json_t *event)
{
	buf_addf(out, "%s %s: %s (%s)\n", text_of(event, "@timestamp"),
	    text_of(event, "event.module"), text_of(event,
	    "gatehouse.verdict"), text_of(event, "gatehouse.rule"));
	add_line(out, a, "reason", text_of(event, "gatehouse.reason"));
	add_line(out, a, "set by", text_of(event, "gatehouse.scope"));
	add_line(out, a, "coverage", text_of(event, "gatehouse.coverage"));
	add_line(out, a, "client", arena_printf(a, "%s[%s] helo=%s",
	    text_of(event, "source.domain"), text_of(event, "source.ip"),
	    text_of(event, "gatehouse.helo")).ptr);
	if (json_object_get(event, "email.sender.address") != NULL)
		add_line(out, a, "from", arena_printf(a, "<%s>",
		    text_of(event, "email.sender.address")).ptr);
	add_recipients(out, a, event);
	add_line(out, a, "message-id", text_of(event, "email.message_id"));
	add_line(out, a, "queue id", text_of(event, "gatehouse.queue_id"));
	add_line(out, a, "id", text_of(event, "gatehouse.id"));
	add_facts(out, a, event);
}

static int
print(struct explain *e)
{
	struct buf out = buf_in(e->a);

	if (e->json)
		buf_adds(&out, "[");
	for (size_t i = 0; i < e->nevents; i++) {
		if (e->json) {
			char *text = json_dumps(e->events[i], JSON_INDENT(2));

			buf_adds(&out, i > 0 ? ",\n" : "\n");
			buf_adds(&out, text != NULL ? text : "null");
			free(text);
		} else {
			add_event(&out, e->a, e->events[i]);
		}
		json_decref(e->events[i]);
	}
	if (e->json)
		buf_adds(&out, e->nevents > 0 ? "\n]\n" : "]\n");
	return verb_print(&out);
}

/* What gatehouse-track knows is all of it; *found_r: it knows something. */
static int
from_tracking(struct explain *e, bool *found_r)
{
	struct db *db;
	bool absent;
	int status;

	*found_r = false;
	if (tracked_open(e->state, &db, &absent, e->a) != EX_OK || absent)
		return EX_OK;
	status = explain_tracked(db, slice_of(e->name), e->json, found_r,
	    e->a);
	db_close(db);
	return status;
}

static int
explain(struct explain *e)
{
	bool found = false;
	int status = tracked_state(e->config, e->state, &e->state, e->a);

	if (status == EX_OK)
		status = from_tracking(e, &found);
	if (found || status != EX_OK)
		return status;
	status = read_journals(e);
	if (e->torn > 0)
		fprintf(stderr, "gatehouse: %zu torn lines passed over\n",
		    e->torn);
	if (e->more)
		fprintf(stderr, "gatehouse: only the first %d events\n",
		    EVENTS);
	if (status != EX_OK)
		return status;
	if (e->nevents == 0 && !e->json)
		return verb_fails(EXIT_UNEXPECTED, "no journal below %s knows "
		    "\"%s\"", e->state, e->name);
	status = print(e);
	return status != EX_OK ? status : e->nevents > 0 ? EX_OK :
	    EXIT_UNEXPECTED;
}

/* Not what was done to a message, but what would be. */
static int
explain_option(struct explain *e, char **words)
{
	struct policy_args args = { .json = e->json,
	    .words = { words[0], words[1] }, .nwords = 2 };
	struct build *b = arena_alloc(e->a, sizeof *b);
	int status = build_load(b, e->config, e->a);

	return status == EX_OK ? policy_explain(b, &args) : status;
}

int
verb_explain(int argc, char **argv, struct arena *a)
{
	struct explain *e = arena_alloc(a, sizeof *e);
	int o;

	e->a = a;
	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': e->config = optarg; break;
		case 's': e->state = optarg; break;
		case 'j': e->json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	if (argc - optind == 2)
		return explain_option(e, argv + optind);
	if (argc - optind != 1 || argv[optind][0] == '\0')
		return verb_fails(EX_USAGE, "explain: one NAME is wanted; "
		    "gatehouse explain --help says more");
	/* A Message-ID is asked for with its brackets or without. */
	e->name = arena_str(a, slice_of(argv[optind]));
	if (e->name[0] == '<' && slice_ends(slice_of(e->name), SLICE(">")))
		e->name = arena_str(a, slice_sub(slice_of(e->name), 1,
		    strlen(e->name) - 2));
	return explain(e);
}
