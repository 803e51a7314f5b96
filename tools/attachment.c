/*
 * gatehouse attachment identify: what a file is, and what is in it, with the
 * code of attachment-dlp and its limits as shipped.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "milters/attachment-dlp/items.h"
#include "text/json.h"
#include "tools/verb.h"

enum { SECONDS = 60, WORKERS = 1 };

struct identify_verb {
	struct arena *a;
	struct slice name, mime;	/* SLICE_NONE: as the file is called */
	bool json, help;
	struct cell *unpack;
	struct buf out;
};

static const struct option longs[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "type", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse attachment identify [OPTION]... FILE...\n"
	    "\n"
	    "Says of each FILE what it is by its name, its declared type and "
	    "its bytes, and of\n"
	    "each member of an archive as well.\n"
	    "\n"
	    "  --name NAME   what the attachment is called; else as the file "
	    "is\n"
	    "  --type T/S    its declared MIME type; else none\n"
	    "  --json        one JSON object for each file");
	return EX_OK;
}

static int
read_line(struct identify_verb *v, int argc, char **argv)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 'n': v->name = slice_of(optarg); break;
		case 't': v->mime = slice_of(optarg); break;
		case 'j': v->json = true; break;
		case 'h': v->help = true; return EX_OK;
		default: return EX_USAGE;
		}
	if (argc - optind < 2 || strcmp(argv[optind], "identify") != 0)
		return verb_fails(EX_USAGE, "attachment: identify and a FILE "
		    "are wanted; gatehouse attachment --help says more");
	optind++;
	return EX_OK;
}

/* ---- telling ---- */

static void
tell_text(struct identify_verb *v, const struct item *i)
{
	const struct identity *id = &i->identity;

	buf_addf(&v->out, "%.*s: %s, %zu bytes, class %.*s\n",
	    SLICE_ARG(verb_safe(v->a, i->path)), id->is->name, i->bytes.len,
	    SLICE_ARG(id->classes != 0 ? identify_classes(v->a, id->classes) :
	    SLICE("none")));
	if (id->why.len > 0)
		buf_addf(&v->out, "    disagreement: %.*s\n",
		    SLICE_ARG(verb_safe(v->a, id->why)));
	if (id->magic.len > 0)
		buf_addf(&v->out, "    libmagic says %.*s%s\n",
		    SLICE_ARG(id->magic), id->magic_mime.len > 0 ?
		    ", which counts" : "");
	if (id->tricks != 0)
		buf_addf(&v->out, "    name: %.*s\n",
		    SLICE_ARG(identify_tricks(v->a, id->tricks)));
	if (i->why != UNPACK_WHOLE)
		buf_addf(&v->out, "    not all of it was seen: %s\n",
		    unpack_why_name(i->why));
}

static void
put_list(struct json *w, const char *key, struct slice list)
{
	json_key(w, key);
	json_begin_array(w);
	while (list.len > 0)
		json_text(w, slice_cut(list, ',', &list));
	json_end(w);
}

static void
tell_item(struct identify_verb *v, struct json *w, const struct item *i)
{
	const struct identity *id = &i->identity;

	json_begin_object(w);
	json_put(w, "path", i->path);
	json_put_int(w, "bytes", (int64_t)i->bytes.len);
	json_put(w, "type", slice_of(id->is->name));
	json_put(w, "ext", id->nnames > 0 ? id->names[0].ext : SLICE(""));
	json_put(w, "named", slice_of(id->named != NULL ? id->named->name :
	    ""));
	json_put(w, "declared", slice_of(id->declared != NULL ?
	    id->declared->name : ""));
	put_list(w, "classes", identify_classes(v->a, id->classes));
	put_list(w, "name_tricks", identify_tricks(v->a, id->tricks));
	json_put(w, "libmagic", id->magic);
	json_put_bool(w, "libmagic_counts", id->magic_mime.len > 0);
	json_put(w, "disagreement", id->why);
	json_put(w, "missing", slice_of(i->why != UNPACK_WHOLE ?
	    unpack_why_name(i->why) : ""));
	json_put_bool(w, "member", i->container != NULL);
	json_end(w);
}

static void
tell(struct identify_verb *v, const struct items *items, const char *path)
{
	struct json w;

	if (!v->json) {
		for (const struct item *i = items->first; i != NULL;
		    i = i->next)
			tell_text(v, i);
		return;
	}
	json_init(&w, &v->out);
	json_begin_object(&w);
	json_put(&w, "file", slice_of(path));
	json_key(&w, "items");
	json_begin_array(&w);
	for (const struct item *i = items->first; i != NULL; i = i->next)
		tell_item(v, &w, i);
	json_end(&w);
	json_end(&w);
	buf_addc(&v->out, '\n');
}

/* ---- asking ---- */

static int
identify(struct identify_verb *v, const char *path)
{
	struct conf_list none = { NULL, 0 };
	const struct items_conf conf = { v->unpack, unpack_default_limits,
	    &none, true };
	struct slice bytes, base = slice_of(path);
	struct items items;
	int status = verb_read(path, v->a, &bytes);

	if (status != EX_OK)
		return status;
	if (slice_has(base, '/'))
		base = slice_after(base, slice_find_last(base, '/') + 1);
	items_of_file(v->a, v->name.ptr != NULL ? v->name : base, v->mime,
	    bytes, &conf, deadline_in(SECONDS * 1000), &items);
	tell(v, &items, path);
	return items.late ? verb_fails(EX_TEMPFAIL, "%s: what is in it is not "
	    "known: the cell gatehouse-cell-unpack gives no answer", path) :
	    EX_OK;
}

static int
open_cell(struct identify_verb *v)
{
	const char *argv[] = { cell_program(v->a, "unpack"), NULL };
	const struct cell_conf cell = { .name = "unpack", .argv = argv,
	    .workers = WORKERS, .answer_max = 64 << 20,
	    .pieces_max = CELL_PIECES };
	struct slice why = SLICE("");

	if (cell_open(&cell, &v->unpack, v->a, &why) == RC_OK)
		return EX_OK;
	return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
}

int
verb_attachment(int argc, char **argv, struct arena *a)
{
	struct identify_verb v = { .a = a, .mime = SLICE(""),
	    .out = buf_in(a) };
	int status = read_line(&v, argc, argv), printed;

	if (status != EX_OK)
		return status;
	if (v.help)
		return help();
	status = open_cell(&v);
	for (int i = optind; status == EX_OK && i < argc; i++)
		status = identify(&v, argv[i]);
	cell_close(v.unpack);
	printed = verb_print(&v.out);
	return status != EX_OK ? status : printed;
}
