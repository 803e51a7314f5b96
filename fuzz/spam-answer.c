/* Answers of Rspamd and spamd. A score is a number within its bounds, and what
 * is named a symbol is fit for a log line. */
#include <math.h>

#include "milters/antispam/backend_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const struct backend_answer *answer)
{
	if (!isfinite(answer->score) || fabs(answer->score) > 10000 ||
	    answer->symbols.len > BACKEND_SYMBOLS * (BACKEND_NAME + 2) ||
	    !ascii_all_of(answer->symbols, "_-., "))
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size), why = SLICE_NONE;
	struct arena *a = arena_new();
	struct backend_answer answer = { .score = 0 };

	if (backend_rspamd(a, text, &answer, &why))
		look(&answer);
	else if (why.ptr == NULL)
		__builtin_trap();
	why = SLICE_NONE;
	answer = (struct backend_answer){ .score = 0 };
	if (backend_spamd(a, text, &answer, &why))
		look(&answer);
	else if (why.ptr == NULL)
		__builtin_trap();
	arena_free(a);
	return 0;
}
