#include "t/spf-cases.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "t/tap.h"

enum { WORDS = 64 };

struct reader {
	struct arena *arena;
	const char *path;
	size_t line;
	struct spf_zone *zone;
	struct spf_case with;
	struct spf_cases *out;
};

static void
malformed(const struct reader *r, const char *what)
{
	tap_ok(false, "%s:%zu: %s", r->path, r->line, what);
	exit(tap_done());
}

/* One word; quotes hold blanks, \xNN is a byte. */
static struct slice
take_word(struct reader *r, struct slice *s)
{
	struct buf out = buf_in(r->arena);
	bool quoted = false;
	size_t i = 0;

	for (; i < s->len && (quoted || !ascii_blank(s->ptr[i])); i++) {
		char c = s->ptr[i];

		if (c == '"') {
			quoted = !quoted;
		} else if (c == '\\' && i + 3 < s->len &&
		    s->ptr[i + 1] == 'x') {
			buf_addc(&out, (char)(ascii_hex(s->ptr[i + 2]) * 16 +
			    ascii_hex(s->ptr[i + 3])));
			i += 3;
		} else {
			buf_addc(&out, c);
		}
	}
	*s = slice_after(*s, i);
	return buf_slice(&out);
}

static size_t
take_words(struct reader *r, struct slice line, struct slice *words)
{
	size_t n = 0;

	while ((line = slice_trim(line)).len > 0) {
		if (n == WORDS)
			malformed(r, "too many words");
		words[n++] = take_word(r, &line);
	}
	return n;
}

static enum dns_type
type_of(struct slice s)
{
	static const struct {
		const char *name;
		enum dns_type type;
	} types[] = {
		{ "A", DNS_A }, { "AAAA", DNS_AAAA }, { "MX", DNS_MX },
		{ "PTR", DNS_PTR }, { "TXT", DNS_TXT }, { "CNAME", DNS_CNAME },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (slice_eq(s, slice_of(types[i].name)))
			return types[i].type;
	return 0;
}

static struct slice
address(struct reader *r, struct slice text, int family)
{
	char *bytes = arena_alloc(r->arena, 16);

	if (inet_pton(family, arena_str(r->arena, text), bytes) != 1)
		malformed(r, "bad address");
	return slice_make(bytes, family == AF_INET6 ? 16 : 4);
}

static struct slice
no_dot(struct slice s)
{
	return s.len > 0 && s.ptr[s.len - 1] == '.' ?
	    slice_sub(s, 0, s.len - 1) : s;
}

static void
read_data(struct reader *r, struct spf_rr *rr, const struct slice *words,
    size_t n)
{
	struct buf joined = buf_in(r->arena);
	uint64_t number = 0;

	switch (rr->type) {
	case DNS_TXT:
		for (size_t i = 2; i < n; i++)
			buf_add(&joined, words[i]);
		rr->record.data = buf_slice(&joined);
		return;
	case DNS_A:
		rr->record.data = address(r, words[2], AF_INET);
		return;
	case DNS_AAAA:
		rr->record.data = address(r, words[2], AF_INET6);
		return;
	case DNS_MX:
		if (n < 4 || !slice_number(words[2], 65535, &number))
			malformed(r, "bad MX");
		rr->record.preference = (unsigned)number;
		rr->record.data = no_dot(words[3]);
		return;
	default:
		rr->record.data = no_dot(words[2]);
	}
}

static void
read_record(struct reader *r, const struct slice *words, size_t n)
{
	struct spf_rr *rr = arena_alloc(r->arena, sizeof *rr);

	if (r->zone == NULL || n < 2)
		malformed(r, "a record outside a scenario");
	rr->name = words[0];
	if (slice_eq(words[1], SLICE("SERVFAIL")))
		rr->status = DNS_SERVFAIL;
	else if (slice_eq(words[1], SLICE("TIMEOUT")))
		rr->status = DNS_TIMEOUT;
	rr->type = type_of(rr->status == DNS_OK ? words[1] :
	    n > 2 ? words[2] : SLICE("any"));
	if (rr->status == DNS_OK) {
		if (rr->type == 0 || (n < 3 && rr->type != DNS_TXT))
			malformed(r, "an unknown record");
		read_data(r, rr, words, n);
	}
	*r->zone->last = rr;
	r->zone->last = &rr->next;
}

static int
number(struct reader *r, struct slice s)
{
	uint64_t n;

	if (!slice_number(s, 1000, &n))
		malformed(r, "a number is wanted");
	return (int)n;
}

static void
read_pairs(struct reader *r, const struct slice *words, size_t n,
    struct spf_case *c)
{
	for (size_t i = 0; i < n; i++) {
		struct slice value, key = slice_cut(words[i], '=', &value);

		if (slice_eq(key, SLICE("ip")))
			c->ip = value;
		else if (slice_eq(key, SLICE("helo")))
			c->helo = value;
		else if (slice_eq(key, SLICE("from")))
			c->from = value;
		else if (slice_eq(key, SLICE("want")))
			c->want = value;
		else if (slice_eq(key, SLICE("exp")))
			c->exp = value;
		else if (slice_eq(key, SLICE("mech")))
			c->mech = value;
		else if (slice_eq(key, SLICE("domain")))
			c->domain = value;
		else if (slice_eq(key, SLICE("clause")))
			c->clause = value;
		else if (slice_eq(key, SLICE("lookups")))
			c->lookups = number(r, value);
		else if (slice_eq(key, SLICE("ordered")))
			c->ordered = number(r, value);
		else if (slice_eq(key, SLICE("voids")))
			c->voids = number(r, value);
		else
			malformed(r, "an unknown key");
	}
}

static void
add_case(struct reader *r, const struct slice *words, size_t n)
{
	struct spf_cases *out = r->out;
	struct spf_case *c;

	if (out->count % 64 == 0) {
		c = arena_array(r->arena, out->count + 64, sizeof *c);
		for (size_t i = 0; i < out->count; i++)
			c[i] = out->cases[i];
		out->cases = c;
	}
	c = &out->cases[out->count++];
	*c = r->with;
	c->name = words[1];
	c->zone = r->zone;
	read_pairs(r, words + 2, n - 2, c);
	if (r->zone == NULL || c->want.len == 0)
		malformed(r, "a check without a scenario or want");
}

static void
begin_scenario(struct reader *r, struct slice name)
{
	r->zone = arena_alloc(r->arena, sizeof *r->zone);
	r->zone->arena = r->arena;
	r->zone->name = name;
	r->zone->last = &r->zone->first;
	r->with = (struct spf_case){ .ip = SLICE("192.0.2.1"),
	    .helo = SLICE("mail.example.net"), .from = SLICE(""),
	    .lookups = -1, .voids = -1 };
}

void
spf_cases_read(struct arena *a, const char *path, struct spf_cases *out)
{
	struct reader r = { .arena = a, .path = path, .out = out };
	struct slice file = tap_file(path), rest = file, line;
	struct slice words[WORDS];

	*out = (struct spf_cases){ .count = 0 };
	while (slice_line(&rest, &line)) {
		size_t n;

		r.line++;
		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		n = take_words(&r, line, words);
		if (n > 1 && slice_eq(words[0], SLICE("scenario")))
			begin_scenario(&r, words[1]);
		else if (n > 1 && slice_eq(words[0], SLICE("with")))
			read_pairs(&r, words + 1, n - 1, &r.with);
		else if (n > 2 && slice_eq(words[0], SLICE("check")))
			add_case(&r, words, n);
		else
			read_record(&r, words, n);
	}
	free((void *)(uintptr_t)file.ptr);
}

bool
spf_cases_wanted(struct slice want, enum spf_result result)
{
	while (want.ptr != NULL)
		if (slice_eq(slice_cut(want, ',', &want),
		    slice_of(spf_result_name(result))))
			return true;
	return false;
}

static size_t
count_records(const struct spf_zone *z, struct slice name, enum dns_type type,
    const struct spf_rr **cname_r, enum dns_status *status_r)
{
	size_t n = 0;

	*cname_r = NULL;
	*status_r = DNS_NXDOMAIN;
	for (const struct spf_rr *rr = z->first; rr != NULL; rr = rr->next) {
		if (!slice_eq_nocase(rr->name, name))
			continue;
		if (rr->status == DNS_OK && rr->type == type)
			n++;
		if (rr->type == DNS_CNAME)
			*cname_r = rr;
		if (rr->status != DNS_OK &&
		    (rr->type == 0 || rr->type == type))
			*status_r = rr->status;
		else if (*status_r == DNS_NXDOMAIN)
			*status_r = DNS_NODATA;
	}
	return n;
}

bool
spf_zone_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	struct spf_zone *z = arg;
	const struct spf_rr *cname;
	struct dns_record *records;
	size_t n = 0, hops = 0;

	z->questions++;
	*r = (struct dns_answer){ .ttl = 300 };
	while ((n = count_records(z, name, type, &cname, &r->status)) == 0 &&
	    cname != NULL) {
		name = cname->record.data;
		if (++hops > 8) {
			r->status = DNS_SERVFAIL;
			return true;
		}
	}
	if (n == 0)
		return true;
	records = arena_array(z->arena, n, sizeof *records);
	for (const struct spf_rr *rr = z->first; rr != NULL; rr = rr->next)
		if (slice_eq_nocase(rr->name, name) && rr->type == type &&
		    rr->status == DNS_OK && r->count < n)
			records[r->count++] = rr->record;
	r->records = records;
	r->status = DNS_OK;
	return true;
}
