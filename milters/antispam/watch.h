/*
 * watch - the model in use, which may change under way
 *
 * A model that was trained is taken up without a reload: its file is looked at
 * again after `every` ms, by whoever asks for it then. What cannot be read, or is
 * none, is said once, and the one before stays.
 *
 * watch_open	RC_BAD or RC_RETRY with *why_r, as model_open. option and state
 *		are copied: the file is the option's, else model in antispam/ of
 *		the state folder where it is, else the package's
 * watch_take	the model; it stays until watch_drop
 * watch_close	when nobody has one any more; NULL is allowed
 * watch_path	the file that counts now
 *
 * Any thread.
 */
#ifndef ANTISPAM_WATCH_H
#define ANTISPAM_WATCH_H

#include "model.h"

enum { WATCH_MS = 5000 };

struct model_watch;

enum rc watch_open(const char *option, const char *state, int64_t every,
    struct model_watch **watch_r, struct arena *a, struct slice *why_r);
struct model *watch_take(struct model_watch *w);
void watch_drop(struct model_watch *w, struct model *m);
void watch_close(struct model_watch *w);
const char *watch_path(const char *option, const char *state,
    struct arena *a);

#endif
