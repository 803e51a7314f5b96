/*
 * gatehouse-cell-code: what stands in the QR codes of a picture, behind walls
 * (cell/trade.h).
 *
 * A request is empty, with the picture (PNG, JPEG, GIF) as its descriptor. Each
 * piece of the answer is one code, as its bytes; none: there is no code in it.
 * What is no picture that can be read is refused.
 */
#include "cell/trade.h"
#include "cells/code/codes.h"

static bool
prepare(int argc, char **argv, struct arena *a, struct slice *told_r,
    struct slice *why_r)
{
	(void)argc;
	(void)argv;
	(void)a;
	(void)why_r;
	*told_r = SLICE("code");
	return true;
}

static void
work(struct trade_request *r)
{
	struct slice codes[CODES_MOST], why;
	struct picture picture;
	size_t n;

	if (r->fd < 0 || !picture_read(r->arena, r->bytes, &picture, &why)) {
		trade_refuse(r, r->fd < 0 ? SLICE("no picture") : why);
		return;
	}
	n = codes_read(r->arena, &picture, codes);
	for (size_t i = 0; i < n; i++)
		if (!trade_piece(r, codes[i], -1))
			return;
}

static const struct cell_trade code = {
	.name = "code", .prepare = prepare, .work = work,
	.walls = { .memory = (uint64_t)512 << 20, .cpu = 120 },
	.requests = 200,
};

int
main(int argc, char **argv)
{
	return cell_main(argc, argv, &code);
}
