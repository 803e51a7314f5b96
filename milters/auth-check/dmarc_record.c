#include "dmarc_record.h"

#include <string.h>

#include "text/address.h"

enum { DEFAULT_RI = 86400 };

const char *
dmarc_policy_name(enum dmarc_policy policy)
{
	static const char *const names[] = { "none", "quarantine", "reject" };

	return names[policy];
}

/* What the grammar calls WSP: no line ends. */
static struct slice
trim(struct slice s)
{
	while (s.len > 0 && ascii_blank(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && ascii_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* "name = value"; false where that is no tag (4.8). */
static bool
read_tag(struct slice text, struct slice *name_r, struct slice *value_r)
{
	struct slice value, name = slice_cut(text, '=', &value);

	*name_r = trim(name);
	*value_r = value.ptr != NULL ? trim(value) : value;
	for (size_t i = 0; i < name_r->len; i++)
		if (!ascii_alpha(name_r->ptr[i]))
			return false;
	return name_r->len > 0 && value_r->len > 0;
}

bool
dmarc_record_is(struct slice txt)
{
	struct slice name, value, rest;

	/* A blank before the tag is not in the grammar. */
	if (txt.len == 0 || !ascii_alpha(txt.ptr[0]))
		return false;
	return read_tag(slice_cut(txt, ';', &rest), &name, &value) &&
	    slice_eq_nocase(name, SLICE("v")) &&
	    slice_eq(value, SLICE("DMARC1"));
}

/* The percent escapes of a URI; false where one is broken. */
static bool
unescape(struct arena *a, struct slice s, struct slice *text_r)
{
	char *text = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '%') {
			int high, low;

			if (i + 2 >= s.len)
				return false;
			high = ascii_hex(s.ptr[i + 1]);
			low = ascii_hex(s.ptr[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		text[n++] = c;
	}
	*text_r = slice_make(text, n);
	return true;
}

/* Letters of RFC 3986; '!' is taken for the size before. */
static bool
uri_char(char c)
{
	return ascii_alnum(c) ||
	    slice_has(SLICE("-._~:/?#[]@$&'()*+;=%"), c);
}

/* An address that a report can be sent to, without surprises in it. */
static bool
mailbox(struct arena *a, struct slice address, struct slice *host_r)
{
	struct slice local, domain;

	if (!address_split(address, &local, &domain) || local.len == 0)
		return false;
	for (size_t i = 0; i < address.len; i++)
		if (address.ptr[i] <= ' ' || address.ptr[i] > '~' ||
		    slice_has(SLICE("<>,;:\"\\()[]"), address.ptr[i]))
			return false;
	return !slice_has(local, '@') && domain_ascii(a, domain, host_r);
}

static bool
take_size(struct slice s, uint64_t *bytes_r)
{
	static const char units[] = "kmgt";
	unsigned shift = 0;
	const char *unit;
	uint64_t number;

	if (s.len > 0 && (unit = strchr(units, ascii_lower(s.ptr[s.len - 1])))
	    != NULL && *unit != '\0') {
		shift = 10 * (unsigned)(unit - units + 1);
		s.len--;
	}
	if (!slice_number(s, UINT64_MAX >> shift, &number))
		return false;
	*bytes_r = number << shift;
	return true;
}

static bool
read_scheme(struct slice text, struct slice *scheme_r, struct slice *rest_r)
{
	*scheme_r = slice_cut(text, ':', rest_r);
	if (rest_r->len == 0 || scheme_r->len == 0 ||
	    !ascii_alpha(scheme_r->ptr[0]))
		return false;
	for (size_t i = 0; i < scheme_r->len; i++)
		if (!ascii_alnum(scheme_r->ptr[i]) &&
		    !slice_has(SLICE("+-."), scheme_r->ptr[i]))
			return false;
	return true;
}

static bool
read_uri(struct arena *a, struct slice text, struct dmarc_uri *uri)
{
	struct slice size, rest, query;

	*uri = (struct dmarc_uri){ .text = slice_cut(text, '!', &size) };
	uri->text = trim(uri->text);
	if (size.ptr != NULL && !take_size(trim(size), &uri->limit))
		return false;
	for (size_t i = 0; i < uri->text.len; i++)
		if (!uri_char(uri->text.ptr[i]))
			return false;
	if (!read_scheme(uri->text, &uri->scheme, &rest))
		return false;
	if (!slice_eq_nocase(uri->scheme, SLICE("mailto")))
		return true;
	return unescape(a, slice_cut(rest, '?', &query), &uri->address) &&
	    mailbox(a, uri->address, &uri->host);
}

struct dmarc_uri *
dmarc_uris_read(struct arena *a, struct slice list, bool *faults_r)
{
	struct dmarc_uri *first = NULL, **end = &first, uri;
	size_t n = 0;

	*faults_r = false;
	while (list.ptr != NULL) {
		struct slice item = trim(slice_cut(list, ',', &list));

		if (n == DMARC_URIS || !read_uri(a, item, &uri)) {
			*faults_r = true;
			if (n == DMARC_URIS)
				break;
			continue;
		}
		*end = arena_alloc(a, sizeof uri);
		**end = uri;
		end = &(*end)->next;
		n++;
	}
	return first;
}

/* The tags that there are; in this order their bits say what was seen. */
enum tag { TAG_P, TAG_SP, TAG_NP, TAG_ADKIM, TAG_ASPF, TAG_PSD, TAG_T, TAG_PCT,
    TAG_FO, TAG_RI, TAG_RUA, TAG_RUF, TAG_V, TAGS };

static enum tag
tag_of(struct slice name)
{
	static const char *const names[] = { "p", "sp", "np", "adkim", "aspf",
	    "psd", "t", "pct", "fo", "ri", "rua", "ruf", "v" };
	unsigned i = 0;

	while (i < TAGS && !slice_eq_nocase(name, slice_of(names[i])))
		i++;
	return (enum tag)i;
}

static void
take_policy(struct dmarc_record *r, struct slice value, enum dmarc_policy *to,
    bool *has, unsigned fault)
{
	for (unsigned i = DMARC_NO_POLICY; i <= DMARC_REJECT; i++) {
		if (slice_eq_nocase(value,
		    slice_of(dmarc_policy_name((enum dmarc_policy)i)))) {
			*to = (enum dmarc_policy)i;
			*has = true;
			return;
		}
	}
	r->faults |= fault;
}

/* One letter of a few: its place among them. */
static unsigned
take_letter(struct dmarc_record *r, struct slice value, const char *letters,
    unsigned otherwise)
{
	const char *found = NULL;

	if (value.len == 1 && value.ptr[0] != '\0')
		found = strchr(letters, ascii_lower(value.ptr[0]));
	if (found == NULL) {
		r->faults |= DMARC_OTHER_INVALID;
		return otherwise;
	}
	return (unsigned)(found - letters);
}

static uint64_t
take_number(struct dmarc_record *r, struct slice value, uint64_t max,
    uint64_t otherwise)
{
	uint64_t number;

	if (slice_number(value, max, &number))
		return number;
	r->faults |= DMARC_OTHER_INVALID;
	return otherwise;
}

static unsigned
take_fo(struct dmarc_record *r, struct slice value)
{
	static const unsigned bits[] = { DMARC_FO_0, DMARC_FO_1, DMARC_FO_D,
	    DMARC_FO_S, 0 };
	unsigned fo = 0;

	while (value.ptr != NULL)
		fo |= bits[take_letter(r, trim(slice_cut(value, ':', &value)),
		    "01ds", 4)];
	return fo != 0 ? fo : DMARC_FO_0;
}

static struct dmarc_uri *
take_uris(struct arena *a, struct dmarc_record *r, struct slice value)
{
	bool faults;
	struct dmarc_uri *uris = dmarc_uris_read(a, value, &faults);

	if (faults)
		r->faults |= DMARC_URI_INVALID;
	return uris;
}

static void
take_tag(struct arena *a, struct dmarc_record *r, enum tag tag,
    struct slice value)
{
	switch (tag) {
	case TAG_P:
		take_policy(r, value, &r->p, &r->has_p, DMARC_P_INVALID);
		break;
	case TAG_SP:
		take_policy(r, value, &r->sp, &r->has_sp, DMARC_SP_INVALID);
		break;
	case TAG_NP:
		take_policy(r, value, &r->np, &r->has_np, DMARC_NP_INVALID);
		break;
	case TAG_ADKIM:
		r->strict_dkim = take_letter(r, value, "rs", 0) == 1;
		break;
	case TAG_ASPF:
		r->strict_spf = take_letter(r, value, "rs", 0) == 1;
		break;
	case TAG_PSD:
		r->psd = (enum dmarc_psd)take_letter(r, value, "uyn", 0);
		break;
	case TAG_T:
		r->testing = take_letter(r, value, "ny", 0) == 1;
		break;
	case TAG_PCT:
		r->pct = (unsigned)take_number(r, value, 100, 100);
		break;
	case TAG_FO:
		r->fo = take_fo(r, value);
		break;
	case TAG_RI:
		r->ri = (uint32_t)take_number(r, value, UINT32_MAX,
		    DEFAULT_RI);
		break;
	case TAG_RUA:
		r->rua = take_uris(a, r, value);
		break;
	case TAG_RUF:
		r->ruf = take_uris(a, r, value);
		break;
	case TAG_V:
	case TAGS:
		break;
	}
}

/* An empty value is no value (4.8), but somebody meant to give one. */
static void
take_empty(struct dmarc_record *r, enum tag tag)
{
	r->faults |= tag == TAG_P ? DMARC_P_INVALID :
	    tag == TAG_SP ? DMARC_SP_INVALID :
	    tag == TAG_NP ? DMARC_NP_INVALID : DMARC_JUNK;
}

static void
take_defaults(struct dmarc_record *r)
{
	if (!r->has_p && (r->faults & DMARC_P_INVALID) == 0)
		r->faults |= DMARC_P_MISSING;
	if (!r->has_sp)
		r->sp = r->p;
	if (!r->has_np)
		r->np = r->sp;
	/* Without somebody to report to it means nothing (4.7, fo). */
	if (r->ruf == NULL)
		r->fo = 0;
}

void
dmarc_record_read(struct arena *a, struct slice txt, struct dmarc_record *r)
{
	struct slice rest = txt, text, name, value;
	unsigned seen = 0;
	enum tag tag;
	bool good;

	*r = (struct dmarc_record){ .text = txt, .pct = 100,
	    .ri = DEFAULT_RI, .fo = DMARC_FO_0 };
	while (rest.ptr != NULL) {
		text = trim(slice_cut(rest, ';', &rest));
		if (text.len == 0)
			continue;
		good = read_tag(text, &name, &value);
		tag = tag_of(name);
		if ((seen & 1u << tag) != 0)
			r->faults |= DMARC_DUPLICATE;
		else if (good)
			take_tag(a, r, tag, value);
		else
			take_empty(r, tag);
		if (tag != TAGS)
			seen |= 1u << tag;
	}
	take_defaults(r);
}

bool
dmarc_record_settle(struct dmarc_record *r, enum dmarc_mode mode)
{
	unsigned bad = DMARC_P_MISSING | DMARC_P_INVALID | DMARC_SP_INVALID;

	if (mode == DMARC_RFC9989)
		bad |= DMARC_NP_INVALID;
	if ((r->faults & bad) == 0)
		return true;
	r->p = r->sp = r->np = DMARC_NO_POLICY;
	r->has_sp = r->has_np = false;
	return r->rua != NULL;
}

enum rc
dmarc_report_name(struct arena *a, struct slice domain, struct slice host,
    struct slice *name_r)
{
	struct slice ascii;

	if (domain.len > DNS_NAME_MAX || host.len > DNS_NAME_MAX)
		return RC_BAD;
	*name_r = arena_printf(a, "%.*s._report._dmarc.%.*s",
	    SLICE_ARG(domain), SLICE_ARG(host));
	return domain_ascii(a, *name_r, &ascii) ? RC_OK : RC_BAD;
}
