/*
 * texts - what is set about disclaimers and the mark of outside mail, for the
 * message in hand
 *
 * ask() finds it (the policy may be in trouble), decide() uses it.
 *
 * texts_ask	outbound whose disclaimers count: who authenticated, or else the
 *		reverse-path; inbound what the recipients want. RC_RETRY:
 *		trouble of ours
 * texts_check	names of disclaimers that are set anywhere in the file, and in
 *		rules, exist. RC_BAD with *why_r = "file:line: ..."
 */
#ifndef PREDELIVERY_TEXTS_H
#define PREDELIVERY_TEXTS_H

#include "milter/filter.h"
#include "options.h"

struct disclaimers;
struct rules;

struct texts {
	/* Outbound; NULL: nothing. */
	const struct predelivery_conf *sender;
	struct policy_who who;		/* of the sender */
	/* Inbound, from outside: SLICE_NONE where nobody wants it. Of several
	 * recipients who differ the first one who wants anything counts: what
	 * warns one warns all. */
	struct slice mark, subject, banner;
};

enum rc texts_ask(const struct job *job, struct texts *t,
    struct slice *why_r);
enum rc texts_check(const struct predelivery_conf *conf,
    const struct disclaimers *list, const struct rules *rules,
    struct arena *a, struct slice *why_r);

#endif
