#include "phish_feed.h"

struct slice
phish_key_url(struct arena *a, const struct weburl *url)
{
	return arena_printf(a, "u%.*s:%u%.*s?%.*s", SLICE_ARG(url->host),
	    url->port, SLICE_ARG(url->path), SLICE_ARG(url->query));
}

struct slice
phish_key_host(struct arena *a, struct slice host)
{
	return arena_printf(a, "h%.*s", SLICE_ARG(host));
}

/* Nothing behind the host. */
static bool
whole_host(const struct weburl *url)
{
	return url->path.len <= 1 && url->query.len == 0 && url->port == 0;
}

static enum feed_line
of_url(struct arena *a, struct slice text, struct slice *key_r,
    struct slice *host_r)
{
	struct weburl url;

	if (!weburl_read(a, text, &url) || !weburl_web(&url))
		return FEED_UNREAD;
	*host_r = url.host;
	if (whole_host(&url)) {
		*key_r = phish_key_host(a, url.host);
		return FEED_HOST;
	}
	*key_r = phish_key_url(a, &url);
	return FEED_URL;
}

static bool
has_scheme(struct slice s)
{
	return slice_starts_nocase(s, SLICE("http://")) ||
	    slice_starts_nocase(s, SLICE("https://"));
}

/* The next field of a CSV line, without its quotes. */
static struct slice
csv_field(struct slice *rest)
{
	struct slice field;
	size_t end;

	if (!slice_starts(*rest, SLICE("\"")))
		return slice_cut(*rest, ',', rest);
	*rest = slice_after(*rest, 1);
	end = slice_find(*rest, '"');
	field = slice_sub(*rest, 0, end);
	*rest = slice_after(*rest, end + 1);
	if (slice_starts(*rest, SLICE(",")))
		*rest = slice_after(*rest, 1);
	else if (rest->len == 0)
		*rest = SLICE_NONE;
	return field;
}

static enum feed_line
of_csv(struct arena *a, struct slice line, struct slice *key_r,
    struct slice *host_r)
{
	for (unsigned n = 0; line.ptr != NULL && n < 50; n++) {
		struct slice field = slice_trim(csv_field(&line));

		if (has_scheme(field))
			return of_url(a, field, key_r, host_r);
		if (slice_eq_nocase(field, SLICE("url")))
			return FEED_NOTHING;
	}
	return FEED_UNREAD;
}

static enum feed_line
of_name(struct arena *a, struct slice name, struct slice *key_r,
    struct slice *host_r)
{
	static const char *const local[] = { "localhost", "broadcasthost",
	    "localhost.localdomain", "ip6-localhost", "ip6-loopback", NULL };

	for (const char *const *l = local; *l != NULL; l++)
		if (slice_eq_nocase(name, slice_of(*l)))
			return FEED_NOTHING;
	if (slice_starts(name, SLICE("*.")))
		name = slice_after(name, 2);
	if (!slice_has(name, '.'))
		return FEED_UNREAD;
	return of_url(a, arena_printf(a, "http://%.*s", SLICE_ARG(name)),
	    key_r, host_r);
}

static struct slice
until_blank(struct slice s)
{
	size_t n = 0;

	while (n < s.len && !ascii_blank(s.ptr[n]))
		n++;
	return slice_sub(s, 0, n);
}

enum feed_line
phish_feed_line(struct arena *a, struct slice line, struct slice *key_r,
    struct slice *host_r)
{
	struct slice first;

	*key_r = *host_r = SLICE("");
	line = slice_trim(line);
	if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';' ||
	    line.ptr[0] == '!')
		return FEED_NOTHING;
	if (line.len > FEED_LINE)
		return FEED_UNREAD;
	first = until_blank(line);
	if (has_scheme(line))
		return of_url(a, first, key_r, host_r);
	if (line.ptr[0] == '"' || slice_has(line, ','))
		return of_csv(a, line, key_r, host_r);
	if (slice_starts(line, SLICE("||")))
		return of_name(a, slice_sub(line, 2, slice_find(slice_after(
		    line, 2), '^')), key_r, host_r);
	if (first.len < line.len && (slice_eq(first, SLICE("0.0.0.0")) ||
	    slice_eq(first, SLICE("127.0.0.1")) ||
	    slice_starts(first, SLICE("::"))))
		first = until_blank(slice_trim(slice_after(line, first.len)));
	return of_name(a, first, key_r, host_r);
}

void
phish_feed_read(struct slice bytes, const struct phish_known *known,
    struct phish_set_new *set, struct phish_feed_told *told_r)
{
	struct arena *a = arena_new();
	struct slice line, key, host;

	*told_r = (struct phish_feed_told){ .lines = 0 };
	while (!told_r->cut && slice_line(&bytes, &line)) {
		enum feed_line is = phish_feed_line(a, line, &key, &host);

		told_r->lines += is != FEED_NOTHING;
		told_r->urls += is == FEED_URL;
		told_r->hosts += is == FEED_HOST;
		told_r->unread += is == FEED_UNREAD;
		if (is == FEED_HOST && phish_is_popular(known, host))
			told_r->popular++;
		else if (is == FEED_URL || is == FEED_HOST)
			told_r->cut = !phish_set_add(set, key);
		arena_reset(a);
	}
	told_r->entries = phish_set_count(set);
	arena_free(a);
}

/* A feed names a popular domain by mistake now and then. */
enum { POPULAR_FEW = 20, POPULAR_PERCENT = 1, SHRINK_FROM = 100 };

const char *
phish_feed_trust(const struct phish_feed_told *told, uint32_t before)
{
	uint64_t read = told->urls + told->hosts;

	if (told->entries == 0)
		return "nothing in it";
	if (told->unread > read / 4)
		return "no list of links or domains: most lines cannot be read";
	if (told->popular > POPULAR_FEW &&
	    told->popular * 100 > read * POPULAR_PERCENT)
		return "poisoned: it lists the domains that everybody uses";
	if (told->cut)
		return "more entries than a set can hold";
	if (before >= SHRINK_FROM && told->entries < before / 2)
		return "less than half of what it had";
	return NULL;
}
