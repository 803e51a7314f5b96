#include "store/mark.h"

#include <string.h>

#include "base/hex.h"
#include "verdict/tagged.h"

/* By its own cause, or before some other filter held it. */
static bool
has_waited(const struct object_meta *meta)
{
	for (size_t i = 0; i < meta->nfindings; i++)
		if (slice_eq(meta->findings[i].key, SLICE(MARK_WAITED)))
			return true;
	return cause_waits(meta->cause);
}

void
mark_of_object(struct mark *mark, const struct object_meta *meta)
{
	*mark = (struct mark){
		.cause = meta->cause, .outbound = meta->outbound,
		.waited = has_waited(meta),
		.client_ip = meta->client_ip,
		.client_name = meta->client_name, .helo = meta->helo,
		.user = meta->user, .tls = meta->tls,
	};
	memcpy(mark->object, meta->id, sizeof mark->object);
	memcpy(mark->head_sha256, meta->head_sha256,
	    sizeof mark->head_sha256);
	memcpy(mark->body_sha256, meta->body_sha256,
	    sizeof mark->body_sha256);
}

enum rc
mark_write(const struct mark *mark, struct slice key, struct arena *a,
    struct slice *body_r)
{
	struct tagged t;

	if (key.len == 0)
		return RC_BAD;
	tagged_begin(&t, MARK_FIELD, a);
	tagged_put(&t, "v", SLICE("1"));
	tagged_put(&t, "o", slice_of(mark->object));
	tagged_put(&t, "c", slice_of(cause_name(mark->cause)));
	tagged_put(&t, "x", arena_printf(a, "%lld",
	    (long long)mark->expires));
	tagged_put(&t, "hh", slice_of(mark->head_sha256));
	tagged_put(&t, "hb", slice_of(mark->body_sha256));
	tagged_put(&t, "d", mark->outbound ? SLICE("out") : SLICE("in"));
	if (mark->waited)
		tagged_put(&t, "w", SLICE("1"));
	if (mark->last)
		tagged_put(&t, "l", SLICE("1"));
	if (mark->client_ip.family != 0)
		tagged_put(&t, "ip", ip_format(a, &mark->client_ip));
	tagged_put(&t, "cn", mark->client_name);
	tagged_put(&t, "he", mark->helo);
	tagged_put(&t, "us", mark->user);
	tagged_put(&t, "tl", mark->tls);
	for (size_t i = 0; i < mark->nrecipients; i++)
		tagged_put(&t, "r", mark->recipients[i]);
	if (!tagged_end(&t, key, body_r))
		return RC_BAD;
	return body_r->len <= MARK_MAX ? RC_OK : RC_BAD;
}

static bool
take_client(struct mark *m, struct slice tag, struct slice value)
{
	if (slice_eq(tag, SLICE("ip")))
		return ip_parse(value, &m->client_ip);
	if (slice_eq(tag, SLICE("cn")))
		m->client_name = value;
	else if (slice_eq(tag, SLICE("he")))
		m->helo = value;
	else if (slice_eq(tag, SLICE("us")))
		m->user = value;
	else if (slice_eq(tag, SLICE("tl")))
		m->tls = value;
	else
		return false;
	return true;
}

/* Recipients were made room for: as many as there are pairs. */
static bool
take(struct mark *m, struct slice tag, struct slice value)
{
	uint64_t n;

	if (slice_eq(tag, SLICE("v")))
		return slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("o")))
		return hex_copy(m->object, OBJECT_NAME, value);
	if (slice_eq(tag, SLICE("c")))
		return cause_parse(value, &m->cause);
	if (slice_eq(tag, SLICE("hh")))
		return hex_copy(m->head_sha256, 64, value);
	if (slice_eq(tag, SLICE("hb")))
		return hex_copy(m->body_sha256, 64, value);
	if (slice_eq(tag, SLICE("d"))) {
		m->outbound = slice_eq(value, SLICE("out"));
		return true;
	}
	if (slice_eq(tag, SLICE("w")))
		return m->waited = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("l")))
		return m->last = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("x"))) {
		if (!slice_number(value, INT64_MAX, &n))
			return false;
		m->expires = (int64_t)n;
		return true;
	}
	if (slice_eq(tag, SLICE("r"))) {
		m->recipients[m->nrecipients++] = value;
		return true;
	}
	return take_client(m, tag, value);
}

enum rc
mark_read(struct slice body, struct slice key, int64_t now, struct arena *a,
    struct mark *mark_r)
{
	struct mark m = { .expires = 0 };
	struct slice text, tag, value;

	if (body.len > MARK_MAX ||
	    !tagged_open(body, MARK_FIELD, key, a, &text))
		return RC_BAD;
	/* From here on it is our own writing. */
	m.client_name = m.helo = m.user = m.tls = SLICE("");
	m.recipients = arena_array(a, tagged_pairs(text) + 1,
	    sizeof *m.recipients);
	while (tagged_next(&text, a, &tag, &value))
		if (!take(&m, tag, value))
			return RC_BAD;
	if (m.object[0] == '\0' || m.cause == CAUSE_NONE ||
	    m.head_sha256[0] == '\0' || m.body_sha256[0] == '\0' ||
	    m.nrecipients == 0)
		return RC_BAD;
	if (now >= m.expires || m.expires - now > MARK_LIFE)
		return RC_BAD;
	*mark_r = m;
	return RC_OK;
}

bool
mark_has(const struct mark *mark, struct slice recipient)
{
	for (size_t i = 0; i < mark->nrecipients; i++)
		if (slice_eq_nocase(mark->recipients[i], recipient))
			return true;
	return false;
}
