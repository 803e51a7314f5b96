#include "trace.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/hex.h"

void
trace_begin(struct trace *t, const struct message *msg, struct slice key,
    struct arena *a)
{
	*t = (struct trace){ .msg = msg, .arena = a, .key = key,
	    .add = buf_in(a) };
}

/* Made once, and only for a message that a mark is asked about. */
static struct slice
content(struct trace *t)
{
	const struct field *f = message_field(t->msg, SLICE("Message-ID"), 0);
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buf out = buf_in(t->arena);

	if (t->content.ptr != NULL)
		return t->content;
	if (EVP_Digest(t->msg->body.ptr, t->msg->body.len, sum, &len,
	    EVP_sha256(), NULL) != 1)
		len = 0;
	buf_add(&out, slice_make(sum, len));
	if (f != NULL)
		buf_add(&out, field_value(t->arena, f));
	t->content = buf_slice(&out);
	return t->content;
}

static struct slice
mark(struct trace *t, struct slice rule)
{
	char *hex = arena_alloc(t->arena, TRACE_MARK + 1);
	unsigned char sum[EVP_MAX_MD_SIZE] = { 0 };
	struct buf out = buf_in(t->arena);
	unsigned len;

	buf_add(&out, rule);
	buf_addc(&out, '\0');
	buf_add(&out, content(t));
	HMAC(EVP_sha256(), t->key.len > 0 ? t->key.ptr : "", (int)t->key.len,
	    (const unsigned char *)out.ptr, out.len, sum, &len);
	hex_write(hex, sum, TRACE_MARK / 2);
	return slice_make(hex, TRACE_MARK);
}

static size_t
hops(const struct message *msg)
{
	return message_count(msg, SLICE("Received"));
}

bool
trace_passed(struct trace *t, struct slice rule)
{
	struct slice want = mark(t, rule);
	unsigned looked = 0;

	if (hops(t->msg) > TRACE_HOPS)
		return true;
	for (size_t i = 0; i < t->msg->nfields && looked < TRACE_FIELDS; i++) {
		if (!slice_eq_nocase(t->msg->fields[i].name,
		    SLICE(TRACE_FIELD)))
			continue;
		looked++;
		if (slice_search(t->msg->fields[i].body, want) <
		    t->msg->fields[i].body.len)
			return true;
	}
	return false;
}

void
trace_add(struct trace *t, struct slice rule)
{
	buf_addf(&t->add, "%s %.*s", t->add.len > 0 ? "\r\n" : "",
	    SLICE_ARG(mark(t, rule)));
}

void
trace_end(struct trace *t, struct plan *p)
{
	if (t->add.len > 0)
		patch_insert(&p->edits, SLICE(TRACE_FIELD),
		    buf_slice(&t->add));
}
