/* gatehouse-cell-unpack: opens containers, behind walls (cell/trade.h). */
#include <locale.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cell/trade.h"
#include "cells/unpack/codepage.h"
#include "cells/unpack/kind.h"
#include "cells/unpack/pdf_crypt.h"
#include "cells/unpack/walk.h"
#include "unpack/kinds.h"

static bool
prepare(int argc, char **argv, struct arena *a, struct slice *told_r,
    struct slice *why_r)
{
	(void)argc;
	(void)argv;
	/* libarchive takes names apart by the locale; a missing one costs the
	 * look of names only. */
	setlocale(LC_CTYPE, "C.UTF-8");
	codepage_prepare();
	pdf_crypt_prepare();
	*told_r = SLICE("unpack");
	return kind_prepare(a, why_r);
}

static bool
send_list(struct trade_request *r, const struct walk *w)
{
	struct buf list = buf_in(r->arena);

	for (const struct walk_entry *e = w->first; e != NULL; e = e->next) {
		told_write_record(&list, &e->record);
		if (list.len < TRADE_PIECE / 2 && e->next != NULL)
			continue;
		if (!trade_piece(r, buf_slice(&list), -1))
			return false;
		buf_clear(&list);
	}
	return true;
}

/* False: it is another request. */
static bool
tell_kinds(struct trade_request *r)
{
	struct slice files[KINDS];
	struct buf list = buf_in(r->arena);
	size_t n;

	if (!kinds_read_request(r->request, r->bytes, files, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		buf_add(&list, kind_of(files[i]));
		buf_addc(&list, '\n');
	}
	trade_piece(r, buf_slice(&list), -1);
	return true;
}

static void
walk(struct trade_request *r)
{
	struct walk w = { .arena = r->arena,
	    .out = memfd_create("members", MFD_CLOEXEC | MFD_ALLOW_SEALING) };

	if (w.out < 0 || r->fd < 0 ||
	    !told_read_request(r->request, &w.request)) {
		trade_refuse(r, SLICE("malformed request"));
	} else {
		walk_file(&w, r->bytes);
		/* Who gets it believes in no bytes that could still change. */
		if (fcntl(w.out, F_ADD_SEALS, UNPACK_SEALS) != 0)
			trade_refuse(r, SLICE("members cannot be sealed"));
		else if (send_list(r, &w))
			trade_piece(r, SLICE(""), w.out);
	}
	if (w.out >= 0)
		close(w.out);
}

static void
work(struct trade_request *r)
{
	if (!tell_kinds(r))
		walk(r);
}

static const struct cell_trade unpack = {
	.name = "unpack", .prepare = prepare, .work = work,
	.walls = { .memory = (uint64_t)1 << 30 },
	.requests = 200,
};

int
main(int argc, char **argv)
{
	return cell_main(argc, argv, &unpack);
}
