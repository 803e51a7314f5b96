#include "tools/verb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf.h"

enum { MESSAGE_MAX = 1 << 30 };

#define CONF_DIR	SYSCONFDIR "/gatehouse"

int
verb_fails(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("gatehouse: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return status;
}

int
verb_status(enum rc rc)
{
	return rc == RC_OK ? EX_OK : rc == RC_BAD ? EX_CONFIG : EX_TEMPFAIL;
}

int
verb_print(const struct buf *out)
{
	if (fwrite(buf_slice(out).ptr, 1, out->len, stdout) != out->len ||
	    fflush(stdout) != 0)
		return verb_fails(EX_IOERR, "standard output: %s",
		    strerror(errno));
	return EX_OK;
}

int
verb_options(const char *sample, const struct conf_section *sections,
    bool manual)
{
	struct buf out = { 0 };
	int status;

	if (manual)
		conf_manual(&out, sections);
	else
		conf_sample(&out, sample, sections);
	status = verb_print(&out);
	buf_free(&out);
	return status;
}

int
verb_read(const char *path, struct arena *a, struct slice *bytes_r)
{
	bool in = strcmp(path, "-") == 0;
	FILE *f = in ? stdin : fopen(path, "r");
	struct buf bytes = buf_in(a);
	size_t n;

	if (f == NULL)
		return verb_fails(EX_NOINPUT, "%s: %s", path, strerror(errno));
	while ((n = fread(buf_room(&bytes, 65536), 1, 65536, f)) > 0 &&
	    bytes.len < MESSAGE_MAX)
		buf_took(&bytes, n);
	if (ferror(f) || bytes.len >= MESSAGE_MAX) {
		const char *why = ferror(f) ? strerror(errno) : "over 1 GB";

		if (!in)
			fclose(f);
		return verb_fails(EX_NOINPUT, "%s: %s", path, why);
	}
	if (!in)
		fclose(f);
	*bytes_r = buf_slice(&bytes);
	return EX_OK;
}

const char *
verb_conf_dir(const char *dir)
{
	if (dir != NULL)
		return dir;
	return access(CONF_DIR, F_OK) == 0 ? CONF_DIR : NULL;
}

const char *
verb_house_file(const char *dir, struct arena *a)
{
	const char *path;

	if (dir == NULL)
		return NULL;
	path = arena_printf(a, "%s/gatehouse.conf", dir).ptr;
	return access(path, F_OK) == 0 || errno != ENOENT ? path : NULL;
}

struct slice
verb_safe(struct arena *a, struct slice s)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '\n' || (c >= ' ' && c != 0x7f && c < 0x80))
			buf_addc(&out, (char)c);
		else if (c != '\r')
			buf_addf(&out, "\\x%02X", c);
	}
	/* Some print it as a string. */
	buf_addc(&out, '\0');
	return slice_sub(buf_slice(&out), 0, out.len - 1);
}

bool
verb_time(const char *text, int64_t *seconds_r)
{
	struct tm tm = { 0 };
	uint64_t n;
	const char *end;

	if (slice_number(slice_of(text), INT64_MAX, &n)) {
		*seconds_r = (int64_t)n;
		return true;
	}
	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end == NULL || strcmp(end, "Z") != 0)
		return false;
	*seconds_r = timegm(&tm);
	return true;
}

int
verb_clock(const char *text)
{
	int64_t seconds;

	if (!verb_time(text, &seconds))
		return verb_fails(EX_USAGE, "--now %s: seconds since 1970, or "
		    "2026-11-22T03:20:00Z", text);
	clock_pin(seconds);
	return EX_OK;
}

struct slice
verb_path(struct slice s)
{
	return s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>' ?
	    slice_sub(s, 1, s.len - 2) : s;
}
