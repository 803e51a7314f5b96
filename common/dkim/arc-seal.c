#include <inttypes.h>

#include "dkim/arc.h"
#include "dkim/bodies.h"
#include "dkim/sign.h"

/* One set while it is made. */
struct sealing {
	struct arena *a;
	const struct message *msg;
	struct dkim_bodies *bodies;
	const struct arc_sealer *sealer;
	const struct arc_chain *chain;	/* as it is in msg */
	enum arc_status cv;
	unsigned instance;
	struct slice aar, ams, as;	/* bodies */
};

static enum rc
refused(struct slice *why_r, const char *why)
{
	*why_r = slice_of(why);
	return RC_BAD;
}

/* Folded as a field has to be: no NUL, a CR only before LF, a blank behind. */
static bool
folds_good(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\0')
			return false;
		if (text.ptr[i] != '\r' && text.ptr[i] != '\n')
			continue;
		if (text.ptr[i] != '\r' || text.len - i < 3 ||
		    text.ptr[i + 1] != '\n' || !ascii_blank(text.ptr[i + 2]))
			return false;
		i++;
	}
	return true;
}

static struct slice
make_aar(const struct sealing *s, struct slice results)
{
	struct buf out = buf_in(s->a);

	buf_addf(&out, " i=%u; ", s->instance);
	buf_add(&out, s->sealer->authserv_id);
	buf_adds(&out, ";\r\n\t");
	buf_add(&out, slice_trim(results));
	return buf_slice(&out);
}

static struct slice
default_fields(struct arena *a)
{
	return arena_printf(a, "%.*s:DKIM-Signature",
	    SLICE_ARG(dkim_fields_signed));
}

static enum rc
make_ams(struct sealing *s, struct slice *why_r)
{
	static const char *const canon[] = { "simple", "relaxed" };
	const struct arc_sealer *sealer = s->sealer;
	struct dkim_signer signer = { .domain = sealer->domain,
	    .selector = sealer->selector, .key = sealer->key,
	    .algorithm = sealer->algorithm, .header = sealer->header,
	    .body = sealer->body, .signed_fields = sealer->signed_fields,
	    .now = sealer->now };
	struct slice tags = arena_printf(s->a,
	    " i=%u; a=%s; c=%s/%s;\r\n\td=%.*s;\r\n\ts=%.*s; t=%" PRId64 ";",
	    s->instance, dkim_algorithm_name(sealer->algorithm),
	    canon[sealer->header], canon[sealer->body],
	    SLICE_ARG(sealer->domain), SLICE_ARG(sealer->selector),
	    sealer->now);

	if (signer.signed_fields.ptr == NULL)
		signer.signed_fields = default_fields(s->a);
	return sign_field(s->a, s->msg, s->bodies, &signer,
	    SLICE("ARC-Message-Signature"), tags, &s->ams, why_r);
}

/* The seal's field up to b=, and what all of it signs (5.1.1): only the new
 * set when the chain failed (5.1.2). */
static struct slice
sealed_bytes(struct sealing *s, struct slice tags)
{
	struct buf out = buf_in(s->a);
	unsigned from = s->cv == ARC_PASS ? 0 : s->chain->count;
	struct field f;

	for (unsigned i = from; i < s->chain->count; i++) {
		const struct arc_set *set = &s->chain->sets[i];

		buf_add(&out, bodies_field(s->bodies, DKIM_RELAXED,
		    set->aar - 1));
		buf_add(&out, bodies_field(s->bodies, DKIM_RELAXED,
		    set->ams - 1));
		buf_add(&out, bodies_field(s->bodies, DKIM_RELAXED,
		    set->as - 1));
	}
	f = sign_made(s->a, SLICE("ARC-Authentication-Results"), s->aar);
	canon_field(&out, DKIM_RELAXED, &f);
	f = sign_made(s->a, SLICE("ARC-Message-Signature"), s->ams);
	canon_field(&out, DKIM_RELAXED, &f);
	f = sign_made(s->a, SLICE("ARC-Seal"), tags);
	canon_signature(&out, DKIM_RELAXED, &f, SLICE_NONE);
	return buf_slice(&out);
}

static enum rc
make_seal(struct sealing *s, struct slice *why_r)
{
	static const char *const words[] = { "none", "pass", "fail" };
	struct slice tags = arena_printf(s->a,
	    " i=%u; a=%s; cv=%s;\r\n\td=%.*s;\r\n\ts=%.*s; t=%" PRId64
	    ";\r\n\tb=", s->instance,
	    dkim_algorithm_name(s->sealer->algorithm), words[s->cv],
	    SLICE_ARG(s->sealer->domain), SLICE_ARG(s->sealer->selector),
	    s->sealer->now);
	struct slice bytes = sealed_bytes(s, tags), b;
	unsigned char hash[DKIM_HASH];
	struct buf out = buf_in(s->a);
	enum rc rc;

	if (EVP_Digest(bytes.ptr, bytes.len, hash, NULL, dkim_sha256(),
	    NULL) != 1) {
		*why_r = SLICE("the sets could not be hashed");
		return RC_RETRY;
	}
	rc = sign_hash(s->a, s->sealer->key, hash, &b, why_r);
	if (rc != RC_OK)
		return rc;
	buf_add(&out, tags);
	sign_wrap(&out, b, 10);
	s->as = buf_slice(&out);
	return RC_OK;
}

/* Whether there may be another set; the sets are those of the message now. */
static enum rc
may_seal(const struct arc_chain *chain, const struct arc_chain *now,
    const struct arc_sealer *sealer, struct slice results,
    struct slice *why_r)
{
	const char *why = sign_fits(sealer->key, sealer->algorithm);

	if (chain->status == ARC_FAIL && chain->temporary) {
		*why_r = SLICE("the chain could not be validated");
		return RC_RETRY;
	}
	if (why != NULL)
		return refused(why_r, why);
	if (sealer->domain.len == 0 || sealer->selector.len == 0)
		return refused(why_r, "no domain or selector to seal for");
	if (!folds_good(results) || !folds_good(sealer->authserv_id) ||
	    sealer->authserv_id.len == 0)
		return refused(why_r, "the results are no field body");
	if (now->ended || chain->ended)
		return refused(why_r, "the chain had failed before");
	if (now->highest >= ARC_SETS)
		return refused(why_r, "there are 50 sets already");
	if (now->count != chain->count)
		return refused(why_r, "the sets were edited");
	return RC_OK;
}

enum rc
arc_seal(struct arena *a, const struct message *msg,
    const struct arc_chain *chain, const struct arc_sealer *sealer,
    struct slice results, struct slice bodies_r[3], struct slice *why_r)
{
	struct dkim_limits limits = dkim_limits_default;
	struct sealing s = { .a = a, .msg = msg, .sealer = sealer };
	struct arc_chain now;
	enum rc rc;

	limits.now = sealer->now;
	arc_read(a, msg, &limits, &now);
	rc = may_seal(chain, &now, sealer, results, why_r);
	if (rc != RC_OK)
		return rc;
	s.chain = &now;
	s.cv = chain->status;
	s.instance = now.highest + 1;
	s.bodies = dkim_bodies_new(a, msg);
	s.aar = make_aar(&s, results);
	rc = make_ams(&s, why_r);
	if (rc == RC_OK)
		rc = make_seal(&s, why_r);
	bodies_r[0] = s.as;
	bodies_r[1] = s.ams;
	bodies_r[2] = s.aar;
	return rc;
}
