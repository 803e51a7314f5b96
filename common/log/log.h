/*
 * log - one grammar, one writer
 *
 * Lines go as datagrams to syslog (default /dev/log, facility mail), in the
 * shape of Postfix's:
 *   gatehouse-auth-check[812]: 4Zx1Qk2hJ9z: verdict=reject, rule=spf-fail, ...
 * A log that is full or gone never delays mail: the line is counted as lost
 * and the next one that gets through says how many. A syslog daemon that
 * starts again, or a file that was rotated away, is found again by the next
 * line.
 *
 * log_open	program name as it stands in each line ("gatehouse-auth-check");
 *		path NULL: /dev/log; "-": standard error, for tools and tests
 *		(no time, no process id); any other: that datagram socket, or
 *		a file that is appended to, made when absent. Under /dev and
 *		/run nothing is made: what is missing there is a socket. May
 *		be called again. Before it, lines go to standard error
 * log_info, log_warning, log_error, log_fatal, log_panic
 *		"warning:", "error:", "fatal:", "panic:" mean what they mean in
 *		Postfix. log_fatal and log_panic only log; the caller ends
 * log_debug	only after log_verbose(true)
 * log_lost	lines that could not be written so far
 * log_safe	makes bytes from outside fit to stand in a line: printable ASCII
 *		stays, all else (and backslash, quote) becomes \xNN; cut at
 *		`max` bytes of result with "..." behind it
 * log_begin	begins a message line: buf holds "id: " and then pairs
 * log_pair	", key=value", value made safe and cut at LOG_VALUE, quoted when
 *		it has a space, comma, parenthesis or is empty
 * log_end	" (text)" and out it goes
 *
 * Callers pass what mail brought through log_safe or log_pair, so that it can
 * be told from our own words. Should one forget, bytes that are no printable
 * ASCII are still written as \xNN: no line holds a control character, and none
 * is longer than LOG_LINE.
 *
 * Thread-safe: one line is one datagram, or one write.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/arena.h"
#include "base/buf.h"

enum {
	LOG_VALUE = 1000,		/* bytes of one value or of the text */
	LOG_LINE = 8000,		/* of a line; rsyslog takes 8192 */
};

void log_open(const char *program, const char *path);
void log_verbose(bool on);
uint64_t log_lost(void);

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct slice log_safe(struct arena *a, struct slice s, size_t max);

struct log_line {
	struct buf buf;
	bool pairs;
};

/* id: queue id, or "NOQUEUE" when there is none yet (also when empty). */
void log_begin(struct log_line *line, struct arena *a, struct slice id);
void log_pair(struct log_line *line, const char *key, struct slice value);
void log_pairf(struct log_line *line, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* text absent or empty: no parentheses. Logs at level info. */
void log_end(struct log_line *line, struct slice text);

#endif
