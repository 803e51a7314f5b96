/*
 * answer - what a sandbox says, read from its JSON
 *
 * What comes from there is hostile: it has looked at files that want to be read
 * wrongly, and may be somebody else. So nothing is believed that does not fit
 * what was asked (the task's number, the file's digest), and no text of it goes
 * further than its printable ASCII, cut.
 *
 * answer_submitted	the numbers of the tasks that a file became, joined by
 *			commas (generic: one name); at most ANSWER_TASKS
 * answer_state	how that task is. Generic: the verdict comes with it
 * answer_report	CAPE: the score of a task that is done. sha256 is
 *			compared where it is not absent
 *
 * RC_OK, or RC_BAD with *why_r: it is no such answer. Pure.
 */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include "base/arena.h"
#include "base/rc.h"
#include "services/sandbox/options.h"

enum { ANSWER_TASKS = 20, ANSWER_ID = 100, ANSWER_NAME = 80 };

enum answer_state { ANSWER_PENDING, ANSWER_DONE, ANSWER_FAILED };

enum answer_verdict { VERDICT_CLEAN = 0, VERDICT_NONE, VERDICT_SUSPICIOUS,
    VERDICT_MALICIOUS, VERDICTS };	/* the worst is the highest */

struct answer {
	enum answer_state state;
	bool judged;			/* it gave a verdict ... */
	enum answer_verdict verdict;
	bool scored;			/* ... or a score, or both */
	unsigned score;			/* of 100 */
	struct slice name;		/* of a family; may be empty */
};

enum rc answer_submitted(enum sandbox_api api, struct slice body,
    struct arena *a, struct slice *tasks_r, struct slice *why_r);
enum rc answer_state(enum sandbox_api api, struct slice body,
    struct slice task, struct slice sha256, struct arena *a,
    struct answer *answer_r, struct slice *why_r);
enum rc answer_report(struct slice body, struct slice task,
    struct slice sha256, struct arena *a, struct answer *answer_r,
    struct slice *why_r);

/* From score and verdict, whichever is worse; VERDICT_NONE without both. */
enum answer_verdict answer_judge(const struct sandbox_conf *conf,
    const struct answer *answer);
/* "clean", "none", "suspicious", "malicious". */
const char *answer_verdict_name(enum answer_verdict verdict);

#endif
