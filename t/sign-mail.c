/*
 * sign-mail - signed mail for tests
 *
 *	sign-mail key rsa|ed25519 BITS FILE	makes a private key (PEM), prints
 *						its record for the zone
 *	sign-mail dkim FILE DOMAIN SELECTOR [key=value]... < mail > mail
 *		now, expires (seconds since 1970), length (l=: so much of the
 *		body is signed), times (that many signatures)
 *	sign-mail arc FILE DOMAIN SELECTOR [key=value]... < mail > mail
 *		now, cv (of the chain so far: pass, fail), results (behind the
 *		authserv-id), times (that many sets)
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dkim/arc.h"
#include "dkim/sign.h"
#include "mime/patch.h"
#include "text/transfer.h"
#include "t/tap.h"

static struct arena *arena;

static void
die(const char *what)
{
	fprintf(stderr, "sign-mail: %s\n", what);
	exit(1);
}

static const char *
setting(char **args, const char *key, const char *otherwise)
{
	size_t len = strlen(key);

	for (; *args != NULL; args++)
		if (strncmp(*args, key, len) == 0 && (*args)[len] == '=')
			return *args + len + 1;
	return otherwise;
}

static int64_t
number(char **args, const char *key, int64_t otherwise)
{
	const char *text = setting(args, key, NULL);

	return text == NULL ? otherwise : strtoll(text, NULL, 10);
}

static void
print_base64(const unsigned char *bytes, size_t len)
{
	unsigned char *text = arena_alloc(arena, len * 2 + 8);

	EVP_EncodeBlock(text, bytes, (int)len);
	printf("%s", (char *)text);
}

static int
make_key(const char *kind, const char *bits, const char *path)
{
	bool rsa = strcmp(kind, "rsa") == 0;
	EVP_PKEY *key = rsa ? EVP_RSA_gen((unsigned)strtoul(bits, NULL, 10)) :
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *f = fopen(path, "w");
	unsigned char *der = NULL, raw[32];
	size_t len = sizeof raw;

	if (key == NULL || f == NULL ||
	    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    fclose(f) != 0)
		die("no key");
	printf("v=DKIM1; k=%s; p=", kind);
	if (rsa) {
		int n = i2d_PUBKEY(key, &der);

		print_base64(der, (size_t)n);
		OPENSSL_free(der);
	} else {
		EVP_PKEY_get_raw_public_key(key, raw, &len);
		print_base64(raw, len);
	}
	putchar('\n');
	EVP_PKEY_free(key);
	return 0;
}

static EVP_PKEY *
read_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f == NULL ? NULL :
	    PEM_read_PrivateKey(f, NULL, NULL, NULL);

	if (key == NULL)
		die("cannot read the key");
	fclose(f);
	return key;
}

static void
read_mail(struct message *msg)
{
	struct buf in = buf_in(arena);
	struct slice head, body;
	size_t n;

	while ((n = fread(buf_room(&in, 65536), 1, 65536, stdin)) > 0)
		buf_took(&in, n);
	message_split(arena, buf_slice(&in), &head, &body);
	message_read(msg, arena, head, body, NULL);
}

static enum dkim_algorithm
algorithm(EVP_PKEY *key)
{
	return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ?
	    DKIM_ED25519_SHA256 : DKIM_RSA_SHA256;
}

/* The message with that field on top. */
static void
put_on_top(struct message *msg, const char *name, struct slice value)
{
	struct patches p;
	struct slice head, body;

	patches_init(&p, arena, msg);
	if (!patch_insert(&p, slice_of(name), value))
		die("no patch");
	patches_apply(&p, arena, &head, &body);
	message_read(msg, arena, head, body, NULL);
}

static void
sign_once(struct message *msg, EVP_PKEY *key, char **args)
{
	struct dkim_signer signer = { .domain = slice_of(args[0]),
	    .selector = slice_of(args[1]), .identity = SLICE_NONE, .key = key,
	    .algorithm = algorithm(key), .header = DKIM_RELAXED,
	    .body = DKIM_RELAXED, .now = number(args, "now", clock_wall()),
	    .expires = number(args, "expires", 0),
	    .signed_fields = SLICE_NONE, .oversigned = SLICE_NONE };
	const char *length = setting(args, "length", NULL);
	struct message part = *msg;
	struct slice value, why;
	enum rc rc;

	if (length == NULL) {
		rc = dkim_sign(arena, msg, dkim_bodies_new(arena, msg),
		    &signer, &value, &why);
	} else {
		part.body = slice_sub(msg->body, 0,
		    (size_t)strtoul(length, NULL, 10));
		signer.body = DKIM_SIMPLE;
		rc = sign_field(arena, &part, dkim_bodies_new(arena, &part),
		    &signer, SLICE("DKIM-Signature"), arena_printf(arena,
		    "v=1; a=rsa-sha256; c=relaxed/simple; d=%s; s=%s; l=%s;",
		    args[0], args[1], length), &value, &why);
	}
	if (rc != RC_OK)
		die(arena_str(arena, why));
	put_on_top(msg, "DKIM-Signature", value);
}

static void
seal_once(struct message *msg, EVP_PKEY *key, char **args)
{
	static const char *const names[] = { "ARC-Seal",
	    "ARC-Message-Signature", "ARC-Authentication-Results" };
	struct dkim_limits limits = dkim_limits_default;
	struct arc_sealer sealer = { .domain = slice_of(args[0]),
	    .selector = slice_of(args[1]), .key = key,
	    .algorithm = algorithm(key), .authserv_id = slice_of(args[0]),
	    .signed_fields = SLICE("from:to:subject:date:message-id"),
	    .header = DKIM_RELAXED, .body = DKIM_RELAXED,
	    .now = number(args, "now", clock_wall()) };
	struct arc_chain chain;
	struct slice bodies[3], why;

	arc_read(arena, msg, &limits, &chain);
	if (chain.count > 0)
		chain.status = strcmp(setting(args, "cv", "pass"), "fail") ==
		    0 ? ARC_FAIL : ARC_PASS;
	if (arc_seal(arena, msg, &chain, &sealer, slice_of(setting(args,
	    "results", "none")), bodies, &why) != RC_OK)
		die(arena_str(arena, why));
	for (int i = 2; i >= 0; i--)
		put_on_top(msg, names[i], bodies[i]);
}

int
main(int argc, char **argv)
{
	struct message msg;
	EVP_PKEY *key;

	arena = arena_new();
	if (argc == 5 && strcmp(argv[1], "key") == 0)
		return make_key(argv[2], argv[3], argv[4]);
	if (argc < 5)
		die("see the source");
	key = read_key(argv[2]);
	read_mail(&msg);
	for (int64_t n = number(argv + 3, "times", 1); n > 0; n--) {
		if (strcmp(argv[1], "arc") == 0)
			seal_once(&msg, key, argv + 3);
		else
			sign_once(&msg, key, argv + 3);
	}
	printf("%.*s\r\n", (int)msg.head.len, msg.head.ptr);
	fwrite(msg.body.ptr, 1, msg.body.len, stdout);
	EVP_PKEY_free(key);
	arena_free(arena);
	return fflush(stdout) == 0 ? 0 : 1;
}
