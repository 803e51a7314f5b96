#include "milter/offline.h"

#include <string.h>

#include "base/buf.h"

struct line {
	struct line *next;
	struct slice raw;		/* exact bytes, final CRLF included */
	struct slice name;
	bool hidden;			/* Postfix shows no such field */
};

struct offline {
	struct arena *a;
	const struct offline_input *in;
	struct offline_result *out;
	struct line *lines;
	struct slice separator;		/* blank line, or nothing */
	struct slice body;
};

static const char *
macro(void *ctx, const char *name)
{
	struct offline *o = ctx;

	if (strcmp(name, "i") == 0)
		return o->in->queue_id.ptr;
	if (strcmp(name, "{daemon_name}") == 0)
		return o->in->client.daemon_name.ptr;
	if (strcmp(name, "{auth_authen}") == 0)
		return o->in->client.user.ptr;
	if (strcmp(name, "{tls_version}") == 0)
		return o->in->client.tls.ptr;
	return NULL;
}

static struct slice
field_bytes(struct offline *o, struct slice name, struct slice body)
{
	struct buf out = buf_in(o->a);

	buf_add(&out, name);
	buf_addc(&out, ':');
	buf_add(&out, body);
	buf_add(&out, SLICE("\r\n"));
	return buf_slice(&out);
}

static struct line *
new_line(struct offline *o, struct slice name, struct slice body)
{
	struct line *line = arena_alloc(o->a, sizeof *line);

	line->name = arena_copy(o->a, name);
	line->raw = field_bytes(o, line->name, body);
	return line;
}

static bool
insert_field(void *ctx, const char *name, struct slice body)
{
	struct offline *o = ctx;
	struct line *line = new_line(o, slice_of(name), body);

	line->next = o->lines;
	o->lines = line;
	return true;
}

static bool
append_field(void *ctx, const char *name, struct slice body)
{
	struct offline *o = ctx;
	struct line **last = &o->lines;

	while (*last != NULL)
		last = &(*last)->next;
	*last = new_line(o, slice_of(name), body);
	return true;
}

static struct slice
body_of(const struct line *line)
{
	struct slice body = slice_after(line->raw,
	    slice_find(line->raw, ':') + 1);

	return slice_ends(body, SLICE("\r\n")) ?
	    slice_sub(body, 0, body.len - 2) : body;
}

static bool
change_field(void *ctx, const char *name, unsigned index, struct slice body)
{
	struct offline *o = ctx;
	struct line **at = &o->lines;

	for (; *at != NULL; at = &(*at)->next)
		if (!(*at)->hidden &&
		    slice_eq_nocase((*at)->name, slice_of(name)) &&
		    --index == 0)
			break;
	if (*at == NULL)
		return body.ptr == NULL || append_field(ctx, name, body);
	if (body.ptr != NULL)
		(*at)->raw = field_bytes(o, (*at)->name, body);
	else
		*at = (*at)->next;
	return true;
}

static bool
replace_body(void *ctx, struct slice body)
{
	struct offline *o = ctx;

	o->body = arena_copy(o->a, body);
	o->separator = SLICE("\r\n");
	return true;
}

static bool
change_sender(void *ctx, const char *address)
{
	struct offline *o = ctx;

	o->out->sender = arena_copy(o->a, slice_of(address));
	return true;
}

static bool
add_recipient(void *ctx, const char *address, bool quiet)
{
	struct offline *o = ctx;
	struct slice *more = arena_array(o->a, o->out->nrecipients + 1,
	    sizeof *more);

	(void)quiet;
	if (o->out->nrecipients > 0)
		memcpy(more, o->out->recipients,
		    o->out->nrecipients * sizeof *more);
	more[o->out->nrecipients++] = arena_copy(o->a, slice_of(address));
	o->out->recipients = more;
	return true;
}

static bool
remove_recipient(void *ctx, const char *address)
{
	struct offline *o = ctx;
	struct slice *r = o->out->recipients;
	size_t kept = 0;

	for (size_t i = 0; i < o->out->nrecipients; i++)
		if (!slice_eq(r[i], slice_of(address)))
			r[kept++] = r[i];
	o->out->nrecipients = kept;
	return true;
}

static bool
quarantine(void *ctx, const char *reason)
{
	struct offline *o = ctx;

	o->out->held = true;
	o->out->held_reason = arena_copy(o->a, slice_of(reason));
	return true;
}

static bool
set_reply(void *ctx, const char *code, const char *enhanced, const char *text)
{
	struct offline *o = ctx;

	memcpy(o->out->code, code, sizeof o->out->code);
	o->out->enhanced = arena_copy(o->a, slice_of(enhanced));
	o->out->text = arena_copy(o->a, slice_of(text));
	return true;
}

static const struct engine_ops ops = {
	.macro = macro,
	.insert_field = insert_field,
	.append_field = append_field,
	.change_field = change_field,
	.replace_body = replace_body,
	.change_sender = change_sender,
	.add_recipient = add_recipient,
	.remove_recipient = remove_recipient,
	.quarantine = quarantine,
	.set_reply = set_reply,
};

/* CRLF throughout; borrowed where it is so already. */
static struct slice
with_crlf(struct arena *a, struct slice file)
{
	struct buf out = buf_in(a);
	struct slice rest = file;
	bool borrowed = true;

	for (size_t i = 0; i < file.len && borrowed; i++)
		borrowed = file.ptr[i] != '\n' ||
		    (i > 0 && file.ptr[i - 1] == '\r');
	if (borrowed)
		return file;
	while (rest.len > 0) {
		size_t at = slice_find(rest, '\n');
		struct slice line = slice_sub(rest, 0, at);

		if (at == rest.len) {
			buf_add(&out, rest);
			break;
		}
		if (slice_ends(line, SLICE("\r")))
			line.len--;
		buf_add(&out, line);
		buf_add(&out, SLICE("\r\n"));
		rest = slice_after(rest, at + 1);
	}
	return buf_slice(&out);
}

/*
 * Cuts the header block as Postfix does: up to the blank line, or to the
 * first line that is no field.
 */
static void
read_lines(struct offline *o, struct slice file)
{
	struct line **last = &o->lines;
	struct slice rest = file, before = rest;
	struct field f;
	bool first = true;

	while (!slice_starts(rest, SLICE("\r\n")) && field_next(&rest, &f)) {
		struct line *line;

		if (f.name.len == 0 &&
		    !(first && slice_starts(f.raw, SLICE("From ")))) {
			rest = before;
			break;
		}
		line = arena_alloc(o->a, sizeof *line);
		line->raw = f.raw;
		line->name = f.name;
		line->hidden = f.name.len == 0;
		*last = line;
		last = &line->next;
		before = rest;
		first = false;
	}
	if (slice_starts(rest, SLICE("\r\n"))) {
		o->separator = SLICE("\r\n");
		rest = slice_after(rest, 2);
	}
	o->body = rest;
}

static void
feed(struct offline *o, struct session *s)
{
	enum { CHUNK = 65535 };
	const char *argv[2] = { arena_str(o->a, o->in->sender), NULL };
	struct slice rest = o->body;

	session_connect(s, o->in->client.name, &o->in->client.ip);
	session_helo(s, o->in->client.helo);
	session_mail(s, argv);
	for (size_t i = 0; i < o->in->nrecipients; i++) {
		argv[0] = arena_str(o->a, o->in->recipients[i]);
		session_rcpt(s, argv);
	}
	for (struct line *line = o->lines; line != NULL; line = line->next) {
		if (line->hidden)
			session_field(s, SLICE("X-Mailbox-Line"),
			    arena_printf(o->a, " %.*s", SLICE_ARG(
			    slice_trim(line->raw))));
		else
			session_field(s, line->name, body_of(line));
	}
	while (rest.len > 0 && session_body(s, slice_sub(rest, 0, CHUNK)))
		rest = slice_after(rest, CHUNK);
	o->out->answer = session_eom(s);
}

static struct slice
join(struct offline *o)
{
	struct buf out = buf_in(o->a);

	for (struct line *line = o->lines; line != NULL; line = line->next)
		buf_add(&out, line->raw);
	buf_add(&out, o->separator);
	buf_add(&out, o->body);
	return buf_slice(&out);
}

void
offline_run(struct host *host, const struct offline_input *in,
    struct arena *a, struct offline_result *result_r)
{
	struct offline o = { .a = a, .in = in, .out = result_r };
	struct session *s;

	memset(result_r, 0, sizeof *result_r);
	result_r->sender = in->sender;
	for (size_t i = 0; i < in->nrecipients; i++)
		add_recipient(&o, arena_str(a, in->recipients[i]), false);
	read_lines(&o, with_crlf(a, in->message));
	result_r->body_before = o.body;
	s = session_new(host, &ops, &o, ~0u);
	feed(&o, s);
	session_free(s);
	result_r->body_after = o.body;
	result_r->message = join(&o);
}
