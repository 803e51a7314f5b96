/* The text of a token, which those need too who have no data base. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/hex.h"
#include "store/token.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* 128 bits in groups of five; the last one is padded with zeroes. */
void
token_write(const unsigned char bytes[TOKEN_BYTES], char text[TOKEN_TEXT + 1])
{
	for (int i = 0; i < TOKEN_TEXT; i++) {
		unsigned bit = (unsigned)i * 5, value;
		unsigned next = bit / 8 + 1 < TOKEN_BYTES ?
		    bytes[bit / 8 + 1] : 0;

		value = (unsigned)bytes[bit / 8] << 8 | next;
		text[i] = alphabet[value >> (11 - bit % 8) & 31];
	}
	text[TOKEN_TEXT] = '\0';
}

/* One text a token: padding that is not zero is refused. */
bool
token_read(struct slice text, unsigned char bytes[TOKEN_BYTES])
{
	unsigned value = 0, bits = 0;
	size_t n = 0;

	if (text.len != TOKEN_TEXT)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = memchr(alphabet, ascii_lower(text.ptr[i]),
		    sizeof alphabet - 1);

		if (at == NULL)
			return false;
		value = value << 5 | (unsigned)(at - alphabet);
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			bytes[n++] = (unsigned char)(value >> bits);
			value &= (1u << bits) - 1;
		}
	}
	return value == 0;
}


static void
hash_write(const unsigned char bytes[TOKEN_BYTES], char hex_r[65])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];

	SHA256(bytes, TOKEN_BYTES, hash);
	hex_write(hex_r, hash, sizeof hash);
}

bool
token_hash(struct slice text, char hex_r[65])
{
	unsigned char bytes[TOKEN_BYTES];
	bool good = token_read(text, bytes);

	if (good)
		hash_write(bytes, hex_r);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return good;
}

bool
token_derive(struct slice key, struct slice name, char text_r[TOKEN_TEXT + 1],
    char hex_r[65])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (HMAC(EVP_sha256(), key.ptr, (int)key.len,
	    (const unsigned char *)name.ptr, name.len, mac, &len) == NULL ||
	    len < TOKEN_BYTES)
		return false;
	token_write(mac, text_r);
	hash_write(mac, hex_r);
	OPENSSL_cleanse(mac, sizeof mac);
	return true;
}
