#include "crypto.h"

#include "text/param.h"

static struct slice
param_of(const struct part *p, const char *name)
{
	const struct param *found = params_find(&p->params, slice_of(name));

	return found != NULL ? found->value : SLICE("");
}

/* The ContentType of a CMS (RFC 5652, 3): the object identifier at its very
 * beginning, 1.2.840.113549.1.7.x or ...9.16.1.x. */
static unsigned
by_content(struct slice der)
{
	static const char data[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
	static const char smime[] =
	    "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01";
	struct slice head = slice_sub(der, 0, 40);
	size_t at = slice_search(head, slice_make(data, sizeof data - 1));
	char which;

	if (at + sizeof data - 1 < head.len) {
		which = head.ptr[at + sizeof data - 1];
		return which == 2 ? CRYPTO_SMIME_SIGNED :
		    which == 3 || which == 6 ? CRYPTO_SMIME_ENCRYPTED : 0;
	}
	at = slice_search(head, slice_make(smime, sizeof smime - 1));
	if (at + sizeof smime - 1 < head.len &&
	    head.ptr[at + sizeof smime - 1] == 23)
		return CRYPTO_SMIME_ENCRYPTED;	/* authEnvelopedData */
	return 0;
}

static unsigned
pkcs7_mime(const struct part *p, struct arena *a)
{
	struct slice type = param_of(p, "smime-type");
	unsigned found;

	if (slice_eq_nocase(type, SLICE("signed-data")))
		return CRYPTO_SMIME_SIGNED;
	if (slice_eq_nocase(type, SLICE("enveloped-data")) ||
	    slice_eq_nocase(type, SLICE("authEnveloped-data")))
		return CRYPTO_SMIME_ENCRYPTED;
	if (slice_eq_nocase(type, SLICE("certs-only")) ||
	    slice_eq_nocase(type, SLICE("compressed-data")))
		return 0;
	found = by_content(part_decoded(p, a, 64, NULL));
	/* Neither says what it is: who must not miss what is encrypted gets
	 * told that it may be. */
	return found != 0 ? found : CRYPTO_SMIME_ENCRYPTED;
}

static unsigned
multipart(const struct part *p)
{
	struct slice protocol = param_of(p, "protocol");

	if (slice_eq(p->subtype, SLICE("encrypted")))
		return slice_eq_nocase(protocol,
		    SLICE("application/pgp-encrypted")) ?
		    CRYPTO_PGP_ENCRYPTED : 0;
	if (!slice_eq(p->subtype, SLICE("signed")))
		return 0;
	if (slice_eq_nocase(protocol, SLICE("application/pgp-signature")))
		return CRYPTO_PGP_SIGNED;
	if (slice_eq_nocase(protocol, SLICE("application/pkcs7-signature")) ||
	    slice_eq_nocase(protocol, SLICE("application/x-pkcs7-signature")))
		return CRYPTO_SMIME_SIGNED;
	return 0;
}

static unsigned
armour(struct slice text)
{
	struct slice line;
	unsigned found = 0;

	while (slice_line(&text, &line)) {
		if (!slice_starts(line, SLICE("-----BEGIN PGP ")))
			continue;
		line = slice_trim(slice_after(line, 15));
		if (slice_eq(line, SLICE("MESSAGE-----")))
			found |= CRYPTO_INLINE_ENCRYPTED;
		else if (slice_eq(line, SLICE("SIGNED MESSAGE-----")))
			found |= CRYPTO_INLINE_SIGNED;
	}
	return found;
}

static unsigned
look_at(const struct part *p, struct arena *a)
{
	if (part_is(p, "multipart", NULL))
		return multipart(p);
	if (part_is(p, "application", "pkcs7-mime") ||
	    part_is(p, "application", "x-pkcs7-mime"))
		return pkcs7_mime(p, a);
	if (part_is(p, "application", "pkcs7-signature") ||
	    part_is(p, "application", "x-pkcs7-signature") ||
	    slice_ends_nocase(p->filename, SLICE(".p7s")))
		return CRYPTO_SMIME_SIGNED;
	if (part_is(p, "application", "pgp-encrypted"))
		return CRYPTO_PGP_ENCRYPTED;
	if (part_is(p, "application", "pgp-signature"))
		return CRYPTO_PGP_SIGNED;
	if (slice_ends_nocase(p->filename, SLICE(".p7m")))
		return pkcs7_mime(p, a);
	if (part_is(p, "text", NULL))
		return armour(part_decoded(p, a, CRYPTO_TEXT, NULL));
	return 0;
}

unsigned
crypto_look(struct message *msg, struct arena *a)
{
	const struct part *root = message_parts(msg);
	unsigned found = 0;

	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		found |= look_at(p, a);
	return found;
}
