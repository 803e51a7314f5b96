#include "engine_clamd.h"

#include <stdlib.h>
#include <string.h>

#include "clamd_answer.h"
#include "net/stream.h"
#include "remote.h"

enum {
	REPLY = 4096,			/* bytes of one reply */
	CHUNK = 1 << 20,		/* of INSTREAM */
};

struct clamd {
	struct engine engine;
	struct arena *arena;
	struct engine_clamd_conf conf;
};

/* A reply ends with the NUL that the z of the command asked for. */
static bool
read_reply(struct stream *s, deadline_t until, struct arena *a,
    struct slice *reply_r, struct slice *why_r)
{
	char *room = arena_alloc(a, REPLY);
	size_t len = 0;

	while (len < REPLY) {
		ssize_t n = stream_read(s, room + len, REPLY - len, until, a,
		    why_r);
		const char *end;

		if (n == 0)
			*why_r = SLICE("it hung up");
		if (n <= 0)
			return false;
		end = memchr(room + len, '\0', (size_t)n);
		if (end != NULL) {
			*reply_r = slice_make(room, (size_t)(end - room));
			return true;
		}
		len += (size_t)n;
	}
	*why_r = SLICE("its answer is too long");
	return false;
}

static bool
send_stream(struct stream *s, struct slice bytes, deadline_t until,
    struct arena *a, struct slice *why_r)
{
	bool good = stream_write(s, SLICE("zINSTREAM\0"), until, a, why_r);

	while (good && bytes.len > 0) {
		struct slice chunk = slice_sub(bytes, 0, CHUNK);
		unsigned char size[4] = { (unsigned char)(chunk.len >> 24),
		    (unsigned char)(chunk.len >> 16),
		    (unsigned char)(chunk.len >> 8),
		    (unsigned char)chunk.len };

		good = stream_write(s, slice_make(size, 4), until, a, why_r) &&
		    stream_write(s, chunk, until, a, why_r);
		bytes = slice_after(bytes, chunk.len);
	}
	return good && stream_write(s, SLICE("\0\0\0\0"), until, a, why_r);
}

static bool
send_item(const struct clamd *c, struct stream *s,
    const struct scan_item *item, deadline_t until, struct arena *a,
    struct slice *why_r)
{
	if (c->conf.stream || c->conf.host[0] != '/')
		return send_stream(s, item->bytes, until, a, why_r);
	return stream_write(s, SLICE("zFILDES\0"), until, a, why_r) &&
	    stream_pass(s, item->fd, until, a, why_r);
}

/* One command without an item. */
static bool
command(const struct clamd *c, struct slice word, deadline_t until,
    struct arena *a, struct slice *reply_r, struct slice *why_r)
{
	struct stream *s = stream_open(c->conf.host, c->conf.port, NULL, until,
	    a, why_r);
	bool good = s != NULL && stream_write(s, word, until, a, why_r) &&
	    read_reply(s, until, a, reply_r, why_r);

	stream_close(s);
	return good;
}

static bool
alive(struct engine *e, deadline_t until, struct arena *a)
{
	struct slice reply, why;

	return command((struct clamd *)e, SLICE("zPING\0"), until, a, &reply,
	    &why) && slice_eq(reply, SLICE("PONG"));
}

static void
scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	struct clamd *c = (struct clamd *)e;
	deadline_t mine = remote_deadline(c->conf.timeout, until);
	struct slice reply, why = SLICE("");
	struct stream *s;

	if (remote_blamed(e, item, scan_r))
		return;
	s = stream_open(c->conf.host, c->conf.port, NULL, mine, a, &why);
	if (s == NULL) {
		scan_r->text = why;
		return;
	}
	/* It may refuse before it has taken all: that is an answer too. */
	send_item(c, s, item, mine, a, &why);
	if (read_reply(s, mine, a, &reply, &why))
		clamd_answer_scan(reply, scan_r);
	else
		remote_silence(e, item, alive, mine, until, a, why, scan_r);
	stream_close(s);
}

static bool
look(struct engine *e, deadline_t until, struct arena *a,
    struct engine_status *status_r, struct slice *why_r)
{
	struct clamd *c = (struct clamd *)e;
	struct slice reply;

	until = deadline_earlier(until, deadline_in(c->conf.timeout));
	if (!command(c, SLICE("zVERSION\0"), until, a, &reply, why_r))
		return false;
	if (!clamd_answer_version(reply, status_r)) {
		*why_r = SLICE("it is no clamd");
		return false;
	}
	status_r->generation = remote_hash(reply);
	return true;
}

static void
close_engine(struct engine *e)
{
	struct clamd *c = (struct clamd *)e;

	engine_fini(e);
	arena_free(c->arena);
	free(c);
}

static const struct engine_kind kind = {
	.scan = scan, .look = look, .close = close_engine, .reads_mail = true,
};

struct engine *
engine_clamd_open(const struct engine_clamd_conf *conf)
{
	struct clamd *c = mem_alloc(sizeof *c);

	c->arena = arena_new();
	engine_init(&c->engine, &kind, conf->name);
	c->conf = *conf;
	c->conf.host = arena_str(c->arena, slice_of(conf->host));
	return &c->engine;
}
