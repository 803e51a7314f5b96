/*
 * DMARC record and evaluation. The first line of the input is the author
 * domain, the second the identifiers, by comma; each other line is the TXT
 * record at whatever name is asked for, in turn: "F" a failure, "N" no such
 * name. After the last one they come again. The evaluation is run with
 * answers at once and with answers that come one at a time, in both modes:
 * the result must be the same.
 */
#include "milters/auth-check/dmarc.h"
#include "milters/auth-check/spf_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAMES = 1 + DMARC_WALK * (1 + DMARC_IDENTIFIERS), IDENTIFIERS = 20 };

struct script {
	struct arena *arena;
	struct slice all, rest;
	struct slice names[NAMES];	/* asked so far */
	struct dns_answer answers[NAMES];
	bool known[NAMES];
	size_t count;
	bool late;
};

static void
make_answer(struct script *s, struct dns_answer *r)
{
	struct dns_record *record = arena_alloc(s->arena, sizeof *record);
	struct slice line = SLICE("");

	if (!slice_line(&s->rest, &line)) {
		s->rest = s->all;
		slice_line(&s->rest, &line);
	}
	*r = (struct dns_answer){ .status = DNS_NXDOMAIN, .records = record };
	if (line.len == 0 || line.ptr[0] == 'N')
		return;
	r->status = line.ptr[0] == 'F' ? DNS_SERVFAIL : DNS_OK;
	r->count = r->status == DNS_OK;
	record->data = line;
}

static bool
lookup(void *arg, struct slice name, enum dns_type type, struct dns_answer *r)
{
	struct script *s = arg;
	size_t i = 0;

	if (!spf_askable(name) || (type != DNS_TXT && type != DNS_A))
		__builtin_trap();
	name = arena_printf(s->arena, "%d %.*s", (int)type, SLICE_ARG(name));
	while (i < s->count && !slice_eq(s->names[i], name))
		i++;
	if (i == NAMES)
		__builtin_trap();
	if (i == s->count) {
		s->names[s->count++] = name;
		make_answer(s, &s->answers[i]);
	}
	if (s->late && !s->known[i])
		return false;
	*r = s->answers[i];
	return true;
}

/* What it needs first comes first; all else as late as can be. */
static void
check_late(struct script *s, const struct dmarc_query *q,
    const struct dmarc_answer *want)
{
	struct dmarc_answer r;
	size_t rounds = 0;

	s->late = true;
	for (;;) {
		size_t i = 0;

		dmarc_check(s->arena, q, lookup, s, &r);
		if (r.result != DMARC_PENDING)
			break;
		while (i < s->count && s->known[i])
			i++;
		if (i == s->count || ++rounds > NAMES)
			__builtin_trap();
		s->known[i] = true;
	}
	if (r.result != want->result || r.policy != want->policy ||
	    !slice_eq(r.reason, want->reason) ||
	    !slice_eq(r.record_domain, want->record_domain))
		__builtin_trap();
}

static void
check(struct arena *a, struct slice rest, const struct dmarc_query *q)
{
	struct script *s = arena_alloc(a, sizeof *s);
	struct dmarc_answer r;

	s->arena = a;
	s->all = s->rest = rest;
	/* Answers are given in the order of the questions, so the late run
	 * comes first, and finds them again. */
	s->late = true;
	dmarc_check(a, q, lookup, s, &r);
	s->late = false;
	dmarc_check(a, q, lookup, s, &r);
	for (size_t i = 0; i < r.reason.len; i++)
		if (r.reason.ptr[i] < ' ' || r.reason.ptr[i] > '~')
			__builtin_trap();
	if (r.policy != DMARC_NO_POLICY && r.result != DMARC_FAIL)
		__builtin_trap();
	check_late(s, q, &r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct suffixes *list;
	struct arena *a = arena_new();
	struct slice rest = slice_make(data, size), line = SLICE(""), why;
	struct dmarc_identifier ids[IDENTIFIERS];
	struct dmarc_query q = { .dkim = ids };
	struct dmarc_record record;

	if (list == NULL && (list = suffixes_open(NULL, a, &why)) == NULL)
		__builtin_trap();
	if (slice_line(&rest, &line))
		q.domain = line;
	if (slice_line(&rest, &line))
		while (line.ptr != NULL && q.ndkim < IDENTIFIERS) {
			ids[q.ndkim].temporary = q.ndkim % 4 == 3;
			ids[q.ndkim++].domain = slice_cut(line, ',', &line);
		}
	if (q.ndkim > 1)
		q.spf = ids[1];
	q.suffixes = list;
	dmarc_record_read(a, rest, &record);
	check(a, rest, &q);
	q.mode = DMARC_RFC7489;
	q.sample = size % 100;
	check(a, rest, &q);
	arena_free(a);
	return 0;
}
