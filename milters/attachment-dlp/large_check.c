/* What an administrator may have set wrong about large mail. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "large.h"
#include "net/url.h"

struct checking {
	const struct house_conf *house;
	struct arena *a;
	struct slice *why_r;
};

static bool
wanted(const struct attachment_conf *conf)
{
	return conf->large_at > 0 || conf->large_at_outbound > 0;
}

static enum rc
check_portal(const struct house_conf *house, const char *option,
    struct arena *a, struct slice *why_r)
{
	struct stat st;

	if (house->portal[0] == '\0') {
		*why_r = arena_printf(a, "%s wants a portal, where what the "
		    "links lead to can be had, and there is none; set portal "
		    "in gatehouse.conf to its socket, or %s = \"0\"", option,
		    option);
		return RC_BAD;
	}
	if (stat(house->portal, &st) == 0 && S_ISSOCK(st.st_mode))
		return RC_OK;
	*why_r = arena_printf(a, "%s wants a portal, and %s (portal in "
	    "gatehouse.conf) is no socket%s%s; the links would lead nowhere",
	    option, house->portal, errno != 0 ? ": " : "", errno != 0 ?
	    strerror(errno) : "");
	return RC_BAD;
}

static bool
url_fits(struct slice text)
{
	struct url url;

	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == '?' ||
		    text.ptr[i] == '#' || (text.ptr[i] & 0x80) != 0)
			return false;
	return url_parse(text, &url) && slice_eq(url.scheme, SLICE("https"));
}

static enum rc
check_one(const struct attachment_conf *conf, const struct checking *c)
{
	const char *option = conf->large_at > 0 ? "large_at" :
	    "large_at_outbound";

	if (!wanted(conf))
		return RC_OK;
	errno = 0;
	if (check_portal(c->house, option, c->a, c->why_r) != RC_OK)
		return RC_BAD;
	if (!house_stores(c->house) ||
	    (c->house->seal_key[0] == '\0' && !c->house->tried)) {
		*c->why_r = arena_printf(c->a, "%s wants a store for the files "
		    "and a key for the links; set store_key and seal_key in "
		    "gatehouse.conf", option);
		return RC_BAD;
	}
	if (url_fits(slice_of(conf->large_url)))
		return RC_OK;
	*c->why_r = arena_printf(c->a, "large_url is \"%s\"; with %s it wants "
	    "what links begin with, as \"https://portal.example.org/file/\"",
	    conf->large_url, option);
	return RC_BAD;
}

static enum rc
check_scope(struct slice where, const void *conf, void *arg)
{
	const struct checking *c = arg;
	enum rc rc = check_one(conf, c);

	if (rc != RC_OK)
		*c->why_r = arena_printf(c->a, "%.*s: %.*s", SLICE_ARG(where),
		    SLICE_ARG(*c->why_r));
	return rc;
}

enum rc
large_check(const struct attachment_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	struct checking c = { house, a, why_r };
	enum rc rc = check_one(conf, &c);

	if (rc != RC_OK) {
		*why_r = arena_printf(a, "attachment-dlp.conf: %.*s",
		    SLICE_ARG(*why_r));
		return rc;
	}
	return scope_each(conf->scopes, conf, sizeof *conf, check_scope, &c);
}
