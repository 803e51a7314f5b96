#include "track/postfix.h"

#include "track/postfix-part.h"

/* --- pieces ------------------------------------------------------------- */

bool
postfix_is_id(struct slice s)
{
	if (s.len < 6 || s.len > 30)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]))
			return false;
	return true;
}

bool
part_skip(struct slice *rest, struct slice text)
{
	if (!slice_starts(*rest, text))
		return false;
	*rest = slice_after(*rest, text.len);
	return true;
}

bool
part_until(struct slice *rest, struct slice end, struct slice *before_r)
{
	size_t at = slice_search(*rest, end);

	if (at == rest->len)
		return false;
	*before_r = slice_sub(*rest, 0, at);
	*rest = slice_after(*rest, at + end.len);
	return true;
}

bool
part_address(struct slice *rest, struct slice *address_r)
{
	size_t at = 0, end;

	/* A local part that needs quotes is quoted whole (RFC 5321). */
	if (rest->len > 0 && rest->ptr[0] == '"')
		for (at = 1; at < rest->len && rest->ptr[at] != '"'; at++)
			at += rest->ptr[at] == '\\';
	end = at < rest->len ? at + slice_find(slice_after(*rest, at), '>') :
	    rest->len;
	if (end >= rest->len)
		end = slice_find(*rest, '>');
	if (end >= rest->len)
		return false;
	*address_r = slice_sub(*rest, 0, end);
	*rest = slice_after(*rest, end + 1);
	return true;
}

size_t
part_last(struct slice s, struct slice needle)
{
	size_t at = s.len, from = 0, next;

	while (from < s.len) {
		next = from + slice_search(slice_after(s, from), needle);
		if (next >= s.len)
			break;
		at = next;
		from = next + 1;
	}
	return at;
}

/* name[address], name[address]:port, [address]:port. */
void
part_client(struct slice s, struct postfix_line *l)
{
	size_t open = slice_find_last(s, '['), close;

	if (open == s.len) {
		l->client = s;
		return;
	}
	l->client = slice_sub(s, 0, open);
	s = slice_after(s, open + 1);
	close = slice_find(s, ']');
	l->ip = slice_sub(s, 0, close);
	if (slice_eq(l->client, SLICE("unknown")))
		l->client = SLICE("");
	if (slice_eq(l->ip, SLICE("unknown")))
		l->ip = SLICE("");
}

/* --- the words of each program ------------------------------------------ */

/* "Anonymous TLS connection established from a[b]: TLSv1.3 with cipher C" */
static enum postfix_kind
tls(struct slice s, struct postfix_line *l)
{
	struct slice level, peer;
	bool in;

	if (!part_until(&s, SLICE(" TLS connection "), &level) ||
	    slice_has(level, ' '))
		return POSTFIX_OTHER;
	if (!part_skip(&s, SLICE("established ")) &&
	    !part_skip(&s, SLICE("reused ")))
		return POSTFIX_OTHER;
	in = part_skip(&s, SLICE("from "));
	if (!in && !part_skip(&s, SLICE("to ")))
		return POSTFIX_OTHER;
	if (!part_until(&s, SLICE(": "), &peer))
		return POSTFIX_OTHER;
	if (in)
		part_client(slice_sub(peer, 0, slice_search(peer,
		    SLICE(" to "))), l);
	else
		l->relay = peer;
	l->action = level;
	/* "TLSv1.3 with cipher X (256/256 bits) ...": up to the bits. */
	l->text = slice_sub(s, 0, slice_search(s, SLICE(" (")));
	return in ? POSTFIX_TLS_IN : POSTFIX_TLS_OUT;
}

static enum postfix_kind
without_id(struct slice s, struct postfix_line *l)
{
	bool smtpd = slice_eq(l->program, SLICE("smtpd"));

	if (slice_search(slice_sub(s, 0, 40), SLICE(" TLS connection ")) <
	    (s.len < 40 ? s.len : 40))
		return tls(s, l);
	if (!smtpd)
		return POSTFIX_OTHER;
	if (part_skip(&s, SLICE("connect from "))) {
		part_client(s, l);
		return POSTFIX_CONNECT;
	}
	if (part_skip(&s, SLICE("disconnect from "))) {
		part_client(slice_sub(s, 0, slice_find(s, ' ')), l);
		return POSTFIX_DISCONNECT;
	}
	return POSTFIX_OTHER;
}

/* client=a[b], sasl_method=M, sasl_username=U, orig_queue_id=Q, ... */
static enum postfix_kind
client(struct slice s, struct postfix_line *l)
{
	static const struct { struct slice key; size_t at; } keys[] = {
		{ { "sasl_username=", 14 },
		    offsetof(struct postfix_line, user) },
		{ { "orig_queue_id=", 14 },
		    offsetof(struct postfix_line, orig_id) },
	};
	struct slice rest = s;

	part_client(slice_sub(s, 0, slice_search(s, SLICE(", "))), l);
	while (rest.len > 0) {
		size_t end = slice_search(rest, SLICE(", "));
		struct slice item = slice_sub(rest, 0, end);

		for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
			if (slice_starts(item, keys[i].key))
				*(struct slice *)(void *)((char *)l +
				    keys[i].at) = slice_after(item,
				    keys[i].key.len);
		rest = slice_after(rest, end + 2);
	}
	return POSTFIX_CLIENT;
}

static enum postfix_kind
pickup(struct slice s, struct postfix_line *l)
{
	struct slice uid;

	if (!part_skip(&s, SLICE("uid=")) ||
	    !part_until(&s, SLICE(" from=<"), &uid))
		return POSTFIX_OTHER;
	l->user = uid;
	l->has_from = part_until(&s, SLICE("> orig_id="), &l->from);
	if (l->has_from) {
		l->orig_id = s;
	} else if (s.len > 0 && s.ptr[s.len - 1] == '>') {
		l->from = slice_sub(s, 0, s.len - 1);
		l->has_from = true;
	}
	return l->has_from ? POSTFIX_PICKUP : POSTFIX_OTHER;
}

/* from=<a>, size=1, nrcpt=2 (queue active); from=<a>, status=expired, ... */
static enum postfix_kind
qmgr(struct slice s, struct postfix_line *l)
{
	struct slice all, size, nrcpt;
	size_t at;

	if (slice_eq(s, SLICE("removed")))
		return POSTFIX_REMOVED;
	if (!part_skip(&s, SLICE("from=<")))
		return POSTFIX_OTHER;
	all = s;
	at = part_last(s, SLICE(">, size="));
	if (at < s.len) {
		l->from = slice_sub(s, 0, at);
		s = slice_after(s, at + 8);
		if (!part_until(&s, SLICE(", nrcpt="), &size))
			return POSTFIX_OTHER;
		nrcpt = slice_sub(s, 0, slice_find(s, ' '));
		if (!slice_number(size, INT64_MAX, &l->size) ||
		    !slice_number(nrcpt, INT32_MAX, &l->nrcpt))
			return POSTFIX_OTHER;
		l->has_from = true;
		return POSTFIX_QUEUED;
	}
	at = part_last(all, SLICE(">, status="));
	if (at == all.len)
		return POSTFIX_OTHER;
	l->from = slice_sub(all, 0, at);
	l->has_from = true;
	l->text = slice_after(all, at + 10);
	return POSTFIX_EXPIRED;
}

struct slice
postfix_next_id(struct slice text)
{
	static const struct slice words[] = {
		{ "queued as ", 10 }, { "forwarded as ", 13 },
		{ " OK id=", 7 }, { "Queued mail for delivery id=", 28 },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t at = slice_search(text, words[i]), end = 0;
		struct slice id = slice_after(text, at + words[i].len);

		if (at == text.len)
			continue;
		while (end < id.len && end < 64 && (ascii_alnum(id.ptr[end]) ||
		    id.ptr[end] == '-' || id.ptr[end] == '.'))
			end++;
		while (end > 0 && id.ptr[end - 1] == '.')
			end--;
		if (end >= 4)
			return slice_sub(id, 0, end);
	}
	return SLICE("");
}

/* "0.14" in ms; -1 for what is no such number. */
static int64_t
delay(struct slice s)
{
	struct slice part, rest;
	uint64_t whole, tail;
	static const unsigned scale[] = { 0, 100, 10, 1 };

	part = slice_cut(s, '.', &rest);
	if (!slice_number(part, INT32_MAX, &whole))
		return -1;
	if (rest.ptr == NULL)
		return (int64_t)whole * 1000;
	rest = slice_sub(rest, 0, 3);
	if (!slice_number(rest, 999, &tail))
		return -1;
	return (int64_t)(whole * 1000 + tail * scale[rest.len]);
}

static void
status_keys(struct slice s, struct postfix_line *l)
{
	while (s.len > 0) {
		size_t end = slice_search(s, SLICE(", "));
		struct slice item = slice_sub(s, 0, end);

		if (part_skip(&item, SLICE("dsn=")))
			l->dsn = item;
		else if (part_skip(&item, SLICE("delay=")))
			l->delay_ms = delay(item);
		s = slice_after(s, end + 2);
	}
}

/* An address that `next` follows. One that is not quoted ends there, whatever
 * is in it: Postfix can be told to log addresses without quotes. */
static bool
address_before(struct slice *rest, struct slice next, struct slice *address_r)
{
	struct slice s = *rest;

	if (s.len == 0 || s.ptr[0] != '"')
		return part_until(rest, next, address_r);
	if (!part_address(&s, address_r) ||
	    !part_skip(&s, slice_after(next, 1)))
		return false;
	*rest = s;
	return true;
}

/* a>, orig_to=<b>, relay= */
static bool
addresses(struct slice *rest, struct slice *to_r, struct slice *orig_to_r)
{
	const struct slice alias = SLICE(">, orig_to=<");
	const struct slice relay = SLICE(">, relay=");
	struct slice s = *rest;
	bool quoted = s.len > 0 && s.ptr[0] == '"';

	/* Where there is no alias its word may still stand in the text. */
	if ((quoted || slice_search(s, alias) < slice_search(s, relay)) &&
	    address_before(&s, alias, to_r) &&
	    address_before(&s, relay, orig_to_r)) {
		*rest = s;
		return true;
	}
	*orig_to_r = SLICE("");
	return address_before(rest, relay, to_r);
}

/*
 * to=<a>, orig_to=<b>, relay=r, delay=1, delays=..., dsn=2.0.0, status=sent
 * (text). Addresses and text may hold anything; between them all is Postfix's.
 */
static enum postfix_kind
status(struct slice s, struct postfix_line *l)
{
	struct slice to, orig_to = SLICE(""), relay, keys;

	if (!part_skip(&s, SLICE("to=<")) || !addresses(&s, &to, &orig_to) ||
	    !part_until(&s, SLICE(", "), &relay) ||
	    !part_until(&s, SLICE("status="), &keys))
		return POSTFIX_OTHER;
	l->to = to;
	l->has_to = true;
	l->orig_to = orig_to;
	l->relay = relay;
	status_keys(keys, l);
	l->status = slice_sub(s, 0, slice_find(s, ' '));
	s = slice_after(s, l->status.len + 1);
	if (s.len >= 2 && s.ptr[0] == '(' && s.ptr[s.len - 1] == ')')
		s = slice_sub(s, 1, s.len - 2);
	l->text = s;
	l->next_id = postfix_next_id(s);
	return l->status.len > 0 ? POSTFIX_STATUS : POSTFIX_OTHER;
}

static enum postfix_kind
notice(struct slice s, struct postfix_line *l)
{
	size_t at = part_last(s, SLICE(" notification: "));

	if (at == s.len)
		return POSTFIX_OTHER;
	l->text = slice_sub(s, 0, at);
	l->next_id = slice_after(s, at + 15);
	return postfix_is_id(l->next_id) ? POSTFIX_NOTICE : POSTFIX_OTHER;
}

static enum postfix_kind
postsuper(struct slice s)
{
	if (slice_eq(s, SLICE("placed on hold")))
		return POSTFIX_PUT_ON_HOLD;
	if (slice_eq(s, SLICE("released from hold")))
		return POSTFIX_RELEASED;
	if (slice_eq(s, SLICE("removed")))
		return POSTFIX_DELETED;
	return slice_eq(s, SLICE("requeued")) ? POSTFIX_REQUEUED :
	    POSTFIX_OTHER;
}

static enum postfix_kind
cleanup(struct slice s, struct postfix_line *l)
{
	if (part_skip(&s, SLICE("message-id=")) ||
	    part_skip(&s, SLICE("resent-message-id="))) {
		if (s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>')
			s = slice_sub(s, 1, s.len - 2);
		l->text = s;
		return POSTFIX_MESSAGE_ID;
	}
	return part_checked(s, l);
}

static bool
is(struct slice s, const char *word)
{
	return slice_eq(s, slice_of(word));
}

static enum postfix_kind
with_id(struct slice s, struct postfix_line *l)
{
	enum postfix_kind kind = POSTFIX_OTHER;

	if (slice_starts(s, SLICE("to=<")))
		return status(s, l);
	if (is(l->program, "qmgr") || is(l->program, "oqmgr") ||
	    is(l->program, "nqmgr"))
		return qmgr(s, l);
	if (is(l->program, "cleanup"))
		return cleanup(s, l);
	if (is(l->program, "pickup"))
		return pickup(s, l);
	if (is(l->program, "postsuper"))
		return postsuper(s);
	if (is(l->program, "bounce"))
		return notice(s, l);
	if (is(l->program, "smtpd") || is(l->program, "qmqpd")) {
		if (part_skip(&s, SLICE("client=")))
			return client(s, l);
		kind = part_checked(s, l);
	}
	return kind;
}

static enum postfix_kind
message(struct slice text, struct postfix_line *l)
{
	size_t end = slice_search(text, SLICE(": "));
	struct slice id = slice_sub(text, 0, end);

	if (end < text.len && slice_eq(id, SLICE("NOQUEUE")))
		return part_checked(slice_after(text, end + 2), l);
	/* "warning: ..." has the shape of an id too. */
	if (end < text.len && postfix_is_id(id) &&
	    !slice_eq(id, SLICE("warning"))) {
		enum postfix_kind kind;

		l->id = id;
		kind = with_id(slice_after(text, end + 2), l);
		if (kind == POSTFIX_OTHER)
			l->id = SLICE("");
		return kind;
	}
	return without_id(text, l);
}

/* --- the head of the line ----------------------------------------------- */

static bool
one_of(const struct postfix_names *names, struct slice instance)
{
	for (size_t i = 0; i < names->count; i++) {
		struct slice name = names->items[i];

		if (name.len > 0 && name.ptr[name.len - 1] == '*' ?
		    slice_starts(instance, slice_sub(name, 0, name.len - 1)) :
		    slice_eq(instance, name))
			return true;
	}
	return false;
}

/* postfix/smtpd, postfix/submission/smtpd. */
static bool
tag_read(const struct postfix_names *names, struct slice tag,
    struct postfix_line *l)
{
	size_t first = slice_find(tag, '/'), last = slice_find_last(tag, '/');

	if (first == tag.len)
		return false;
	l->instance = slice_sub(tag, 0, first);
	l->program = slice_after(tag, last + 1);
	l->service = first == last ? l->program :
	    slice_sub(tag, first + 1, last - first - 1);
	return l->program.len > 0 && one_of(names, l->instance);
}

enum postfix_kind
postfix_text(const struct postfix_names *names, struct slice tag,
    struct slice pid, struct slice text, struct postfix_line *l)
{
	struct slice again = text, count;

	l->delay_ms = -1;
	l->pid = pid;
	if (!tag_read(names, tag, l))
		return l->kind = POSTFIX_ALIEN;
	/* What rsyslog makes of lines that are the same. */
	if (part_skip(&again, SLICE("message repeated ")) &&
	    part_until(&again, SLICE(" times: [ "), &count) &&
	    slice_ends(again, SLICE("]")))
		text = slice_sub(again, 0, again.len - 1);
	return l->kind = message(text, l);
}

/* RFC 5424: HOST APP PROCID MSGID SD MSG. */
static enum postfix_kind
rfc5424(const struct postfix_names *names, struct slice s,
    struct postfix_line *l)
{
	struct slice host, tag, pid, id;

	if (!part_until(&s, SLICE(" "), &host) ||
	    !part_until(&s, SLICE(" "), &tag) ||
	    !part_until(&s, SLICE(" "), &pid) ||
	    !part_until(&s, SLICE(" "), &id) || !part_skip(&s, SLICE("- ")))
		return l->kind = POSTFIX_ALIEN;
	part_skip(&s, SLICE("\xef\xbb\xbf"));
	return postfix_text(names, tag, pid, s, l);
}

enum postfix_kind
postfix_read(struct stamp *st, const struct postfix_names *names,
    struct slice line, struct postfix_line *l)
{
	struct slice s = line, host, tag, pid = SLICE("");
	size_t open;

	*l = (struct postfix_line){ .kind = POSTFIX_ALIEN };
	if (!stamp_read(st, &s, &l->time))
		return POSTFIX_ALIEN;
	if (st->rfc5424)
		return rfc5424(names, s, l);
	if (!part_until(&s, SLICE(" "), &host) ||
	    !part_until(&s, SLICE(": "), &tag))
		return POSTFIX_ALIEN;
	open = slice_find(tag, '[');
	if (open < tag.len && tag.ptr[tag.len - 1] == ']')
		pid = slice_sub(tag, open + 1, tag.len - open - 2);
	return postfix_text(names, slice_sub(tag, 0, open), pid, s, l);
}
