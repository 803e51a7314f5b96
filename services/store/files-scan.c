/*
 * What virus scanners say of a file before it is given out: clamd, by its
 * socket (FILDES) or over TCP (INSTREAM).
 *
 * What it takes for too large it calls clean, so it is not asked
 * about that: option download_scan_limit.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/stream.h"
#include "services/store/files.h"

enum { REPLY = 4096, CHUNK = 64 * 1024 };

/* "host:port" */
static bool
read_place(struct slice scanner, struct arena *a, const char **host_r,
    unsigned *port_r)
{
	struct slice host = scanner, port = SLICE("");
	uint64_t n = 0;

	for (size_t i = 0; i < scanner.len; i++)
		if (scanner.ptr[i] == ':') {
			host = slice_sub(scanner, 0, i);
			port = slice_after(scanner, i + 1);
		}
	*host_r = arena_str(a, scanner);
	if (slice_starts(scanner, SLICE("/")))
		return true;
	if (slice_starts(host, SLICE("[")) && slice_ends(host, SLICE("]")))
		host = slice_sub(host, 1, host.len - 2);
	*host_r = arena_str(a, host);
	*port_r = slice_number(port, 65535, &n) ? (unsigned)n : 0;
	return host.len > 0 && *port_r > 0;
}

enum rc
files_scanner_check(struct slice scanner, struct arena *a,
    struct slice *why_r)
{
	const char *host;
	unsigned port;

	if (read_place(scanner, a, &host, &port))
		return RC_OK;
	*why_r = arena_printf(a, "download_scanners: \"%.*s\" is none; it "
	    "wants the path of clamd's socket, as \"/run/clamav/clamd.ctl\", or "
	    "\"host:port\"", SLICE_ARG(scanner));
	return RC_BAD;
}

static bool
read_reply(struct stream *s, deadline_t until, struct arena *a,
    struct slice *reply_r, struct slice *why_r)
{
	char *room = arena_alloc(a, REPLY);
	size_t len = 0;

	while (len < REPLY) {
		ssize_t n = stream_read(s, room + len, REPLY - len, until, a,
		    why_r);
		const char *end = n > 0 ? memchr(room + len, '\0',
		    (size_t)n) : NULL;

		if (n == 0)
			*why_r = SLICE("it hung up");
		if (n <= 0)
			return false;
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
send_bytes(struct stream *s, int fd, uint64_t size, deadline_t until,
    struct arena *a, struct slice *why_r)
{
	char *room = arena_alloc(a, CHUNK + 4);
	uint64_t done = 0;

	if (!stream_write(s, SLICE("zINSTREAM\0"), until, a, why_r))
		return false;
	while (done < size) {
		ssize_t n = pread(fd, room + 4, CHUNK, (off_t)done);

		if (n <= 0)
			return false;
		for (int i = 0; i < 4; i++)
			room[i] = (char)((size_t)n >> (24 - 8 * i));
		if (!stream_write(s, slice_make(room, (size_t)n + 4), until, a,
		    why_r))
			return false;
		done += (uint64_t)n;
	}
	return stream_write(s, SLICE("\0\0\0\0"), until, a, why_r);
}

enum files_scan
files_scan_answer(struct slice answer, struct slice *text_r)
{
	struct slice text = answer;
	size_t at = slice_search(answer, SLICE(": "));

	if (at < answer.len)
		text = slice_after(answer, at + 2);
	*text_r = text;
	if (slice_eq(text, SLICE("OK")))
		return FILES_CLEAN;
	if (!slice_ends(text, SLICE(" FOUND")))
		return FILES_NOT_NOW;
	*text_r = slice_sub(text, 0, text.len - (sizeof " FOUND" - 1));
	/* A limit that it met, and a lock that it has no key for, are no
	 * virus. The second was judged when the mail came. */
	if (slice_starts(*text_r, SLICE("Heuristics.Limits.Exceeded")))
		return FILES_TOO_LARGE;
	return slice_starts(*text_r, SLICE("Heuristics.Encrypted")) ?
	    FILES_CLEAN : FILES_INFECTED;
}

static enum files_scan
ask_one(struct slice scanner, int fd, uint64_t size, deadline_t until,
    struct arena *a, struct slice *text_r)
{
	struct slice reply, why = SLICE("it cannot be reached");
	enum files_scan end = FILES_NOT_NOW;
	const char *host;
	unsigned port = 0;
	struct stream *s = read_place(scanner, a, &host, &port) ?
	    stream_open(host, port, NULL, until, a, &why) : NULL;

	*text_r = why;
	if (s == NULL)
		return FILES_NOT_NOW;
	/* It may refuse before it has taken all: that is an answer too. */
	if (host[0] == '/') {
		if (stream_write(s, SLICE("zFILDES\0"), until, a, &why))
			stream_pass(s, fd, until, a, &why);
	} else {
		send_bytes(s, fd, size, until, a, &why);
	}
	if (read_reply(s, until, a, &reply, &why))
		end = files_scan_answer(reply, &why);
	stream_close(s);
	*text_r = arena_printf(a, "%.*s", SLICE_ARG(why));
	return end;
}

enum files_scan
files_scan(const struct store_conf *conf, int fd, uint64_t size,
    struct arena *a, struct slice *text_r)
{
	const struct conf_list *all = &conf->download_scanners;
	enum files_scan found = FILES_TOO_LARGE;

	*text_r = SLICE("it is larger than download_scan_limit");
	if (size > conf->download_scan_limit)
		return FILES_TOO_LARGE;
	for (size_t i = 0; i < all->count; i++) {
		struct slice text = SLICE("");
		enum files_scan end = ask_one(all->items[i], fd, size,
		    deadline_in(conf->download_scan_timeout), a, &text);

		if (end == FILES_INFECTED || (end == FILES_NOT_NOW &&
		    found != FILES_NOT_NOW))
			*text_r = arena_printf(a, "%s%.*s%.*s", end ==
			    FILES_INFECTED ? "" : "scanner ",
			    SLICE_ARG(end == FILES_INFECTED ? SLICE("") :
			    arena_printf(a, "%.*s: ",
			    SLICE_ARG(all->items[i]))), SLICE_ARG(text));
		if (end == FILES_INFECTED)
			return end;
		if (end == FILES_NOT_NOW || (end == FILES_CLEAN &&
		    found != FILES_NOT_NOW))
			found = end;
	}
	return found;
}
