#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "text/encoded.h"
#include "text/json.h"
#include "text/utf8.h"

enum { MODE = 0440, TMP_NAME = OBJECT_NAME + 32 };

const char *
object_kind_name(enum object_kind kind)
{
	static const char *const names[] = { [OBJECT_HELD] = "held",
	    [OBJECT_DELETED] = "deleted", [OBJECT_FILE] = "file" };

	return names[kind >= OBJECT_HELD && kind <= OBJECT_FILE ? kind :
	    OBJECT_HELD];
}

bool
object_name_valid(struct slice name)
{
	if (name.len != OBJECT_NAME)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_digit(name.ptr[i]) &&
		    (name.ptr[i] < 'a' || name.ptr[i] > 'f'))
			return false;
	return true;
}

/* With its length before it: no two lists of values are hashed as one. */
static bool
hash_value(EVP_MD_CTX *hash, struct slice s)
{
	unsigned char len[8];

	for (int i = 0; i < 8; i++)
		len[i] = (unsigned char)((uint64_t)s.len >> (56 - 8 * i));
	return EVP_DigestUpdate(hash, len, sizeof len) == 1 &&
	    EVP_DigestUpdate(hash, s.ptr != NULL ? s.ptr : "", s.len) == 1;
}

static int
by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static bool
hash_recipients(EVP_MD_CTX *hash, const struct object_meta *meta)
{
	size_t n = meta->nrecipients;
	struct slice *sorted = mem_alloc(n * sizeof *sorted + 1);
	bool good = true;

	if (n > 0)
		memcpy(sorted, meta->recipients, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_bytes);
	for (size_t i = 0; good && i < n; i++)
		good = hash_value(hash, sorted[i]);
	free(sorted);
	return good;
}

enum rc
object_id(struct object_meta *meta)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash != NULL &&
	    EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	    hash_value(hash, slice_of(object_kind_name(meta->kind))) &&
	    hash_value(hash, slice_of(meta->content)) &&
	    hash_value(hash, meta->sender) &&
	    hash_value(hash, slice_of(cause_name(meta->cause))) &&
	    hash_recipients(hash, meta) &&
	    EVP_DigestFinal_ex(hash, sum, NULL) == 1;

	EVP_MD_CTX_free(hash);
	if (good)
		hex_write(meta->id, sum, OBJECT_NAME / 2);
	return good ? RC_OK : RC_RETRY;
}

static bool
digest(const struct slice *pieces, size_t n, char hex_r[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash != NULL &&
	    EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; good && i < n; i++)
		good = pieces[i].len == 0 || EVP_DigestUpdate(hash,
		    pieces[i].ptr, pieces[i].len) == 1;
	good = good && EVP_DigestFinal_ex(hash, sum, NULL) == 1;
	EVP_MD_CTX_free(hash);
	if (good)
		hex_write(hex_r, sum, 32);
	return good;
}

enum rc
object_digests(struct object_meta *meta, struct slice head, struct slice body)
{
	const struct slice all[] = { head, SLICE("\r\n"), body };

	if (meta->kind == OBJECT_FILE) {
		meta->size = body.len;
		if (!digest(&head, 1, meta->head_sha256) ||
		    !digest(&body, 1, meta->body_sha256))
			return RC_RETRY;
		memcpy(meta->sha256, meta->body_sha256, sizeof meta->sha256);
		return RC_OK;
	}
	meta->size = head.len + 2 + body.len;
	return digest(&head, 1, meta->head_sha256) &&
	    digest(&body, 1, meta->body_sha256) &&
	    digest(all, 3, meta->sha256) ? RC_OK : RC_RETRY;
}

/* At most OBJECT_TEXT bytes, not through the middle of a character. */
static struct slice
cut_text(struct slice text)
{
	size_t n = OBJECT_TEXT;

	if (text.len <= n)
		return text;
	while (n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
		n--;
	return slice_sub(text, 0, n);
}

static struct slice
describe(const struct message *msg, struct slice name, struct arena *a)
{
	const struct field *f = message_field(msg, name, 0);
	unsigned flags;

	if (f == NULL)
		return SLICE("");
	return cut_text(encoded_decode(a, slice_sub(field_value(a, f), 0,
	    8 * OBJECT_TEXT), &flags));
}

void
object_describe(struct object_meta *meta, const struct message *msg,
    struct arena *a)
{
	meta->subject = describe(msg, SLICE("Subject"), a);
	meta->from = describe(msg, SLICE("From"), a);
	meta->to = describe(msg, SLICE("To"), a);
	meta->date = describe(msg, SLICE("Date"), a);
	meta->message_id = describe(msg, SLICE("Message-ID"), a);
}

static void
put_key_bytes(struct json *w, const char *key, struct slice s)
{
	json_key(w, key);
	json_bytes(w, s);
}

static void
put_envelope(struct json *w, const struct object_meta *m)
{
	put_key_bytes(w, "sender", m->sender);
	json_key(w, "recipients");
	json_begin_array(w);
	for (size_t i = 0; i < m->nrecipients; i++)
		json_bytes(w, m->recipients[i]);
	json_end(w);
	json_put_bool(w, "smtputf8", m->smtputf8);
	json_put_bool(w, "8bit", m->body8);
	json_put(w, "identity", slice_of(m->identity));
	put_key_bytes(w, "queue_id", m->queue_id);
	json_put_int(w, "time", m->time);
	json_put(w, "direction", m->outbound ? SLICE("out") : SLICE("in"));
}

static void
put_client(struct json *w, const struct object_meta *m, struct arena *a)
{
	if (m->client_ip.family != 0)
		json_put(w, "client_ip", ip_format(a, &m->client_ip));
	put_key_bytes(w, "client_name", m->client_name);
	put_key_bytes(w, "helo", m->helo);
	put_key_bytes(w, "user", m->user);
	put_key_bytes(w, "tls", m->tls);
}

static void
put_finding(struct json *w, const struct object_finding *f)
{
	json_begin_object(w);
	put_key_bytes(w, "filter", f->filter);
	put_key_bytes(w, "key", f->key);
	put_key_bytes(w, "value", f->value);
	json_end(w);
}

static void
put_decision(struct json *w, const struct object_meta *m)
{
	json_put(w, "filter", m->filter);
	json_put(w, "rule", m->rule);
	json_put(w, "cause", slice_of(cause_name(m->cause)));
	json_put(w, "reason", m->reason);
	json_put(w, "coverage", m->coverage);
	json_key(w, "findings");
	json_begin_array(w);
	for (size_t i = 0; i < m->nfindings; i++)
		put_finding(w, &m->findings[i]);
	json_end(w);
}

static void
put_text(struct json *w, const struct object_meta *m)
{
	json_put(w, "subject", m->subject);
	json_put(w, "from", m->from);
	json_put(w, "to", m->to);
	json_put(w, "date", m->date);
	json_put(w, "message_id", m->message_id);
}

static void
put_file(struct json *w, const struct object_file *f)
{
	json_key(w, "file");
	json_begin_object(w);
	put_key_bytes(w, "name", f->name);
	put_key_bytes(w, "type", f->type);
	json_put(w, "token", slice_of(f->token));
	json_put_int(w, "expires", f->expires);
	json_put_int(w, "uses", f->uses);
	json_end(w);
}

static struct slice
meta_text(const struct object_meta *m, struct arena *a)
{
	struct buf out = buf_in(a);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put_int(&w, "version", 1);
	json_put(&w, "id", slice_of(m->id));
	json_put(&w, "kind", slice_of(object_kind_name(m->kind)));
	json_put(&w, "content", slice_of(m->content));
	put_envelope(&w, m);
	put_client(&w, m, a);
	put_decision(&w, m);
	put_text(&w, m);
	if (m->kind == OBJECT_FILE)
		put_file(&w, &m->file);
	json_put_int(&w, "size", (int64_t)m->size);
	json_put(&w, "head_sha256", slice_of(m->head_sha256));
	json_put(&w, "body_sha256", slice_of(m->body_sha256));
	json_put(&w, "sha256", slice_of(m->sha256));
	json_end(&w);
	return buf_slice(&out);
}

/* The file's content; false: see errno. */
static bool
write_content(int fd, const struct crypt_public *key,
    const struct object_meta *m, struct slice meta, struct slice head,
    struct slice body)
{
	struct crypt_writer *w = crypt_write_begin(key, fd);
	char len[4];

	if (w == NULL)
		return false;
	for (int i = 0; i < 4; i++)
		len[i] = (char)((uint32_t)meta.len >> (24 - 8 * i));
	if (crypt_write(w, slice_make(len, sizeof len)) &&
	    crypt_write(w, meta) && (m->kind != OBJECT_HELD ||
	    (crypt_write(w, head) && crypt_write(w, SLICE("\r\n")))) &&
	    (m->kind == OBJECT_DELETED || crypt_write(w, body)))
		return crypt_write_end(w);
	crypt_write_drop(w);
	return false;
}

static bool
tmp_name(const char *id, char name_r[TMP_NAME])
{
	unsigned char random[8];
	char hex[17];

	if (RAND_bytes(random, sizeof random) != 1) {
		errno = EIO;
		return false;
	}
	hex_write(hex, random, sizeof random);
	snprintf(name_r, TMP_NAME, ".%s.%s", id, hex);
	return true;
}

/* EEXIST is left to the caller: that object is there and whole. */
static bool
give_name(int dir, const char *tmp, const char *id)
{
	if (renameat2(dir, tmp, dir, id, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	/* This file system has no rename that replaces nothing. */
	if (linkat(dir, tmp, dir, id, 0) != 0)
		return false;
	unlinkat(dir, tmp, 0);
	return true;
}

struct writing {
	int dir;
	const char *at;			/* what was being done: for people */
	char tmp[TMP_NAME];
};

/* From an open file to a durable name; *merged_r: it had been there. */
static bool
commit(struct writing *job, int fd, const char *id, bool *merged_r)
{
	*merged_r = false;
	job->at = "fsync of the file";
	if (fchmod(fd, MODE) != 0 || fsync(fd) != 0)
		return false;
	job->at = "rename";
	if (!give_name(job->dir, job->tmp, id)) {
		if (errno != EEXIST)
			return false;
		*merged_r = true;
		unlinkat(job->dir, job->tmp, 0);
	}
	/* For one that was there as well: its writer may not have come to it. */
	job->at = "fsync of the folder";
	return fsync(job->dir) == 0;
}

static bool
write_file(struct writing *job, const struct crypt_public *key,
    const struct object_meta *m, struct slice meta, struct slice head,
    struct slice body, bool *merged_r)
{
	bool good;
	int fd, saved;

	job->at = "create";
	if (!tmp_name(m->id, job->tmp))
		return false;
	fd = openat(job->dir, job->tmp, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	job->at = "write";
	good = write_content(fd, key, m, meta, head, body) &&
	    commit(job, fd, m->id, merged_r);
	saved = errno;
	/* NFS and quotas tell at close what a write did not. */
	if (close(fd) != 0 && good) {
		job->at = "close";
		saved = errno;
		good = false;
	}
	if (!good)
		unlinkat(job->dir, job->tmp, 0);
	errno = saved;
	return good;
}

enum rc
object_write(const char *dir, const struct crypt_public *key,
    const struct object_meta *meta, struct slice head, struct slice body,
    bool *merged_r, struct arena *a, struct slice *why_r)
{
	struct slice text = meta_text(meta, a);
	struct writing job = { .at = "open" };
	bool merged = false, good;
	int saved;

	if (text.len > OBJECT_META) {
		*why_r = SLICE("the message's envelope does not fit into an "
		    "object");
		return RC_BAD;
	}
	job.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = job.dir >= 0 && write_file(&job, key, meta, text, head, body,
	    &merged);
	saved = errno;
	if (job.dir >= 0)
		close(job.dir);
	if (!good)
		*why_r = arena_printf(a, "%s/%s: %s: %s", dir, meta->id,
		    job.at, strerror(saved));
	if (merged_r != NULL)
		*merged_r = merged;
	return good ? RC_OK : RC_RETRY;
}
