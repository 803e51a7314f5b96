/*
 * apply - plans become edits and one answer
 *
 * A step is what one filter did to the message as it found it. Steps are sent
 * in their order; inside a step changes and deletions go first, the highest
 * index first (PITFALLS L12: the other way round removes wrong fields), then
 * what is added. Nothing here waits.
 *
 * apply_edits	false when an edit did not arrive; the message must then be
 *		answered tempfail
 * apply_answer	the answer for a verdict; sets the reply
 */
#ifndef MILTER_APPLY_H
#define MILTER_APPLY_H

#include "milter/engine.h"
#include "verdict/plan.h"

struct step {
	struct step *next;
	const struct patches *edits;
	struct slice sender;		/* absent: as it is */
	struct slice route;		/* absent: Postfix's own */
	const struct plan_address *addresses;
};

bool apply_edits(const struct step *steps, const struct message *result,
    bool body_changed, struct arena *a, const struct engine_ops *ops,
    void *ctx);
enum answer apply_answer(const struct verdict *verdict, struct arena *a,
    const struct engine_ops *ops, void *ctx);

#endif
