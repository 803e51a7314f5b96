#include "dkim/sign.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "dkim/bodies.h"
#include "dkim/tags.h"
#include "text/transfer.h"

enum {
	LINE = 76,
	MIN_BITS = 1024			/* RFC 8301, 3.2 */
};

#define FIELDS_SIGNED "From:Sender:Reply-To:To:Cc:Subject:Date:Message-ID:" \
	"In-Reply-To:References:MIME-Version:Content-Type:" \
	"Content-Transfer-Encoding:Content-Language:List-Id:List-Help:" \
	"List-Unsubscribe:List-Unsubscribe-Post:List-Subscribe:List-Post:" \
	"List-Owner:List-Archive:Autocrypt"
/* Sender and Reply-To are what a mailing list may add in good faith. */
#define FIELDS_OVERSIGNED \
	"From:To:Cc:Subject:Date:Content-Type:Content-Transfer-Encoding"

const struct slice dkim_fields_signed =
    { FIELDS_SIGNED, sizeof FIELDS_SIGNED - 1 };
const struct slice dkim_fields_oversigned =
    { FIELDS_OVERSIGNED, sizeof FIELDS_OVERSIGNED - 1 };

/* The key */

const char *
sign_fits(EVP_PKEY *key, enum dkim_algorithm algorithm)
{
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

	if (key == NULL)
		return "no key to sign with";
	if (algorithm == DKIM_ED25519_SHA256)
		return EVP_PKEY_is_a(key, "ED25519") ? NULL :
		    "the key is no ed25519 key";
	if (algorithm != DKIM_RSA_SHA256)
		return "nothing is signed with rsa-sha1";
	if (!EVP_PKEY_is_a(key, "RSA"))
		return "the key is no RSA key";
	return bits >= MIN_BITS ? NULL : "the RSA key is too small";
}

static bool
rsa_sign(EVP_PKEY *key, const unsigned char *hash, unsigned char *out,
    size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, dkim_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, out, len, hash, DKIM_HASH) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

static bool
ed25519_sign(EVP_PKEY *key, const unsigned char *hash, unsigned char *out,
    size_t *len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md != NULL && EVP_DigestSignInit_ex(md, NULL, NULL, NULL,
	    NULL, key, NULL) == 1 &&
	    EVP_DigestSign(md, out, len, hash, DKIM_HASH) == 1;

	EVP_MD_CTX_free(md);
	return good;
}

/* encode_base64 breaks its lines; sign_wrap makes its own. */
static struct slice
one_line(struct arena *a, struct slice bytes)
{
	struct buf out = buf_in(a);

	encode_base64(&out, bytes);
	return tags_squeeze(a, buf_slice(&out));
}

enum rc
sign_hash(struct arena *a, EVP_PKEY *key, const unsigned char hash[32],
    struct slice *base64_r, struct slice *why_r)
{
	size_t len = (size_t)EVP_PKEY_get_size(key);
	unsigned char *out = arena_alloc(a, len + 1);

	if (EVP_PKEY_is_a(key, "RSA") ? !rsa_sign(key, hash, out, &len) :
	    !ed25519_sign(key, hash, out, &len)) {
		ERR_clear_error();
		*why_r = SLICE("the signature could not be made");
		return RC_RETRY;
	}
	*base64_r = one_line(a, slice_make(out, len));
	return RC_OK;
}

void
sign_wrap(struct buf *out, struct slice base64, size_t column)
{
	while (base64.len > 0) {
		struct slice line;

		if (column >= LINE) {
			buf_adds(out, "\r\n\t");
			column = 8;
		}
		line = slice_sub(base64, 0, LINE - column);
		buf_add(out, line);
		base64 = slice_after(base64, line.len);
		column = LINE;
	}
}

/* h= */

/* A list that is written word by word and folded before it grows too long. */
struct words {
	struct buf out;
	size_t column, count;
};

static void
word_add(struct words *w, struct slice name)
{
	if (w->count > 0)
		buf_addc(&w->out, ':');
	if (w->count > 0 && w->column + name.len + 2 > LINE) {
		buf_adds(&w->out, "\r\n\t ");
		w->column = 9;
	}
	buf_add(&w->out, name);
	w->column += name.len + 1;
	w->count++;
}

static bool
list_holds(struct slice list, struct slice name)
{
	while (list.ptr != NULL)
		if (slice_eq_nocase(tags_cut(list, ':', &list), name))
			return true;
	return false;
}

/* What is removed or added on the way is never signed (RFC 8617, 4.1.2). */
static bool
never(struct slice name)
{
	return name.len == 0 || slice_starts_nocase(name, SLICE("ARC-")) ||
	    slice_eq_nocase(name, SLICE("Authentication-Results"));
}

static void
name_times(struct words *w, struct dkim_bodies *bodies, struct slice name,
    bool more)
{
	size_t n = bodies_count(bodies, name) + (more ? 1 : 0);

	for (; n > 0; n--)
		word_add(w, name);
}

/* SLICE_NONE when there are more than a verifier like ours looks at. */
static struct slice
fields_named(struct arena *a, struct dkim_bodies *bodies, struct slice list,
    struct slice over)
{
	struct words w = { buf_in(a), 11, 0 };
	struct slice rest = list, name, seen;

	name_times(&w, bodies, SLICE("From"), true);
	while (rest.ptr != NULL) {
		size_t at = (size_t)(rest.ptr - list.ptr);

		name = tags_cut(rest, ':', &rest);
		seen = slice_sub(list, 0, at > 0 ? at - 1 : 0);
		if (!never(name) && !slice_eq_nocase(name, SLICE("From")) &&
		    (at == 0 || !list_holds(seen, name)))
			name_times(&w, bodies, name, list_holds(over, name));
	}
	return w.count <= DKIM_NAMES ? buf_slice(&w.out) : SLICE_NONE;
}

/* The field */

static enum rc
refused(struct slice *why_r, const char *why)
{
	*why_r = slice_of(why);
	return RC_BAD;
}

struct field
sign_made(struct arena *a, struct slice name, struct slice body)
{
	struct buf all = buf_in(a);
	struct field f;

	buf_add(&all, name);
	buf_addc(&all, ':');
	buf_add(&all, body);
	buf_adds(&all, "\r\n");
	f.raw = buf_slice(&all);
	f.name = slice_sub(f.raw, 0, name.len);
	f.body = slice_sub(f.raw, name.len + 1, body.len);
	return f;
}

/* The hash of the named fields and of a signature that is not in the message
 * yet: as if it stood above all others. */
static bool
hash_with(struct arena *a, struct dkim_bodies *bodies,
    const struct dkim_signer *signer, struct slice name, struct slice body,
    struct slice fields, unsigned char *hash_r)
{
	struct dkim_signature sig = { .header = signer->header,
	    .signed_fields = fields, .b_at = body.len };
	struct field f = sign_made(a, name, body);

	return bodies_headers_of(bodies, &sig, &f, hash_r);
}

enum rc
sign_field(struct arena *a, const struct message *msg,
    struct dkim_bodies *bodies, const struct dkim_signer *signer,
    struct slice name, struct slice tags, struct slice *body_r,
    struct slice *why_r)
{
	struct slice list = signer->signed_fields, over = signer->oversigned;
	const char *why = sign_fits(signer->key, signer->algorithm);
	unsigned char hash[DKIM_HASH];
	const unsigned char *body;
	struct slice fields, b;
	struct buf out = buf_in(a);
	uint64_t length;
	enum rc rc;

	if (why != NULL)
		return refused(why_r, why);
	if (message_count(msg, SLICE("From")) == 0)
		return refused(why_r, "the message has no From");
	fields = fields_named(a, bodies,
	    list.ptr != NULL ? list : dkim_fields_signed,
	    over.ptr != NULL ? over : dkim_fields_oversigned);
	if (fields.ptr == NULL)
		return refused(why_r, "the message has too many fields");
	body = bodies_hash(bodies, signer->body, UINT64_MAX, &length);
	if (body == NULL) {
		*why_r = SLICE("the body could not be hashed");
		return RC_RETRY;
	}
	buf_add(&out, tags);
	buf_addf(&out, "\r\n\th=");
	buf_add(&out, fields);
	buf_adds(&out, ";\r\n\tbh=");
	buf_add(&out, one_line(a, slice_make(body, DKIM_HASH)));
	buf_adds(&out, ";\r\n\tb=");
	if (!hash_with(a, bodies, signer, name, buf_slice(&out), fields,
	    hash)) {
		*why_r = SLICE("the header could not be hashed");
		return RC_RETRY;
	}
	rc = sign_hash(a, signer->key, hash, &b, why_r);
	if (rc != RC_OK)
		return rc;
	sign_wrap(&out, b, 10);
	*body_r = buf_slice(&out);
	return RC_OK;
}

static bool
names_good(const struct dkim_signer *signer)
{
	return signer->domain.len > 0 && signer->selector.len > 0 &&
	    signer->domain.len + signer->selector.len +
	    sizeof "._domainkey." - 1 <= DNS_NAME_MAX;
}

enum rc
dkim_sign(struct arena *a, const struct message *msg,
    struct dkim_bodies *bodies, const struct dkim_signer *signer,
    struct slice *body_r, struct slice *why_r)
{
	static const char *const canon[] = { "simple", "relaxed" };
	struct buf tags = buf_in(a);

	if (!names_good(signer))
		return refused(why_r, "no domain or selector to sign for");
	buf_addf(&tags, " v=1; a=%s; c=%s/%s;\r\n\td=%.*s;\r\n\ts=%.*s;",
	    dkim_algorithm_name(signer->algorithm), canon[signer->header],
	    canon[signer->body], SLICE_ARG(signer->domain),
	    SLICE_ARG(signer->selector));
	if (signer->identity.ptr != NULL)
		buf_addf(&tags, "\r\n\ti=%.*s;", SLICE_ARG(signer->identity));
	buf_addf(&tags, " t=%" PRId64 ";", signer->now);
	if (signer->expires > 0)
		buf_addf(&tags, " x=%" PRId64 ";", signer->expires);
	return sign_field(a, msg, bodies, signer, SLICE("DKIM-Signature"),
	    buf_slice(&tags), body_r, why_r);
}
