#include "t/opendkim-lab.h"

#include <sys/types.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

/* Names that are ours as well, as in dkim_opendkim.c. */
#define dkim_sign libopendkim_sign
#define dkim_verify libopendkim_verify
#include <opendkim/dkim.h>
#undef dkim_sign
#undef dkim_verify

#include "dkim/tags.h"
#include "milters/auth-check/dkim_guard.h"
#include "text/transfer.h"

typedef DKIM *sign_function(DKIM_LIB *lib, const unsigned char *id,
    void *closure, const dkim_sigkey_t key, const unsigned char *selector,
    const unsigned char *domain, dkim_canon_t header, dkim_canon_t body,
    dkim_alg_t algorithm, ssize_t length, DKIM_STAT *status_r);

typedef DKIM *verify_function(DKIM_LIB *lib, const unsigned char *id,
    void *closure, DKIM_STAT *status_r);

struct opendkim_lab {
	DKIM_LIB *all, *should, *plain;
	sign_function *sign;
	verify_function *verify;
	struct arena *arena;
	char *pem[DKIM_ED25519_SHA256 + 1];
	struct dns_record records[DKIM_ED25519_SHA256 + 1];
	struct dns_answer answers[DKIM_ED25519_SHA256 + 1];
};

/* There in builds with sanitizers only. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static unsigned char *
bytes(const char *ptr)
{
	union { const char *in; unsigned char *out; } u = { ptr };

	return u.out;
}

static struct slice
base64(struct arena *a, const void *ptr, int len)
{
	struct buf out = buf_in(a);

	encode_base64(&out, slice_make(ptr, (size_t)len));
	return tags_squeeze(a, buf_slice(&out));
}

static struct slice
record_of(struct arena *a, EVP_PKEY *pkey)
{
	unsigned char raw[32], *der = NULL;
	size_t len = sizeof raw;
	struct slice p;
	int n;

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		EVP_PKEY_get_raw_public_key(pkey, raw, &len);
		p = base64(a, raw, (int)len);
		return arena_printf(a, "v=DKIM1; k=ed25519; p=%.*s",
		    SLICE_ARG(p));
	}
	n = i2d_PUBKEY(pkey, &der);
	p = base64(a, der, n);
	OPENSSL_free(der);
	return arena_printf(a, "v=DKIM1; p=%.*s", SLICE_ARG(p));
}

static void
add_key(struct opendkim_lab *lab, enum dkim_algorithm algorithm,
    EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (pkey == NULL || PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0,
	    NULL, NULL) != 1)
		abort();
	len = BIO_get_mem_data(bio, &text);
	lab->pem[algorithm] = arena_str(lab->arena,
	    slice_make(text, (size_t)len));
	lab->records[algorithm].data = record_of(lab->arena, pkey);
	lab->answers[algorithm] = (struct dns_answer){
	    .records = &lab->records[algorithm], .count = 1 };
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static DKIM_CBSTAT
plain_lookup(DKIM *dkim, DKIM_SIGINFO *info, unsigned char *buf, size_t size)
{
	const struct slice *record = dkim_get_user_context(dkim);
	size_t len = record->len < size ? record->len : size - 1;

	(void)info;
	memcpy(buf, record->ptr, len);
	buf[len] = '\0';
	return DKIM_CBSTAT_CONTINUE;
}

static void
find_functions(struct opendkim_lab *lab)
{
	union {
		void *object;
		sign_function *sign;
		verify_function *verify;
	} u = { dlsym(RTLD_NEXT, "dkim_sign") };

	lab->sign = u.sign;
	u.object = dlsym(RTLD_NEXT, "dkim_verify");
	lab->verify = u.verify;
	if (lab->sign == NULL || lab->verify == NULL)
		abort();
}

struct opendkim_lab *
opendkim_lab_open(void)
{
	struct arena *a = arena_new();
	struct opendkim_lab *lab = arena_alloc(a, sizeof *lab);

	find_functions(lab);
	lab->arena = a;
	lab->all = dkim_init(NULL, NULL);
	lab->should = dkim_init(NULL, NULL);
	lab->plain = dkim_init(NULL, NULL);
	if (lab->all == NULL || lab->should == NULL || lab->plain == NULL ||
	    dkim_set_key_lookup(lab->plain, plain_lookup) != DKIM_STAT_OK ||
	    dkim_options(lab->should, DKIM_OP_SETOPT, DKIM_OPTS_SIGNHDRS,
	    dkim_should_signhdrs, sizeof(char **)) != DKIM_STAT_OK)
		abort();
	add_key(lab, DKIM_RSA_SHA256, EVP_RSA_gen(2048));
	add_key(lab, DKIM_ED25519_SHA256,
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	lab->pem[DKIM_RSA_SHA1] = lab->pem[DKIM_RSA_SHA256];
	lab->answers[DKIM_RSA_SHA1] = lab->answers[DKIM_RSA_SHA256];
	return lab;
}

void
opendkim_lab_close(struct opendkim_lab *lab)
{
	dkim_close(lab->all);
	dkim_close(lab->should);
	dkim_close(lab->plain);
	arena_free(lab->arena);
}

static bool
show(DKIM *dkim, struct arena *a, const struct message *msg)
{
	for (size_t i = 0; i < msg->nfields; i++) {
		struct slice text = guard_field(a, &msg->fields[i]);

		if (msg->fields[i].name.len > 0 && dkim_header(dkim,
		    bytes(text.ptr), text.len) != DKIM_STAT_OK)
			return false;
	}
	return dkim_eoh(dkim) == DKIM_STAT_OK && (msg->body.len == 0 ||
	    dkim_body(dkim, bytes(msg->body.ptr), msg->body.len) ==
	    DKIM_STAT_OK) && dkim_eom(dkim, NULL) == DKIM_STAT_OK;
}

static struct slice
sign(struct opendkim_lab *lab, struct arena *a, const struct message *msg,
    const struct opendkim_want *want)
{
	DKIM_STAT status;
	DKIM *dkim = lab->sign(want->all ? lab->all : lab->should,
	    bytes("lab"), NULL, bytes(lab->pem[want->algorithm]),
	    bytes(dkim_algorithm_name(want->algorithm)), bytes("example.org"),
	    want->header == DKIM_RELAXED ? DKIM_CANON_RELAXED :
	    DKIM_CANON_SIMPLE,
	    want->body == DKIM_RELAXED ? DKIM_CANON_RELAXED :
	    DKIM_CANON_SIMPLE, (dkim_alg_t)want->algorithm, -1, &status);
	struct slice out = SLICE_NONE;
	unsigned char *text;
	size_t len;

	if (dkim == NULL)
		return out;
	/* It folds before b= when it is there, and hashes b= without. */
	if (want->algorithm == DKIM_ED25519_SHA256)
		dkim_set_margin(dkim, 0);
	if (show(dkim, a, msg) && dkim_getsighdr_d(dkim,
	    sizeof "DKIM-Signature: " - 1, &text, &len) == DKIM_STAT_OK)
		out = arena_printf(a, "DKIM-Signature: %s\r\n",
		    (const char *)text);
	dkim_free(dkim);
	return out;
}

int
opendkim_lab_unguarded(struct opendkim_lab *lab, const struct message *msg,
    struct slice record)
{
	DKIM_STAT status;
	DKIM *dkim = lab->verify(lab->plain, bytes("lab"), NULL, &status);

	if (dkim == NULL)
		return status;
	dkim_set_user_context(dkim, &record);
	for (size_t i = 0; i < msg->nfields; i++)
		dkim_header(dkim, bytes(msg->fields[i].raw.ptr),
		    slice_trim(msg->fields[i].raw).len);
	status = dkim_eoh(dkim);
	if (status == DKIM_STAT_OK && msg->body.len > 0)
		status = dkim_body(dkim, bytes(msg->body.ptr), msg->body.len);
	if (status == DKIM_STAT_OK)
		status = dkim_eom(dkim, NULL);
	dkim_free(dkim);
	return status;
}

/*
 * When it signs with Ed25519 it forgets the key and what held it. LSan sees no
 * further up than libcrypto there, so no line of lsan.supp could say which.
 */
struct slice
opendkim_lab_sign(struct opendkim_lab *lab, struct arena *a,
    const struct message *msg, const struct opendkim_want *want)
{
	bool leaks = want->algorithm == DKIM_ED25519_SHA256 &&
	    __lsan_disable != NULL && __lsan_enable != NULL;
	struct slice field;

	if (!leaks)
		return sign(lab, a, msg, want);
	__lsan_disable();
	field = sign(lab, a, msg, want);
	__lsan_enable();
	return field;
}

const struct dns_answer *
opendkim_lab_lookup(void *arg, struct slice name)
{
	const struct opendkim_lab *lab = arg;

	for (int i = DKIM_RSA_SHA1; i <= DKIM_ED25519_SHA256; i++) {
		struct slice selector = slice_of(dkim_algorithm_name(i));

		if (slice_starts(name, selector) && slice_eq(
		    slice_after(name, selector.len),
		    SLICE("._domainkey.example.org")))
			return &lab->answers[i];
	}
	return NULL;
}
