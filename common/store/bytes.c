#include "store/bytes.h"

#include "base/hex.h"

bool
json_get_bytes(const json_t *value, struct arena *a, struct slice *bytes_r)
{
	struct slice hex;
	char *to;

	if (json_is_string(value)) {
		*bytes_r = arena_copy(a, slice_make(json_string_value(value),
		    json_string_length(value)));
		return true;
	}
	value = json_object_get(value, "hex");
	hex = slice_make(json_string_value(value), json_string_length(value));
	to = arena_alloc(a, hex.len / 2 + 1);
	*bytes_r = slice_make(to, hex.len / 2);
	return json_is_string(value) && hex.len % 2 == 0 &&
	    hex_read(to, hex.len / 2, hex);
}
