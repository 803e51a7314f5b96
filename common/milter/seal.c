#include "milter/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/trust.h"
#include "verdict/tagged.h"

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

static void
put_client(struct tagged *t, const struct client *client, struct arena *a)
{
	if (client->ip.family != 0)
		tagged_put(t, "ip", ip_format(a, &client->ip));
	tagged_put(t, "cn", client->name);
	tagged_put(t, "he", client->helo);
	tagged_put(t, "dn", client->daemon_name);
	tagged_put(t, "us", client->user);
	tagged_put(t, "tl", client->tls);
}

static void
put_envelope(struct tagged *t, const struct seal *seal)
{
	if (seal->sender.ptr != NULL)
		tagged_put(t, "es", seal->sender);
	for (const struct plan_address *p = seal->addresses; p != NULL;
	    p = p->next) {
		if (p->removed.ptr != NULL)
			tagged_put(t, "er", p->removed);
		tagged_put(t, "ea", p->added);
	}
}

enum rc
seal_write(const struct seal *seal, const struct seal_key *key,
    struct arena *a, struct slice *body_r)
{
	struct tagged t;

	tagged_begin(&t, SEAL_FIELD, a);
	tagged_put(&t, "v", SLICE("1"));
	tagged_put(&t, "id", slice_of(seal->identity));
	tagged_put(&t, "q", seal->queue_id);
	tagged_put(&t, "t", arena_printf(a, "%lld",
	    (long long)seal->time));
	tagged_put(&t, "p", arena_printf(a, "%u", seal->pass));
	tagged_put(&t, "d", seal->direction == DIRECTION_OUT ?
	    SLICE("out") : SLICE("in"));
	put_client(&t, &seal->client, a);
	put_envelope(&t, seal);
	for (size_t i = 0; i < seal->nfindings; i++) {
		const struct finding *f = &seal->findings[i];

		tagged_put(&t, "ff", f->filter);
		tagged_put(&t, "fk", f->key);
		tagged_put(&t, "fv", f->value);
	}
	if (!tagged_end(&t, slice_make(key->bytes, key->len), body_r))
		return RC_BAD;
	return body_r->len <= SEAL_MAX ? RC_OK : RC_BAD;
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
	struct slice tag, value;
	size_t pairs = 0;

	while (tagged_next(&text, r->a, &tag, &value))
		if (++pairs > SEAL_PAIRS || !read_tag(r, tag, value))
			return false;
	return r->v1 && r->id && r->queue;
}

enum rc
seal_read(struct slice body, struct slice queue_id, const struct seal_key *key,
    struct arena *a, struct seal *seal_r)
{
	struct seal seal = { .pass = 1, .sender = SLICE_NONE };
	struct reader r = { .a = a, .seal = &seal, .removed = SLICE_NONE };
	struct slice text;

	if (body.len > SEAL_MAX || !tagged_open(body, SEAL_FIELD,
	    slice_make(key->bytes, key->len), a, &text))
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
