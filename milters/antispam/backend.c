#include "backend.h"

#include <sys/socket.h>

#include "net/stream.h"
#include "net/url.h"
#include "notice/zone.h"
#include "number.h"

/*
 * What a score means, as fitted to what Debian's rspamd 3.4 and spamd 4.0.1 say
 * of the project's mail with all network checks off (doc/architecture).
 */
static const struct {
	struct slice word;
	double offset, slope;
} shipped[] = {
	[BACKEND_RSPAMD] = { SLICE("rspamd"), -4, 0.54 },
	[BACKEND_SPAMD] = { SLICE("spamd"), -3.1, 0.82 },
};

/* ---- an entry ---- */

static enum rc
wrong(struct slice entry, const char *what, struct arena *a,
    struct slice *why_r)
{
	*why_r = arena_printf(a, "backends: \"%.*s\": %s; an entry is as "
	    "\"rspamd:127.0.0.1:11333\" or \"spamd:/run/spamd/sock\"",
	    SLICE_ARG(entry), what);
	return RC_BAD;
}

static bool
read_kind(struct slice word, struct backend_spec *spec, struct arena *a)
{
	struct slice rest, name = slice_cut(word, '=', &rest);

	if (rest.ptr != NULL)
		word = rest;
	for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
		if (!slice_eq(word, shipped[i].word))
			continue;
		spec->kind = (enum backend_kind)i;
		spec->offset = shipped[i].offset;
		spec->slope = shipped[i].slope;
		spec->name = arena_copy(a, name);
		return name.len > 0 && name.len <= 40 &&
		    ascii_all_of(name, "-_.");
	}
	return false;
}

static bool
read_place(struct slice where, struct backend_spec *spec, struct arena *a)
{
	struct slice text = arena_printf(a, "http://%.*s/", SLICE_ARG(where));
	struct url url;

	if (slice_starts(where, SLICE("/"))) {
		spec->host = arena_str(a, where);
		return where.len < 100;
	}
	/* Without a port, url_parse takes that of the web. */
	if (!url_parse(text, &url) || where.len == 0 ||
	    !ascii_digit(where.ptr[where.len - 1]) ||
	    slice_find_last(where, ':') == where.len ||
	    slice_ends(text, SLICE("]/")) || url.path.len != 1)
		return false;
	spec->host = arena_str(a, url.host);
	spec->port = url.port;
	return true;
}

static bool
read_setting(struct slice word, struct backend_spec *spec)
{
	struct slice value, name = slice_cut(word, '=', &value);

	if (value.ptr == NULL)
		return false;
	if (slice_eq(name, SLICE("offset")))
		return number_read(value, -20, 20, &spec->offset);
	return slice_eq(name, SLICE("slope")) &&
	    number_read(value, 0, 20, &spec->slope);
}

enum rc
backend_read(struct slice entry, struct backend_spec *spec_r,
    struct arena *a, struct slice *why_r)
{
	struct slice more, where, first = slice_cut(entry, ' ', &more);
	struct slice word = slice_cut(first, ':', &where);

	*spec_r = (struct backend_spec){ .kind = BACKEND_RSPAMD };
	if (!read_kind(word, spec_r, a))
		return wrong(entry, "there are rspamd and spamd", a, why_r);
	if (where.ptr == NULL || !read_place(where, spec_r, a))
		return wrong(entry, "behind the colon stand a path, or host "
		    "and port", a, why_r);
	while (more.ptr != NULL) {
		word = slice_cut(more, ' ', &more);
		if (word.len > 0 && !read_setting(word, spec_r))
			return wrong(entry, "behind the place offset=N (-20 "
			    "to 20) and slope=N (0 to 20) may stand", a,
			    why_r);
	}
	return RC_OK;
}

double
backend_chance(const struct backend_spec *spec, double score)
{
	double chance = spec->offset + spec->slope * score;

	if (chance > BACKEND_SURE)
		return BACKEND_SURE;
	return chance < -BACKEND_SURE ? -BACKEND_SURE : chance;
}

/* ---- a request ---- */

enum { VALUE = 500 };

static void
add_value(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len && i < VALUE; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		buf_addc(out, c < ' ' || c == 0x7f ? '_' : (char)c);
	}
}

static void
add_field(struct buf *out, const char *name, struct slice value)
{
	if (value.len == 0)
		return;
	buf_addf(out, "%s: ", name);
	add_value(out, value);
	buf_adds(out, "\r\n");
}

static bool
named(const struct client *client)
{
	return client->name.len > 0 &&
	    !slice_eq(client->name, SLICE("unknown"));
}

/* As Rspamd's own milter sends it (doc: protocol). */
static void
rspamd_fields(const struct job *job, struct buf *out, struct arena *a)
{
	const struct client *client = job->client;
	const struct envelope *e = job->envelope;

	if (client->ip.family != 0)
		add_field(out, "IP", ip_format(a, &client->ip));
	add_field(out, "Helo", client->helo);
	if (named(client))
		add_field(out, "Hostname", client->name);
	add_field(out, "From", e->sender.len > 0 ? e->sender : SLICE("<>"));
	add_field(out, "User", client->user);
	add_field(out, "Queue-Id", e->queue_id);
	for (size_t i = 0; i < e->nrecipients && i < BACKEND_RCPTS; i++)
		add_field(out, "Rcpt", e->recipients[i].address);
	if (e->nrecipients == 1)
		add_field(out, "Deliver-To", e->recipients[0].address);
}

/* What it reads about a client. Inside parentheses and brackets nothing may
 * stand that closes them. */
static void
add_word(struct buf *out, struct slice word)
{
	for (size_t i = 0; i < word.len && i < VALUE; i++)
		buf_addc(out, ascii_alnum(word.ptr[i]) ||
		    word.ptr[i] == '.' || word.ptr[i] == '-' ||
		    word.ptr[i] == ':' || word.ptr[i] == '_' ? word.ptr[i] :
		    '_');
}

static void
add_received(const struct job *job, struct buf *out, struct arena *a)
{
	const struct client *client = job->client;
	const struct zone *utc;
	struct slice why;
	bool v6 = client->ip.family == AF_INET6;

	buf_adds(out, "Return-Path: <");
	add_value(out, job->envelope->sender);
	buf_adds(out, ">\r\n");
	if (client->ip.family == 0)
		return;
	buf_adds(out, "Received: from ");
	add_word(out, client->helo.len > 0 ? client->helo : SLICE("unknown"));
	buf_adds(out, " (");
	add_word(out, named(client) ? client->name : SLICE("unknown"));
	buf_addf(out, " [%s%.*s])\r\n", v6 ? "IPv6:" : "",
	    SLICE_ARG(ip_format(a, &client->ip)));
	if (client->user.len > 0)
		buf_adds(out, "\t(Authenticated sender: user)\r\n");
	buf_addf(out, "\tby %s (Postfix) with %s id ", job->house->hostname,
	    client->user.len > 0 ? "ESMTPA" : "ESMTP");
	add_word(out, job->envelope->queue_id.len > 0 ?
	    job->envelope->queue_id : SLICE("NOQUEUE"));
	if (zone_open(a, "UTC", &utc, &why) == RC_OK)
		buf_addf(out, ";\r\n\t%.*s", SLICE_ARG(zone_date(a, utc,
		    job->now)));
	buf_adds(out, "\r\n");
}

void
backend_request(const struct backend_spec *spec, const struct job *job,
    struct arena *a, struct backend_request *request_r)
{
	struct buf fields = buf_in(a), out = buf_in(a);

	buf_room(&out, message_size(job->msg) + 4096);
	if (spec->kind == BACKEND_RSPAMD)
		rspamd_fields(job, &fields, a);
	else
		add_received(job, &out, a);
	buf_add(&out, job->msg->head);
	buf_adds(&out, "\r\n");
	buf_add(&out, job->msg->body);
	request_r->message = buf_slice(&out);
	if (spec->kind == BACKEND_SPAMD)
		buf_addf(&fields, "Content-length: %zu\r\n", out.len);
	request_r->fields = buf_slice(&fields);
}

/* ---- talking ---- */

static enum rc
talk_rspamd(struct http *http, const struct backend_request *request,
    deadline_t until, struct arena *a, struct backend_answer *answer_r,
    struct slice *why_r)
{
	const struct http_request q = { .method = "POST", .path = "/checkv2",
	    .more = arena_str(a, request->fields), .body = request->message,
	    .most = BACKEND_ANSWER };
	struct http_answer said;
	enum rc rc = http_ask(http, &q, until, &said, a, why_r);
	bool good;

	if (rc != RC_OK)
		return RC_RETRY;
	good = said.status == 200;
	if (!good)
		*why_r = arena_printf(a, "it says HTTP %d", said.status);
	else
		good = backend_rspamd(a, arena_copy(a,
		    buf_slice(&said.body)), answer_r, why_r);
	http_answer_free(&said);
	return good ? RC_OK : RC_RETRY;
}

static enum rc
read_all(struct stream *s, deadline_t until, struct arena *a,
    struct buf *out, struct slice *why_r)
{
	for (;;) {
		ssize_t n = stream_read(s, buf_room(out, 8192), 8192, until,
		    a, why_r);

		if (n < 0)
			return RC_RETRY;
		if (n == 0)
			return RC_OK;
		buf_took(out, (size_t)n);
		if (out->len > BACKEND_ANSWER) {
			*why_r = SLICE("its answer is too long");
			return RC_RETRY;
		}
	}
}

/* It says all at once, and closes. */
static enum rc
exchange(const struct backend_spec *spec, const struct slice *said, size_t n,
    deadline_t until, struct arena *a, struct buf *out, struct slice *why_r)
{
	struct stream *s = stream_open(spec->host, spec->port, NULL, until, a,
	    why_r);
	enum rc rc = s != NULL ? RC_OK : RC_RETRY;

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (!stream_write(s, said[i], until, a, why_r))
			rc = RC_RETRY;
	if (rc == RC_OK)
		rc = read_all(s, until, a, out, why_r);
	stream_close(s);
	return rc;
}

static enum rc
talk_spamd(const struct backend_spec *spec,
    const struct backend_request *request, deadline_t until, struct arena *a,
    struct backend_answer *answer_r, struct slice *why_r)
{
	const struct slice said[] = { SLICE("REPORT SPAMC/1.5\r\n"),
	    request->fields, SLICE("\r\n"), request->message };
	struct buf out = buf_in(a);
	enum rc rc = exchange(spec, said, sizeof said / sizeof said[0], until,
	    a, &out, why_r);

	if (rc == RC_OK && !backend_spamd(a, buf_slice(&out), answer_r,
	    why_r))
		rc = RC_RETRY;
	return rc;
}

enum rc
backend_talk(const struct backend_spec *spec, struct http *http,
    const struct backend_request *request, deadline_t until, struct arena *a,
    struct backend_answer *answer_r, struct slice *why_r)
{
	return spec->kind == BACKEND_RSPAMD ?
	    talk_rspamd(http, request, until, a, answer_r, why_r) :
	    talk_spamd(spec, request, until, a, answer_r, why_r);
}

enum rc
backend_ping(const struct backend_spec *spec, deadline_t until,
    struct arena *a, struct slice *why_r)
{
	bool web = spec->kind == BACKEND_RSPAMD;
	const struct slice said = web ? SLICE("GET /ping HTTP/1.0\r\n\r\n") :
	    SLICE("PING SPAMC/1.2\r\n\r\n");
	struct slice pong = web ? SLICE("pong") : SLICE("PONG");
	struct buf out = buf_in(a);

	if (exchange(spec, &said, 1, until, a, &out, why_r) != RC_OK)
		return RC_RETRY;
	if (slice_search(buf_slice(&out), pong) < out.len)
		return RC_OK;
	*why_r = SLICE("it is none of that kind");
	return RC_RETRY;
}
