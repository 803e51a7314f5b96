#include "clamd_answer.h"

#include <string.h>
#include <time.h>

enum scan_end
clamd_name_end(struct slice name)
{
	if (slice_starts(name, SLICE("Heuristics.Limits.Exceeded")))
		return SCAN_CUT;
	if (slice_starts(name, SLICE("Heuristics.Encrypted")))
		return SCAN_LOCKED;
	return SCAN_INFECTED;
}

/* What libclamav calls an error is about the item only where it says so. */
static enum scan_end
error_end(struct slice why)
{
	static const struct { struct slice word; enum scan_end end; } words[] =
	    { { SLICE("size limit exceeded"), SCAN_CUT },
	    { SLICE("Time limit reached"), SCAN_CUT },
	    { SLICE("CL_EMAX"), SCAN_CUT },
	    { SLICE("Exceeded max recursion"), SCAN_CUT },
	    { SLICE("Bad format or broken data"), SCAN_REFUSED },
	    { SLICE("CL_EFORMAT"), SCAN_REFUSED },
	    { SLICE("CL_EPARSE"), SCAN_REFUSED } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (slice_search(why, words[i].word) < why.len)
			return words[i].end;
	return SCAN_DOWN;
}

static void
garbage(struct scan *scan)
{
	*scan = (struct scan){ .end = SCAN_DOWN,
	    .text = SLICE("its answer is none") };
}

void
clamd_answer_scan(struct slice reply, struct scan *scan_r)
{
	size_t colon = slice_search(reply, SLICE(": "));
	struct slice text = slice_after(reply, colon + 2);

	garbage(scan_r);
	if (slice_ends(reply, SLICE(" ERROR"))) {
		/* "INSTREAM size limit exceeded. ERROR" has no colon. */
		text = colon < reply.len ? text : reply;
		text.len -= text.len < 6 ? text.len : 6;
		*scan_r = (struct scan){ .end = error_end(text),
		    .text = slice_trim(text) };
		return;
	}
	if (colon == reply.len || slice_has(reply, '\n') ||
	    slice_has(reply, '\0'))
		return;
	if (slice_eq(text, SLICE("OK")))
		*scan_r = (struct scan){ .end = SCAN_CLEAN,
		    .text = SLICE("") };
	else if (text.len > 6 && slice_ends(text, SLICE(" FOUND"))) {
		text = slice_sub(text, 0, text.len - 6);
		*scan_r = (struct scan){ .end = clamd_name_end(text),
		    .text = text };
	}
}

/* "Thu Nov 26 09:30:12 2026"; 0: no date. */
static int64_t
date_of(struct slice text)
{
	struct tm tm = { 0 };
	char copy[40];
	const char *end;

	if (text.len >= sizeof copy)
		return 0;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	end = strptime(copy, "%a %b %d %H:%M:%S %Y", &tm);
	return end != NULL && *end == '\0' ? (int64_t)timegm(&tm) : 0;
}

bool
clamd_answer_version(struct slice reply, struct engine_status *status_r)
{
	struct slice rest, program = slice_cut(reply, '/', &rest), number;
	int64_t date;
	uint64_t n;

	if (!slice_starts(program, SLICE("ClamAV ")) || program.len > 100 ||
	    reply.len > 200 || slice_has(reply, '\n'))
		return false;
	status_r->version = reply;
	if (rest.ptr == NULL)
		return true;
	number = slice_cut(rest, '/', &rest);
	if (!slice_number(number, UINT32_MAX, &n))
		return false;
	date = rest.ptr != NULL ? date_of(rest) : 0;
	if (date > 0)
		status_r->newest = date;
	return true;
}
