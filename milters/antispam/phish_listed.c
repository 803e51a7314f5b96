/* Links that a feed names. */
#include "decide.h"
#include "phish.h"
#include "phish_feeds.h"

static void
look_link(struct phish_seen *s, const struct phish_sets *sets,
    const struct content_link *link)
{
	const struct antispam_shared *shared = s->look->shared;
	struct slice entry = SLICE_NONE, source = SLICE_NONE;

	if (!weburl_web(&link->url))
		return;
	switch (phish_feeds_find(sets, shared->known, shared->suffixes, s->a,
	    &link->url, &entry, &source)) {
	case FEED_URL:
		phish_say(s, SIGN_FEED_URL, "%.*s is on the list %.*s",
		    SLICE_ARG(slice_sub(entry, 0, 100)), SLICE_ARG(source));
		break;
	case FEED_HOST:
		phish_say(s, SIGN_FEED_HOST, "%.*s is on the list %.*s",
		    SLICE_ARG(entry), SLICE_ARG(source));
		break;
	case FEED_NOTHING:
	case FEED_UNREAD:
		break;
	}
}

enum rc
phish_check_feeds(struct spam_look *look, struct slice *why_r)
{
	struct phish_seen s = { .look = look, .a = look->msg->arena };
	struct phish_sets *sets;
	struct slice lacks;

	(void)why_r;
	if (look->shared->feeds == NULL)
		return RC_OK;
	sets = phish_feeds_get(look->shared->feeds);
	lacks = phish_feeds_lacks(sets, s.a);
	if (lacks.ptr != NULL)
		look_missed(look, lacks);
	for (const struct content_link *link = look->links->first;
	    link != NULL; link = link->next)
		look_link(&s, sets, link);
	phish_feeds_give(look->shared->feeds, sets);
	return RC_OK;
}
