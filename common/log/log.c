#include "log/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>

#include "log/outlet.h"

static atomic_bool verbose;

void
log_open(const char *program, const char *path)
{
	outlet_open(program, path);
}

void
log_verbose(bool on)
{
	verbose = on;
}

uint64_t
log_lost(void)
{
	return outlet_lost();
}

static void say(int severity, const char *word, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

static void
say(int severity, const char *word, const char *fmt, va_list args)
{
	char text[LOG_LINE + 1];
	int head, len;

	head = snprintf(text, sizeof text, "%s", word);
	len = vsnprintf(text + head, sizeof text - (size_t)head, fmt, args);
	if (len < 0)
		return;
	len += head;
	outlet_line(severity, slice_make(text,
	    (size_t)len < sizeof text ? (size_t)len : sizeof text - 1));
}

#define LEVEL(name, severity, word)			\
void							\
name(const char *fmt, ...)				\
{							\
	va_list args;					\
							\
	va_start(args, fmt);				\
	say(severity, word, fmt, args);			\
	va_end(args);					\
}

LEVEL(log_info, LOG_INFO, "")
LEVEL(log_warning, LOG_WARNING, "warning: ")
LEVEL(log_error, LOG_ERR, "error: ")
LEVEL(log_fatal, LOG_CRIT, "fatal: ")
LEVEL(log_panic, LOG_CRIT, "panic: ")

void
log_debug(const char *fmt, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, fmt);
	say(LOG_DEBUG, "", fmt, args);
	va_end(args);
}

/* Bytes that c takes in a line. */
static size_t
width(char c)
{
	return c >= ' ' && c <= '~' && c != '\\' && c != '"' ? 1 : 4;
}

struct slice
log_safe(struct arena *a, struct slice s, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0, size = 0;
	char *ptr, *p;

	while (n < s.len && size + width(s.ptr[n]) <= max)
		size += width(s.ptr[n++]);
	p = ptr = arena_alloc(a, size + 4);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (width(s.ptr[i]) == 1) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '\\';
		*p++ = 'x';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	for (int i = 0; n < s.len && i < 3; i++)
		*p++ = '.';
	return slice_make(ptr, (size_t)(p - ptr));
}

void
log_begin(struct log_line *line, struct arena *a, struct slice id)
{
	*line = (struct log_line){ .buf = buf_in(a) };
	if (id.len == 0)
		id = SLICE("NOQUEUE");
	buf_add(&line->buf, log_safe(a, id, 100));
	buf_adds(&line->buf, ": ");
}

/* Would a reader that cuts at commas and blanks cut in it? */
static bool
needs_quotes(struct slice s)
{
	return s.len == 0 || slice_has(s, ' ') || slice_has(s, ',') ||
	    slice_has(s, '(') || slice_has(s, ')');
}

void
log_pair(struct log_line *line, const char *key, struct slice value)
{
	bool quote = needs_quotes(value);

	if (line->pairs)
		buf_adds(&line->buf, ", ");
	line->pairs = true;
	buf_adds(&line->buf, key);
	buf_adds(&line->buf, quote ? "=\"" : "=");
	buf_add(&line->buf, log_safe(line->buf.arena, value, LOG_VALUE));
	if (quote)
		buf_addc(&line->buf, '"');
}

void
log_pairf(struct log_line *line, const char *key, const char *fmt, ...)
{
	struct slice value;
	va_list args;

	va_start(args, fmt);
	value = arena_vprintf(line->buf.arena, fmt, args);
	va_end(args);
	log_pair(line, key, value);
}

void
log_end(struct log_line *line, struct slice text)
{
	struct buf *b = &line->buf;

	if (text.len > 0) {
		buf_adds(b, line->pairs ? " (" : "(");
		buf_add(b, log_safe(b->arena, text, LOG_VALUE));
		buf_addc(b, ')');
	}
	outlet_line(LOG_INFO, buf_slice(b));
}
