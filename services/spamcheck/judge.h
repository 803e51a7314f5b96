/*
 * judge - what the filter antispam would say of a message
 *
 * The one place of this service that knows antispam. It judges as `gatehouse
 * spam check` does, by the same code: the message alone, without a client.
 *
 * judge_open	its options (NULL: the defaults) and model; they live as long as
 *		the arena. RC_BAD, RC_RETRY with *why_r
 * judge_message	the message as it would be in a file. RC_RETRY with
 *		*why_r: trouble of ours. Memory is the arena's, time linear
 * judge_put	all of it as one JSON value
 *
 * Read-only after opening: any thread asks.
 */
#ifndef SPAMCHECK_JUDGE_H
#define SPAMCHECK_JUDGE_H

#include "conf/house.h"
#include "text/json.h"

enum { JUDGE_CLASSES = 8, JUDGE_REASONS = 16 };

struct judge;
struct antispam_answers;

struct judged {
	const char *class;		/* "spam", ..., or "none" */
	unsigned percent;		/* of spam */
	/* Of the other classes, those above 0. */
	struct { const char *class; unsigned percent; } others[JUDGE_CLASSES];
	size_t nothers;
	struct { struct slice words; double weight; } reasons[JUDGE_REASONS];
	size_t nreasons;
	struct slice missed;		/* sources that did not answer */
	struct slice subject, message_id; /* as they stand, unfolded */
	const struct antispam_answers *answers;
};

enum rc judge_open(const char *antispam_conf, const struct house_conf *house,
    struct judge **judge_r, struct arena *a, struct slice *why_r);
enum rc judge_message(const struct judge *j, struct slice message,
    struct arena *a, struct judged *judged_r, struct slice *why_r);
void judge_put(const struct judged *judged, struct arena *a, struct json *w);

#endif
