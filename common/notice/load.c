#include "notice/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"

#define CAUSE_NAMES \
	{ "virus", NULL }, { "spam", NULL }, { "phishing", NULL }, \
	{ "graymail", NULL }, { "fraud", NULL }, { "attachment", NULL }, \
	{ "dlp", NULL }, { "policy", NULL }, { "spam_ndr", NULL }, \
	{ "poison", NULL }, { "unscannable", NULL }, \
	{ "deferred", NULL }, { "sandbox", NULL }, { "account", NULL }, \
	{ "other", NULL }

#define MESSAGE_NAMES \
	{ "from", NULL }, { "sender", NULL }, { "subject", NULL }, \
	{ "date", NULL }, { "size", NULL }, { "reason", NULL }, \
	{ "rule", NULL }, { "object", NULL }, { "queue_id", NULL }, \
	{ "message_id", NULL }, { "held", NULL }, { "deleted", NULL }

#define COMMON_NAMES \
	{ "hostname", NULL }, { "recipient", NULL }, { "now", NULL }, \
	{ "timezone", NULL }, { "portal", NULL }

static const struct template_names digest_rows[] = {
	MESSAGE_NAMES, { "recipient", NULL }, { "link", NULL },
	{ "expires", NULL }, { NULL, NULL }
};
static const struct template_names digest_groups[] = {
	CAUSE_NAMES, { "count", NULL }, { "rows", digest_rows },
	{ NULL, NULL }
};
static const struct template_names digest_names[] = {
	COMMON_NAMES, { "count", NULL }, { "groups", digest_groups },
	{ "several", NULL }, { "links", NULL }, { "more", NULL },
	{ "request", NULL }, { NULL, NULL }
};
static const struct template_names recipient_rows[] = {
	{ "address", NULL }, { NULL, NULL }
};
static const struct template_names notice_names[] = {
	COMMON_NAMES, CAUSE_NAMES, MESSAGE_NAMES, { "attached", NULL },
	{ "recipients", recipient_rows }, { NULL, NULL }
};
static const struct template_names summary_rows[] = {
	CAUSE_NAMES, { "count", NULL }, { NULL, NULL }
};
static const struct template_names summary_names[] = {
	COMMON_NAMES, { "count", NULL }, { "since", NULL },
	{ "causes", summary_rows }, { NULL, NULL }
};

#define CLASS_NAMES \
	{ "spam", NULL }, { "phishing", NULL }, { "fraud", NULL }, \
	{ "graymail", NULL }

static const struct template_names class_rows[] = {
	CLASS_NAMES, { "percent", NULL }, { NULL, NULL }
};
static const struct template_names reason_rows[] = {
	{ "weight", NULL }, { "words", NULL }, { NULL, NULL }
};
static const struct template_names spamcheck_names[] = {
	COMMON_NAMES, CLASS_NAMES, { "none", NULL }, { "percent", NULL },
	{ "classes", class_rows }, { "reasons", reason_rows },
	{ "missed", NULL }, { "subject", NULL }, { "message_id", NULL },
	{ NULL, NULL }
};

static const struct {
	const char *name;
	const struct template_names *names;
} templates[NOTICE_TEMPLATES] = {
	[TEMPLATE_DIGEST] = { "digest", digest_names },
	[TEMPLATE_RECIPIENT] = { "recipient", notice_names },
	[TEMPLATE_ADMIN] = { "admin", notice_names },
	[TEMPLATE_OFFICER] = { "officer", notice_names },
	[TEMPLATE_SENDER] = { "sender", notice_names },
	[TEMPLATE_SUMMARY] = { "summary", summary_names },
	[TEMPLATE_SPAMCHECK] = { "spamcheck", spamcheck_names },
};

const char *
notice_template_name(enum notice_template which)
{
	return templates[which].name;
}

const struct template_names *
notice_template_names(enum notice_template which)
{
	return templates[which].names;
}

static void
map_drop(void *map)
{
	map_free(map);
}

void
load_begin(struct notices *n, struct arena *a)
{
	n->zones = map_new();
	n->letters = map_new();
	arena_defer(a, map_drop, n->zones);
	arena_defer(a, map_drop, n->letters);
}

static enum rc
load_zone(struct notices *n, const char *name, struct arena *a,
    struct slice *why_r)
{
	const struct zone *zone;

	if (map_get(n->zones, slice_of(name)) != NULL)
		return RC_OK;
	if (zone_open(a, name, &zone, why_r) != RC_OK) {
		*why_r = arena_printf(a, "timezone: %.*s", SLICE_ARG(*why_r));
		return RC_BAD;
	}
	map_put(n->zones, slice_of(name), (void *)(uintptr_t)zone);
	return RC_OK;
}

/* The file's text; RC_OK and *found_r false when there is none. */
static enum rc
read_file(const char *path, struct arena *a, struct slice *text_r,
    bool *found_r, struct slice *why_r)
{
	FILE *f = fopen(path, "re");
	struct buf b = buf_in(a);
	bool failed;
	size_t n;

	*found_r = f != NULL;
	if (f == NULL && (errno == ENOENT || errno == ENOTDIR))
		return RC_OK;
	if (f == NULL) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return RC_BAD;
	}
	while (b.len <= TEMPLATE_FILE &&
	    (n = fread(buf_room(&b, 65536), 1, 65536, f)) > 0)
		buf_took(&b, n);
	failed = ferror(f) != 0;
	fclose(f);
	if (failed) {
		*why_r = arena_printf(a, "%s: cannot be read", path);
		return RC_BAD;
	}
	*text_r = buf_slice(&b);
	return RC_OK;
}

struct part_finder {
	const struct notices *n;
	const struct notices_conf *conf;
	struct arena *a;
};

/* Parts are the same for text and HTML, and may be the same for all
 * languages. */
static enum rc
find_part(void *arg, struct slice name, const char **file_r,
    struct slice *text_r, struct slice *why_r)
{
	const struct part_finder *f = arg;
	const char *own = f->n->conf.template_directory;
	const char *packaged = f->n->conf.packaged_templates;
	const char *set = f->conf->templates, *language = f->conf->language;
	const char *folders[] = {
		arena_printf(f->a, "%s/%s/%s", own, set, language).ptr,
		arena_printf(f->a, "%s/%s", own, set).ptr,
		arena_printf(f->a, "%s/%s", own, language).ptr, own,
		arena_printf(f->a, "%s/%s", packaged, language).ptr, packaged,
	};
	bool found = false;

	for (size_t i = set[0] == '\0' ? 2 : 0; i < 6; i++) {
		*file_r = arena_printf(f->a, "%s/%.*s.part", folders[i],
		    SLICE_ARG(name)).ptr;
		if (read_file(*file_r, f->a, text_r, &found, why_r) != RC_OK)
			return RC_BAD;
		if (found)
			return RC_OK;
	}
	*why_r = arena_printf(f->a, "it would be %s", *file_r);
	return RC_BAD;
}

struct found {
	const char *path;
	struct slice text;
	bool there;
};

static enum rc
find_file(const struct notices *n, const struct notices_conf *c,
    const char *name, const char *ending, struct arena *a,
    struct found *found_r, struct slice *why_r)
{
	const char *own = n->conf.template_directory;
	const char *places[] = {
		arena_printf(a, "%s/%s/%s/%s.%s", own, c->templates,
		    c->language, name, ending).ptr,
		arena_printf(a, "%s/%s/%s.%s", own, c->language, name,
		    ending).ptr,
		arena_printf(a, "%s/%s/%s.%s", n->conf.packaged_templates,
		    c->language, name, ending).ptr,
	};
	enum rc rc = RC_OK;

	found_r->there = false;
	for (size_t i = c->templates[0] == '\0'; i < 3 && rc == RC_OK &&
	    !found_r->there; i++) {
		found_r->path = places[i];
		rc = read_file(places[i], a, &found_r->text, &found_r->there,
		    why_r);
	}
	return rc;
}

/* "Subject: ..." and an empty line stand before the text. */
static enum rc
read_text(const struct found *f, const struct template_names *names,
    struct part_finder *finder, struct notice_letter *letter,
    struct slice *why_r)
{
	const struct template_parts parts = { find_part, finder };
	struct arena *a = finder->a;
	struct slice rest = f->text, subject = SLICE(""), empty = SLICE("x");

	if (!slice_line(&rest, &subject) ||
	    !slice_starts(subject, SLICE("Subject: ")) ||
	    !slice_line(&rest, &empty) || empty.len > 0) {
		*why_r = arena_printf(a, "%s:1: a text begins with a line "
		    "\"Subject: ...\" and an empty line", f->path);
		return RC_BAD;
	}
	if (template_parse(a, f->path, 1, slice_after(subject, 9),
	    TEMPLATE_TEXT, names, &parts, &letter->subject, why_r) != RC_OK)
		return RC_BAD;
	return template_parse(a, f->path, 3, rest, TEMPLATE_TEXT, names,
	    &parts, &letter->text, why_r);
}

static enum rc
load_letter(struct notices *n, const struct notices_conf *c, size_t which,
    struct arena *a, struct notice_letter *letter, struct slice *why_r)
{
	struct part_finder finder = { n, c, a };
	const struct template_parts parts = { find_part, &finder };
	const char *name = templates[which].name;
	struct found f;

	if (find_file(n, c, name, "txt", a, &f, why_r) != RC_OK)
		return RC_BAD;
	if (!f.there) {
		*why_r = arena_printf(a, "language is \"%s\", and there is no "
		    "%s; it wants one that has templates: en, fr, de or your "
		    "own", c->language, f.path);
		return RC_BAD;
	}
	if (read_text(&f, templates[which].names, &finder, letter, why_r) !=
	    RC_OK || find_file(n, c, name, "html", a, &f, why_r) != RC_OK)
		return RC_BAD;
	if (!f.there)
		return RC_OK;
	return template_parse(a, f.path, 1, f.text, TEMPLATE_HTML,
	    templates[which].names, &parts, &letter->html, why_r);
}

static struct slice
letters_key(const struct notices_conf *c, char *key, size_t size)
{
	int len = snprintf(key, size, "%s/%s", c->templates, c->language);

	return slice_make(key, (size_t)len);
}

static void
remember(struct arena *a, struct notices_name **names, const char *name)
{
	struct notices_name *n = *names;

	while (n != NULL && strcmp(n->name, name) != 0)
		n = n->next;
	if (n != NULL)
		return;
	n = arena_alloc(a, sizeof *n);
	*n = (struct notices_name){ *names, name };
	*names = n;
}

static enum rc
load_letters(struct notices *n, const struct notices_conf *c,
    struct arena *a, struct slice *why_r)
{
	char name[128];
	struct slice key = letters_key(c, name, sizeof name);
	struct notice_letter *letters;

	if (map_get(n->letters, key) != NULL)
		return RC_OK;
	letters = arena_array(a, NOTICE_TEMPLATES, sizeof *letters);
	for (size_t i = 0; i < NOTICE_TEMPLATES; i++)
		if (load_letter(n, c, i, a, &letters[i], why_r) != RC_OK)
			return RC_BAD;
	map_put(n->letters, key, letters);
	return RC_OK;
}

enum rc
load_named(struct notices *n, const struct notices_conf *c, struct arena *a,
    struct slice *why_r)
{
	remember(a, &n->sets, c->templates);
	remember(a, &n->languages, c->language);
	if (load_zone(n, c->timezone, a, why_r) != RC_OK)
		return RC_BAD;
	return load_letters(n, c, a, why_r);
}

enum rc
load_mixed(struct notices *n, struct arena *a, struct slice *why_r)
{
	struct notices_conf c = n->conf;

	for (const struct notices_name *s = n->sets; s != NULL; s = s->next)
		for (const struct notices_name *l = n->languages; l != NULL;
		    l = l->next) {
			c.templates = s->name;
			c.language = l->name;
			if (load_letters(n, &c, a, why_r) != RC_OK)
				return RC_BAD;
		}
	return RC_OK;
}

const struct notice_letter *
notices_letter(const struct notices *n, const struct notices_conf *conf,
    enum notice_template which)
{
	char name[128];
	const struct notice_letter *letters = map_get(n->letters,
	    letters_key(conf, name, sizeof name));

	return &letters[which];
}

const struct zone *
notices_zone(const struct notices *n, const struct notices_conf *conf)
{
	return map_get(n->zones, slice_of(conf->timezone));
}
