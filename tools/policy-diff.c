/* gatehouse policy diff: what a compile would change, by address. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/map.h"
#include "policy/file.h"
#include "text/json.h"
#include "tools/policy.h"
#include "tools/verb.h"

struct row {
	struct slice key, value;
};

/* All records of one letter in one map, in order; they stay in the file. */
struct rows {
	struct row *items;
	size_t n, room;
};

struct side {
	struct policy_file *file;	/* NULL: no map */
	struct rows rows;
	struct map *texts;		/* set number -> what it says */
};

struct diff {
	struct build *b;
	struct side old, new;
	struct buf out;
	struct json w;
	bool json;
	size_t changes;
};

/* ---- reading ---- */

static enum rc
take_row(struct slice key, struct slice value, void *arg)
{
	struct rows *r = arg;

	if (r->n == r->room) {
		r->room = r->room > 0 ? r->room * 2 : 1024;
		r->items = mem_grow(r->items, r->room * sizeof *r->items);
	}
	r->items[r->n++] = (struct row){ key, value };
	return RC_OK;
}

static enum rc
read_rows(struct side *s, char letter)
{
	s->rows.n = 0;
	return s->file == NULL ? RC_OK : file_walk(s->file, letter, take_row,
	    &s->rows);
}

/* The options of one block, a line each, in the order of its table. */
static enum rc
block_text(struct side *s, struct buf *out, uint32_t number)
{
	struct unpack u = { .rest = SLICE("") };
	enum rc rc = file_number(s->file, 'b', number, &u.rest);
	uint32_t table = unpack_u32(&u), n = unpack_u32(&u);
	const struct file_meta *meta = file_header(s->file);

	while (rc == RC_OK && n-- > 0 && !u.bad && table < meta->ntables) {
		struct slice option = unpack_slice(&u);
		struct slice raw = unpack_slice(&u);

		buf_add(out, meta->tables[table].name);
		buf_addc(out, '.');
		buf_add(out, option);
		buf_adds(out, " = ");
		buf_add(out, raw);
		buf_addc(out, '\n');
	}
	return rc == RC_OK && u.bad ? RC_RETRY : rc;
}

/* What a set says; the same text for all who have it. */
static enum rc
set_text(struct diff *d, struct side *s, uint32_t number,
    struct slice *text_r)
{
	struct slice key = slice_make(&number, sizeof number);
	struct slice *known = map_get(s->texts, key);
	struct unpack u = { .rest = SLICE("") };
	struct buf out = buf_in(d->b->arena);
	enum rc rc = RC_OK;
	uint32_t n;

	if (known == NULL) {
		rc = file_number(s->file, 's', number, &u.rest);
		unpack_u64(&u);
		n = unpack_u32(&u);
		while (rc == RC_OK && n-- > 0 && !u.bad) {
			unpack_u32(&u);
			rc = block_text(s, &out, unpack_u32(&u));
		}
		known = arena_alloc(d->b->arena, sizeof *known);
		*known = buf_slice(&out);
		map_put(s->texts, key, known);
	}
	*text_r = *known;
	return rc;
}

/* ---- telling ---- */

static void
tell(struct diff *d, char letter, struct slice key, struct slice before,
    struct slice after)
{
	struct arena *a = d->b->arena;
	const char *what = letter == 'd' ? "domain" : letter == 'a' ?
	    "address" : letter == '0' ? "anybody" : letter == 'k' ?
	    "client" : "list";

	if (letter == '0')
		key = SLICE("else");
	d->changes++;
	if (d->json) {
		json_begin_object(&d->w);
		json_put(&d->w, "what", slice_of(what));
		json_put(&d->w, "name", key);
		if (before.ptr != NULL)
			json_put(&d->w, "before", before);
		if (after.ptr != NULL)
			json_put(&d->w, "after", after);
		json_end(&d->w);
		return;
	}
	buf_addf(&d->out, "%s ", what);
	buf_add(&d->out, verb_safe(a, key));
	buf_adds(&d->out, ": ");
	if (before.ptr != NULL)
		buf_add(&d->out, verb_safe(a, before));
	buf_adds(&d->out, before.ptr == NULL ? "new: " : before.len == 0 ?
	    "is gone" : after.ptr == NULL ? " is gone" : " -> ");
	if (after.ptr != NULL)
		buf_add(&d->out, verb_safe(a, after));
	buf_addc(&d->out, '\n');
}

/* A line that stands in one text only is a change; an option in both, one. */
static struct slice
value_in(struct slice text, struct slice option)
{
	struct slice line;

	while (slice_line(&text, &line))
		if (slice_starts(line, option))
			return slice_after(line, option.len);
	return SLICE_NONE;
}

static void
tell_settings(struct diff *d, char letter, struct slice key,
    struct slice before, struct slice after)
{
	struct slice rest = before, line;

	while (slice_line(&rest, &line)) {
		struct slice option = slice_sub(line, 0, slice_search(line,
		    SLICE(" = ")) + 3);
		struct slice now = value_in(after, option);

		if (now.ptr == NULL || !slice_eq(now,
		    slice_after(line, option.len)))
			tell(d, letter, key, line, now);
	}
	rest = after;
	while (slice_line(&rest, &line)) {
		struct slice option = slice_sub(line, 0, slice_search(line,
		    SLICE(" = ")) + 3);

		if (value_in(before, option).ptr == NULL)
			tell(d, letter, key, SLICE_NONE, line);
	}
}

static void
tell_field(struct diff *d, char letter, struct slice key, const char *name,
    struct slice before, struct slice after)
{
	if (slice_eq(before, after) && (before.ptr == NULL) ==
	    (after.ptr == NULL))
		return;
	tell(d, letter, key, arena_printf(d->b->arena, "%s \"%.*s\"", name,
	    SLICE_ARG(before)), arena_printf(d->b->arena, "\"%.*s\"",
	    SLICE_ARG(after)));
}

/* ---- comparing ---- */

static enum rc
one_record(struct diff *d, struct side *s, struct slice value,
    struct file_record *r_r, struct slice *text_r)
{
	*r_r = (struct file_record){ .client = SLICE_NONE };
	*text_r = SLICE("");
	if (value.ptr == NULL)
		return RC_OK;
	if (!file_unpack_record(value, r_r))
		return RC_RETRY;
	return set_text(d, s, r_r->set, text_r);
}

static enum rc
compare_record(struct diff *d, char letter, struct slice key,
    struct slice old, struct slice new)
{
	struct file_record before, after;
	struct slice was, is;
	enum rc rc = one_record(d, &d->old, old, &before, &was);

	if (rc == RC_OK)
		rc = one_record(d, &d->new, new, &after, &is);
	if (rc != RC_OK)
		return rc;
	if (old.ptr == NULL || new.ptr == NULL) {
		tell(d, letter, key, old.ptr != NULL ? SLICE("") : SLICE_NONE,
		    new.ptr != NULL ? SLICE("known") : SLICE_NONE);
	} else {
		tell_field(d, letter, key, "client", before.client,
		    after.client);
		tell_field(d, letter, key, "profile", before.profile,
		    after.profile);
		tell_field(d, letter, key, "transport", before.transport,
		    after.transport);
		if (!slice_eq(before.members, after.members))
			tell(d, letter, key, SLICE("alias of others"),
			    SLICE("alias of others than before"));
		if (!slice_eq(before.attrs, after.attrs))
			tell(d, letter, key, SLICE("attributes"),
			    SLICE("other attributes"));
	}
	/* Who is gone gets what his domain has. */
	if (new.ptr != NULL && !slice_eq(was, is))
		tell_settings(d, letter, key, was, is);
	return RC_OK;
}

/* "user anna@a.test bad@spam.test", from the key of an entry. */
static struct slice
list_name(struct diff *d, struct slice key)
{
	static const struct { char letter; const char *level; } levels[] = {
		{ 'a', "all" }, { 'c', "client" }, { 'd', "domain" },
		{ 'p', "profile" }, { 'u', "user" } };
	struct slice rest, scope = slice_cut(key, '\0', &rest);
	struct buf b = buf_in(d->b->arena);
	struct network net = { .bits = 0 };

	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (scope.len > 0 && scope.ptr[0] == levels[i].letter)
			buf_adds(&b, levels[i].level);
	buf_addc(&b, ' ');
	buf_add(&b, slice_after(scope, 1));
	if (scope.len > 1)
		buf_addc(&b, ' ');
	if (rest.len == (rest.len > 1 && rest.ptr[1] == '4' ? 7 : 19) &&
	    rest.ptr[0] == 'n') {
		ip_of_bytes(rest.ptr[1] == '4' ? AF_INET : AF_INET6,
		    rest.ptr + 3, &net.ip);
		net.bits = (unsigned char)rest.ptr[2];
		buf_add(&b, net_format(d->b->arena, &net));
		return buf_slice(&b);
	}
	if (rest.len > 0 && rest.ptr[0] == 's')
		buf_addc(&b, '.');
	buf_add(&b, slice_after(rest, 1));
	return buf_slice(&b);
}

static struct slice
verdict(struct slice value)
{
	return value.ptr == NULL ? SLICE_NONE : value.len > 0 &&
	    value.ptr[0] == LISTED_ALLOW ? SLICE("allow") : SLICE("block");
}

static enum rc
compare(struct diff *d, char letter, struct slice key, struct slice old,
    struct slice new)
{
	if (letter != 'w' && letter != 'n')
		return compare_record(d, letter, key, old, new);
	if (!slice_eq(verdict(old), verdict(new)))
		tell(d, letter, list_name(d, key), verdict(old),
		    verdict(new));
	return RC_OK;
}

/* Both are in order: side by side. */
static enum rc
merge(struct diff *d, char letter)
{
	const struct rows *o = &d->old.rows, *n = &d->new.rows;
	enum rc rc = read_rows(&d->old, letter);
	size_t i = 0, k = 0;

	if (rc == RC_OK)
		rc = read_rows(&d->new, letter);
	while (rc == RC_OK && (i < o->n || k < n->n)) {
		int order = i == o->n ? 1 : k == n->n ? -1 :
		    slice_cmp(o->items[i].key, n->items[k].key);

		if (order < 0) {
			rc = compare(d, letter, o->items[i].key,
			    o->items[i].value, SLICE_NONE);
			i++;
		} else if (order > 0) {
			rc = compare(d, letter, n->items[k].key, SLICE_NONE,
			    n->items[k].value);
			k++;
		} else {
			rc = compare(d, letter, o->items[i].key,
			    o->items[i].value, n->items[k].value);
			i++;
			k++;
		}
	}
	return rc;
}

static int
compare_all(struct diff *d)
{
	static const char letters[] = "0kdawn";
	enum rc rc = RC_OK;
	int status;

	json_init(&d->w, &d->out);
	if (d->json)
		json_begin_array(&d->w);
	for (size_t i = 0; rc == RC_OK && letters[i] != '\0'; i++)
		rc = merge(d, letters[i]);
	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "a policy map cannot be "
		    "read");
	if (d->json) {
		json_end(&d->w);
		buf_addc(&d->out, '\n');
	}
	status = verb_print(&d->out);
	return status == EX_OK && d->changes > 0 ? EXIT_UNEXPECTED : status;
}

static int
open_side(struct build *b, struct side *s, const char *path)
{
	struct slice why = SLICE("");

	s->texts = map_new();
	if (access(path, F_OK) != 0 ||
	    file_open(path, &s->file, b->arena, &why) == RC_OK)
		return EX_OK;
	return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
}

static void
close_side(struct side *s)
{
	file_close(s->file);
	free(s->rows.items);
	if (s->texts != NULL)
		map_free(s->texts);
}

int
policy_diff(struct build *b, const struct policy_args *args)
{
	struct diff d = { .b = b, .out = buf_in(b->arena),
	    .json = args->json };
	char *dir = arena_str(b->arena, SLICE("/tmp/gatehouse-policy-XXXXXX"));
	const char *path;
	int status;

	if (mkdtemp(dir) == NULL)
		return verb_fails(EX_CANTCREAT, "/tmp: no folder for a map");
	path = arena_printf(b->arena, "%s/map", dir).ptr;
	status = build_map(b, path);
	if (status == EX_OK)
		status = open_side(b, &d.old, b->map);
	if (status == EX_OK)
		status = open_side(b, &d.new, path);
	if (status == EX_OK)
		status = compare_all(&d);
	close_side(&d.old);
	close_side(&d.new);
	unlink(path);
	rmdir(dir);
	return status;
}
