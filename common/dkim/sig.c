#include "dkim/sig.h"

#include <idn2.h>
#include <string.h>

#include "base/buf.h"
#include "dkim/arc.h"

enum { TIME_DIGITS = 12 };		/* RFC 6376, 3.5, x= */

const struct dkim_limits dkim_limits_default = {
	.signatures = DKIM_SIGNATURES,
	.min_rsa_bits = 1024,
	.max_rsa_bits = 8192,
	.skew = 3600,
};

/* One signature while it is read. */
struct reader {
	struct arena *a;
	const struct dkim_limits *limits;
	struct dkim_signature *sig;
	enum sig_kind kind;
};

void
sig_fail(struct dkim_signature *sig, enum dkim_result result,
    const char *rule, const char *reason)
{
	sig->result = result;
	sig->rule = rule;
	sig->reason = slice_of(reason);
}

static bool
bad(struct reader *r, const char *rule, const char *reason)
{
	sig_fail(r->sig, DKIM_PERMERROR, rule, reason);
	return false;
}

unsigned
sig_instance(struct slice value)
{
	uint64_t n;

	if (value.len > 2 || !slice_number(value, ARC_SETS, &n))
		return 0;
	return (unsigned)n;
}

static bool
read_version(struct reader *r, struct slice value)
{
	if (slice_eq(value, SLICE("1")))
		return true;
	return bad(r, "version", "not version 1 of DKIM");
}

static bool
read_algorithm(struct reader *r, struct slice value)
{
	for (int i = DKIM_RSA_SHA1; i <= DKIM_ED25519_SHA256; i++)
		if (slice_eq(value, slice_of(dkim_algorithm_name(i)))) {
			r->sig->algorithm = i;
			return true;
		}
	return bad(r, "algorithm", "an unknown algorithm");
}

static bool
read_b(struct reader *r, struct slice value)
{
	struct slice plain = tags_squeeze(r->a, value);

	r->sig->b = tags_base64(r->a, value);
	r->sig->b_short = slice_sub(plain, 0, 8);
	return r->sig->b.ptr != NULL || bad(r, "syntax", "b= is no base64");
}

static bool
read_bh(struct reader *r, struct slice value)
{
	r->sig->bh = tags_base64(r->a, value);
	return r->sig->bh.ptr != NULL || bad(r, "syntax", "bh= is no base64");
}

static bool
canon_named(struct slice name, enum dkim_canon *canon_r)
{
	*canon_r = DKIM_RELAXED;
	if (slice_eq(name, SLICE("relaxed")))
		return true;
	*canon_r = DKIM_SIMPLE;
	return slice_eq(name, SLICE("simple"));
}

/* One name alone is the header's; the body is then simple. */
static bool
read_canon(struct reader *r, struct slice value)
{
	struct slice body, header = slice_cut(value, '/', &body);

	if (body.ptr == NULL)
		body = SLICE("simple");
	if (canon_named(header, &r->sig->header) &&
	    canon_named(body, &r->sig->body))
		return true;
	return bad(r, "canonicalization", "an unknown canonicalization");
}

/* Letters, digits, - and what selectors in the wild hold: _. */
static bool
labels_good(struct slice name)
{
	struct slice rest = name, label;

	if (name.len == 0 || name.len > DNS_NAME_MAX)
		return false;
	while (rest.ptr != NULL) {
		label = slice_cut(rest, '.', &rest);
		if (label.len == 0 || label.len > 63)
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!ascii_alnum(label.ptr[i]) &&
			    label.ptr[i] != '-' && label.ptr[i] != '_')
				return false;
	}
	return true;
}

/* RFC 8616, 5: U-labels become what DNS asks for. */
static struct slice
to_ascii(struct arena *a, struct slice name)
{
	uint8_t *mapped = NULL;
	struct slice out = name;
	size_t i = 0;

	while (i < name.len && (unsigned char)name.ptr[i] < 0x80)
		i++;
	if (i == name.len || name.len > DNS_NAME_MAX * 4)
		return name;
	if (idn2_lookup_u8((const uint8_t *)arena_str(a, name), &mapped,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
		out = arena_copy(a, slice_of((const char *)mapped));
	idn2_free(mapped);
	return out;
}

/* A-labels in lower case; SLICE_NONE when it is no name. */
static struct slice
read_name(struct arena *a, struct slice value)
{
	struct slice name = to_ascii(a, value);
	char *ptr;

	if (!labels_good(name))
		return SLICE_NONE;
	ptr = arena_alloc(a, name.len + 1);
	for (size_t i = 0; i < name.len; i++)
		ptr[i] = ascii_lower(name.ptr[i]);
	return slice_make(ptr, name.len);
}

static bool
read_domain(struct reader *r, struct slice value)
{
	r->sig->domain = read_name(r->a, value);
	if (r->sig->domain.ptr != NULL && slice_has(r->sig->domain, '.'))
		return true;
	return bad(r, "domain", "d= is no domain");
}

static bool
read_selector(struct reader *r, struct slice value)
{
	r->sig->selector = read_name(r->a, value);
	return r->sig->selector.ptr != NULL ||
	    bad(r, "selector", "s= is no selector");
}

static bool
field_name_good(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
			return false;
	return true;
}

/* An empty name among others names nothing and is let pass. */
static bool
read_fields(struct reader *r, struct slice value)
{
	struct slice rest = value, name;
	bool from = false;
	size_t n = 0;

	r->sig->signed_fields = value;
	while (rest.ptr != NULL) {
		name = tags_cut(rest, ':', &rest);
		if (!field_name_good(name))
			return bad(r, "syntax", "h= holds no field name");
		if (++n > DKIM_NAMES)
			return bad(r, "limit", "h= is too long");
		if (r->kind == SIG_AMS &&
		    slice_eq_nocase(name, SLICE("ARC-Seal")))
			return bad(r, "syntax", "h= names ARC-Seal");
		from = from || slice_eq_nocase(name, SLICE("From"));
	}
	return from || bad(r, "from", "From is not signed");
}

/* dkim-quoted-printable (2.11): =XX and nothing else is an escape. */
static struct slice
unquote(struct arena *a, struct slice value)
{
	struct slice in = tags_squeeze(a, value);
	size_t len = 0;
	char *ptr;

	if (!slice_has(in, '='))
		return in;
	ptr = arena_alloc(a, in.len + 1);
	for (size_t i = 0; i < in.len; i++) {
		int high = -1, low = -1;

		if (in.ptr[i] == '=' && in.len - i > 2) {
			high = ascii_hex(in.ptr[i + 1]);
			low = ascii_hex(in.ptr[i + 2]);
		}
		ptr[len++] = in.ptr[i];
		if (high >= 0 && low >= 0) {
			ptr[len - 1] = (char)(high << 4 | low);
			i += 2;
		}
	}
	return slice_make(ptr, len);
}

static bool
read_identity(struct reader *r, struct slice value)
{
	struct slice id = unquote(r->a, value), domain;
	size_t at = slice_find_last(id, '@');
	struct buf out = buf_in(r->a);

	if (at == id.len)
		return bad(r, "identity", "i= holds no @");
	domain = read_name(r->a, slice_after(id, at + 1));
	if (domain.ptr == NULL)
		return bad(r, "identity", "i= holds no domain");
	buf_add(&out, slice_sub(id, 0, at + 1));
	buf_add(&out, domain);
	r->sig->identity = buf_slice(&out);
	return true;
}

static bool
read_length(struct reader *r, struct slice value)
{
	r->sig->has_length = true;
	return slice_number(value, UINT64_MAX, &r->sig->length) ||
	    bad(r, "syntax", "l= is no length");
}

static bool
read_query(struct reader *r, struct slice value)
{
	struct slice rest = value;

	while (rest.ptr != NULL)
		if (slice_eq(tags_cut(rest, ':', &rest), SLICE("dns/txt")))
			return true;
	return bad(r, "query", "q= knows no dns/txt");
}

/* More digits than the RFC asks for are as good as for ever. */
static bool
read_moment(struct slice value, int64_t *moment_r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < value.len; i++)
		if (!ascii_digit(value.ptr[i]))
			return false;
	if (value.len == 0)
		return false;
	*moment_r = INT64_MAX;
	if (value.len <= TIME_DIGITS && slice_number(value, UINT64_MAX, &n))
		*moment_r = (int64_t)n;
	return true;
}

static bool
read_time(struct reader *r, struct slice value)
{
	return read_moment(value, &r->sig->time) ||
	    bad(r, "syntax", "t= is no time");
}

static bool
read_expires(struct reader *r, struct slice value)
{
	return read_moment(value, &r->sig->expires) ||
	    bad(r, "syntax", "x= is no time");
}

static bool
read_instance(struct reader *r, struct slice value)
{
	return sig_instance(value) > 0 || bad(r, "syntax", "i= is no instance");
}

static bool
read_chain_status(struct reader *r, struct slice value)
{
	return slice_eq(value, SLICE("none")) ||
	    slice_eq(value, SLICE("pass")) || slice_eq(value, SLICE("fail")) ||
	    bad(r, "cv", "cv= is neither none, pass nor fail");
}

static bool
read_forbidden(struct reader *r, struct slice value)
{
	(void)value;
	return bad(r, "syntax", "h= has no place in an ARC-Seal");
}

/* Which tags a field of each kind may have and must have. */
static const struct {
	const char *name;
	unsigned takes, needs;
	bool (*read)(struct reader *r, struct slice value);
	const char *absent;
} rows[] = {
	{ "v", SIG_DKIM, SIG_DKIM, read_version, "no v=" },
	{ "i", SIG_AMS | SIG_SEAL, SIG_AMS | SIG_SEAL, read_instance,
	    "no i=" },
	{ "a", SIG_DKIM | SIG_AMS | SIG_SEAL, SIG_DKIM | SIG_AMS | SIG_SEAL,
	    read_algorithm, "no a=" },
	{ "d", SIG_DKIM | SIG_AMS | SIG_SEAL, SIG_DKIM | SIG_AMS | SIG_SEAL,
	    read_domain, "no d=" },
	{ "s", SIG_DKIM | SIG_AMS | SIG_SEAL, SIG_DKIM | SIG_AMS | SIG_SEAL,
	    read_selector, "no s=" },
	{ "b", SIG_DKIM | SIG_AMS | SIG_SEAL, SIG_DKIM | SIG_AMS | SIG_SEAL,
	    read_b, "no b=" },
	{ "bh", SIG_DKIM | SIG_AMS, SIG_DKIM | SIG_AMS, read_bh, "no bh=" },
	{ "h", SIG_DKIM | SIG_AMS, SIG_DKIM | SIG_AMS, read_fields, "no h=" },
	{ "h", SIG_SEAL, 0, read_forbidden, NULL },
	{ "cv", SIG_SEAL, SIG_SEAL, read_chain_status, "no cv=" },
	{ "c", SIG_DKIM | SIG_AMS, 0, read_canon, NULL },
	{ "i", SIG_DKIM, 0, read_identity, NULL },
	{ "l", SIG_DKIM | SIG_AMS, 0, read_length, NULL },
	{ "q", SIG_DKIM | SIG_AMS, 0, read_query, NULL },
	{ "t", SIG_DKIM | SIG_AMS | SIG_SEAL, 0, read_time, NULL },
	{ "x", SIG_DKIM | SIG_AMS, 0, read_expires, NULL },
};

static bool
read_rows(struct reader *r, const struct tags *tags)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice value;

		if ((rows[i].takes & r->kind) == 0)
			continue;
		value = tags_find(tags, slice_of(rows[i].name));
		if (value.ptr != NULL) {
			if (!rows[i].read(r, value))
				return false;
		} else if ((rows[i].needs & r->kind) != 0) {
			return bad(r, "syntax", rows[i].absent);
		}
	}
	return true;
}

/* i= is d= or below it (RFC 6376, 3.5). */
static bool
identity_within(const struct dkim_signature *sig)
{
	struct slice id = sig->identity;
	size_t start;

	if (!slice_ends(id, sig->domain) || id.len == sig->domain.len)
		return false;
	start = id.len - sig->domain.len;
	return id.ptr[start - 1] == '@' || id.ptr[start - 1] == '.';
}

/* What is wrong with well-formed tags, taken together (6.1.1). */
static void
judge(const struct reader *r)
{
	struct dkim_signature *sig = r->sig;

	if (sig->identity.ptr == NULL)
		sig->identity = arena_printf(r->a, "@%.*s",
		    SLICE_ARG(sig->domain));
	if (sig->expires >= 0 && sig->time >= 0 && sig->expires <= sig->time)
		sig_fail(sig, DKIM_PERMERROR, "syntax",
		    "x= is not later than t=");
	else if (!identity_within(sig))
		sig_fail(sig, DKIM_PERMERROR, "identity",
		    "i= is not within d=");
	else if (sig->algorithm == DKIM_RSA_SHA1)
		sig_fail(sig, DKIM_POLICY, "sha1",
		    "rsa-sha1 is no longer accepted");
	else if (sig->expires >= 0 && sig->expires < r->limits->now)
		sig_fail(sig, DKIM_POLICY, "expired",
		    "the signature has expired");
	else if (sig->time > r->limits->now &&
	    sig->time - r->limits->now > r->limits->skew)
		sig_fail(sig, DKIM_POLICY, "future",
		    "the signature is of the future");
}

/* Where the value of b= stands, to be cut out again (3.7). */
static void
note_b(struct dkim_signature *sig, const struct field *field,
    const struct tags *tags)
{
	struct slice span = tags_span(tags, SLICE("b"));

	if (span.ptr == NULL)
		return;
	sig->b_at = (size_t)(span.ptr - field->body.ptr);
	sig->b_len = span.len;
}

void
sig_read(struct arena *a, const struct field *field, enum sig_kind kind,
    const struct dkim_limits *limits, struct dkim_signature *sig_r,
    struct tags *tags_r)
{
	struct reader r = { a, limits, sig_r, kind };
	const char *fault = tags_read(field->body, tags_r);

	memset(sig_r, 0, sizeof *sig_r);
	sig_r->time = sig_r->expires = -1;
	sig_r->header = kind == SIG_SEAL ? DKIM_RELAXED : DKIM_SIMPLE;
	if (fault != NULL)
		bad(&r, "syntax", fault);
	else if (read_rows(&r, tags_r))
		judge(&r);
	if (fault == NULL)
		note_b(sig_r, field, tags_r);
}

void
dkim_signature(struct arena *a, const struct field *field,
    const struct dkim_limits *limits, struct dkim_signature *sig_r)
{
	struct tags tags;

	sig_read(a, field, SIG_DKIM, limits, sig_r, &tags);
}

size_t
dkim_signatures(struct arena *a, const struct message *msg,
    const struct dkim_limits *limits, struct dkim_signature **list_r)
{
	size_t n = message_count(msg, SLICE("DKIM-Signature")), at = 0;
	struct dkim_signature *list = arena_array(a, n, sizeof *list);

	for (size_t i = 0; i < msg->nfields; i++) {
		struct dkim_signature *sig = &list[at];

		if (!slice_eq_nocase(msg->fields[i].name,
		    SLICE("DKIM-Signature")))
			continue;
		if (at++ < limits->signatures)
			dkim_signature(a, &msg->fields[i], limits, sig);
		else
			sig_fail(sig, DKIM_POLICY, "limit",
			    "more signatures than are looked at");
		sig->index = i;
	}
	*list_r = list;
	return n;
}

bool
dkim_key_name(struct arena *a, const struct dkim_signature *sig,
    struct slice *name_r)
{
	if (sig->result != DKIM_NONE || sig->domain.ptr == NULL ||
	    sig->selector.ptr == NULL)
		return false;
	*name_r = arena_printf(a, "%.*s._domainkey.%.*s",
	    SLICE_ARG(sig->selector), SLICE_ARG(sig->domain));
	return name_r->len <= DNS_NAME_MAX;
}

const char *
dkim_result_name(enum dkim_result result)
{
	static const char *const names[] = { "none", "pass", "fail", "policy",
	    "neutral", "temperror", "permerror" };

	return names[result];
}

const char *
dkim_algorithm_name(enum dkim_algorithm algorithm)
{
	static const char *const names[] = { "rsa-sha1", "rsa-sha256",
	    "ed25519-sha256" };

	return names[algorithm];
}
