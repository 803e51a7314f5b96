/*
 * What postconf and postqueue say. The first byte parts the input into
 * parameters, services and options; then all that is asked of them is asked,
 * and nothing grows beyond its bounds.
 */
#include <stdlib.h>

#include "tools/child.h"
#include "tools/doctor-queue.h"
#include "tools/postconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask_service(const struct postconf *pc, const struct postconf_service *s,
    struct arena *a)
{
	static const char *const names[] = { "smtpd_milters", "a", "b" };
	struct postconf_milter milters[POSTCONF_MILTERS];

	for (size_t i = 0; i < 3; i++) {
		struct slice rest = postconf_value(pc, s, names[i], a), word;
		size_t left = rest.len;
		int64_t ms;

		if (rest.len > POSTCONF_VALUE ||
		    postconf_packed(rest, a).len > 2 * rest.len + 2)
			abort();
		while (postconf_word(&rest, &word, NULL)) {
			if (rest.len >= left)
				abort();
			left = rest.len;
			if (postconf_time(word, 's', &ms) && ms < 0)
				abort();
		}
	}
	if (postconf_milters(pc, s, "smtpd_milters", a, milters) >
	    POSTCONF_MILTERS)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = slice_make(data, size), rest;
	struct slice part[3];
	struct queue_count q = { .old_before = 1 };
	struct child_lines lines = { .max = 1000, .line = queue_line,
	    .arg = &q };
	struct postconf *pc;

	rest = text;
	for (int i = 0; i < 3; i++)
		part[i] = rest.ptr != NULL ? slice_cut(rest, '\0', &rest) :
		    SLICE("");
	pc = postconf_read(part[0], part[1], part[2], SLICE("hash\n"), text,
	    a);
	ask_service(pc, NULL, a);
	for (size_t i = 0; i < pc->nservices && i < 10; i++)
		ask_service(pc, &pc->services[i], a);
	child_lines(slice_sub(text, 0, size / 2), &lines);
	child_lines(slice_after(text, size / 2), &lines);
	child_lines_end(&lines);
	arena_free(a);
	return 0;
}
