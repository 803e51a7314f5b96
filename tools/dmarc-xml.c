#include "tools/dmarc-xml.h"

#include <inttypes.h>
#include <stdlib.h>

#include "net/ip.h"
#include "text/utf8.h"

static const char *const dispositions[] = { "none", "quarantine", "reject",
    NULL };
static const char *const dkim_results[] = { "none", "pass", "fail", "policy",
    "neutral", "temperror", "permerror", NULL };
static const char *const spf_results[] = { "none", "neutral", "pass", "fail",
    "softfail", "temperror", "permerror", NULL };
static const char *const discoveries[] = { "treewalk", "psl", NULL };
static const char *const reasons[][8] = {
	[DMARC_XML_RFC9990] = { "local_policy", "mailing_list", "other",
	    "policy_test_mode", "trusted_forwarder", NULL },
	[DMARC_XML_RFC7489] = { "forwarded", "sampled_out",
	    "trusted_forwarder", "mailing_list", "local_policy", "other",
	    NULL },
};

/* The word of the list, in its own letters; NULL when it is none of them. */
static const char *
word_of(struct slice s, const char *const list[])
{
	for (; *list != NULL; list++)
		if (slice_eq_nocase(s, slice_of(*list)))
			return *list;
	return NULL;
}

static const char *
word_or(struct slice s, const char *const list[], const char *otherwise)
{
	const char *word = word_of(s, list);

	return word != NULL ? word : otherwise;
}

static void
add_point(struct buf *out, uint32_t cp)
{
	char bytes[4];

	switch (cp) {
	case '&': buf_adds(out, "&amp;"); return;
	case '<': buf_adds(out, "&lt;"); return;
	case '>': buf_adds(out, "&gt;"); return;
	case '"': buf_adds(out, "&quot;"); return;
	case '\'': buf_adds(out, "&#39;"); return;
	case '\t': case '\n': case '\r': buf_addc(out, ' '); return;
	default: break;
	}
	/* XML 1.0, 2.2: controls and the non-characters are no Char. */
	if (cp == UTF8_BAD || utf8_control(cp) || (cp & 0xfffe) == 0xfffe)
		cp = 0xfffd;
	buf_add(out, slice_make(bytes, utf8_put(bytes, cp)));
}

static void
add_text(struct buf *out, struct slice s)
{
	struct slice rest = s;
	uint32_t cp;

	while (s.len - rest.len < DMARC_TEXT && utf8_next(&rest, &cp))
		add_point(out, cp);
}

static void
add(struct buf *out, const char *name, struct slice value)
{
	buf_addf(out, "<%s>", name);
	add_text(out, value);
	buf_addf(out, "</%s>\n", name);
}

static void
add_word(struct buf *out, const char *name, const char *word)
{
	buf_addf(out, "<%s>%s</%s>\n", name, word, name);
}

static const char *
pass_or_fail(bool pass)
{
	return pass ? "pass" : "fail";
}

/* RFC 7489 has no word for policy_test_mode, RFC 9990 none for sampled_out:
 * what a list does not know is "other", with the word as comment. */
static void
add_reason(struct buf *out, enum dmarc_schema schema, struct slice type,
    struct slice comment)
{
	const char *word = word_of(type, reasons[schema]);

	buf_adds(out, "<reason>\n");
	add_word(out, "type", word != NULL ? word : "other");
	if (word == NULL && comment.len == 0)
		comment = type;
	if (comment.len > 0)
		add(out, "comment", comment);
	buf_adds(out, "</reason>\n");
}

static void
add_evaluated(struct buf *out, enum dmarc_schema schema,
    const struct dmarc_event *e)
{
	const char *done = word_or(e->disposition, dispositions, "none");

	if (schema == DMARC_XML_RFC9990 && e->enforced)
		done = "pass";
	buf_adds(out, "<policy_evaluated>\n");
	add_word(out, "disposition", done);
	add_word(out, "dkim", pass_or_fail(e->dkim));
	add_word(out, "spf", pass_or_fail(e->spf));
	if (e->reason.len > 0)
		add_reason(out, schema, e->reason, e->comment);
	buf_adds(out, "</policy_evaluated>\n");
}

/* RFC 7489 wants the HELO name where the reverse-path is null. */
static struct slice
envelope_from(enum dmarc_schema schema, const struct dmarc_event *e)
{
	return e->envelope_from.len == 0 && schema == DMARC_XML_RFC7489 ?
	    e->helo : e->envelope_from;
}

static void
add_spf_result(struct buf *out, struct slice domain, const char *scope,
    struct slice result)
{
	buf_adds(out, "<spf>\n");
	add(out, "domain", domain);
	add_word(out, "scope", scope);
	add_word(out, "result", word_or(result, spf_results, "none"));
	buf_adds(out, "</spf>\n");
}

/* RFC 9990 knows but MAIL FROM; RFC 7489 wants one SPF result at least. */
static void
add_spf(struct buf *out, enum dmarc_schema schema,
    const struct dmarc_event *e)
{
	if (e->spf_result.len > 0 && e->spf_domain.len > 0)
		add_spf_result(out, e->spf_domain, "mfrom", e->spf_result);
	else if (schema == DMARC_XML_RFC7489)
		add_spf_result(out, e->helo, "helo", e->helo_result);
}

static void
add_auth_results(struct buf *out, enum dmarc_schema schema,
    const struct dmarc_event *e)
{
	buf_adds(out, "<auth_results>\n");
	for (size_t i = 0; i < e->ndkims; i++) {
		const struct dmarc_signature *s = &e->dkims[i];

		buf_adds(out, "<dkim>\n");
		add(out, "domain", s->domain);
		add(out, "selector", s->selector);
		add_word(out, "result", word_or(s->result, dkim_results,
		    "none"));
		buf_adds(out, "</dkim>\n");
	}
	add_spf(out, schema, e);
	buf_adds(out, "</auth_results>\n");
}

/* The pattern of RFC 7489 takes IPv6 in eight groups only. */
static void
add_ip(struct buf *out, enum dmarc_schema schema, struct slice text)
{
	struct ip ip;

	if (schema != DMARC_XML_RFC7489 || !slice_has(text, ':') ||
	    !ip_parse(text, &ip)) {
		add(out, "source_ip", text);
		return;
	}
	buf_adds(out, "<source_ip>");
	for (unsigned i = 0; i < 16; i += 2)
		buf_addf(out, "%s%x", i > 0 ? ":" : "",
		    ip.bytes[i] << 8 | ip.bytes[i + 1]);
	buf_adds(out, "</source_ip>\n");
}

void
dmarc_xml_row(struct buf *out, enum dmarc_schema schema,
    const struct dmarc_event *e)
{
	add_ip(out, schema, e->ip);
	add_evaluated(out, schema, e);
	buf_adds(out, "</row>\n<identifiers>\n");
	add(out, "envelope_from", envelope_from(schema, e));
	add(out, "header_from", e->header_from);
	buf_adds(out, "</identifiers>\n");
	add_auth_results(out, schema, e);
}

/* The first letter of a tag, when it is one of these. */
static void
add_letter(struct buf *out, const char *name, struct slice value,
    const char *letters, char otherwise)
{
	char c = value.len > 0 ? ascii_lower(value.ptr[0]) : otherwise;

	if (!slice_has(slice_of(letters), c))
		c = otherwise;
	add_word(out, name, (char[]){ c, '\0' });
}

static void
add_published(struct buf *out, enum dmarc_schema schema,
    const struct dmarc_report *r)
{
	const struct slice *tags = r->tags;
	const char *p = word_or(tags[DMARC_TAG_P], dispositions, "none");
	const char *sp = word_or(tags[DMARC_TAG_SP], dispositions, p);
	uint64_t pct;

	buf_adds(out, "<policy_published>\n");
	add(out, "domain", r->domain);
	if (schema == DMARC_XML_RFC9990)
		add_word(out, "discovery_method",
		    word_or(tags[DMARC_TAG_DISCOVERY], discoveries,
		    "treewalk"));
	add_letter(out, "adkim", tags[DMARC_TAG_ADKIM], "rs", 'r');
	add_letter(out, "aspf", tags[DMARC_TAG_ASPF], "rs", 'r');
	add_word(out, "p", p);
	add_word(out, "sp", sp);
	if (schema == DMARC_XML_RFC9990) {
		add_word(out, "np", word_or(tags[DMARC_TAG_NP], dispositions,
		    sp));
		add_letter(out, "testing", tags[DMARC_TAG_T], "ny", 'n');
	} else {
		if (!slice_number(tags[DMARC_TAG_PCT], 100, &pct))
			pct = 100;
		buf_addf(out, "<pct>%" PRIu64 "</pct>\n", pct);
	}
	if (tags[DMARC_TAG_FO].len > 0)
		add(out, "fo", tags[DMARC_TAG_FO]);
	buf_adds(out, "</policy_published>\n");
}

static void
add_metadata(struct buf *out, const struct dmarc_xml_head *head,
    const struct dmarc_report *r)
{
	buf_adds(out, "<report_metadata>\n");
	add(out, "org_name", slice_of(head->org_name));
	add(out, "email", slice_of(head->email));
	if (head->contact[0] != '\0')
		add(out, "extra_contact_info", slice_of(head->contact));
	add(out, "report_id", head->report_id);
	buf_addf(out, "<date_range>\n<begin>%" PRId64 "</begin>\n<end>%"
	    PRId64 "</end>\n</date_range>\n", r->begin, r->end - 1);
	if (r->left_out > 0)
		buf_addf(out, "<error>%" PRIu64 " more messages are not in "
		    "this report: too many different rows</error>\n",
		    r->left_out);
	if (head->schema == DMARC_XML_RFC9990)
		add(out, "generator", SLICE("Gatehouse " VERSION));
	buf_adds(out, "</report_metadata>\n");
}

struct row {
	struct slice text;
	uint64_t count;
};

struct rows {
	struct row *list;
	size_t count;
};

static bool
take_row(struct slice key, void *value, void *arg)
{
	struct rows *rows = arg;

	rows->list[rows->count++] = (struct row){ key, (uintptr_t)value };
	return true;
}

static int
by_text(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return slice_cmp(x->text, y->text);
}

static void
add_row(struct buf *out, const struct row *row)
{
	struct slice rest = row->text, ip = SLICE("");

	slice_line(&rest, &ip);
	buf_adds(out, "<record>\n<row>\n");
	buf_add(out, ip);
	buf_addf(out, "\n<count>%" PRIu64 "</count>\n", row->count);
	buf_add(out, rest);
	buf_adds(out, "</record>\n");
}

void
dmarc_xml_report(struct buf *out, struct arena *a,
    const struct dmarc_xml_head *head, const struct dmarc_report *r)
{
	struct rows rows = { .count = 0 };

	rows.list = arena_array(a, map_count(r->rows) + 1, sizeof *rows.list);
	map_each(r->rows, take_row, &rows);
	qsort(rows.list, rows.count, sizeof *rows.list, by_text);
	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	/* Those who read RFC 7489 know their elements without a namespace. */
	buf_adds(out, head->schema == DMARC_XML_RFC9990 ?
	    "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n" :
	    "<feedback>\n");
	add_word(out, "version", "1.0");
	add_metadata(out, head, r);
	add_published(out, head->schema, r);
	for (size_t i = 0; i < rows.count; i++)
		add_row(out, &rows.list[i]);
	buf_adds(out, "</feedback>\n");
}
