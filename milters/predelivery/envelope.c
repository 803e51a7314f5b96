#include "envelope.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "milter/seal.h"
#include "text/address.h"

enum {
	DAY = 86400, DAYS = 1024,	/* of which two characters tell one */
	MAC = 10, STAMP = 2,		/* characters */
	LOCAL_MAX = 64,			/* RFC 5321, 4.5.3.1.1 */
};

/* RFC 4648, 6, in lower case. */
static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static struct slice
lower(struct arena *a, struct slice s)
{
	struct buf b = buf_in(a);

	for (size_t i = 0; i < s.len; i++)
		buf_addc(&b, ascii_lower(s.ptr[i]));
	return buf_slice(&b);
}

static struct slice
stamp_of(struct arena *a, int64_t day)
{
	unsigned n = (unsigned)(day % DAYS);

	return arena_printf(a, "%c%c", digits[n / 32], digits[n % 32]);
}

/* Over all of it but the MAC; the local part counts with its case. */
static struct slice
mac_of(struct arena *a, const struct seal_key *key, struct slice base,
    struct slice stamp, struct slice domain, struct slice local)
{
	unsigned char sum[EVP_MAX_MD_SIZE] = { 0 };
	unsigned len = 0;
	struct buf text = buf_in(a), out = buf_in(a);

	buf_addf(&text, "bounce 1 %.*s %.*s %.*s ", SLICE_ARG(lower(a, base)),
	    SLICE_ARG(stamp), SLICE_ARG(lower(a, domain)));
	buf_add(&text, local);
	HMAC(EVP_sha256(), key->bytes, (int)key->len,
	    (const unsigned char *)text.ptr, text.len, sum, &len);
	for (size_t bit = 0; bit < 5 * (size_t)MAC; bit += 5) {
		unsigned both = (unsigned)sum[bit / 8] << 8 | sum[bit / 8 + 1];

		buf_addc(&out, digits[both >> (11 - bit % 8) & 31]);
	}
	return buf_slice(&out);
}

/* What may stand in a local part without quotes, RFC 5322 dot-atom. */
static bool
plain_local(struct slice s)
{
	return s.len > 0 && s.ptr[0] != '.' && s.ptr[s.len - 1] != '.' &&
	    slice_search(s, SLICE("..")) == s.len &&
	    ascii_all_of(s, "!#$%&'*+-/=?^_`{|}~.");
}

struct slice
envelope_rewrite(struct arena *a, const struct envelope_how *how,
    struct slice sender, int64_t now)
{
	struct slice local, domain, base, at, stamp, keyed, ascii;

	if (sender.len == 0 || how->address.len == 0 ||
	    slice_eq_nocase(sender, how->address))
		return SLICE_NONE;
	base = slice_cut(how->address, '@', &at);
	if (!how->keyed || how->key == NULL || how->key->len == 0 ||
	    !address_split(sender, &local, &domain) || !plain_local(local) ||
	    !ascii_all_of(domain, "-._") || !domain_ascii(a, domain, &ascii))
		return how->address;
	if (slice_eq_nocase(domain, at) && slice_starts_nocase(local,
	    arena_printf(a, "%.*s+k=", SLICE_ARG(base))))
		return SLICE_NONE;
	stamp = stamp_of(a, now / DAY);
	keyed = arena_printf(a, "%.*s+K=%.*s=%.*s=%.*s=%.*s",
	    SLICE_ARG(base), SLICE_ARG(mac_of(a, how->key, base, stamp, domain,
	    local)), SLICE_ARG(stamp), SLICE_ARG(domain), SLICE_ARG(local));
	if (keyed.len > LOCAL_MAX)
		return how->address;
	return arena_printf(a, "%.*s@%.*s", SLICE_ARG(keyed), SLICE_ARG(at));
}

/* Days since then; the stamp tells no more than the last 1024. */
static unsigned
age_of(struct slice stamp, int64_t now)
{
	unsigned day = 0;

	for (size_t i = 0; i < stamp.len; i++) {
		size_t value = slice_find(slice_of(digits), stamp.ptr[i]);

		if (value >= 32)
			return DAYS;
		day = day * 32 + (unsigned)value;
	}
	return ((unsigned)(now / DAY % DAYS) + DAYS - day) % DAYS;
}

enum envelope_state
envelope_original(struct arena *a, const struct seal_key *key,
    struct slice address, int64_t now, struct slice *sender_r)
{
	struct slice whole, at, base, rest, mac, stamp, domain, want;
	size_t begin;
	unsigned age;

	*sender_r = SLICE_NONE;
	if (!address_split(address, &whole, &at))
		return ENVELOPE_PLAIN;
	begin = slice_search(lower(a, whole), SLICE("+k="));
	if (begin >= whole.len)
		return ENVELOPE_PLAIN;
	base = slice_sub(whole, 0, begin);
	mac = lower(a, slice_cut(slice_after(whole, begin + 3), '=', &rest));
	stamp = lower(a, slice_cut(rest, '=', &rest));
	domain = slice_cut(rest, '=', &rest);
	if (mac.len != MAC || stamp.len != STAMP || domain.len == 0 ||
	    rest.len == 0 || !plain_local(rest) || key == NULL ||
	    key->len == 0)
		return ENVELOPE_FORGED;
	want = mac_of(a, key, base, stamp, domain, rest);
	if (CRYPTO_memcmp(want.ptr, mac.ptr, MAC) != 0)
		return ENVELOPE_FORGED;
	*sender_r = arena_printf(a, "%.*s@%.*s", SLICE_ARG(rest),
	    SLICE_ARG(domain));
	age = age_of(stamp, now);
	/* A gateway whose clock is a day ahead has not forged it. */
	return age <= ENVELOPE_DAYS || age == DAYS - 1 ? ENVELOPE_GOOD :
	    ENVELOPE_OLD;
}

enum rc
envelope_check(const char *address, bool keyed, struct arena *a,
    struct slice *why_r)
{
	struct slice s = slice_of(address);

	if (s.len == 0 && !keyed)
		return RC_OK;
	if (s.len > 0 && address_plain(s) && !slice_has(s, '+'))
		return RC_OK;
	*why_r = s.len == 0 ? SLICE("bounce_keyed wants a bounce_address, as "
	    "\"bounces@example.org\"") : arena_printf(a, "bounce_address is "
	    "\"%s\"; it wants an address of yours without a plus, as "
	    "\"bounces@example.org\"", address);
	return RC_BAD;
}
