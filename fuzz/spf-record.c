/*
 * SPF record, macros and evaluation. The first line of the input is the MAIL
 * FROM, the second the HELO; each other line is a DNS answer to whatever is
 * asked, in turn: "A" and 4 bytes, "6" and 16, "M" and a name, "P" and a name,
 * "F" a failure, "N" no such name, anything else a TXT record. After the last
 * one they come again, so that loops are met too.
 */
#include <netinet/in.h>

#include "milters/auth-check/spf.h"
#include "milters/auth-check/spf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
	struct arena *arena;
	struct slice all, rest;
	unsigned asked;
};

static bool
fits(char kind, enum dns_type type)
{
	return (kind == 'A' && type == DNS_A) ||
	    (kind == '6' && type == DNS_AAAA) ||
	    (kind == 'M' && type == DNS_MX) || (kind == 'P' && type == DNS_PTR);
}

static bool
answer(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	struct script *s = arg;
	struct dns_record *records = arena_array(s->arena, 12, sizeof *records);
	struct slice line = SLICE("");

	if (name.len == 0 || name.len > DNS_NAME_MAX || ++s->asked > 500)
		__builtin_trap();
	if (!slice_line(&s->rest, &line)) {
		s->rest = s->all;
		slice_line(&s->rest, &line);
	}
	*r = (struct dns_answer){ .status = DNS_NXDOMAIN, .records = records };
	if (line.len > 0 && line.ptr[0] == 'F')
		r->status = DNS_SERVFAIL;
	if (line.len == 0 || line.ptr[0] == 'F' || line.ptr[0] == 'N')
		return true;
	if (type != DNS_TXT && !fits(line.ptr[0], type))
		return true;
	r->status = DNS_OK;
	r->count = type == DNS_TXT ? 1 : 12;
	for (size_t i = 0; i < r->count; i++)
		records[i].data = type == DNS_TXT ? line :
		    slice_after(line, 1);
	return true;
}

/* Late answers: each second question is pending once. */
static bool
answer_late(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	struct script *s = arg;

	return s->asked % 2 != 0 ? (s->asked++, false) :
	    answer(arg, name, type, r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice rest = slice_make(data, size), line = SLICE(""), why;
	struct spf_query q = { .now = 1700000000, .voids = SPF_VOIDS,
	    .explain = true };
	struct spf_record record;
	struct spf_answer r;
	struct script s = { .arena = a };

	if (size > 0 && data[0] % 2 != 0)
		ip_parse(SLICE("2001:db8::1"), &q.ip);
	else
		ip_parse(SLICE("192.0.2.1"), &q.ip);
	if (slice_line(&rest, &line))
		q.sender = line;
	if (slice_line(&rest, &line))
		q.helo = line;
	s.all = s.rest = rest;
	spf_record_parse(a, rest, &record, &why);
	spf_check(a, &q, answer, &s, &r);
	for (size_t i = 0; i < r.reason.len; i++)
		if (r.reason.ptr[i] < ' ' || r.reason.ptr[i] > '~')
			__builtin_trap();
	for (size_t i = 0; i < r.explanation.len; i++)
		if (r.explanation.ptr[i] < ' ' || r.explanation.ptr[i] > '~')
			__builtin_trap();
	s = (struct script){ .arena = a, .all = rest, .rest = rest };
	q.ahead = true;
	spf_check(a, &q, answer_late, &s, &r);
	arena_free(a);
	return 0;
}
