#include "note.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "notice/template.h"
#include "text/encoded.h"

static const struct template_names rows[] = {
	{ "name", NULL }, { "type", NULL }, { "size", NULL }, { "why", NULL },
	{ NULL, NULL }
};
static const struct template_names names[] = {
	{ "hostname", NULL }, { "queue_id", NULL }, { "from", NULL },
	{ "subject", NULL }, { "attachments", rows }, { NULL, NULL }
};

static const struct template_names large_names[] = {
	{ "hostname", NULL }, { "queue_id", NULL }, { "name", NULL },
	{ "type", NULL }, { "size", NULL }, { "link", NULL },
	{ "until", NULL }, { "downloads", NULL }, { NULL, NULL }
};

static const char large_text[] =
    "This attachment is too large to be delivered by mail:\n"
    "\n"
    "    {{name}} ({{size}} bytes)\n"
    "\n"
    "You can have it until {{until}}, {{downloads}} times, at\n"
    "\n"
    "    {{link}}\n"
    "\n"
    "The mail system at {{hostname}} keeps it. The link is for the recipients\n"
    "of this message only. If you have a question, name this number:\n"
    "{{queue_id}}\n";

static const char removed_text[] =
    "The mail system at {{hostname}} has removed from this message:\n"
    "\n"
    "{{#attachments}}\n"
    "    {{name}} ({{type}}, {{size}} bytes)\n"
    "{{/attachments}}\n"
    "\n"
    "Attachments of this kind are not allowed. Your administrator can say\n"
    "more; name this number: {{queue_id}}\n";

static const struct {
	const char *name, *text;	/* for people; our own */
	const struct template_names *names;
} kinds[] = {
	[NOTE_REMOVED] = { "note", removed_text, names },
	[NOTE_LARGE] = { "large_note", large_text, large_names },
};

struct note {
	struct note *next;
	enum note_kind kind;
	const char *path;
	struct template *template;
};

struct notes {
	struct note *first;
};

struct loading {
	struct notes *notes;
	struct arena *a;
	struct slice *why_r;
};

static const struct note *
find(const struct notes *notes, enum note_kind kind, const char *path)
{
	for (const struct note *n = notes->first; n != NULL; n = n->next)
		if (n->kind == kind && strcmp(n->path, path) == 0)
			return n;
	return NULL;
}

static enum rc
read_file(const char *name, const char *path, struct arena *a,
    struct slice *text_r, struct slice *why_r)
{
	char *text = arena_alloc(a, TEMPLATE_FILE + 1);
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL) {
		*why_r = arena_printf(a, "%s %s: %s", name, path, strerror(errno));
		return RC_BAD;
	}
	n = fread(text, 1, TEMPLATE_FILE + 1, f);
	fclose(f);
	if (n > TEMPLATE_FILE) {
		*why_r = arena_printf(a, "%s %s: over %d bytes; a note is "
		    "a short text", name, path, TEMPLATE_FILE);
		return RC_BAD;
	}
	*text_r = slice_make(text, n);
	return RC_OK;
}

static enum rc
load(struct loading *l, enum note_kind kind, const char *path)
{
	struct slice text = SLICE_NONE;
	struct note *n;

	if (find(l->notes, kind, path) != NULL)
		return RC_OK;
	n = arena_alloc(l->a, sizeof *n);
	n->kind = kind;
	n->path = arena_str(l->a, slice_of(path));
	if (path[0] == '\0')
		text = slice_of(kinds[kind].text);
	else if (read_file(kinds[kind].name, path, l->a, &text, l->why_r) != RC_OK)
		return RC_BAD;
	if (template_parse(l->a, path[0] == '\0' ? kinds[kind].name : n->path,
	    1, text, TEMPLATE_TEXT, kinds[kind].names, NULL, &n->template, l->why_r) != RC_OK)
		return RC_BAD;
	n->next = l->notes->first;
	l->notes->first = n;
	return RC_OK;
}

enum rc
note_check(enum note_kind kind, const char *path, struct arena *a,
    struct slice *why_r)
{
	struct loading l = { arena_alloc(a, sizeof *l.notes), a, why_r };

	return load(&l, kind, path);
}

static enum rc
visit(struct slice where, const void *conf, void *arg)
{
	const struct attachment_conf *c = conf;

	(void)where;
	return load(arg, NOTE_REMOVED, c->note) == RC_OK ?
	    load(arg, NOTE_LARGE, c->large_note) : RC_BAD;
}

enum rc
notes_load(const struct attachment_conf *conf, const struct policy *policy,
    struct arena *a, struct notes **notes_r, struct slice *why_r)
{
	struct loading l = { arena_alloc(a, sizeof *l.notes), a, why_r };

	*notes_r = l.notes;
	if (visit(SLICE(""), conf, &l) != RC_OK)
		return RC_BAD;
	return policy_each(policy, "attachment-dlp", attachment_options,
	    conf->scopes, conf, sizeof *conf, visit, &l, why_r);
}

/* ---- writing ---- */

static struct slice
field(const struct job *job, const char *name)
{
	const struct field *f = message_field(job->msg, slice_of(name), 0);
	unsigned flags;

	return f == NULL ? SLICE("") : encoded_decode(job->arena,
	    field_value(job->arena, f), &flags);
}

static void
add_row(struct arena *a, struct template_data *list,
    const struct attachment_removal *r)
{
	struct template_row *row = template_row(a, list);

	template_put(a, &row->data, "name", r->item->path);
	template_put(a, &row->data, "type",
	    slice_of(r->item->identity.is->name));
	template_put(a, &row->data, "size", arena_printf(a, "%zu",
	    r->item->bytes.len));
	template_put(a, &row->data, "why", r->term);
}

enum rc
note_text(const struct notes *notes, enum note_kind kind, const char *path,
    const struct template_data *data, struct arena *a, struct slice *text_r,
    struct slice *why_r)
{
	const struct note *n = find(notes, kind, path);
	struct buf out = buf_in(a);

	if (n == NULL) {
		*why_r = SLICE("the template of a note was not loaded");
		return RC_RETRY;
	}
	if (template_render(n->template, data, &out) != RC_OK) {
		*why_r = SLICE("the note is too long");
		return RC_RETRY;
	}
	*text_r = buf_slice(&out);
	return RC_OK;
}

enum rc
note_write(const struct notes *notes, const char *path, const struct job *job,
    const struct attachment_removal *removals, struct slice *text_r,
    struct slice *why_r)
{
	struct template_data *data = NULL, *list;
	struct arena *a = job->arena;

	template_put(a, &data, "hostname", slice_of(job->house->hostname));
	template_put(a, &data, "queue_id", job->envelope->queue_id);
	template_put(a, &data, "from", field(job, "From"));
	template_put(a, &data, "subject", field(job, "Subject"));
	list = template_put(a, &data, "attachments", SLICE_NONE);
	for (const struct attachment_removal *r = removals; r != NULL;
	    r = r->next)
		add_row(a, list, r);
	return note_text(notes, NOTE_REMOVED, path, data, a, text_r, why_r);
}
