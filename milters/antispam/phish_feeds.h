/*
 * phish_feeds - the feeds that this process looks into
 *
 * Each source of the option phishing_feed has a set, a file that "gatehouse
 * spam feeds" makes. New files are taken while mail goes on: they are looked
 * for at most every FEEDS_LOOK seconds, by whoever asks then.
 *
 * phish_feeds_path	the file of a source, below the folder
 * phish_feeds_open	never fails: a set that is missing or broken is passed
 *			over, and phish_feeds_lacks tells it
 * phish_feeds_get	the sets as they are now; they stay until given back
 * phish_feeds_give	gives them back
 * phish_feeds_lacks	what is missing, in plain words; SLICE_NONE: nothing
 * phish_feeds_find	is that link on one? FEED_URL, FEED_HOST or
 *			FEED_NOTHING; *entry_r what is listed (URL or host),
 *			*source_r on which. A popular domain is never listed as
 *			a whole, nor is a public suffix
 *
 * Thread-safe, but for open and close.
 */
#ifndef ANTISPAM_PHISH_FEEDS_H
#define ANTISPAM_PHISH_FEEDS_H

#include "conf/conf.h"
#include "phish_feed.h"

enum { FEEDS_LOOK = 2 };

struct phish_feeds;
struct phish_sets;

const char *phish_feeds_path(struct arena *a, const char *folder,
    struct slice source);
struct phish_feeds *phish_feeds_open(const char *folder,
    const struct conf_list *sources);
void phish_feeds_close(struct phish_feeds *f);	/* NULL is allowed */
struct phish_sets *phish_feeds_get(struct phish_feeds *f);
void phish_feeds_give(struct phish_feeds *f, struct phish_sets *sets);
struct slice phish_feeds_lacks(const struct phish_sets *sets, struct arena *a);
enum feed_line phish_feeds_find(const struct phish_sets *sets,
    const struct phish_known *known, const struct suffixes *suffixes,
    struct arena *a, const struct weburl *url, struct slice *entry_r,
    struct slice *source_r);

#endif
