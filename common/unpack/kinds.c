#include "unpack/kinds.h"

#include <unistd.h>

static const struct slice word = { "kinds", 5 };

static bool
is_type(struct slice s)
{
	if (s.len == 0 || s.len > KINDS_NAME)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' ||
		    ascii_lower(s.ptr[i]) != s.ptr[i])
			return false;
	return slice_has(s, '/');
}

bool
kinds_read_request(struct slice request, struct slice bytes,
    struct slice files_r[KINDS], size_t *n_r)
{
	uint64_t len;

	if (!slice_eq(slice_cut(request, ' ', &request), word))
		return false;
	*n_r = 0;
	while (request.ptr != NULL) {
		struct slice number = slice_cut(request, ' ', &request);

		if (*n_r == KINDS || !slice_number(number, KINDS_HEAD,
		    &len) || len > bytes.len)
			return false;
		files_r[(*n_r)++] = slice_sub(bytes, 0, (size_t)len);
		bytes = slice_after(bytes, (size_t)len);
	}
	return bytes.len == 0;
}

bool
kinds_read_answer(struct slice answer, size_t n, struct slice *kinds_r)
{
	for (size_t i = 0; i < n; i++) {
		kinds_r[i] = slice_cut(answer, '\n', &answer);
		if (answer.ptr == NULL || !is_type(kinds_r[i]))
			return false;
	}
	return answer.len == 0;
}

enum cell_end
unpack_kinds(struct cell *cell, const struct slice *files, size_t n,
    deadline_t until, struct arena *a, struct slice *kinds_r)
{
	struct buf request = buf_in(a), bytes = { 0 }, said = buf_in(a);
	struct cell_answer answer;
	int fd;

	buf_add(&request, word);
	for (size_t i = 0; i < n; i++) {
		struct slice head = slice_sub(files[i], 0, KINDS_HEAD);

		kinds_r[i] = SLICE("");
		buf_addf(&request, " %zu", head.len);
		buf_add(&bytes, head);
	}
	fd = cell_memfd(buf_slice(&bytes));
	buf_free(&bytes);
	if (fd < 0)
		return CELL_DOWN;
	cell_ask(cell, buf_slice(&request), fd, until, a, &answer);
	close(fd);
	if (answer.end != CELL_ANSWERED)
		return answer.end;
	for (const struct cell_piece *p = answer.pieces; p != NULL;
	    p = p->next)
		buf_add(&said, p->bytes);
	if (kinds_read_answer(buf_slice(&said), n, kinds_r))
		return CELL_ANSWERED;
	for (size_t i = 0; i < n; i++)
		kinds_r[i] = SLICE("");
	return CELL_CRASHED;
}
