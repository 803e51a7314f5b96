/* Object files are read by the store's daemon and by tools, which link
 * jansson; milters only write them. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "store/bytes.h"
#include "store/object.h"

struct object {
	int fd;
	struct arena *a;
	struct crypt_reader *reader;
	struct object_meta meta;
	struct slice ahead;		/* of the piece that held the meta's end */
	uint64_t seen;
	EVP_MD_CTX *hash;
	bool ended;
	enum rc end;			/* what came of it then */
};

enum { FINDINGS = 2000, RECIPIENTS = 200000 };

/* --- the meta block ------------------------------------------------------ */

struct reading {
	struct arena *a;
	json_t *root;
	bool good;			/* all that was asked for was there */
};

static struct slice
bytes_of(struct reading *r, const json_t *value)
{
	struct slice bytes = SLICE("");

	if (!json_get_bytes(value, r->a, &bytes))
		r->good = false;
	return bytes;
}

static struct slice
get(struct reading *r, const char *key)
{
	return bytes_of(r, json_object_get(r->root, key));
}

static int64_t
get_number(struct reading *r, const char *key)
{
	const json_t *value = json_object_get(r->root, key);

	if (!json_is_integer(value))
		r->good = false;
	return json_integer_value(value);
}

static bool
get_bool(struct reading *r, const char *key)
{
	const json_t *value = json_object_get(r->root, key);

	if (!json_is_boolean(value))
		r->good = false;
	return json_is_true(value);
}

/* Exactly n hex digits (or none, where that is allowed) into an array. */
static void
get_hex(struct reading *r, const char *key, char *to, size_t n, bool may_miss)
{
	struct slice s = get(r, key);

	if (!hex_copy(to, n, s) && !(s.len == 0 && may_miss))
		r->good = false;
}

static void
get_recipients(struct reading *r, struct object_meta *m)
{
	const json_t *list = json_object_get(r->root, "recipients");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n == 0 || n > RECIPIENTS) {
		r->good = false;
		return;
	}
	m->recipients = arena_array(r->a, n, sizeof *m->recipients);
	m->nrecipients = n;
	for (size_t i = 0; i < n; i++)
		m->recipients[i] = bytes_of(r, json_array_get(list, i));
}

static void
get_findings(struct reading *r, struct object_meta *m)
{
	const json_t *list = json_object_get(r->root, "findings");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > FINDINGS) {
		r->good = false;
		return;
	}
	m->findings = arena_array(r->a, n + 1, sizeof *m->findings);
	m->nfindings = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *f = json_array_get(list, i);

		m->findings[i].filter = bytes_of(r, json_object_get(f,
		    "filter"));
		m->findings[i].key = bytes_of(r, json_object_get(f, "key"));
		m->findings[i].value = bytes_of(r, json_object_get(f,
		    "value"));
	}
}

static void
get_words(struct reading *r, struct object_meta *m)
{
	struct slice kind = get(r, "kind"), way = get(r, "direction");

	m->kind = slice_eq(kind, SLICE("deleted")) ? OBJECT_DELETED :
	    slice_eq(kind, SLICE("file")) ? OBJECT_FILE : OBJECT_HELD;
	if (!slice_eq(kind, slice_of(object_kind_name(m->kind))) ||
	    !cause_parse(get(r, "cause"), &m->cause))
		r->good = false;
	m->outbound = slice_eq(way, SLICE("out"));
	if (!m->outbound && !slice_eq(way, SLICE("in")))
		r->good = false;
}

static void
get_client(struct reading *r, struct object_meta *m)
{
	if (json_object_get(r->root, "client_ip") != NULL &&
	    !ip_parse(get(r, "client_ip"), &m->client_ip))
		r->good = false;
	m->client_name = get(r, "client_name");
	m->helo = get(r, "helo");
	m->user = get(r, "user");
	m->tls = get(r, "tls");
}

static void
get_texts(struct reading *r, struct object_meta *m)
{
	m->sender = get(r, "sender");
	m->queue_id = get(r, "queue_id");
	m->filter = get(r, "filter");
	m->rule = get(r, "rule");
	m->reason = get(r, "reason");
	m->coverage = get(r, "coverage");
	m->subject = get(r, "subject");
	m->from = get(r, "from");
	m->to = get(r, "to");
	m->date = get(r, "date");
	m->message_id = get(r, "message_id");
}

static void
get_file(struct reading *whole, struct object_file *f)
{
	struct reading r = { .a = whole->a, .good = true,
	    .root = json_object_get(whole->root, "file") };
	int64_t uses;

	f->name = get(&r, "name");
	f->type = get(&r, "type");
	get_hex(&r, "token", f->token, 64, false);
	f->expires = get_number(&r, "expires");
	uses = get_number(&r, "uses");
	f->uses = (unsigned)uses;
	whole->good = whole->good && r.good && uses > 0 && uses <= UINT_MAX;
}

static bool
read_meta(struct slice text, struct arena *a, struct object_meta *m)
{
	struct reading r = { .a = a, .good = true };
	char id[OBJECT_NAME + 1];
	int64_t size;

	r.root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES |
	    JSON_ALLOW_NUL, NULL);
	if (!json_is_object(r.root)) {
		json_decref(r.root);
		return false;
	}
	r.good = get_number(&r, "version") == 1;
	get_hex(&r, "id", m->id, OBJECT_NAME, false);
	get_hex(&r, "content", m->content, 64, false);
	get_hex(&r, "identity", m->identity, 32, true);
	get_words(&r, m);
	get_texts(&r, m);
	get_recipients(&r, m);
	get_findings(&r, m);
	get_client(&r, m);
	if (m->kind == OBJECT_FILE)
		get_file(&r, &m->file);
	m->smtputf8 = get_bool(&r, "smtputf8");
	m->body8 = get_bool(&r, "8bit");
	m->time = get_number(&r, "time");
	size = get_number(&r, "size");
	m->size = (uint64_t)size;
	get_hex(&r, "head_sha256", m->head_sha256, 64, false);
	get_hex(&r, "body_sha256", m->body_sha256, 64, false);
	get_hex(&r, "sha256", m->sha256, 64, false);
	json_decref(r.root);
	if (!r.good || size < 0)
		return false;
	/* A name that is not made of what it names would be another's. */
	memcpy(id, m->id, sizeof id);
	return object_id(m) == RC_OK && strcmp(id, m->id) == 0;
}

/* --- the file ------------------------------------------------------------ */

/* The first n bytes of plain text; what follows them in the last piece is
 * *ahead_r. */
static enum rc
take(struct crypt_reader *reader, char *to, size_t n, struct slice *ahead)
{
	while (n > 0) {
		enum rc rc;
		size_t part;

		if (ahead->len == 0) {
			rc = crypt_read(reader, ahead);
			if (rc != RC_OK)
				return rc;
			if (ahead->len == 0)
				return RC_BAD;
		}
		part = ahead->len < n ? ahead->len : n;
		memcpy(to, ahead->ptr, part);
		*ahead = slice_after(*ahead, part);
		to += part;
		n -= part;
	}
	return RC_OK;
}

static enum rc
take_meta(struct object *o, struct slice *text_r)
{
	unsigned char len[4];
	enum rc rc = take(o->reader, (char *)len, sizeof len, &o->ahead);
	size_t n;
	char *text;

	if (rc != RC_OK)
		return rc;
	n = (size_t)len[0] << 24 | (size_t)len[1] << 16 |
	    (size_t)len[2] << 8 | len[3];
	if (n == 0 || n > OBJECT_META)
		return RC_BAD;
	text = mem_alloc(n + 1);
	*text_r = slice_make(text, n);
	return take(o->reader, text, n, &o->ahead);
}

static enum rc
open_object(struct object *o, const struct crypt_keys *keys,
    const char **why_r)
{
	struct slice text = SLICE("");
	enum rc rc;

	o->reader = crypt_read_begin(o->fd, keys, &rc, why_r);
	if (o->reader == NULL)
		return rc;
	rc = take_meta(o, &text);
	if (rc == RC_OK && !read_meta(text, o->a, &o->meta))
		rc = RC_BAD;
	if (text.len > 0) {
		OPENSSL_cleanse((void *)(uintptr_t)text.ptr, text.len);
		free((void *)(uintptr_t)text.ptr);
	}
	*why_r = rc == RC_RETRY ? "cannot be read" :
	    "was changed, or is no object";
	o->hash = EVP_MD_CTX_new();
	if (rc == RC_OK && (o->hash == NULL ||
	    EVP_DigestInit_ex(o->hash, EVP_sha256(), NULL) != 1)) {
		*why_r = "cannot be hashed";
		rc = RC_RETRY;
	}
	return rc;
}

enum rc
object_open(int fd, const struct crypt_keys *keys, struct arena *a,
    struct object **object_r, struct slice *why_r)
{
	struct object *o = mem_alloc(sizeof *o);
	const char *why = "";
	enum rc rc;

	o->fd = fd;
	o->a = a;
	errno = 0;
	rc = open_object(o, keys, &why);
	if (rc == RC_OK) {
		*object_r = o;
		return RC_OK;
	}
	*why_r = arena_printf(a, "%s%s%s", why, rc == RC_RETRY && errno != 0 ?
	    ": " : "", rc == RC_RETRY && errno != 0 ? strerror(errno) : "");
	object_close(o);
	return rc;
}

const struct object_meta *
object_meta(const struct object *o)
{
	return &o->meta;
}

/* The meta block says how long the message is, and what its digest is. */
static enum rc
check_end(struct object *o)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	uint64_t want = o->meta.kind == OBJECT_DELETED ? 0 : o->meta.size;
	char hex[65];

	if (o->seen != want || EVP_DigestFinal_ex(o->hash, sum, NULL) != 1)
		return RC_BAD;
	hex_write(hex, sum, 32);
	return o->meta.kind == OBJECT_DELETED ||
	    strcmp(hex, o->meta.sha256) == 0 ? RC_OK : RC_BAD;
}

enum rc
object_next(struct object *o, struct slice *piece_r)
{
	enum rc rc = RC_OK;

	*piece_r = SLICE("");
	if (o->ended)
		return o->end;
	if (o->ahead.len == 0)
		rc = crypt_read(o->reader, &o->ahead);
	if (rc != RC_OK)
		return rc;
	if (o->ahead.len == 0) {
		o->ended = true;
		return o->end = check_end(o);
	}
	if (EVP_DigestUpdate(o->hash, o->ahead.ptr, o->ahead.len) != 1)
		return RC_RETRY;
	*piece_r = o->ahead;
	o->seen += o->ahead.len;
	o->ahead = SLICE("");
	return RC_OK;
}

void
object_close(struct object *o)
{
	if (o == NULL)
		return;
	crypt_read_end(o->reader);
	EVP_MD_CTX_free(o->hash);
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}
