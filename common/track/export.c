#include "track/export.h"

static void
take(struct export_entry *e, struct slice key, struct slice value)
{
	uint64_t us;

	if (slice_eq(key, SLICE("__CURSOR")))
		e->cursor = value;
	else if (slice_eq(key, SLICE("SYSLOG_IDENTIFIER")))
		e->tag = value;
	else if (slice_eq(key, SLICE("SYSLOG_PID")) ||
	    (slice_eq(key, SLICE("_PID")) && e->pid.len == 0))
		e->pid = value;
	else if (slice_eq(key, SLICE("MESSAGE")))
		e->text = value;
	/* When it was sent counts more than when it was received. */
	else if (slice_eq(key, SLICE("_SOURCE_REALTIME_TIMESTAMP")) &&
	    slice_number(value, INT64_MAX, &us))
		e->ms = (int64_t)(us / 1000);
	else if (slice_eq(key, SLICE("__REALTIME_TIMESTAMP")) && e->ms < 0 &&
	    slice_number(value, INT64_MAX, &us))
		e->ms = (int64_t)(us / 1000);
}

static uint64_t
little(const char *bytes)
{
	uint64_t n = 0;

	for (int i = 7; i >= 0; i--)
		n = n << 8 | (unsigned char)bytes[i];
	return n;
}

enum export_got
export_next(struct slice *rest, struct export_entry *e)
{
	struct slice s = *rest;

	*e = (struct export_entry){ .ms = -1 };
	while (s.len > 0 && s.ptr[0] == '\n')
		s = slice_after(s, 1);
	for (;;) {
		size_t end = slice_find(s, '\n');
		struct slice line = slice_sub(s, 0, end), key, value;
		uint64_t len;

		if ((size_t)(s.ptr - rest->ptr) > EXPORT_ENTRY)
			return EXPORT_BAD;
		if (end == s.len)
			return s.len > EXPORT_ENTRY ? EXPORT_BAD : EXPORT_MORE;
		s = slice_after(s, end + 1);
		if (line.len == 0)
			break;
		key = slice_cut(line, '=', &value);
		if (value.ptr == NULL) {
			if (s.len < 8)
				return EXPORT_MORE;
			len = little(s.ptr);
			if (len > EXPORT_ENTRY)
				return EXPORT_BAD;
			if (s.len < 8 + len + 1)
				return EXPORT_MORE;
			if (s.ptr[8 + len] != '\n')
				return EXPORT_BAD;
			value = slice_sub(s, 8, (size_t)len);
			s = slice_after(s, 8 + (size_t)len + 1);
		}
		take(e, key, value);
	}
	*rest = s;
	return EXPORT_ONE;
}
