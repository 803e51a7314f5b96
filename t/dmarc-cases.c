#include "t/dmarc-cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "t/tap.h"

struct reader {
	struct arena *arena;
	const struct suffixes *suffixes;
	const char *path;
	size_t line;
	struct dmarc_zone *zone;
	struct dmarc_case **end;
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
		struct slice hex = slice_sub(*s, i + 2, 2);

		if (s->ptr[i] == '"') {
			quoted = !quoted;
		} else if (slice_starts(slice_after(*s, i), SLICE("\\x")) &&
		    hex.len == 2) {
			buf_addc(&out, (char)(ascii_hex(hex.ptr[0]) * 16 +
			    ascii_hex(hex.ptr[1])));
			i += 3;
		} else {
			buf_addc(&out, s->ptr[i]);
		}
	}
	*s = slice_trim(slice_after(*s, i));
	return buf_slice(&out);
}

static void
take_record(struct reader *r, struct slice name, struct slice line)
{
	struct dmarc_zone_record *rr = arena_alloc(r->arena, sizeof *rr);
	struct slice type = take_word(r, &line);

	if (r->zone == NULL)
		malformed(r, "a record before the first scenario");
	*rr = (struct dmarc_zone_record){ .next = r->zone->records,
	    .name = name, .type = DNS_TXT, .text = take_word(r, &line) };
	if (slice_eq(type, SLICE("A")))
		rr->type = DNS_A;
	else if (!slice_eq(type, SLICE("TXT")))
		malformed(r, "neither A nor TXT");
	if (slice_eq(rr->text, SLICE("@FAIL")))
		rr->status = DNS_SERVFAIL;
	else if (slice_eq(rr->text, SLICE("@TIMEOUT")))
		rr->status = DNS_TIMEOUT;
	r->zone->records = rr;
}

static void
take_dkim(struct reader *r, struct dmarc_case *c, struct slice value,
    bool temporary)
{
	struct dmarc_identifier *list = arena_array(r->arena,
	    c->query.ndkim + 20, sizeof *list);

	for (size_t i = 0; i < c->query.ndkim; i++)
		list[i] = c->query.dkim[i];
	while (value.ptr != NULL)
		list[c->query.ndkim++] = (struct dmarc_identifier){
		    slice_cut(value, ',', &value), temporary };
	c->query.dkim = list;
}

static bool
take_query(struct reader *r, struct dmarc_case *c, struct slice key,
    struct slice value)
{
	uint64_t number = 0;

	if (slice_eq(key, SLICE("clause")))
		c->clause = value;
	else if (slice_eq(key, SLICE("from")))
		c->query.domain = value;
	else if (slice_eq(key, SLICE("dkim")) || slice_eq(key, SLICE("dkim?")))
		take_dkim(r, c, value, slice_has(key, '?'));
	else if (slice_eq(key, SLICE("spf")) || slice_eq(key, SLICE("spf?")))
		c->query.spf = (struct dmarc_identifier){ value,
		    slice_has(key, '?') };
	else if (slice_eq(key, SLICE("mode")))
		c->query.mode = slice_eq(value, SLICE("7489")) ?
		    DMARC_RFC7489 : DMARC_RFC9989;
	else if (slice_eq(key, SLICE("sample")) &&
	    slice_number(value, 99, &number))
		c->query.sample = (unsigned)number;
	else
		return false;
	return true;
}

static void
take_case(struct reader *r, struct slice line)
{
	struct dmarc_case *c = arena_alloc(r->arena, sizeof *c);

	c->zone = r->zone;
	c->query.suffixes = r->suffixes;
	c->name = take_word(r, &line);
	while (line.len > 0) {
		struct slice value, word = take_word(r, &line);
		struct slice key = slice_cut(word, '=', &value);

		if (value.ptr == NULL || r->zone == NULL)
			malformed(r, "a word without =, or no scenario");
		if (take_query(r, c, key, value))
			continue;
		if (c->nwants == DMARC_CASE_WORDS)
			malformed(r, "too many words");
		c->wants[c->nwants++] = word;
	}
	if (c->clause.len == 0 || c->nwants == 0)
		malformed(r, "no clause, or nothing wanted");
	*r->end = c;
	r->end = &c->next;
}

static void
read_file(struct reader *r)
{
	struct slice file = tap_file(r->path), rest, line;

	rest = arena_copy(r->arena, file);
	free((void *)(uintptr_t)file.ptr);
	for (r->line = 1; slice_line(&rest, &line); r->line++) {
		struct slice word;

		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		word = take_word(r, &line);
		if (slice_eq(word, SLICE("check"))) {
			take_case(r, line);
		} else if (slice_eq(word, SLICE("scenario"))) {
			r->zone = arena_alloc(r->arena, sizeof *r->zone);
			r->zone->arena = r->arena;
			r->zone->name = take_word(r, &line);
		} else {
			take_record(r, word, line);
		}
	}
}

static int
only_cases(const struct dirent *d)
{
	return slice_ends(slice_of(d->d_name), SLICE(".cases"));
}

struct dmarc_case *
dmarc_cases_read(struct arena *a, const struct suffixes *suffixes)
{
	struct dmarc_case *first = NULL;
	struct reader r = { .arena = a, .suffixes = suffixes, .end = &first };
	char path[4096];
	struct dirent **names;
	int n;

	snprintf(path, sizeof path, "%s/t/dmarc", tap_src());
	n = scandir(path, &names, only_cases, alphasort);
	if (n <= 0)
		tap_ok(false, "no cases in %s", path);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/t/dmarc/%s", tap_src(),
		    names[i]->d_name);
		r.path = path;
		r.zone = NULL;
		read_file(&r);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return first;
}

static bool
below(struct slice name, struct slice above)
{
	return name.len > above.len && slice_ends(name, above) &&
	    name.ptr[name.len - above.len - 1] == '.';
}

bool
dmarc_zone_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	const struct dmarc_zone *zone = arg;
	struct dns_record *records = arena_array(zone->arena, DNS_RECORDS,
	    sizeof *records);

	*r = (struct dns_answer){ .status = DNS_NXDOMAIN, .records = records };
	for (const struct dmarc_zone_record *rr = zone->records; rr != NULL;
	    rr = rr->next) {
		if (below(rr->name, name) || slice_eq(rr->name, name))
			if (r->status == DNS_NXDOMAIN)
				r->status = DNS_NODATA;
		if (!slice_eq(rr->name, name) || rr->type != type)
			continue;
		r->status = rr->status;
		if (rr->status == DNS_OK)
			records[r->count++].data = rr->text;
	}
	return true;
}
