#include "backscatter.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "log/log.h"

enum {
	DAY = 86400,
	ID_BYTES = 8, MAC_BYTES = 16,	/* of each, as they are sent */
	PROOF_MAX = 100,		/* characters that are looked at */
};

/* ---- the proof ---- */

/* what keeps hashes of different things apart. */
static void
hmac(const struct seal_key *key, char what, struct slice text,
    unsigned char out_r[EVP_MAX_MD_SIZE])
{
	unsigned char bytes[1100] = { (unsigned char)what };
	size_t n = text.len < sizeof bytes - 1 ? text.len : sizeof bytes - 1;
	unsigned len;

	if (n > 0)
		memcpy(bytes + 1, text.ptr, n);
	HMAC(EVP_sha256(), key->bytes, (int)key->len, bytes, n + 1, out_r,
	    &len);
}

static void
put_hex(char *to, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*to++ = "0123456789abcdef"[bytes[i] >> 4];
		*to++ = "0123456789abcdef"[bytes[i] & 15];
	}
	*to = '\0';
}

static void
id_hex(const struct seal_key *key, struct slice id,
    char hex_r[2 * ID_BYTES + 1])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];

	hmac(key, 'i', id, bytes);
	put_hex(hex_r, bytes, ID_BYTES);
}

static void
mac_hex(const struct seal_key *key, struct slice text,
    char hex_r[2 * MAC_BYTES + 1])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];

	hmac(key, 'p', text, bytes);
	put_hex(hex_r, bytes, MAC_BYTES);
}

struct slice
proof_make(struct arena *a, const struct seal_key *key, struct slice id,
    int64_t now)
{
	char hash[2 * ID_BYTES + 1], mac[2 * MAC_BYTES + 1];
	struct slice text;

	id_hex(key, id, hash);
	text = arena_printf(a, "%lld.%s", (long long)(now / DAY), hash);
	mac_hex(key, text, mac);
	return arena_printf(a, "%.*s.%s", SLICE_ARG(text), mac);
}

static bool
names_one(const struct seal_key *key, struct slice hash,
    const struct bounce_found *ids)
{
	char hex[2 * ID_BYTES + 1];

	id_hex(key, SLICE(""), hex);
	if (ids->count == 0 || slice_eq(hash, slice_of(hex)))
		return true;
	for (size_t i = 0; i < ids->count; i++) {
		id_hex(key, ids->items[i], hex);
		if (slice_eq(hash, slice_of(hex)))
			return true;
	}
	return false;
}

bool
proof_good(const struct seal_key *key, struct slice proof,
    const struct bounce_found *ids, int64_t now)
{
	char mac[2 * MAC_BYTES + 1];
	struct slice day, hash, rest;
	uint64_t n;

	/* Whoever quotes may put something behind it. */
	proof = slice_sub(proof, 0, PROOF_MAX);
	day = slice_cut(proof, '.', &rest);
	hash = slice_cut(rest, '.', &rest);
	if (rest.len < 2 * MAC_BYTES || hash.len != 2 * ID_BYTES ||
	    !slice_number(day, INT32_MAX, &n) ||
	    (int64_t)n > now / DAY + 1 || (int64_t)n < now / DAY - SENT_DAYS)
		return false;
	mac_hex(key, slice_sub(proof, 0, day.len + 1 + hash.len), mac);
	return CRYPTO_memcmp(mac, rest.ptr, 2 * MAC_BYTES) == 0 &&
	    names_one(key, hash, ids);
}

enum rc
backscatter_start(const struct auth_check_conf *conf, bool wanted,
    const struct backscatter *before, const char *dir, struct backscatter *b,
    struct arena *a, struct slice *why_r)
{
	const char *path = arena_printf(a, "%s/sent", dir).ptr, *anew;
	enum rc rc;

	b->off = !wanted;
	rc = b->off ? RC_OK : seal_key_own(conf->backscatter_key,
	    arena_printf(a, "%s/proof.key", dir).ptr, &b->key, a, why_r);
	if (rc != RC_OK)
		return rc;
	/* Switched off it stays open: it may be switched on again. */
	if (before != NULL && before->sent != NULL) {
		if (ndr_sent_pairs(before->sent) != conf->backscatter_pairs)
			log_warning("backscatter_pairs was changed; it counts "
			    "from the next start on");
		b->sent = ndr_sent_hold(before->sent);
		return RC_OK;
	}
	if (b->off)
		return RC_OK;
	rc = ndr_sent_open(path, conf->backscatter_pairs, &b->sent, &anew, a,
	    why_r);
	if (rc == RC_OK && anew != NULL)
		log_info("%s: begun anew: %s; bounces are judged when mail has "
		    "gone out for backscatter_learn", path, anew);
	return rc;
}

/* ---- messages ---- */

static struct slice
id_of(const struct job *job)
{
	const struct field *f = message_field(job->msg, SLICE("Message-ID"),
	    0);

	return f != NULL ? field_value(job->arena, f) : SLICE("");
}

struct slice
backscatter_out(const struct job *job, const struct backscatter *b)
{
	const struct envelope *e = job->envelope;
	struct slice id;

	/* Nobody bounces what has an empty reverse-path. */
	if (b->sent == NULL || b->off || e->sender.len == 0)
		return SLICE_NONE;
	id = id_of(job);
	if (id.len > 0) {
		ndr_sent_add(b->sent, id, SLICE(""), job->now);
		for (size_t i = 0; i < e->nrecipients; i++)
			ndr_sent_add(b->sent, id, e->recipients[i].address,
			    job->now);
	}
	return proof_make(job->arena, &b->key, id, job->now);
}

static enum backscatter_proof
prove(const struct job *job, const struct backscatter *b,
    const struct bounce *bounce)
{
	const struct bounce_found *ids = &bounce->ids,
	    *to = &bounce->recipients;

	for (size_t i = 0; i < bounce->proofs.count; i++)
		if (proof_good(&b->key, bounce->proofs.items[i], ids,
		    job->now))
			return PROOF_HEADER;
	for (size_t i = 0; i < ids->count; i++) {
		if (!ndr_sent_has(b->sent, ids->items[i], SLICE(""), job->now))
			continue;
		if (to->count == 0)
			return PROOF_ID;
		for (size_t k = 0; k < to->count; k++)
			if (ndr_sent_has(b->sent, ids->items[i], to->items[k],
			    job->now))
				return PROOF_PAIR;
	}
	return PROOF_NONE;
}

struct bounce *
backscatter_in(const struct job *job, const struct backscatter *b,
    enum backscatter_proof *proof_r)
{
	const struct auth_check_conf *conf = job->conf;
	struct bounce *bounce;
	int64_t since;

	if (b->sent == NULL || b->off)
		return NULL;
	bounce = arena_alloc(job->arena, sizeof *bounce);
	bounce_read(job->msg, job->envelope->sender, job->arena, bounce);
	if (bounce->kind != BOUNCE_DSN)
		return bounce;
	*proof_r = prove(job, b, bounce);
	/* With a key that was handed to us, others send out as well. */
	since = conf->backscatter_key[0] != '\0' ?
	    ndr_sent_age(b->sent, job->now) : ndr_sent_since(b->sent, job->now);
	if (*proof_r == PROOF_NONE &&
	    (since < 0 || since < conf->backscatter_learn / 1000))
		*proof_r = PROOF_LEARNING;
	return bounce;
}
