/* gatehouse spam feeds: lists of phishing links become sets. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "milters/antispam/phish_feeds.h"
#include "net/http.h"
#include "net/url.h"
#include "text/json.h"
#include "tools/spam.h"

enum { FEED_BYTES = 256 << 20, FEED_MS = 300000 };

struct feeds {
	struct spam_options *o;
	struct phish_known *known;
	const char *folder;
	struct json json;
	int status;			/* of the worst one */
};

/* ---- the bytes of a list ---- */

static enum rc
read_file(struct arena *a, struct slice path, struct buf *out,
    struct slice *why_r)
{
	FILE *f = fopen(arena_str(a, path), "re");
	size_t got = 1;

	while (f != NULL && got > 0 && out->len <= FEED_BYTES) {
		got = fread(buf_room(out, 65536), 1, 65536, f);
		buf_took(out, got);
	}
	if (f == NULL || ferror(f))
		*why_r = arena_copy(a, slice_of(strerror(errno)));
	else if (out->len > FEED_BYTES)
		*why_r = SLICE("over 256 MB");
	if (f == NULL || ferror(f) || out->len > FEED_BYTES) {
		if (f != NULL)
			fclose(f);
		return RC_RETRY;
	}
	fclose(f);
	return RC_OK;
}

static enum rc
fetch(struct arena *a, const struct url *url, const struct stream_tls *tls,
    struct buf *out, struct slice *why_r)
{
	struct http_request request = { .method = "GET",
	    .path = arena_str(a, url->path), .more = "Accept: text/plain, "
	    "text/csv, */*\r\n", .body = SLICE(""), .most = FEED_BYTES };
	struct http *h = http_new(arena_str(a, url->host), url->port, tls);
	struct http_answer answer = { .status = 0 };
	enum rc rc = http_ask(h, &request, deadline_in(FEED_MS), &answer, a,
	    why_r);

	if (rc == RC_OK && answer.status != 200) {
		*why_r = arena_printf(a, "the server says %d", answer.status);
		rc = RC_RETRY;
	}
	if (rc == RC_OK)
		buf_add(out, buf_slice(&answer.body));
	http_answer_free(&answer);
	http_free(h);
	return rc;
}

static enum rc
get(struct arena *a, struct slice source, struct buf *out,
    struct slice *why_r)
{
	struct stream_tls *tls = NULL;
	struct url url;
	enum rc rc;

	if (slice_starts(source, SLICE("/")))
		return read_file(a, source, out, why_r);
	if (!url_parse(source, &url)) {
		*why_r = SLICE("is no URL");
		return RC_BAD;
	}
	if (slice_eq(url.scheme, SLICE("https")) &&
	    (tls = stream_tls_new(NULL, a, why_r)) == NULL)
		return RC_RETRY;
	rc = fetch(a, &url, tls, out, why_r);
	stream_tls_free(tls);
	return rc;
}

/* ---- one list ---- */

static uint32_t
entries_before(struct arena *a, const char *path)
{
	struct phish_set *old;
	struct slice why;
	uint32_t n;

	if (phish_set_open(path, &old, a, &why) != RC_OK)
		return 0;
	n = old->head.count;
	phish_set_close(old);
	return n;
}

static void
tell(struct feeds *f, struct slice source, const struct phish_feed_told *told,
    struct slice why)
{
	struct spam_options *o = f->o;

	if (o->json) {
		json_begin_object(&f->json);
		json_put(&f->json, "source", source);
		json_put_bool(&f->json, "taken", why.ptr == NULL);
		json_put_int(&f->json, "entries", told->entries);
		json_put_int(&f->json, "urls", (int64_t)told->urls);
		json_put_int(&f->json, "hosts", (int64_t)told->hosts);
		json_put_int(&f->json, "unread", (int64_t)told->unread);
		json_put_int(&f->json, "popular", (int64_t)told->popular);
		if (why.ptr != NULL)
			json_put(&f->json, "why", why);
		json_end(&f->json);
	} else if (why.ptr != NULL) {
		buf_addf(&o->out, "%.*s: not taken: %.*s\n",
		    SLICE_ARG(source), SLICE_ARG(why));
	} else {
		buf_addf(&o->out, "%.*s: %u entries (%llu links, %llu hosts, "
		    "%llu popular ones left out, %llu lines unread)\n",
		    SLICE_ARG(source), told->entries,
		    (unsigned long long)told->urls,
		    (unsigned long long)told->hosts,
		    (unsigned long long)told->popular,
		    (unsigned long long)told->unread);
	}
}

static int
take(struct feeds *f, struct slice source, struct phish_feed_told *told,
    struct slice *why_r)
{
	struct arena *a = f->o->a;
	const char *path = phish_feeds_path(a, f->folder, source), *refused;
	struct phish_set_new *set;
	struct buf bytes = { 0 };
	enum rc rc = get(a, source, &bytes, why_r);
	int status = EX_OK;

	if (rc != RC_OK) {
		buf_free(&bytes);
		return EX_TEMPFAIL;
	}
	set = phish_set_begin();
	phish_feed_read(buf_slice(&bytes), f->known, set, told);
	refused = phish_feed_trust(told, entries_before(a, path));
	if (refused != NULL && (!f->o->force || told->entries == 0)) {
		*why_r = arena_printf(a, "%s; the one before stays", refused);
		status = EX_DATAERR;
	} else if (phish_set_write(set, path, source, clock_wall(), a,
	    why_r) != RC_OK) {
		status = EX_TEMPFAIL;
	}
	phish_set_free(set);
	buf_free(&bytes);
	return status;
}

static void
do_source(struct feeds *f, struct slice source)
{
	struct phish_feed_told told = { .lines = 0 };
	struct slice why = SLICE_NONE;
	int status = take(f, source, &told, &why);

	if (status != EX_OK && f->status != EX_TEMPFAIL)
		f->status = status;
	tell(f, source, &told, status == EX_OK ? SLICE_NONE : why);
}

int
spam_feeds(struct spam_options *o)
{
	struct feeds f = { .o = o };
	struct antispam_conf conf = { .model = NULL };
	const struct conf_list *const ours[] = { &o->house.domains,
	    &conf.protected_domains, &conf.partners, NULL };
	struct suffixes *suffixes;
	struct slice why;
	struct buf safe = buf_in(o->a);
	int status = spam_own(o, &conf);

	if (status != EX_OK)
		return status;
	if (conf.phishing_feed.count == 0)
		return verb_fails(EX_CONFIG, "phishing_feed in antispam.conf "
		    "names no list");
	suffixes = suffixes_open("", o->a, &why);
	if (suffixes == NULL)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	f.known = phish_known_open(ours, suffixes);
	f.folder = arena_printf(o->a, "%s/antispam",
	    o->house.state_directory).ptr;
	mkdir(f.folder, 0750);
	json_init(&f.json, &o->out);
	if (o->json)
		json_begin_array(&f.json);
	for (size_t i = 0; i < conf.phishing_feed.count; i++)
		do_source(&f, conf.phishing_feed.items[i]);
	if (o->json)
		json_end(&f.json);
	phish_known_close(f.known);
	suffixes_close(suffixes);
	if (!o->json)
		buf_add(&safe, verb_safe(o->a, buf_slice(&o->out)));
	status = verb_print(o->json ? &o->out : &safe);
	return status != EX_OK ? status : f.status;
}
