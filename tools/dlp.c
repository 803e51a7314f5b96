/*
 * gatehouse dlp: what the rules for data loss find in a file or message, with
 * the code of attachment-dlp; and documents into a set of fingerprints.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/write.h"
#include "milters/attachment-dlp/dlp_step.h"
#include "milters/attachment-dlp/options.h"
#include "milter/settings.h"
#include "text/json.h"
#include "tools/verb.h"

enum { WAIT_MS = 120000, FORCED_FILE = 1, FORCED_MESSAGE };

struct dlp_verb {
	struct arena *a;
	const char *config, *rules, *set, *name;
	char **files;
	int nfiles;
	int as;				/* FORCED_*; 0: look at it */
	enum direction direction;
	bool json, help;

	struct attachment_conf conf;
	struct cell *unpack;
	struct dlp_rules *loaded;
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "rules", required_argument, NULL, 'r' },
	{ "direction", required_argument, NULL, 'd' },
	{ "file", no_argument, NULL, 'f' },
	{ "message", no_argument, NULL, 'm' },
	{ "set", required_argument, NULL, 's' },
	{ "name", required_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse dlp test [OPTION]... FILE|MESSAGE\n"
	    "       gatehouse dlp check [--config DIR] [--rules FILE]\n"
	    "       gatehouse dlp learn --set SET [--name NAME] FILE...\n"
	    "\n"
	    "test shows what the rules for data loss find, with all values "
	    "masked, and what\n"
	    "attachment-dlp would do. Exit status 1: it would block or hold. "
	    "check reads the\n"
	    "rules as the daemon would, and says file, line, what is wrong and "
	    "what would be\n"
	    "right. learn puts fingerprints of documents into a set that rules "
	    "name.\n"
	    "\n"
	    "  --config DIR     folder with attachment-dlp.conf\n"
	    "  --rules FILE     these rules, not those that it names\n"
	    "  --direction D    out (default), internal or in\n"
	    "  --file           it is a file, whatever it looks like\n"
	    "  --message        it is a message\n"
	    "  --set SET        the file of fingerprints; made when it is not "
	    "there\n"
	    "  --name NAME      of the one document; else its file's name\n"
	    "  --json           one JSON object");
	return EX_OK;
}

/* ---- the command line ---- */

static int
set_direction(struct dlp_verb *v, const char *text)
{
	static const char *const names[] = { "in", "out", "internal", NULL };

	for (int i = 0; names[i] != NULL; i++)
		if (strcmp(text, names[i]) == 0) {
			v->direction = (enum direction)i;
			return EX_OK;
		}
	return verb_fails(EX_USAGE, "--direction %s: in, out or internal",
	    text);
}

static int
take_option(struct dlp_verb *v, int c)
{
	switch (c) {
	case 'c': v->config = optarg; break;
	case 'r': v->rules = optarg; break;
	case 'd': return set_direction(v, optarg);
	case 'f': v->as = FORCED_FILE; break;
	case 'm': v->as = FORCED_MESSAGE; break;
	case 's': v->set = optarg; break;
	case 'n': v->name = optarg; break;
	case 'j': v->json = true; break;
	case 'h': v->help = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

static int
read_line(struct dlp_verb *v, int argc, char **argv)
{
	int c, status = EX_OK;

	optind = 1;
	while (status == EX_OK && !v->help &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		status = take_option(v, c);
	v->files = argv + optind;
	v->nfiles = argc - optind;
	return status;
}

/* ---- what the daemon has ---- */

static int
load_conf(struct dlp_verb *v)
{
	struct milter_conf milter;
	struct conf_section own[] = { { milter_options, &milter },
	    { attachment_options, &v->conf }, { NULL, NULL } };
	const char *dir = verb_conf_dir(v->config), *file = NULL;
	struct slice why;

	if (dir != NULL)
		file = arena_printf(v->a, "%s/attachment-dlp.conf", dir).ptr;
	if (file != NULL && access(file, F_OK) != 0)
		file = NULL;
	if (conf_load(v->a, file, own, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	return EX_OK;
}

static int
load_rules(struct dlp_verb *v)
{
	struct slice why;
	const char *path = v->rules != NULL ? v->rules : v->conf.dlp_rules;
	enum rc rc = dlp_load(path, false, &v->loaded, v->a, &why);

	return rc == RC_OK ? EX_OK : verb_fails(EX_CONFIG, "%.*s",
	    SLICE_ARG(why));
}

static int
open_cell(struct dlp_verb *v)
{
	const char *argv[] = { cell_program(v->a, "unpack"), NULL };
	const struct cell_conf cell = { .name = "unpack", .argv = argv,
	    .workers = 1, .answer_max = 64 << 20, .pieces_max = CELL_PIECES };
	struct slice why;

	if (cell_open(&cell, &v->unpack, v->a, &why) != RC_OK)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	return EX_OK;
}

/* ---- a file, or a message ---- */

/* It begins with two fields at least, one of which mail has. */
static bool
is_message(struct slice bytes)
{
	static const char *const known[] = { "From", "To", "Subject", "Date",
	    "Received", "Return-Path", "MIME-Version", "Message-ID", NULL };
	struct slice rest = bytes, line;
	unsigned fields = 0, ours = 0;

	for (int i = 0; i < 30 && slice_line(&rest, &line) && line.len > 0;
	    i++) {
		size_t colon = slice_find(line, ':');

		if (ascii_blank(line.ptr[0]) && fields > 0)
			continue;
		if (colon == line.len || !ascii_all_of(slice_sub(line, 0,
		    colon), "-_"))
			return false;
		fields++;
		for (const char *const *k = known; *k != NULL; k++)
			ours += slice_eq_nocase(slice_sub(line, 0, colon),
			    slice_of(*k));
	}
	return fields >= 2 && ours >= 1;
}

/* A file is read as the attachment that it would be. */
static void
read_as(struct dlp_verb *v, const char *path, struct slice bytes,
    struct message *msg)
{
	char *name = arena_str(v->a, slice_of(path));
	struct slice head, body;

	if (v->as == FORCED_MESSAGE || (v->as == 0 && is_message(bytes))) {
		message_split(v->a, bytes, &head, &body);
	} else {
		struct buf plain = buf_in(v->a);

		for (char *c = basename(name); *c != '\0'; c++)
			buf_addc(&plain, *c == '"' || *c == '\\' ||
			    (unsigned char)*c < 0x20 ? '_' : *c);
		head = arena_printf(v->a, "MIME-Version: 1.0\n"
		    "Content-Type: application/octet-stream; name=\"%.*s\"\n"
		    "Content-Transfer-Encoding: binary\n",
		    SLICE_ARG(buf_slice(&plain)));
		body = bytes;
	}
	message_read(msg, v->a, head, body, NULL);
}

static int
read_texts(struct dlp_verb *v, const char *path, struct dlp_texts *texts_r)
{
	const struct items_conf how = { .unpack = v->unpack,
	    .limits = { v->conf.depth, v->conf.members, v->conf.member_bytes,
	    v->conf.bytes, v->conf.ratio }, .passwords = &v->conf.passwords };
	struct message *msg = arena_alloc(v->a, sizeof *msg);
	struct items *items = arena_alloc(v->a, sizeof *items);
	struct slice bytes;
	int status = verb_read(path, v->a, &bytes);

	if (status != EX_OK)
		return status;
	read_as(v, path, bytes, msg);
	items_of_message(msg, &how, deadline_in(WAIT_MS), items);
	if (items->late)
		return verb_fails(EX_TEMPFAIL, "%s: what is in it was not "
		    "known in time", path);
	dlp_texts_read(msg, items, texts_r);
	return EX_OK;
}

/* ---- test ---- */

static void
json_result(struct json *w, const struct dlp_result *r)
{
	json_begin_object(w);
	json_put(w, "name", r->rule->name);
	json_put(w, "set", r->rule->set);
	json_put(w, "mode", r->rule->enforce ? SLICE("enforce") :
	    SLICE("audit"));
	json_put(w, "action", slice_of(dlp_action_name(r->rule->action)));
	json_put_bool(w, "matched", r->matched);
	json_put_bool(w, "undecided", r->undecided);
	json_put_int(w, "values", r->values);
	json_put_int(w, "at_least", r->rule->at_least);
	json_key(w, "hits");
	json_begin_array(w);
	for (const struct dlp_hit *h = r->hits; h != NULL; h = h->next) {
		json_begin_object(w);
		json_put(w, "kind", slice_of(h->name));
		json_put(w, "value", h->masked);
		json_put(w, "where", h->where);
		json_end(w);
	}
	json_end(w);
	json_end(w);
}

static void
print_json(const struct dlp_answers *seen, const char *what,
    const struct dlp_decided *d, struct buf *out)
{
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put(&w, "action", slice_of(what));
	json_put_bool(&w, "tag", d->tag);
	json_put_bool(&w, "encrypt", d->encrypt);
	json_put_bool(&w, "notify", d->notify);
	json_key(&w, "rules");
	json_begin_array(&w);
	for (unsigned i = 0; i < seen->found.n; i++)
		json_result(&w, &seen->found.of[i]);
	json_end(&w);
	json_key(&w, "not_read");
	json_begin_array(&w);
	for (const struct dlp_unread *u = seen->texts.unread; u != NULL;
	    u = u->next) {
		json_begin_object(&w);
		json_put(&w, "path", u->path);
		json_put(&w, "why", slice_of(u->why));
		json_end(&w);
	}
	json_end(&w);
	json_put_int(&w, "texts", seen->texts.count);
	json_put_int(&w, "bytes", (int64_t)seen->texts.bytes);
	json_end(&w);
	buf_addc(out, '\n');
}

static void
print_text(const struct dlp_verb *v, const struct dlp_answers *seen,
    const char *what, struct buf *out)
{
	for (unsigned i = 0; i < seen->found.n; i++) {
		const struct dlp_result *r = &seen->found.of[i];

		buf_addf(out, "%-8s %s %.*s: %u of %u values\n", r->matched ?
		    "match" : r->undecided ? "unknown" : "no", r->rule->enforce
		    ? "enforce" : "audit", SLICE_ARG(r->rule->name), r->values,
		    r->rule->at_least);
		for (const struct dlp_hit *h = r->hits; h != NULL;
		    h = h->next)
			buf_addf(out, "         %s %.*s in %.*s\n", h->name,
			    SLICE_ARG(verb_safe(v->a, h->masked)),
			    SLICE_ARG(verb_safe(v->a, h->where)));
	}
	for (const struct dlp_unread *u = seen->texts.unread; u != NULL;
	    u = u->next)
		buf_addf(out, "not read %.*s: %s\n",
		    SLICE_ARG(verb_safe(v->a, u->path)), u->why);
	buf_addf(out, "action: %s\n", what);
}

static int
test(struct dlp_verb *v)
{
	struct dlp_answers seen;
	struct dlp_decided d;
	struct buf out = buf_in(v->a);
	int status;

	if (v->nfiles != 1)
		return verb_fails(EX_USAGE, "dlp test: one FILE or MESSAGE is "
		    "wanted; gatehouse dlp --help says more");
	if ((status = load_rules(v)) != EX_OK ||
	    (status = open_cell(v)) != EX_OK ||
	    (status = read_texts(v, v->files[0], &seen.texts)) != EX_OK)
		return status;
	dlp_look(v->loaded, &seen.texts, v->a, deadline_in(WAIT_MS),
	    &seen.found);
	if (seen.found.late)
		return verb_fails(EX_TEMPFAIL, "%s: the rules did not end in "
		    "time", v->files[0]);
	d = dlp_decide(&seen, &v->conf, v->direction);
	if (v->json)
		print_json(&seen, dlp_action_name(d.action), &d, &out);
	else
		print_text(v, &seen, dlp_action_name(d.action), &out);
	status = verb_print(&out);
	return status == EX_OK && d.action != DLP_NOTHING ? EXIT_UNEXPECTED :
	    status;
}

static int
check(struct dlp_verb *v)
{
	struct buf out = buf_in(v->a);
	unsigned enforce = 0;
	int status = load_rules(v);

	if (status != EX_OK)
		return status;
	for (unsigned i = 0; i < v->loaded->n; i++)
		enforce += v->loaded->all[i].enforce;
	buf_addf(&out, "%u rules are right: %u enforce, %u audit\n",
	    v->loaded->n, enforce, v->loaded->n - enforce);
	return verb_print(&out);
}

/* ---- learn ---- */

static int
write_file(const char *path, struct slice bytes, struct arena *a)
{
	const char *temp = arena_printf(a, "%s.new", path).ptr;
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int dir;
	bool good;

	if (fd < 0)
		return verb_fails(EX_CANTCREAT, "%s: %s", temp,
		    strerror(errno));
	good = write_all(fd, bytes) && fsync(fd) == 0;
	if (close(fd) != 0 || !good || rename(temp, path) != 0) {
		int status = verb_fails(EX_IOERR, "%s: %s", path,
		    strerror(errno));

		unlink(temp);
		return status;
	}
	dir = open(dirname(arena_str(a, slice_of(path))),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = dir >= 0 && fsync(dir) == 0;
	if (dir >= 0)
		close(dir);
	return good ? EX_OK : verb_fails(EX_IOERR, "%s: %s", path,
	    strerror(errno));
}

static struct slice
joined(struct dlp_verb *v, const struct dlp_texts *texts)
{
	struct buf out = buf_in(v->a);

	for (const struct dlp_text *t = texts->first; t != NULL; t = t->next) {
		buf_add(&out, t->text);
		buf_addc(&out, '\n');
	}
	return buf_slice(&out);
}

static int
learn_one(struct dlp_verb *v, const char *path)
{
	const struct prints *old = NULL;
	struct dlp_texts texts;
	struct buf set = buf_in(v->a), said = buf_in(v->a);
	struct slice why, name = slice_of(v->name != NULL ? v->name :
	    basename(arena_str(v->a, slice_of(path))));
	int status = read_texts(v, path, &texts);

	if (status != EX_OK)
		return status;
	if (texts.unread != NULL)
		return verb_fails(EX_DATAERR, "%s: %.*s cannot be read (%s), "
		    "so it would not be known again", path,
		    SLICE_ARG(verb_safe(v->a, texts.unread->path)),
		    texts.unread->why);
	if (access(v->set, F_OK) == 0 &&
	    prints_open(v->set, &old, v->a, &why) != RC_OK)
		return verb_fails(EX_DATAERR, "%.*s", SLICE_ARG(why));
	if (!prints_add(old, name, joined(v, &texts), &set, v->a, &why))
		return verb_fails(EX_DATAERR, "%s: %.*s", path,
		    SLICE_ARG(why));
	status = write_file(v->set, buf_slice(&set), v->a);
	if (status != EX_OK)
		return status;
	buf_addf(&said, "%.*s is in %s\n", SLICE_ARG(verb_safe(v->a, name)),
	    v->set);
	return verb_print(&said);
}

static int
learn(struct dlp_verb *v)
{
	int status;

	if (v->set == NULL || v->nfiles < 1 || (v->name != NULL &&
	    v->nfiles != 1))
		return verb_fails(EX_USAGE, "dlp learn: --set SET and FILE... "
		    "are wanted, and --name is for one FILE; gatehouse dlp "
		    "--help says more");
	status = open_cell(v);
	for (int i = 0; i < v->nfiles && status == EX_OK; i++)
		status = learn_one(v, v->files[i]);
	return status;
}

int
verb_dlp(int argc, char **argv, struct arena *a)
{
	static const struct { const char *name; int (*run)(struct dlp_verb *);
	} verbs[] = { { "test", test }, { "check", check },
	    { "learn", learn } };
	struct dlp_verb v = { .a = a, .direction = DIRECTION_OUT };
	int status;

	if (argc < 2 || strcmp(argv[1], "--help") == 0)
		return argc < 2 ? verb_fails(EX_USAGE, "dlp: test, check or "
		    "learn; gatehouse dlp --help says more") : help();
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		status = read_line(&v, argc - 1, argv + 1);
		if (status != EX_OK || v.help)
			return v.help ? help() : status;
		status = load_conf(&v);
		if (status == EX_OK)
			status = verbs[i].run(&v);
		cell_close(v.unpack);
		dlp_free(v.loaded);
		return status;
	}
	return verb_fails(EX_USAGE, "dlp %s: there are test, check and learn",
	    argv[1]);
}
