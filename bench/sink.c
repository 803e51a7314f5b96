#include "bench/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { INPUT_MAX = 65536 };

enum state { COMMAND, HEADER, BODY };

struct delivery {
	struct watch watch;		/* first: the loop gives it back */
	struct sink *sink;
	struct delivery *next, **place;	/* in sink->open */
	enum state state;
	uint64_t number, hash;
	bool over;			/* QUIT was said */
	bool proved;			/* "dkim=pass" stands in its header */
	struct buf out;
	size_t in_len;
	char in[INPUT_MAX];
};

static void
delivery_close(struct delivery *d)
{
	loop_close(d->sink->loop, &d->watch);
	*d->place = d->next;
	if (d->next != NULL)
		d->next->place = d->place;
	buf_free(&d->out);
	free(d);
}

static void
command(struct delivery *d, struct slice line)
{
	if (slice_starts_nocase(line, SLICE("EHLO"))) {
		buf_adds(&d->out, "250-sink.test\r\n250-PIPELINING\r\n"
		    "250 8BITMIME\r\n");
	} else if (slice_starts_nocase(line, SLICE("DATA"))) {
		d->state = HEADER;
		d->number = UINT64_MAX;
		d->proved = false;
		buf_adds(&d->out, "354 go on\r\n");
	} else if (slice_starts_nocase(line, SLICE("QUIT"))) {
		d->over = true;
		buf_adds(&d->out, "221 bye\r\n");
	} else {
		buf_adds(&d->out, "250 ok\r\n");
	}
}

static void
header_line(struct delivery *d, struct slice line)
{
	struct slice text = slice_trim(line);

	if (text.len == 0) {
		d->state = BODY;
		d->hash = MAIL_HASH_START;
	} else if (slice_search(text, SLICE("dkim=pass")) < text.len) {
		d->proved = true;
	} else if (slice_starts(text, SLICE(MAIL_NUMBER))) {
		text = slice_after(text, sizeof MAIL_NUMBER - 1);
		if (!slice_number(text, UINT32_MAX, &d->number))
			d->number = UINT64_MAX;
	}
}

static void
arrived(struct delivery *d)
{
	struct sink *s = d->sink;

	d->state = COMMAND;
	buf_adds(&d->out, "250 taken\r\n");
	s->ended = clock_mono_us();
	if (d->number >= s->messages) {
		s->alien++;
	} else if (s->seen[d->number]) {
		s->twice++;
	} else {
		s->seen[d->number] = true;
		s->arrived++;
		s->proved += d->proved;
		s->changed += d->hash != mix_mail(s->mix, d->number)->hash;
	}
}

static void
take_line(struct delivery *d, struct slice line)
{
	if (d->state == COMMAND)
		command(d, line);
	else if (slice_eq(line, SLICE(".\r\n")))
		arrived(d);
	else if (d->state == HEADER)
		header_line(d, line);
	else
		d->hash = mail_hash(d->hash, line);
}

static void
take(struct delivery *d)
{
	struct slice rest = slice_make(d->in, d->in_len);
	size_t end;

	while ((end = slice_find(rest, '\n')) < rest.len) {
		take_line(d, slice_sub(rest, 0, end + 1));
		rest = slice_after(rest, end + 1);
	}
	if (rest.len == sizeof d->in)
		bench_die("a line of %zu bytes at the sink", rest.len);
	memmove(d->in, rest.ptr, rest.len);
	d->in_len = rest.len;
}

static void
delivery_ready(struct watch *w, uint32_t events)
{
	struct delivery *d = (struct delivery *)(void *)w;
	ssize_t n = read(w->fd, d->in + d->in_len, sizeof d->in - d->in_len);

	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		delivery_close(d);
		return;
	}
	d->in_len += (size_t)n;
	take(d);
	/* Replies of a few bytes always fit into an empty socket buffer. */
	if (d->out.len > 0 &&
	    write(w->fd, d->out.ptr, d->out.len) != (ssize_t)d->out.len)
		d->over = true;
	buf_clear(&d->out);
	if (d->over)
		delivery_close(d);
}

static void
listener_ready(struct watch *w, uint32_t events)
{
	static const char greeting[] = "220 sink.test ESMTP\r\n";
	const ssize_t len = sizeof greeting - 1;
	struct sink *s = (struct sink *)(void *)w;
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);
	struct delivery *d;

	(void)events;
	if (fd < 0)
		return;
	d = mem_alloc(sizeof *d);
	memset(d, 0, offsetof(struct delivery, in));
	d->sink = s;
	d->next = s->open;
	d->place = &s->open;
	if (s->open != NULL)
		s->open->place = &d->next;
	s->open = d;
	d->watch.ready = delivery_ready;
	loop_add(s->loop, &d->watch, fd);
	if (write(fd, greeting, (size_t)len) != len)
		delivery_close(d);
}

void
sink_start(struct sink *s, struct loop *l, const char *where,
    const struct mix *mix, size_t messages)
{
	*s = (struct sink){ .loop = l, .mix = mix, .messages = messages };
	s->seen = mem_alloc(messages * sizeof *s->seen);
	memset(s->seen, 0, messages * sizeof *s->seen);
	s->ended = clock_mono_us();
	s->listener.ready = listener_ready;
	loop_add(l, &s->listener, net_listen(where));
}

void
sink_free(struct sink *s)
{
	struct delivery *next;

	for (struct delivery *d = s->open; d != NULL; d = next) {
		next = d->next;
		delivery_close(d);
	}
	loop_close(s->loop, &s->listener);
	free(s->seen);
}
