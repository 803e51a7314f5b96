/*
 * Authentication-Results. The first line of the input is our authserv-id, the
 * second a local part, the third a domain, the rest a reason, and a field's
 * body to be read. What is written must hold its promises, and must be ours
 * again when it is read.
 */
#include "milters/auth-check/authres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_body(struct slice body)
{
	struct slice line;

	for (size_t i = 0; i < body.len; i++) {
		char c = body.ptr[i];

		if (c == '\r') {
			if (i + 2 >= body.len || body.ptr[i + 1] != '\n' ||
			    body.ptr[i + 2] != '\t')
				__builtin_trap();
			i += 2;
		} else if (c < ' ' || c > '~') {
			__builtin_trap();
		}
	}
	if (body.len == 0 || body.ptr[0] != ' ')
		__builtin_trap();
	while (slice_line(&body, &line))
		if (line.len > 990)
			__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice rest = slice_make(data, size), id = SLICE("mx.example"),
	    local = SLICE(""), domain = SLICE(""), body;
	struct authres w;

	slice_line(&rest, &id);
	slice_line(&rest, &local);
	slice_line(&rest, &domain);
	authres_claim(a, rest, &id, 1);
	authres_says(a, rest, SLICE("dmarc"), SLICE("pass"),
	    SLICE("header.from"), domain);
	check_body(authres_fold(a, "X-Gatehouse-Tag", rest).len > 0 ?
	    authres_fold(a, "X-Gatehouse-Tag", rest) : SLICE(" "));
	authres_begin(&w, a, id);
	authres_result(&w, "spf", "fail");
	authres_reason(&w, rest);
	authres_address(&w, "smtp.mailfrom", local, domain);
	authres_value(&w, "smtp.helo", local);
	body = authres_end(&w);
	check_body(body);
	for (size_t i = 0; i < id.len; i++)
		if (!ascii_alnum(id.ptr[i]) && id.ptr[i] != '.')
			id.len = 0;
	if (id.len > 0 && id.len < 300 && ascii_alnum(id.ptr[0]) &&
	    authres_claim(a, body, &id, 1) != AUTHRES_OURS)
		__builtin_trap();
	arena_free(a);
	return 0;
}
