/*
 * An answer of an ICAP server to the item "hello". What is clean stays clean
 * with more bytes behind it, and is never so before its head is there.
 */
#include "milters/antivirus-multiscan/icap_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_make(data, size);
	struct icap_answer r;

	for (size_t n = 0; n <= size; n += 1 + size / 8) {
		enum icap_got got = icap_answer_read(slice_sub(bytes, 0, n),
		    SLICE("hello"), &r);

		if (r.scan.end == SCAN_CLEAN && (got != ICAP_WHOLE ||
		    (r.status != 204 && r.status != 200)))
			__builtin_trap();
		if (got != ICAP_MORE && icap_answer_read(bytes,
		    SLICE("hello"), &r) != got)
			__builtin_trap();
	}
	return 0;
}
