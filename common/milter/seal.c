#include "milter/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/trust.h"

enum { MAC_BYTES = 32, LINE = 76 };

enum rc
seal_key_load(const char *path, struct seal_key *key, struct arena *a,
    struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	*key = (struct seal_key){ .len = 0 };
	if (fd < 0 || fstat(fd, &st) != 0) {
		*why_r = arena_printf(a, "%s: %s; make one with: "
		    "openssl rand -hex 32 > %s", path, strerror(errno), path);
		if (fd >= 0)
			close(fd);
		return RC_BAD;
	}
	/* Who may write to it could seal as we do. */
	if (trust_file(a, fd, path, why_r) != RC_OK)
		n = -1;
	else if ((st.st_mode & 07) != 0)
		*why_r = arena_printf(a, "%s: others may read or write this "
		    "key; type: chmod o= %s", path, path);
	else if ((n = read(fd, key->bytes, sizeof key->bytes)) < 16)
		*why_r = arena_printf(a, "%s: a key needs at least 16 bytes",
		    path);
	close(fd);
	if (n < 16)
		return RC_BAD;
	key->len = (size_t)n;
	return RC_OK;
}

static bool
plain(char c)
{
	return ascii_alnum(c) || (c != '\0' && strchr("-._@+/[]:,", c) != NULL);
}

/* Begins a line of its own where the tag would pass the line's end. */
static void
put_tag(struct buf *out, size_t *line, const char *tag, struct slice value)
{
	size_t from = out->len;
	size_t len;

	buf_addf(out, " %s=", tag);
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		/* Long values fold between any two characters: a reader
		 * takes all blanks out. */
		if (out->len - from + *line > LINE) {
			buf_add(out, SLICE("\r\n "));
			from = out->len;
			*line = 1;
		}
		if (plain(c))
			buf_addc(out, c);
		else
			buf_addf(out, "%%%02x", (unsigned char)c);
	}
	buf_addc(out, ';');
	len = out->len - from;
	*line += len;
	if (*line > LINE) {
		buf_add(out, SLICE("\r\n"));
		*line = 0;
	}
}

static void
put_client(struct buf *out, size_t *line, const struct client *client,
    struct arena *a)
{
	if (client->ip.family != 0)
		put_tag(out, line, "ip", ip_format(a, &client->ip));
	put_tag(out, line, "cn", client->name);
	put_tag(out, line, "he", client->helo);
	put_tag(out, line, "dn", client->daemon_name);
	put_tag(out, line, "us", client->user);
	put_tag(out, line, "tl", client->tls);
}

static void
put_envelope(struct buf *out, size_t *line, const struct seal *seal)
{
	if (seal->sender.ptr != NULL)
		put_tag(out, line, "es", seal->sender);
	for (const struct plan_address *p = seal->addresses; p != NULL;
	    p = p->next) {
		if (p->removed.ptr != NULL)
			put_tag(out, line, "er", p->removed);
		put_tag(out, line, "ea", p->added);
	}
}

/* The MAC is over all that stands before its tag, blanks and folds taken out,
 * so that a mail system on the way may fold the field anew. */
static bool
mac_of(struct slice text, const struct seal_key *key, struct arena *a,
    unsigned char mac_r[MAC_BYTES])
{
	char *bare = arena_alloc(a, text.len + 1);
	unsigned len = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		if (!ascii_space(text.ptr[i]))
			bare[n++] = text.ptr[i];
	return HMAC(EVP_sha256(), key->bytes, (int)key->len,
	    (const unsigned char *)bare, n, mac_r, &len) != NULL &&
	    len == MAC_BYTES;
}

enum rc
seal_write(const struct seal *seal, const struct seal_key *key,
    struct arena *a, struct slice *body_r)
{
	struct buf out = buf_in(a);
	size_t line = sizeof SEAL_FIELD;
	unsigned char mac[MAC_BYTES];

	put_tag(&out, &line, "v", SLICE("1"));
	put_tag(&out, &line, "id", slice_of(seal->identity));
	put_tag(&out, &line, "q", seal->queue_id);
	put_tag(&out, &line, "t", arena_printf(a, "%lld",
	    (long long)seal->time));
	put_tag(&out, &line, "p", arena_printf(a, "%u", seal->pass));
	put_tag(&out, &line, "d", seal->direction == DIRECTION_OUT ?
	    SLICE("out") : SLICE("in"));
	put_client(&out, &line, &seal->client, a);
	put_envelope(&out, &line, seal);
	for (size_t i = 0; i < seal->nfindings; i++) {
		const struct finding *f = &seal->findings[i];

		put_tag(&out, &line, "ff", f->filter);
		put_tag(&out, &line, "fk", f->key);
		put_tag(&out, &line, "fv", f->value);
	}
	if (!mac_of(buf_slice(&out), key, a, mac))
		return RC_BAD;
	if (line > 0)
		buf_add(&out, SLICE("\r\n"));
	buf_add(&out, SLICE(" m="));
	for (int i = 0; i < MAC_BYTES; i++)
		buf_addf(&out, "%02x", mac[i]);
	*body_r = buf_slice(&out);
	return out.len <= SEAL_MAX ? RC_OK : RC_BAD;
}

/* %xx back to bytes, blanks out; false when an escape is malformed. */
static bool
decode(struct slice s, struct arena *a, struct slice *value_r)
{
	char *to = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (ascii_space(s.ptr[i]))
			continue;
		if (s.ptr[i] != '%') {
			to[n++] = s.ptr[i];
			continue;
		}
		if (i + 2 >= s.len || ascii_hex(s.ptr[i + 1]) < 0 ||
		    ascii_hex(s.ptr[i + 2]) < 0)
			return false;
		to[n++] = (char)(ascii_hex(s.ptr[i + 1]) << 4 |
		    ascii_hex(s.ptr[i + 2]));
		i += 2;
	}
	*value_r = slice_make(to, n);
	return true;
}

struct reader {
	struct arena *a;
	struct seal *seal;
	struct plan_address **last;
	struct slice removed;
	struct finding *findings;
	size_t nfindings;
	bool v1, id, queue;
};

static bool
read_client(struct client *client, struct slice tag, struct slice value)
{
	if (slice_eq(tag, SLICE("ip")))
		return ip_parse(value, &client->ip);
	if (slice_eq(tag, SLICE("cn")))
		client->name = value;
	else if (slice_eq(tag, SLICE("he")))
		client->helo = value;
	else if (slice_eq(tag, SLICE("dn")))
		client->daemon_name = value;
	else if (slice_eq(tag, SLICE("us")))
		client->user = value;
	else if (slice_eq(tag, SLICE("tl")))
		client->tls = value;
	else
		return false;
	return true;
}

static bool
read_envelope(struct reader *r, struct slice tag, struct slice value)
{
	if (slice_eq(tag, SLICE("es"))) {
		r->seal->sender = value;
	} else if (slice_eq(tag, SLICE("er"))) {
		r->removed = value;
	} else if (slice_eq(tag, SLICE("ea"))) {
		*r->last = arena_alloc(r->a, sizeof **r->last);
		(*r->last)->removed = r->removed;
		(*r->last)->added = value;
		r->last = &(*r->last)->next;
		r->removed = SLICE_NONE;
	} else {
		return false;
	}
	return true;
}

static bool
read_finding(struct reader *r, struct slice tag, struct slice value)
{
	if (slice_eq(tag, SLICE("ff")))
		r->findings[r->nfindings].filter = value;
	else if (slice_eq(tag, SLICE("fk")))
		r->findings[r->nfindings].key = value;
	else if (slice_eq(tag, SLICE("fv")))
		r->findings[r->nfindings++].value = value;
	else
		return false;
	return true;
}

static bool
read_identity(struct reader *r, struct slice value)
{
	r->id = value.len == sizeof r->seal->identity - 1;
	for (size_t i = 0; i < value.len; i++)
		r->id = r->id && ascii_hex(value.ptr[i]) >= 0;
	if (r->id)
		memcpy(r->seal->identity, value.ptr, value.len);
	return r->id;
}

static bool
read_tag(struct reader *r, struct slice tag, struct slice value)
{
	uint64_t n;

	if (slice_eq(tag, SLICE("v")))
		return r->v1 = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("id")))
		return read_identity(r, value);
	if (slice_eq(tag, SLICE("q"))) {
		r->seal->queue_id = value;
		return r->queue = true;
	}
	if (slice_eq(tag, SLICE("t")) && slice_number(value, INT64_MAX, &n)) {
		r->seal->time = (int64_t)n;
		return true;
	}
	if (slice_eq(tag, SLICE("p")) && slice_number(value, 2, &n)) {
		r->seal->pass = (unsigned)n;
		return true;
	}
	if (slice_eq(tag, SLICE("d"))) {
		r->seal->direction = slice_eq(value, SLICE("out")) ?
		    DIRECTION_OUT : DIRECTION_IN;
		return true;
	}
	return read_client(&r->seal->client, tag, value) ||
	    read_envelope(r, tag, value) || read_finding(r, tag, value);
}

/* Only called when the MAC is right, so what it reads is our own writing. */
static bool
read_tags(struct slice text, struct reader *r)
{
	size_t pairs = 0;

	while (text.ptr != NULL && slice_trim(text).len > 0) {
		struct slice value, item = slice_cut(text, ';', &text);
		struct slice tag = slice_trim(slice_cut(item, '=', &value));

		if (value.ptr == NULL || ++pairs > SEAL_PAIRS ||
		    !decode(value, r->a, &value) || !read_tag(r, tag, value))
			return false;
	}
	return r->v1 && r->id && r->queue;
}

static bool
mac_right(struct slice text, struct slice hex, const struct seal_key *key,
    struct arena *a)
{
	unsigned char want[MAC_BYTES], got[MAC_BYTES];

	if (hex.len != 2 * MAC_BYTES || !mac_of(text, key, a, want))
		return false;
	for (int i = 0; i < MAC_BYTES; i++) {
		int high = ascii_hex(hex.ptr[2 * i]);
		int low = ascii_hex(hex.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		got[i] = (unsigned char)(high << 4 | low);
	}
	return CRYPTO_memcmp(want, got, MAC_BYTES) == 0;
}

enum rc
seal_read(struct slice body, struct slice queue_id, const struct seal_key *key,
    struct arena *a, struct seal *seal_r)
{
	struct seal seal = { .pass = 1, .sender = SLICE_NONE };
	struct reader r = { .a = a, .seal = &seal, .removed = SLICE_NONE };
	size_t end = slice_find_last(body, ';');
	struct slice text = slice_sub(body, 0, end + 1);
	struct slice mac = slice_trim(slice_after(body, end + 1));

	if (key->len == 0 || body.len > SEAL_MAX || end == body.len ||
	    !slice_starts(mac, SLICE("m=")) ||
	    !mac_right(text, slice_after(mac, 2), key, a))
		return RC_BAD;
	r.findings = arena_array(a, SEAL_PAIRS, sizeof *r.findings);
	r.last = &seal.addresses;
	if (!read_tags(text, &r) || !slice_eq(seal.queue_id, queue_id))
		return RC_BAD;
	seal.findings = r.findings;
	seal.nfindings = r.nfindings;
	*seal_r = seal;
	return RC_OK;
}
