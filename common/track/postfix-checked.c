/* What access checks, milters and header checks say of a message. */
#include "track/postfix-part.h"

static const struct word {
	const char *action;
	enum postfix_kind kind;
} words[] = {
	{ "reject", POSTFIX_REJECT },
	{ "milter-reject", POSTFIX_REJECT },
	{ "hold", POSTFIX_HOLD },
	{ "milter-hold", POSTFIX_HOLD },
	{ "discard", POSTFIX_DISCARD },
	{ "milter-discard", POSTFIX_DISCARD },
	{ "info", POSTFIX_SUBJECT },
	{ "warning", POSTFIX_SUBJECT },
};

/* key=<address>, with a comma and blanks before it or without. */
static bool
tail_address(struct slice *rest, struct slice key, struct slice *value_r)
{
	struct slice s = *rest;

	part_skip(&s, SLICE(","));
	part_skip(&s, SLICE(" "));
	if (!part_skip(&s, key) || !part_address(&s, value_r))
		return false;
	*rest = s;
	return true;
}

static void
tail_proto(struct slice *rest)
{
	struct slice s = *rest;

	part_skip(&s, SLICE(","));
	part_skip(&s, SLICE(" "));
	if (!part_skip(&s, SLICE("proto=")))
		return;
	while (s.len > 0 && ascii_alnum(s.ptr[0]))
		s = slice_after(s, 1);
	*rest = s;
}

/*
 * "from=<a> to=<b> proto=P helo=<h>", with commas in postscreen. A part of it
 * may be absent. What is left behind it is *after_r; helo is the last word, so
 * it ends where the last ">" of what it may take stands.
 */
static bool
tail(struct slice s, struct postfix_line *l, struct slice *after_r)
{
	struct slice rest = s, at;

	l->has_from = tail_address(&rest, SLICE("from=<"), &l->from);
	l->has_to = tail_address(&rest, SLICE("to=<"), &l->to);
	tail_proto(&rest);
	at = rest;
	part_skip(&at, SLICE(","));
	if (part_skip(&at, SLICE(" helo=<")) || part_skip(&at,
	    SLICE("helo=<"))) {
		size_t end = part_last(at, SLICE(">: "));

		if (end == at.len)
			end = slice_find_last(at, '>');
		l->helo = slice_sub(at, 0, end);
		rest = slice_after(at, end + 1);
	}
	*after_r = rest;
	return rest.len < s.len;
}

static void
forget_tail(struct postfix_line *l)
{
	l->from = l->to = l->helo = SLICE("");
	l->has_from = l->has_to = false;
}

/*
 * The text before the tail. It may repeat an address, which may hold anything:
 * "550 5.1.1 <address>: no such user; from=<a> ..." - so that is passed over
 * before the first tail is looked for.
 */
static struct slice
cut_tail(struct slice s, struct postfix_line *l)
{
	struct slice rest = s, address, after;
	struct slice head = slice_sub(s, 0, 40);
	size_t open = slice_search(head, SLICE(" <")), at = 0;

	rest = slice_after(s, open + 2);
	if (open < head.len && part_address(&rest, &address))
		at = s.len - rest.len;
	for (;; at++) {
		at += slice_search(slice_after(s, at), SLICE("; "));
		if (at >= s.len)
			return s;
		if (tail(slice_after(s, at + 2), l, &after) && after.len == 0)
			return slice_sub(s, 0, at);
		forget_tail(l);
	}
}

/* "header Subject: text from a[b]; from=<..." : what follows the tail is what
 * the check's rule says. */
static enum postfix_kind
header(struct slice s, struct postfix_line *l, enum postfix_kind kind)
{
	size_t at = part_last(s, SLICE("; from=<")), from;
	struct slice value = slice_sub(s, 0, at), after = SLICE("");

	if (at < s.len && tail(slice_after(s, at + 2), l, &after))
		part_skip(&after, SLICE(": "));
	from = part_last(value, SLICE(" from "));
	if (from < value.len) {
		part_client(slice_after(value, from + 6), l);
		value = slice_sub(value, 0, from);
	}
	if (kind != POSTFIX_SUBJECT) {
		l->text = after.len > 0 ? after : value;
		return kind;
	}
	if (!slice_starts_nocase(value, SLICE("Subject:")))
		return POSTFIX_OTHER;
	l->text = slice_trim(slice_after(value, 8));
	return kind;
}

static bool
is_part(struct slice stage)
{
	return slice_eq(stage, SLICE("header")) ||
	    slice_eq(stage, SLICE("body")) ||
	    slice_eq(stage, SLICE("mime-error")) ||
	    slice_ends(stage, SLICE("-header"));
}

/* "RCPT from a[b]: 554 5.7.1 text; from=<> ..." */
static enum postfix_kind
command(struct slice s, struct postfix_line *l, enum postfix_kind kind)
{
	struct slice who;

	if (kind == POSTFIX_SUBJECT || !part_skip(&s, SLICE("from ")) ||
	    !part_until(&s, SLICE(": "), &who))
		return POSTFIX_OTHER;
	part_client(who, l);
	l->text = cut_tail(s, l);
	return kind;
}

enum postfix_kind
part_checked(struct slice s, struct postfix_line *l)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		struct slice rest = s, action = slice_of(words[i].action);

		if (!part_skip(&rest, action) || !part_skip(&rest, SLICE(": ")))
			continue;
		l->action = action;
		l->stage = slice_sub(rest, 0, slice_find(rest, ' '));
		rest = slice_after(rest, l->stage.len + 1);
		return is_part(l->stage) ? header(rest, l, words[i].kind) :
		    command(rest, l, words[i].kind);
	}
	return POSTFIX_OTHER;
}
