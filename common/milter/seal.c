#include "milter/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
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
			tagged_put(t, p->added.ptr != NULL ? "er" : "ed",
			    p->removed);
		if (p->added.ptr != NULL)
			tagged_put(t, "ea", p->added);
	}
}

static void
put_release(struct tagged *t, const struct mark *mark)
{
	tagged_put(t, "ro", slice_of(mark->object));
	tagged_put(t, "rc", slice_of(cause_name(mark->cause)));
	if (mark->body_sha256[0] != '\0')
		tagged_put(t, "rb", slice_of(mark->body_sha256));
	if (mark->waited)
		tagged_put(t, "rw", SLICE("1"));
	if (mark->last)
		tagged_put(t, "rl", SLICE("1"));
	for (size_t i = 0; i < mark->nrecipients; i++)
		tagged_put(t, "rr", mark->recipients[i]);
}

void
seal_content(struct seal *seal, const unsigned char sum[32])
{
	hex_write(seal->content, sum, 32);
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
	if (seal->split)
		tagged_put(&t, "s", SLICE("1"));
	if (seal->form[0] != '\0')
		tagged_put(&t, "fo", slice_of(seal->form));
	if (seal->let_go)
		tagged_put(&t, "lg", SLICE("1"));
	if (seal->content[0] != '\0')
		tagged_put(&t, "h", slice_of(seal->content));
	put_client(&t, &seal->client, a);
	put_envelope(&t, seal);
	if (seal->release != NULL)
		put_release(&t, seal->release);
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
	struct slice *recipients;	/* room for those of a release */
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

static void
add_change(struct reader *r, struct slice removed, struct slice added)
{
	*r->last = arena_alloc(r->a, sizeof **r->last);
	(*r->last)->removed = removed;
	(*r->last)->added = added;
	r->last = &(*r->last)->next;
}

static bool
read_envelope(struct reader *r, struct slice tag, struct slice value)
{
	if (slice_eq(tag, SLICE("es"))) {
		r->seal->sender = value;
	} else if (slice_eq(tag, SLICE("er"))) {
		r->removed = value;
	} else if (slice_eq(tag, SLICE("ea"))) {
		add_change(r, r->removed, value);
		r->removed = SLICE_NONE;
	} else if (slice_eq(tag, SLICE("ed"))) {
		add_change(r, value, SLICE_NONE);
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
read_release(struct reader *r, struct slice tag, struct slice value)
{
	struct mark *mark = r->seal->release;

	if (mark == NULL) {
		if (!slice_eq(tag, SLICE("ro")))
			return false;
		mark = r->seal->release = arena_alloc(r->a, sizeof *mark);
		mark->recipients = r->recipients;
		return hex_copy(mark->object, OBJECT_NAME, value);
	}
	if (slice_eq(tag, SLICE("rc")))
		return cause_parse(value, &mark->cause);
	if (slice_eq(tag, SLICE("rb")))
		return hex_copy(mark->body_sha256, 64, value);
	if (slice_eq(tag, SLICE("rw")))
		return mark->waited = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("rl")))
		return mark->last = slice_eq(value, SLICE("1"));
	if (!slice_eq(tag, SLICE("rr")))
		return false;
	mark->recipients[mark->nrecipients++] = value;
	return true;
}

static bool
read_tag(struct reader *r, struct slice tag, struct slice value)
{
	uint64_t n;

	if (slice_eq(tag, SLICE("v")))
		return r->v1 = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("id")))
		return r->id = hex_copy(r->seal->identity, 32, value);
	if (slice_eq(tag, SLICE("h")))
		return hex_copy(r->seal->content, 64, value);
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
	if (slice_eq(tag, SLICE("s")))
		return r->seal->split = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("fo")))
		return hex_copy(r->seal->form, 16, value);
	if (slice_eq(tag, SLICE("lg")))
		return r->seal->let_go = slice_eq(value, SLICE("1"));
	if (slice_eq(tag, SLICE("d"))) {
		r->seal->direction = slice_eq(value, SLICE("out")) ?
		    DIRECTION_OUT : DIRECTION_IN;
		return true;
	}
	return read_client(&r->seal->client, tag, value) ||
	    read_envelope(r, tag, value) || read_finding(r, tag, value) ||
	    read_release(r, tag, value);
}

/* Only called when the MAC is right, so what it reads is our own writing. */
static bool
read_tags(struct slice text, struct reader *r)
{
	struct slice tag, value;

	while (tagged_next(&text, r->a, &tag, &value))
		if (!read_tag(r, tag, value))
			return false;
	if (r->seal->release != NULL && (r->seal->release->cause ==
	    CAUSE_NONE || r->seal->release->nrecipients == 0))
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
	size_t pairs;

	if (body.len > SEAL_MAX || !tagged_open(body, SEAL_FIELD,
	    slice_make(key->bytes, key->len), a, &text))
		return RC_BAD;
	/* No more of either than there are pairs. */
	pairs = tagged_pairs(text);
	if (pairs > SEAL_PAIRS)
		return RC_BAD;
	r.findings = arena_array(a, pairs + 1, sizeof *r.findings);
	r.recipients = arena_array(a, pairs + 1, sizeof *r.recipients);
	r.last = &seal.addresses;
	if (!read_tags(text, &r) || (queue_id.ptr != NULL &&
	    !slice_eq(seal.queue_id, queue_id)))
		return RC_BAD;
	seal.findings = r.findings;
	seal.nfindings = r.nfindings;
	*seal_r = seal;
	return RC_OK;
}
