#include "store/bytes.h"

static bool
from_hex(struct slice hex, struct arena *a, struct slice *bytes_r)
{
	char *to = arena_alloc(a, hex.len / 2 + 1);

	if (hex.len % 2 != 0)
		return false;
	for (size_t i = 0; i < hex.len / 2; i++) {
		int high = ascii_hex(hex.ptr[2 * i]);
		int low = ascii_hex(hex.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (char)(high << 4 | low);
	}
	*bytes_r = slice_make(to, hex.len / 2);
	return true;
}

bool
json_get_bytes(const json_t *value, struct arena *a, struct slice *bytes_r)
{
	if (json_is_string(value)) {
		*bytes_r = arena_copy(a, slice_make(json_string_value(value),
		    json_string_length(value)));
		return true;
	}
	value = json_object_get(value, "hex");
	return json_is_string(value) && from_hex(slice_make(
	    json_string_value(value), json_string_length(value)), a, bytes_r);
}
