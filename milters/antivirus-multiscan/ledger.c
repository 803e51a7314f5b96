#include "ledger.h"

#include "base/buf.h"

const char *
lack_name(enum lack lack)
{
	static const char *const names[LACKS] = { "none", "engine", "crash",
	    "limit", "encrypted", "ambiguous", "unreadable" };

	return lack < LACKS ? names[lack] : "unknown";
}

void
ledger_init(struct ledger *l, struct arena *a)
{
	*l = (struct ledger){ .arena = a };
	l->last = &l->rows;
}

struct ledger_row *
ledger_add(struct ledger *l, struct slice path, struct slice bytes)
{
	struct ledger_row *row;

	if (l->nrows == LEDGER_ROWS) {
		l->cut = true;
		return NULL;
	}
	row = arena_alloc(l->arena, sizeof *row);
	row->path = path;
	row->bytes = bytes;
	row->len = bytes.len;
	row->unpacked = CELL_ANSWERED;
	ledger_put(l, row);
	return row;
}

bool
ledger_put(struct ledger *l, struct ledger_row *row)
{
	if (l->nrows == LEDGER_ROWS) {
		l->cut = true;
		return false;
	}
	*l->last = row;
	l->last = &row->next;
	l->nrows++;
	return true;
}

bool
ledger_worst(const struct ledger *l, const struct ledger_row **row_r,
    size_t *engine_r)
{
	const struct ledger_row *found = NULL;
	size_t engine = 0;

	for (const struct ledger_row *r = l->rows; r != NULL; r = r->next)
		for (size_t i = 0; i < l->nengines; i++) {
			if (r->scans[i].end != SCAN_INFECTED ||
			    (found != NULL && !found->mail))
				continue;
			found = r;
			engine = i;
		}
	*row_r = found;
	*engine_r = engine;
	return found != NULL;
}

/* The first of its kind counts: one example is enough to explain. */
static void
note(const struct ledger *l, struct ledger_lack *all, enum lack lack,
    const struct ledger_row *row, const char *who, struct slice text)
{
	if (all[lack].lack != LACK_NONE)
		return;
	all[lack].lack = lack;
	all[lack].row = row;
	all[lack].text = row == NULL || row->path.len == 0 ?
	    arena_printf(l->arena, "%s: %.*s", who, SLICE_ARG(text)) :
	    arena_printf(l->arena, "%s: %.*s (%.*s)", who, SLICE_ARG(text),
	    SLICE_ARG(row->path));
}

static enum lack
lack_of_why(enum unpack_why why)
{
	switch (why) {
	case UNPACK_WHOLE:
		return LACK_NONE;
	case UNPACK_ENCRYPTED:
		return LACK_ENCRYPTED;
	case UNPACK_TOO_DEEP:
	case UNPACK_TOO_MANY:
	case UNPACK_TOO_LARGE:
	case UNPACK_RATIO:
		return LACK_LIMIT;
	default:
		return LACK_UNREADABLE;
	}
}

static enum lack
lack_of_cell(enum cell_end end)
{
	switch (end) {
	case CELL_ANSWERED:
		return LACK_NONE;
	case CELL_DOWN:
		return LACK_ENGINE;
	case CELL_REFUSED:
		return LACK_UNREADABLE;
	case CELL_TIMEOUT:
	case CELL_TOO_MUCH:
		return LACK_LIMIT;
	default:
		return LACK_CRASH;
	}
}

static enum lack
lack_of_scan(enum scan_end end)
{
	switch (end) {
	case SCAN_CLEAN:
	case SCAN_INFECTED:
		return LACK_NONE;
	case SCAN_CUT:
	case SCAN_TIMEOUT:
		return LACK_LIMIT;
	case SCAN_LOCKED:
		return LACK_ENCRYPTED;
	case SCAN_REFUSED:
		return LACK_UNREADABLE;
	case SCAN_CRASHED:
		return LACK_CRASH;
	default:
		return LACK_ENGINE;
	}
}

/* Signatures that are too old do not count as looking. */
static bool
fresh(const struct engine_status *e, const struct ledger_demand *demand)
{
	return demand->age == 0 || e->newest == 0 ||
	    demand->now - e->newest <= demand->age;
}

/* An engine that cannot read mail is not asked about the whole message. */
static bool
asked(const struct ledger *l, const struct ledger_row *row, size_t engine)
{
	return !row->mail || l->reads_mail[engine];
}

static void
look_at_scans(const struct ledger *l, const struct ledger_row *row,
    const struct ledger_demand *demand, struct ledger_lack *all)
{
	unsigned seen = 0, could = 0;
	const char *old = NULL;

	for (size_t i = 0; i < l->nengines; i++) {
		enum lack lack = lack_of_scan(row->scans[i].end);

		if (!asked(l, row, i))
			continue;
		could++;
		if (lack == LACK_NONE && fresh(&l->engines[i], demand))
			seen++;
		else if (lack == LACK_NONE)
			old = l->names[i];
		/* What is wrong with the item is so whoever else saw it. */
		else if (lack != LACK_ENGINE)
			note(l, all, lack, row, l->names[i],
			    row->scans[i].text);
	}
	if (seen >= demand->engines || (row->mail && seen == could))
		return;
	if (old != NULL)
		note(l, all, LACK_ENGINE, row, old,
		    SLICE("its signatures are too old"));
	for (size_t i = 0; i < l->nengines; i++)
		if (asked(l, row, i) &&
		    lack_of_scan(row->scans[i].end) == LACK_ENGINE)
			note(l, all, LACK_ENGINE, row, l->names[i],
			    row->scans[i].text);
	/* Each engine had its own reason, or there are too few of them. */
	if (could < demand->engines && !row->mail)
		note(l, all, LACK_ENGINE, row, "engines", arena_printf(
		    l->arena, "%u of the %u that are asked for", could,
		    demand->engines));
}

enum lack
ledger_lacks(const struct ledger *l, const struct ledger_demand *demand,
    struct ledger_lack all[LACKS])
{
	for (int i = 0; i < LACKS; i++)
		all[i] = (struct ledger_lack){ .lack = LACK_NONE };
	if (l->cut || l->rows == NULL)
		note(l, all, LACK_LIMIT, NULL, "message", l->cut ?
		    SLICE("too many parts and members") :
		    SLICE("nothing was scanned"));
	if (l->ambiguous != NULL)
		note(l, all, LACK_AMBIGUOUS, NULL, "structure",
		    slice_of(l->ambiguous));
	for (const struct ledger_row *r = l->rows; r != NULL; r = r->next) {
		enum lack why = lack_of_why(r->why);
		enum lack cell = lack_of_cell(r->unpacked);

		if (why != LACK_NONE)
			note(l, all, why, r, "unpack",
			    slice_of(unpack_why_name(r->why)));
		if (cell != LACK_NONE)
			note(l, all, cell, r, "unpack",
			    slice_of(cell_end_name(r->unpacked)));
		look_at_scans(l, r, demand, all);
	}
	for (int i = LACK_NONE + 1; i < LACKS; i++)
		if (all[i].lack != LACK_NONE)
			return (enum lack)i;
	return LACK_NONE;
}

bool
ledger_crashed(const struct ledger *l, const struct ledger_row *row)
{
	bool crashed = lack_of_cell(row->unpacked) == LACK_CRASH;

	for (size_t i = 0; i < l->nengines; i++)
		crashed |= row->scans[i].end == SCAN_CRASHED;
	return crashed;
}

static bool
seen_by_all(const struct ledger *l, const struct ledger_row *row)
{
	for (size_t i = 0; i < l->nengines; i++)
		if (asked(l, row, i) &&
		    lack_of_scan(row->scans[i].end) != LACK_NONE)
			return false;
	return lack_of_why(row->why) == LACK_NONE &&
	    row->unpacked == CELL_ANSWERED;
}

struct slice
ledger_text(const struct ledger *l)
{
	struct buf out = buf_in(l->arena);
	size_t whole = 0, bytes = 0;

	for (const struct ledger_row *r = l->rows; r != NULL; r = r->next) {
		whole += seen_by_all(l, r);
		bytes += r->len;
	}
	buf_addf(&out, "%zu of %zu%s items, %zu kB, by", whole, l->nrows,
	    l->cut ? " or more" : "", (bytes + 1023) / 1024);
	for (size_t i = 0; i < l->nengines; i++)
		buf_addf(&out, "%s %s", i > 0 ? "," : "", l->names[i]);
	return buf_slice(&out);
}
