/* What a link is, and what is shown for it. */
#include <string.h>

#include "decide.h"
#include "phish.h"
#include "phish_alike.h"
#include "text/address.h"
#include "text/encoded.h"

struct links_look {
	struct phish_seen seen;
	const struct phish_known *known;
	const struct suffixes *suffixes;
	struct slice author;		/* registered domain of From; or none */
};

/* A link that is looked at. */
struct led {
	const struct content_link *link;
	struct slice host, org;		/* org: the host itself where none is */
	struct slice shown;		/* the host, in letters */
};

/* Registered domain of the one author; SLICE_NONE: not known. */
static struct slice
author_of(const struct spam_look *look)
{
	const struct field *from = message_field(look->msg, SLICE("From"), 0);
	struct arena *a = look->msg->arena;
	struct address_list list;
	struct address one;
	struct slice domain;

	if (from == NULL)
		return SLICE_NONE;
	address_open(&list, a, field_value(a, from));
	if (!address_next(&list, &one) || one.domain.ptr == NULL ||
	    !domain_ascii(a, one.domain, &domain))
		return SLICE_NONE;
	return suffixes_org(look->shared->suffixes, domain);
}

static struct slice
org_of(const struct links_look *l, struct slice host)
{
	struct slice org = suffixes_org(l->suffixes, host);

	return org.ptr != NULL ? org : host;
}

/* ---- what is shown ---- */

/* The host that the shown text names; false: it is no URL and no name. */
static bool
shown_host(struct links_look *l, struct slice shown, struct slice *host_r)
{
	struct slice rest = shown, found;
	struct weburl url;
	unsigned one = 1;

	if (slice_has(shown, '@') ||
	    !link_find(&rest, l->suffixes, &one, &found))
		return false;
	/* All of it, but for a word or two around: "Visit bank.example". */
	if (found.len * 2 < shown.len)
		return false;
	if (!weburl_read(l->seen.a, slice_search(found, SLICE("://")) <
	    found.len ? found : arena_printf(l->seen.a, "http://%.*s",
	    SLICE_ARG(found)), &url) || !weburl_web(&url))
		return false;
	*host_r = url.host;
	return true;
}

static void
look_shown(struct links_look *l, const struct led *led)
{
	struct slice host, org;

	if (led->link->shown.ptr == NULL ||
	    phish_rewrites(l->known, led->host) ||
	    !shown_host(l, led->link->shown, &host))
		return;
	org = org_of(l, host);
	if (slice_eq(org, led->org) ||
	    phish_same_owner(l->known, org, led->org))
		return;
	/* Who writes of himself may count clicks by a service of others. */
	if (l->author.ptr != NULL && (slice_eq(org, l->author) ||
	    phish_same_owner(l->known, org, l->author)))
		return;
	phish_say(&l->seen, phish_is_popular(l->known, org) &&
	    !phish_shortens(l->known, host) && !phish_hosts(l->known, host) ?
	    SIGN_TEXT_POPULAR : SIGN_TEXT_DIFFERS,
	    "the text says %.*s, the link goes to %.*s",
	    SLICE_ARG(alike_shown(l->seen.a, host)), SLICE_ARG(led->shown));
}

/* ---- the host ---- */

static void
look_alike(struct links_look *l, const struct led *led)
{
	struct phish_like like = phish_likeness(l->known, l->seen.a, led->org);

	/* Who is called nearly like a well-known one may be so by chance, and
	 * then writes of himself; who looks the same is not. */
	if (like.how == LIKE_NOTHING || (like.how == LIKE_EDITED &&
	    !like.ours && slice_eq(led->org, l->author)))
		return;
	if (like.how == LIKE_SKELETON)
		phish_say(&l->seen, like.ours ? SIGN_ALIKE_OURS : SIGN_ALIKE,
		    "a link goes to %.*s, which looks like %.*s",
		    SLICE_ARG(led->shown), SLICE_ARG(like.domain));
	else if (like.how == LIKE_EDITED)
		phish_say(&l->seen, like.ours ? SIGN_ALIKE_OURS : SIGN_EDITED,
		    "a link goes to %.*s, one letter off %.*s",
		    SLICE_ARG(led->shown), SLICE_ARG(like.domain));
	else if (like.ours)
		phish_say(&l->seen, SIGN_ENDING_OURS,
		    "a link goes to %.*s, %.*s with another ending",
		    SLICE_ARG(led->shown), SLICE_ARG(like.domain));
}

static void
look_brand(struct links_look *l, const struct led *led)
{
	struct slice shown;
	bool whole;

	if (!phish_branded(l->known, led->host, led->org, &shown, &whole) ||
	    (!whole && slice_eq(led->org, l->author)))
		return;
	phish_say(&l->seen, whole ? SIGN_DOMAIN_WITHIN : SIGN_BRAND_HOST,
	    "a link says %.*s and goes to %.*s", SLICE_ARG(shown),
	    SLICE_ARG(led->shown));
}

enum { MANY = 6 };

/* An address of the reader's own network, as manuals of devices name them. */
static bool
of_here(struct slice host)
{
	static const char *const nets[] = { "127.", "10.", "192.168.", "fe80:",
	    "fd", "::1", NULL };

	for (const char *const *n = nets; *n != NULL; n++)
		if (slice_starts(host, slice_of(*n)))
			return true;
	return false;
}

static void
look_host(struct links_look *l, const struct led *led)
{
	const struct weburl *url = &led->link->url;
	unsigned dots = 0;

	for (struct slice rest = led->host; rest.ptr != NULL;)
		if (alike_mixed(l->seen.a, slice_cut(rest, '.', &rest)))
			phish_say(&l->seen, SIGN_MIXED,
			    "a link mixes two scripts in %.*s",
			    SLICE_ARG(led->shown));
	if (url->numeric && !of_here(led->host))
		phish_say(&l->seen, SIGN_NUMBER, "a link goes to a number, "
		    "%.*s", SLICE_ARG(led->host));
	if (url->numeric && url->odd_numeric)
		phish_say(&l->seen, SIGN_ODD_NUMBER, "a link hides the "
		    "number %.*s", SLICE_ARG(led->host));
	for (struct slice rest = led->host; rest.ptr != NULL && !url->numeric;
	    dots += rest.ptr != NULL)
		slice_cut(rest, '.', &rest);
	if (dots >= MANY)
		phish_say(&l->seen, SIGN_MANY_LABELS, "a link has a name of "
		    "%u parts, %.*s", dots + 1, SLICE_ARG(led->shown));
	if (phish_shortens(l->known, led->host))
		phish_say(&l->seen, SIGN_SHORTENER, "a link goes through "
		    "%.*s", SLICE_ARG(led->host));
	if (phish_hosts(l->known, led->host))
		phish_say(&l->seen, SIGN_HOSTING, "a link goes to a page of "
		    "anybody at %.*s", SLICE_ARG(led->host));
}

/* ---- the rest of the URL ---- */

static void
look_userinfo(struct links_look *l, const struct led *led)
{
	struct slice user = led->link->url.userinfo;

	/* A name alone is how some log in; a host is there to be read. */
	if (slice_has(slice_sub(user, 0, slice_find(user, ':')), '.'))
		phish_say(&l->seen, SIGN_USERINFO, "a link begins with %.*s "
		    "and goes to %.*s", SLICE_ARG(slice_sub(user, 0, 100)),
		    SLICE_ARG(led->shown));
}

/* An URL within an URL, as it stands or in percent-encoding. */
static struct slice
inner_url(struct arena *a, struct slice s)
{
	static const char *const starts[] = { "=http://", "=https://",
	    "=http%3a%2f%2f", "=https%3a%2f%2f", "=//", "=%2f%2f", NULL };
	struct buf out = buf_in(a);
	size_t at, i;

	for (at = 0; at < s.len; at++) {
		struct slice rest = slice_after(s, at);

		if (rest.ptr[0] != '=')
			continue;
		for (i = 0; starts[i] != NULL && !slice_starts_nocase(rest,
		    slice_of(starts[i])); i++)
			;
		if (starts[i] != NULL)
			break;
	}
	if (at == s.len)
		return SLICE_NONE;
	for (i = at + 1; i < s.len && s.ptr[i] != '&'; i++) {
		if (s.ptr[i] == '%' && i + 2 < s.len &&
		    ascii_hex(s.ptr[i + 1]) >= 0 &&
		    ascii_hex(s.ptr[i + 2]) >= 0) {
			buf_addc(&out, (char)(ascii_hex(s.ptr[i + 1]) * 16 +
			    ascii_hex(s.ptr[i + 2])));
			i += 2;
		} else {
			buf_addc(&out, s.ptr[i]);
		}
	}
	return buf_slice(&out);
}

/* A well-known name in front, and another one behind it. */
static void
look_redirect(struct links_look *l, const struct led *led)
{
	struct slice inner = inner_url(l->seen.a, led->link->url.query), org;
	struct weburl url;

	if (inner.ptr == NULL || !phish_is_popular(l->known, led->org) ||
	    phish_rewrites(l->known, led->host))
		return;
	if (slice_starts(inner, SLICE("//")))
		inner = arena_printf(l->seen.a, "http:%.*s", SLICE_ARG(inner));
	if (!weburl_read(l->seen.a, inner, &url) || !weburl_web(&url))
		return;
	org = org_of(l, url.host);
	if (slice_eq(org, led->org) || slice_eq(org, l->author) ||
	    phish_same_owner(l->known, org, led->org))
		return;
	phish_say(&l->seen, SIGN_REDIRECT, "a link by way of %.*s goes to "
	    "%.*s", SLICE_ARG(led->host), SLICE_ARG(url.host));
}

/* "#reader@his.example": the page is filled in for whom it was sent to. */
static void
look_recipient(struct links_look *l, const struct led *led)
{
	struct slice s = led->link->url.fragment, local, domain;

	if (s.len > 5 && s.len < 200 && address_guess(&s, &local, &domain) &&
	    local.len > 0 && slice_has(domain, '.'))
		phish_say(&l->seen, SIGN_RECIPIENT, "a link to %.*s has an "
		    "address of mail behind it", SLICE_ARG(led->shown));
}

static void
look_scheme(struct links_look *l, const struct content_link *link)
{
	struct slice scheme = link->url.scheme;

	if (slice_eq(scheme, SLICE("data")) && (slice_starts_nocase(
	    link->url.path, SLICE("text/html")) || slice_starts_nocase(
	    link->url.path, SLICE("image/svg")) || slice_starts_nocase(
	    link->url.path, SLICE("application/xhtml"))))
		phish_say(&l->seen, SIGN_DATA, "a link brings its page along "
		    "(data:)");
	if (slice_eq(scheme, SLICE("javascript")) ||
	    slice_eq(scheme, SLICE("vbscript")))
		phish_say(&l->seen, SIGN_SCRIPT_LINK, "a link is a program "
		    "(%.*s:)", SLICE_ARG(scheme));
}

static void
look_link(struct links_look *l, const struct content_link *link)
{
	struct led led = { .link = link, .host = link->url.host };

	if (link->kind == CONTENT_LINK_LOAD)
		return;
	look_scheme(l, link);
	if (!weburl_web(&link->url))
		return;
	led.org = link->url.numeric ? led.host : org_of(l, led.host);
	led.shown = alike_shown(l->seen.a, led.host);
	look_shown(l, &led);
	look_host(l, &led);
	look_userinfo(l, &led);
	look_redirect(l, &led);
	look_recipient(l, &led);
	if (link->url.numeric)
		return;
	look_alike(l, &led);
	look_brand(l, &led);
	if (link->kind == CONTENT_LINK_CODE)
		phish_say(&l->seen, SIGN_CODE, "a picture holds a code for a "
		    "link to %.*s", SLICE_ARG(led.shown));
}

enum rc
phish_check_links(struct spam_look *look, struct slice *why_r)
{
	struct links_look l = { .seen = { .look = look,
	    .a = look->msg->arena }, .known = look->shared->known,
	    .suffixes = look->shared->suffixes, .author = author_of(look) };

	(void)why_r;
	for (const struct content_link *link = look->links->first;
	    link != NULL && l.known != NULL; link = link->next)
		look_link(&l, link);
	return RC_OK;
}
