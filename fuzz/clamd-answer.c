/* A reply of clamd. Clean and infected must be what it says at its end. */
#include "milters/antivirus-multiscan/clamd_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice reply = slice_make(data, size);
	struct engine_status status = { .up = true };
	struct scan scan;

	clamd_answer_scan(reply, &scan);
	if (scan.end == SCAN_CLEAN && !slice_ends(reply, SLICE(": OK")))
		__builtin_trap();
	if (scan.end == SCAN_INFECTED && (scan.text.len == 0 ||
	    !slice_ends(reply, SLICE(" FOUND"))))
		__builtin_trap();
	clamd_answer_version(reply, &status);
	return 0;
}
