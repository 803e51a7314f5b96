#include "fuzz/signed.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/hex.h"

const struct slice signed_key = { "0123456789abcdef", 16 };

struct slice
signed_text(struct arena *a, const char *field, struct slice text)
{
	struct buf bare = buf_in(a), out = buf_in(a);
	unsigned char mac[32];
	char hex[65];
	unsigned len;

	buf_adds(&bare, field);
	buf_addc(&bare, ':');
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_space(text.ptr[i]))
			buf_addc(&bare, text.ptr[i]);
	buf_addc(&bare, ';');
	HMAC(EVP_sha256(), signed_key.ptr, (int)signed_key.len,
	    (const unsigned char *)bare.ptr, bare.len, mac, &len);
	hex_write(hex, mac, sizeof mac);
	buf_add(&out, text);
	buf_adds(&out, "; m=");
	buf_adds(&out, hex);
	return buf_slice(&out);
}
