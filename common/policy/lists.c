#include "policy/lists.h"

#include <netinet/in.h>
#include <string.h>

#include "text/address.h"
#include "text/utf8.h"

bool
lists_word(struct arena *a, struct slice *rest, struct slice *word_r)
{
	struct buf b;
	size_t i = 0;

	while (rest->len > 0 && ascii_blank(rest->ptr[0]))
		*rest = slice_after(*rest, 1);
	if (rest->len == 0)
		return false;
	if (rest->ptr[0] != '"') {
		while (i < rest->len && !ascii_blank(rest->ptr[i]))
			i++;
		*word_r = slice_sub(*rest, 0, i);
		*rest = slice_after(*rest, i);
		return true;
	}
	b = buf_in(a);
	for (i = 1; i < rest->len && rest->ptr[i] != '"'; i++) {
		if (rest->ptr[i] == '\\' && i + 1 < rest->len)
			i++;
		buf_addc(&b, rest->ptr[i]);
	}
	*word_r = buf_slice(&b);
	if (i == rest->len)
		return false;
	*rest = slice_after(*rest, i + 1);
	return true;
}

bool
lists_level(struct slice word, enum scope_level *level_r)
{
	*level_r = SCOPE_DEFAULT;
	if (slice_eq(word, SLICE("all")))
		return true;
	for (int i = SCOPE_CLIENT; i < SCOPE_LEVELS; i++) {
		*level_r = (enum scope_level)i;
		if (slice_eq(word, slice_of(scope_level_name(*level_r))))
			return true;
	}
	return false;
}

static bool __attribute__((format(printf, 2, 3)))
bad(struct lists *l, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(l->arena, fmt, args);
	va_end(args);
	l->why = arena_printf(l->arena, "%s:%u: %.*s", l->name, l->line,
	    SLICE_ARG(what));
	l->rest = SLICE_NONE;
	return false;
}

static bool
read_verdict(struct lists *l, struct slice word, struct lists_entry *e)
{
	e->verdict = slice_eq(word, SLICE("allow")) ? LISTED_ALLOW :
	    slice_eq(word, SLICE("block")) ? LISTED_BLOCK : LISTED_NOT;
	return e->verdict != LISTED_NOT || bad(l, "the line begins with "
	    "\"%.*s\"; it wants allow or block",
	    SLICE_ARG(slice_sub(word, 0, 60)));
}

/* As it is compared; false for what is no address. */
static bool
normal_address(struct lists *l, struct slice *address)
{
	static const struct scope_match match = { false, '\0' };
	struct scope_subject who;
	struct slice ascii;

	scope_subject(l->arena, *address, match, &who);
	*address = who.address;
	return who.address.ptr != NULL &&
	    (slice_starts(who.domain, SLICE("[")) ||
	    domain_ascii(l->arena, who.domain, &ascii));
}

static bool
read_name(struct lists *l, struct slice *rest, struct lists_entry *e)
{
	struct slice written;

	if (e->level == SCOPE_DEFAULT)
		return true;
	if (!lists_word(l->arena, rest, &e->name) || e->name.len == 0 ||
	    e->name.len > 320)
		return bad(l, "%s wants a name behind it",
		    scope_level_name(e->level));
	written = slice_sub(e->name, 0, 60);
	if (e->level == SCOPE_DOMAIN &&
	    !domain_ascii(l->arena, e->name, &e->name))
		return bad(l, "\"%.*s\" is no domain; write it as example.org",
		    SLICE_ARG(written));
	if (e->level == SCOPE_USER && !normal_address(l, &e->name))
		return bad(l, "\"%.*s\" is no address; write it as "
		    "a@example.org", SLICE_ARG(written));
	return true;
}

static bool
read_sender(struct lists *l, struct slice word, struct lists_entry *e)
{
	if (net_parse(word, &e->net)) {
		e->kind = 'n';
		e->sender = net_format(l->arena, &e->net);
		return e->level != SCOPE_USER || bad(l, "a user cannot list a "
		    "network; a profile, a domain, a client or all can");
	}
	if (slice_has(word, '@')) {
		e->kind = 'a';
		e->sender = word;
		return normal_address(l, &e->sender) || bad(l, "\"%.*s\" is no "
		    "address; write it as a@example.net",
		    SLICE_ARG(slice_sub(word, 0, 60)));
	}
	e->kind = slice_starts(word, SLICE(".")) ? 's' : 'd';
	if (domain_ascii(l->arena, slice_after(word, e->kind == 's'),
	    &e->sender) && !slice_has(word, '/'))
		return true;
	return bad(l, "\"%.*s\" is no sender; it wants an address "
	    "(a@example.net), a domain (example.net, or .example.net for all "
	    "below it), or a network (192.0.2.0/24)",
	    SLICE_ARG(slice_sub(word, 0, 60)));
}

static bool
read_line(struct lists *l, struct slice line, struct lists_entry *e)
{
	struct slice word = SLICE("");

	lists_word(l->arena, &line, &word);
	if (!read_verdict(l, word, e))
		return false;
	if (!lists_word(l->arena, &line, &word) ||
	    !lists_level(word, &e->level))
		return bad(l, "behind allow or block stands for whom: all, or "
		    "client, domain, profile or user with a name");
	if (!read_name(l, &line, e))
		return false;
	if (!lists_word(l->arena, &line, &word))
		return bad(l, "no sender, or a quote that is not closed; it "
		    "wants an address, a domain or a network");
	if (!read_sender(l, word, e))
		return false;
	line = slice_trim(line);
	if (line.len == 0)
		return true;
	if (line.ptr[0] != '#')
		return bad(l, "something stands behind the sender; a comment "
		    "begins with #");
	e->comment = slice_trim(slice_after(line, 1));
	return true;
}

const char *
lists_fault(struct slice line)
{
	uint32_t cp;

	while (utf8_next(&line, &cp)) {
		if (cp == UTF8_BAD)
			return "is not UTF-8; save the file as UTF-8";
		if (utf8_control(cp) && cp != '\t')
			return "holds a control character; remove it";
	}
	return NULL;
}

void
lists_open(struct lists *l, struct arena *a, const char *name,
    struct slice text)
{
	*l = (struct lists){ .arena = a, .name = name, .rest = text,
	    .why = SLICE("") };
}

bool
lists_next(struct lists *l, struct lists_entry *entry_r)
{
	struct slice line;

	while (l->rest.ptr != NULL && slice_line(&l->rest, &line)) {
		l->line++;
		if (line.len > LISTS_LINE_MAX)
			return bad(l, "a line of more than %d bytes",
			    LISTS_LINE_MAX);
		if (lists_fault(line) != NULL)
			return bad(l, "the line %s", lists_fault(line));
		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		*entry_r = (struct lists_entry){ .name = SLICE(""),
		    .comment = SLICE(""), .line = l->line };
		return read_line(l, line, entry_r);
	}
	return false;
}
