/*
 * An answer of a sandbox, to each question that there is: what is believed of
 * it is about what was asked, bounded, and printable. The first byte chooses.
 */
#include "services/sandbox/answer.h"

#define SHA	"2d711642b726b04401627ca9fbac32f5" \
	"c8530fb1903cc4db02258717921a4881"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(enum rc rc, const struct answer *r)
{
	if (rc != RC_OK)
		return;
	if (r->score > 100 || r->name.len > ANSWER_NAME ||
	    (r->judged && (unsigned)r->verdict >= VERDICTS))
		__builtin_trap();
	for (size_t i = 0; i < r->name.len; i++)
		if (r->name.ptr[i] < ' ' || r->name.ptr[i] > '~')
			__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice why = SLICE(""), tasks = SLICE(""), body;
	enum sandbox_api api;
	struct answer r;

	if (size > 0) {
		api = data[0] & 1 ? SANDBOX_CAPE : SANDBOX_GENERIC;
		body = slice_make(data + 1, size - 1);
		if (answer_submitted(api, body, a, &tasks, &why) == RC_OK &&
		    (tasks.len == 0 || !ascii_all_of(tasks, ",._-")))
			__builtin_trap();
		check(answer_state(api, body, SLICE("7"), SLICE(SHA), a, &r,
		    &why), &r);
		check(answer_report(body, SLICE("7"), SLICE(SHA), a, &r,
		    &why), &r);
		check(answer_report(body, SLICE("7"), SLICE_NONE, a, &r,
		    &why), &r);
	}
	arena_free(a);
	return 0;
}
