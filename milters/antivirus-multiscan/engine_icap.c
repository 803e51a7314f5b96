#include "engine_icap.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "icap_answer.h"
#include "remote.h"

enum { READ = 16384 };

struct icap {
	struct engine engine;
	struct arena *arena;
	struct engine_icap_conf conf;
	atomic_bool requests;		/* REQMOD: it knows no RESPMOD */
};

/* "host:port", and a bare IPv6 address in brackets. */
static struct slice
authority(const struct icap *c, struct arena *a)
{
	if (strchr(c->conf.host, ':') != NULL)
		return arena_printf(a, "[%s]:%u", c->conf.host, c->conf.port);
	return arena_printf(a, "%s:%u", c->conf.host, c->conf.port);
}

static void
begin(const struct icap *c, const char *method, struct buf *out)
{
	struct slice host = authority(c, out->arena);

	buf_addf(out, "%s icap%s://%.*s/%s ICAP/1.0\r\nHost: %.*s\r\n"
	    "User-Agent: Gatehouse\r\nConnection: close\r\n", method,
	    c->conf.tls != NULL ? "s" : "", SLICE_ARG(host), c->conf.service,
	    SLICE_ARG(host));
}

/* All before the first byte of the item. */
static struct slice
head_of(const struct icap *c, const struct scan_item *item, struct arena *a)
{
	bool req = atomic_load(&c->requests);
	struct slice fields = arena_printf(a, "Content-Type: %s\r\n"
	    "Content-Length: %zu\r\n\r\n", item->mail ? "message/rfc822" :
	    "application/octet-stream", item->bytes.len);
	struct slice first = arena_printf(a, "%s http://mail.gatehouse.invalid"
	    "/item HTTP/1.1\r\nHost: mail.gatehouse.invalid\r\n%s",
	    req ? "POST" : "GET", req ? "" : "\r\n");
	struct slice second = req ? fields : arena_printf(a,
	    "HTTP/1.1 200 OK\r\n%.*s", SLICE_ARG(fields));
	struct buf out = buf_in(a);

	begin(c, req ? "REQMOD" : "RESPMOD", &out);
	buf_adds(&out, "Allow: 204\r\n");
	if (req)
		buf_addf(&out, "Encapsulated: req-hdr=0, req-body=%zu\r\n\r\n",
		    first.len + second.len);
	else
		buf_addf(&out, "Encapsulated: req-hdr=0, res-hdr=%zu, "
		    "res-body=%zu\r\n\r\n", first.len,
		    first.len + second.len);
	buf_add(&out, first);
	buf_add(&out, second);
	buf_addf(&out, "%zx\r\n", item->bytes.len);
	return buf_slice(&out);
}

/*
 * An answer may be as long as what was sent, and is looked at anew only when
 * twice as much of it is there, or it stops.
 */
static bool
read_answer(struct stream *s, struct slice sent, deadline_t until,
    struct arena *a, struct icap_answer *r, struct slice *why_r)
{
	size_t max = ICAP_HEAD * 2 + sent.len + sent.len / 4, next = 1;
	struct buf in = buf_in(a);
	enum icap_got got = ICAP_MORE;

	while (got == ICAP_MORE) {
		ssize_t n = stream_read(s, buf_room(&in, READ), READ, until,
		    a, why_r);

		if (n < 0)
			return false;
		buf_took(&in, (size_t)n);
		if (n == 0 || in.len >= next || slice_ends(buf_slice(&in),
		    SLICE("\r\n0\r\n\r\n"))) {
			next = in.len < READ ? in.len + 1 : in.len * 2;
			got = icap_answer_read(buf_slice(&in), sent, r);
		}
		if (n == 0 && got == ICAP_MORE) {
			*why_r = SLICE("it hung up");
			return false;
		}
		if (in.len > max && got == ICAP_MORE)
			got = ICAP_BROKEN;
	}
	if (got == ICAP_WHOLE)
		return true;
	*why_r = SLICE("its answer is none");
	return false;
}

static bool
options(struct icap *c, deadline_t until, struct arena *a,
    struct icap_answer *r, struct slice *why_r)
{
	struct stream *s = stream_open(c->conf.host, c->conf.port,
	    c->conf.tls, until, a, why_r);
	struct buf out = buf_in(a);
	bool good;

	begin(c, "OPTIONS", &out);
	buf_adds(&out, "Encapsulated: null-body=0\r\n\r\n");
	good = s != NULL && stream_write(s, buf_slice(&out), until, a,
	    why_r) && read_answer(s, SLICE(""), until, a, r, why_r);
	stream_close(s);
	if (good && r->status != 200) {
		*why_r = arena_printf(a, "it answers OPTIONS with %u",
		    r->status);
		return false;
	}
	return good;
}

static bool
alive(struct engine *e, deadline_t until, struct arena *a)
{
	struct icap_answer r;
	struct slice why;

	return options((struct icap *)e, until, a, &r, &why);
}

static void
scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	struct icap *c = (struct icap *)e;
	deadline_t mine = remote_deadline(c->conf.timeout, until);
	struct slice why = SLICE("");
	struct icap_answer r;
	struct stream *s;

	if (remote_blamed(e, item, scan_r))
		return;
	s = stream_open(c->conf.host, c->conf.port, c->conf.tls, mine, a,
	    &why);
	if (s == NULL) {
		scan_r->text = why;
		return;
	}
	/* It may answer, and close, before it has taken all. */
	if (stream_write(s, head_of(c, item, a), mine, a, &why) &&
	    stream_write(s, item->bytes, mine, a, &why))
		stream_write(s, SLICE("\r\n0\r\n\r\n"), mine, a, &why);
	if (read_answer(s, item->bytes, mine, a, &r, &why))
		*scan_r = r.scan;
	else
		remote_silence(e, item, alive, mine, until, a, why, scan_r);
	stream_close(s);
}

static bool
look(struct engine *e, deadline_t until, struct arena *a,
    struct engine_status *status_r, struct slice *why_r)
{
	struct icap *c = (struct icap *)e;
	struct icap_answer r;

	until = deadline_earlier(until, deadline_in(c->conf.timeout));
	if (!options(c, until, a, &r, why_r))
		return false;
	/* RFC 3507, 4.10.2: one method, or several with commas. */
	if (slice_search(r.methods, SLICE("MOD")) == r.methods.len) {
		*why_r = SLICE("it has neither RESPMOD nor REQMOD");
		return false;
	}
	atomic_store(&c->requests, slice_search(r.methods, SLICE("RESPMOD")) ==
	    r.methods.len);
	status_r->version = r.service.ptr != NULL ? r.service :
	    SLICE("an ICAP server");
	status_r->generation = remote_hash(r.istag);
	return true;
}

static void
close_engine(struct engine *e)
{
	struct icap *c = (struct icap *)e;

	stream_tls_free(c->conf.tls);
	engine_fini(e);
	arena_free(c->arena);
	free(c);
}

static const struct engine_kind kind = {
	.scan = scan, .look = look, .close = close_engine, .reads_mail = true,
};

struct engine *
engine_icap_open(const struct engine_icap_conf *conf)
{
	struct icap *c = mem_alloc(sizeof *c);

	c->arena = arena_new();
	engine_init(&c->engine, &kind, conf->name);
	c->conf = *conf;
	c->conf.host = arena_str(c->arena, slice_of(conf->host));
	c->conf.service = arena_str(c->arena, slice_of(conf->service));
	return &c->engine;
}
