#include "tools/postconf.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "tools/child.h"

static void
map_gone(void *map)
{
	map_free(map);
}

static struct map *
map_in(struct arena *a)
{
	struct map *map = map_new();

	arena_defer(a, map_gone, map);
	return map;
}

static void
keep(struct map *map, struct slice key, struct slice value, struct arena *a)
{
	struct slice *kept = arena_alloc(a, sizeof *kept);

	*kept = value;
	map_put(map, key, kept);
}

/* "name = value"; false for anything else. */
static bool
pair(struct slice line, struct slice *name_r, struct slice *value_r)
{
	size_t at = slice_find(line, '=');

	if (at == line.len)
		return false;
	*name_r = slice_trim(slice_sub(line, 0, at));
	*value_r = slice_trim(slice_after(line, at + 1));
	return name_r->len > 0;
}

static void
read_parameters(struct postconf *pc, struct slice text, struct arena *a)
{
	struct slice line, name, value;

	while (slice_line(&text, &line))
		if (pair(line, &name, &value))
			keep(pc->parameters, name, value, a);
}

/* The next of the columns of master.cf. */
static struct slice
column(struct slice *line)
{
	struct slice word;
	size_t n = 0;

	*line = slice_trim(*line);
	while (n < line->len && !ascii_space(line->ptr[n]))
		n++;
	word = slice_sub(*line, 0, n);
	*line = slice_trim(slice_after(*line, n));
	return word;
}

static void
read_services(struct postconf *pc, struct slice text, struct arena *a)
{
	struct postconf_service *services = arena_array(a, POSTCONF_SERVICES,
	    sizeof *services);
	struct slice line;

	while (pc->nservices < POSTCONF_SERVICES && slice_line(&text, &line)) {
		struct postconf_service *s = &services[pc->nservices];
		struct slice columns[8];

		for (size_t i = 0; i < 8; i++)
			columns[i] = column(&line);
		if (columns[7].len == 0)
			continue;
		s->name = columns[0];
		s->type = columns[1];
		s->chroot = slice_eq(columns[4], SLICE("y"));
		s->command = columns[7];
		s->args = line;
		pc->nservices++;
	}
	pc->services = services;
}

/* "smtp/inet/name = value", as postconf -P has it: the key is all of that. */
static void
read_options(struct postconf *pc, struct slice text, struct arena *a)
{
	struct slice line, name, value;

	for (size_t n = 0; n < POSTCONF_OPTIONS && slice_line(&text, &line);
	    n++)
		if (pair(line, &name, &value))
			keep(pc->options, name, value, a);
}

static const struct slice *
read_lines(struct slice text, struct slice prefix, size_t *count_r,
    struct arena *a)
{
	struct slice rest = text, line;
	struct slice *lines;
	size_t n = 0;

	while (slice_line(&rest, &line))
		n++;
	lines = arena_array(a, n + 1, sizeof *lines);
	*count_r = 0;
	while (slice_line(&text, &line)) {
		line = slice_trim(line);
		if (slice_starts(line, prefix))
			line = slice_after(line, prefix.len);
		if (line.len > 0)
			lines[(*count_r)++] = line;
	}
	return lines;
}

struct postconf *
postconf_read(struct slice main, struct slice services, struct slice options,
    struct slice types, struct slice complaints, struct arena *a)
{
	struct postconf *pc = arena_alloc(a, sizeof *pc);

	pc->parameters = map_in(a);
	pc->options = map_in(a);
	read_parameters(pc, main, a);
	read_services(pc, services, a);
	read_options(pc, options, a);
	pc->types = read_lines(types, SLICE(""), &pc->ntypes, a);
	pc->complaints = read_lines(complaints, SLICE("postconf: warning: "),
	    &pc->ncomplaints, a);
	return pc;
}

static enum rc
ask(const char *dir, const char *flag, deadline_t until, struct arena *a,
    struct child *c, struct slice *why_r)
{
	const char *argv[5] = { "postconf" };
	size_t n = 1;
	enum rc rc;

	if (dir != NULL) {
		argv[n++] = "-c";
		argv[n++] = dir;
	}
	argv[n++] = flag;
	*c = (struct child){ .argv = argv };
	rc = child_run(c, until, a, why_r);
	c->argv = NULL;
	if (rc == RC_OK && c->status != 0) {
		*why_r = slice_trim(c->err);
		return RC_RETRY;
	}
	return rc;
}

enum rc
postconf_load(const char *dir, deadline_t until, struct arena *a,
    struct postconf **pc_r, struct slice *why_r)
{
	static const char *const flags[] = { NULL, "-M", "-P", "-m" };
	struct child said[4] = { { 0 } };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < 4; i++)
		rc = ask(dir, flags[i], until, a, &said[i], why_r);
	if (rc == RC_OK)
		*pc_r = postconf_read(said[0].out, said[1].out, said[2].out,
		    said[3].out, said[0].err, a);
	return rc;
}

struct slice
postconf_main(const struct postconf *pc, const char *name)
{
	return postconf_get(pc, NULL, slice_of(name));
}

static const struct slice *
own_option(const struct postconf *pc, const struct postconf_service *service,
    struct slice name)
{
	struct buf key = { 0 };
	const struct slice *value;

	if (service == NULL)
		return NULL;
	buf_add(&key, service->name);
	buf_addc(&key, '/');
	buf_add(&key, service->type);
	buf_addc(&key, '/');
	buf_add(&key, name);
	value = map_get(pc->options, buf_slice(&key));
	buf_free(&key);
	return value;
}

bool
postconf_own(const struct postconf *pc, const struct postconf_service *service,
    struct slice name)
{
	return own_option(pc, service, name) != NULL;
}

struct slice
postconf_get(const struct postconf *pc, const struct postconf_service *service,
    struct slice name)
{
	const struct slice *value = own_option(pc, service, name);

	if (value == NULL)
		value = map_get(pc->parameters, name);
	return value != NULL ? *value : SLICE_NONE;
}

/* --- $name --------------------------------------------------------------- */

struct expansion {
	const struct postconf *pc;
	const struct postconf_service *service;
	struct buf *out;
	unsigned depth;
	size_t *steps;			/* that are left */
};

enum { STEPS = 2000 };

static void expand(struct expansion *e, struct slice text);

/* The index of what closes the bracket that text begins with; its length when
 * nothing does. */
static size_t
closing(struct slice text, char open, char close)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == open)
			depth++;
		else if (text.ptr[i] == close && --depth == 0)
			return i;
	}
	return text.len;
}

static bool
name_char(char c)
{
	return ascii_alnum(c) || c == '_';
}

static size_t
name_len(struct slice text)
{
	size_t n = 0;

	while (n < text.len && name_char(text.ptr[n]))
		n++;
	return n;
}

/* One text behind ? or :, in braces or up to the end; *rest_r what follows. */
static struct slice
alternative(struct slice text, struct slice *rest_r)
{
	size_t end;

	*rest_r = SLICE("");
	if (text.len == 0 || text.ptr[0] != '{')
		return text;
	end = closing(text, '{', '}');
	*rest_r = slice_after(text, end + 1);
	return slice_trim(slice_sub(text, 1, end - 1));
}

/* --- ${{a} == {b} ? {x} : {y}} --- */

static bool
is_number(struct slice s, uint64_t *n_r)
{
	return slice_number(s, UINT32_MAX, n_r);
}

/* -1, 0 or 1: as numbers where both are, part by part for levels ("3.6"),
 * else as text. */
static int
compare(struct slice a, struct slice b, bool level)
{
	uint64_t x, y;

	if (!level)
		return is_number(a, &x) && is_number(b, &y) ?
		    (x > y) - (x < y) : slice_cmp(a, b);
	while (a.ptr != NULL || b.ptr != NULL) {
		struct slice p = SLICE("0"), q = SLICE("0");

		if (a.ptr != NULL)
			p = slice_cut(a, '.', &a);
		if (b.ptr != NULL)
			q = slice_cut(b, '.', &b);
		x = y = 0;
		(void)is_number(p, &x);
		(void)is_number(q, &y);
		if (x != y)
			return x > y ? 1 : -1;
	}
	return 0;
}

/* Is it so? False in *known_r: no such operator. */
static bool
holds(struct slice a, struct slice op, struct slice b, bool *known_r)
{
	bool level = slice_ends(op, SLICE("level"));
	int c = compare(a, b, level);

	if (level)
		op.len -= 5;
	*known_r = true;
	if (slice_eq(op, SLICE("==")))
		return c == 0;
	if (slice_eq(op, SLICE("!=")))
		return c != 0;
	if (slice_eq(op, SLICE("<")))
		return c < 0;
	if (slice_eq(op, SLICE("<=")))
		return c <= 0;
	if (slice_eq(op, SLICE(">")))
		return c > 0;
	if (slice_eq(op, SLICE(">=")))
		return c >= 0;
	*known_r = false;
	return false;
}

/* {text} at the beginning of *rest, replaced; false when there is none. */
static bool
operand(const struct expansion *e, struct slice *rest, struct arena *a,
    struct slice *value_r)
{
	struct buf out = buf_in(a);
	struct expansion inner = { e->pc, e->service, &out, e->depth,
	    e->steps };
	size_t end;

	*rest = slice_trim(*rest);
	if (rest->len == 0 || rest->ptr[0] != '{')
		return false;
	end = closing(*rest, '{', '}');
	expand(&inner, slice_trim(slice_sub(*rest, 1, end - 1)));
	*value_r = buf_slice(&out);
	*rest = slice_trim(slice_after(*rest, end + 1));
	return true;
}

static bool
expand_choice(struct expansion *e, struct slice inner)
{
	struct arena *a = arena_new();
	struct slice x = SLICE(""), y = SLICE(""), op, text, rest,
	    other = SLICE("");
	bool known = false, yes = false;
	size_t n = 0;

	if (operand(e, &inner, a, &x)) {
		while (n < inner.len && inner.ptr[n] != '{' &&
		    !ascii_space(inner.ptr[n]))
			n++;
		op = slice_sub(inner, 0, n);
		inner = slice_after(inner, n);
		if (operand(e, &inner, a, &y))
			yes = holds(x, op, y, &known);
	}
	if (known && inner.len > 0 && inner.ptr[0] == '?') {
		text = alternative(slice_trim(slice_after(inner, 1)), &rest);
		rest = slice_trim(rest);
		if (rest.len > 0 && rest.ptr[0] == ':')
			other = alternative(slice_trim(slice_after(rest, 1)),
			    &rest);
		expand(e, yes ? text : other);
	} else if (known && inner.len > 0 && inner.ptr[0] == ':') {
		text = alternative(slice_trim(slice_after(inner, 1)), &rest);
		expand(e, yes ? SLICE("") : text);
	} else {
		known = false;
	}
	arena_free(a);
	return known;
}

/* What stands between the brackets: name, name?text, name:text. */
static bool
expand_inner(struct expansion *e, struct slice inner)
{
	size_t n = name_len(inner);
	struct slice name = slice_sub(inner, 0, n), rest;
	struct slice value = postconf_get(e->pc, e->service, name);
	struct slice tail = slice_after(inner, n), text, other = SLICE("");
	bool set = value.len > 0;

	if (n == 0)
		return expand_choice(e, inner);
	if (tail.len == 0) {
		expand(e, value);
		return true;
	}
	if (tail.ptr[0] != '?' && tail.ptr[0] != ':')
		return false;
	text = alternative(slice_after(tail, 1), &rest);
	if (tail.ptr[0] == '?' && rest.len > 0 && rest.ptr[0] == ':')
		other = alternative(slice_after(rest, 1), &rest);
	if (tail.ptr[0] == ':')
		set = !set;
	expand(e, set ? text : other);
	return true;
}

/* A dollar begins it; how much of it was taken. */
static size_t
expand_dollar(struct expansion *e, struct slice text)
{
	struct slice tail = slice_after(text, 1);
	size_t n = name_len(tail), end;
	char open = tail.len > 0 ? tail.ptr[0] : '\0';

	if (open == '$') {
		buf_addc(e->out, '$');
		return 2;
	}
	if (open == '{' || open == '(') {
		end = closing(tail, open, open == '{' ? '}' : ')');
		if (end < tail.len && expand_inner(e, slice_trim(slice_sub(tail,
		    1, end - 1))))
			return end + 2;
	} else if (n > 0) {
		expand(e, postconf_get(e->pc, e->service, slice_sub(tail, 0,
		    n)));
		return n + 1;
	}
	buf_addc(e->out, '$');
	return 1;
}

static void
expand(struct expansion *e, struct slice text)
{
	/* Names of names may be many and come to nothing. */
	if (e->depth == POSTCONF_DEPTH || *e->steps == 0)
		return;
	--*e->steps;
	e->depth++;
	for (size_t i = 0; i < text.len && e->out->len < POSTCONF_VALUE;) {
		struct slice rest = slice_after(text, i);
		size_t plain = slice_find(rest, '$');

		buf_add(e->out, slice_sub(rest, 0, plain));
		i += plain;
		if (plain < rest.len)
			i += expand_dollar(e, slice_after(rest, plain));
	}
	e->depth--;
}

struct slice
postconf_expand(const struct postconf *pc,
    const struct postconf_service *service, struct slice text,
    struct arena *a)
{
	struct buf out = buf_in(a);
	size_t steps = STEPS;
	struct expansion e = { pc, service, &out, 0, &steps };

	expand(&e, text);
	return slice_sub(buf_slice(&out), 0, POSTCONF_VALUE);
}

struct slice
postconf_value(const struct postconf *pc,
    const struct postconf_service *service, const char *name, struct arena *a)
{
	return slice_trim(postconf_expand(pc, service, postconf_get(pc,
	    service, slice_of(name)), a));
}

/* --- values -------------------------------------------------------------- */

static bool
parts(char c)
{
	return c == ',' || ascii_space(c);
}

bool
postconf_word(struct slice *rest, struct slice *word_r, bool *braced_r)
{
	size_t n = 0;
	bool braced;

	while (n < rest->len && parts(rest->ptr[n]))
		n++;
	*rest = slice_after(*rest, n);
	if (rest->len == 0)
		return false;
	braced = rest->ptr[0] == '{';
	if (braced_r != NULL)
		*braced_r = braced;
	if (braced) {
		n = closing(*rest, '{', '}');
		*word_r = slice_trim(slice_sub(*rest, 1, n - 1));
		*rest = slice_after(*rest, n + 1);
		return true;
	}
	n = 0;
	while (n < rest->len && !parts(rest->ptr[n]))
		n++;
	*word_r = slice_sub(*rest, 0, n);
	*rest = slice_after(*rest, n);
	return true;
}

static bool
has_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_space(s.ptr[i]))
			return true;
	return false;
}

static void
pack(struct buf *out, struct slice list, unsigned depth)
{
	struct slice word;
	bool braced, first = true;

	while (postconf_word(&list, &word, &braced)) {
		if (!first)
			buf_addc(out, ',');
		first = false;
		if (!braced || depth == POSTCONF_DEPTH) {
			buf_add(out, word);
			continue;
		}
		buf_addc(out, '{');
		pack(out, word, depth + 1);
		buf_addc(out, '}');
	}
}

struct slice
postconf_packed(struct slice list, struct arena *a)
{
	struct buf out = buf_in(a);

	if (!has_blank(list))
		return list;
	pack(&out, list, 0);
	return buf_slice(&out);
}

static int64_t
unit_ms(char unit)
{
	switch (ascii_lower(unit)) {
	case 's': return 1000;
	case 'm': return 60 * 1000;
	case 'h': return 3600 * 1000;
	case 'd': return 86400 * 1000LL;
	case 'w': return 7 * 86400 * 1000LL;
	default: return 0;
	}
}

bool
postconf_time(struct slice text, char unit, int64_t *ms_r)
{
	uint64_t n;

	text = slice_trim(text);
	if (text.len > 0 && ascii_alpha(text.ptr[text.len - 1])) {
		unit = text.ptr[text.len - 1];
		text.len--;
	}
	if (unit_ms(unit) == 0 || !slice_number(text, INT32_MAX, &n))
		return false;
	*ms_r = (int64_t)n * unit_ms(unit);
	return true;
}

bool
postconf_yes(struct slice value)
{
	return slice_eq_nocase(value, SLICE("yes"));
}

/* --- milters ------------------------------------------------------------- */

static int64_t
time_or_nothing(struct slice text)
{
	int64_t ms;

	return postconf_time(text, 's', &ms) ? ms : 0;
}

static void
set_own(struct postconf_milter *m, struct slice setting)
{
	struct slice name, value;

	if (!pair(setting, &name, &value))
		return;
	if (slice_eq(name, SLICE("default_action")))
		m->action = value;
	else if (slice_eq(name, SLICE("connect_timeout")))
		m->connect = time_or_nothing(value);
	else if (slice_eq(name, SLICE("command_timeout")))
		m->command = time_or_nothing(value);
	else if (slice_eq(name, SLICE("content_timeout")))
		m->content = time_or_nothing(value);
}

/* "name=value", or "{ name = value }" where there are blanks. */
static void
read_own(struct postconf_milter *m, struct slice text)
{
	struct slice rest = text, word;

	if (!postconf_word(&rest, &m->endpoint, NULL))
		return;
	while (postconf_word(&rest, &word, NULL))
		set_own(m, word);
}

size_t
postconf_milters(const struct postconf *pc,
    const struct postconf_service *service, const char *parameter,
    struct arena *a, struct postconf_milter milters_r[POSTCONF_MILTERS])
{
	struct postconf_milter common = {
		.action = postconf_value(pc, service, "milter_default_action",
		    a),
		.connect = time_or_nothing(postconf_value(pc, service,
		    "milter_connect_timeout", a)),
		.command = time_or_nothing(postconf_value(pc, service,
		    "milter_command_timeout", a)),
		.content = time_or_nothing(postconf_value(pc, service,
		    "milter_content_timeout", a)),
	};
	struct slice rest = postconf_value(pc, service, parameter, a), word;
	bool braced;
	size_t n = 0;

	while (n < POSTCONF_MILTERS && postconf_word(&rest, &word, &braced)) {
		milters_r[n] = common;
		milters_r[n].endpoint = word;
		if (braced)
			read_own(&milters_r[n], word);
		n++;
	}
	return n;
}
