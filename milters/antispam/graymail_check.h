/*
 * graymail_check - what bulk mail is in this filter
 *
 * graymail_check	the check: one clue of CLASS_GRAYMAIL, and look->gray.
 *			What a person waits for (a transaction, a code) has none
 * graymail_spared	somebody waits for this mail, and what speaks against it
 *			is weak: it is marked where another would be held or
 *			refused. Weak is what the classifier thinks below
 *			GRAYMAIL_STRONG, with no word of phishing or fraud, in
 *			mail that passes DMARC; percent is of each class
 * graymail_tell	facts and findings of the plan: "kind", and "code"
 */
#ifndef ANTISPAM_GRAYMAIL_CHECK_H
#define ANTISPAM_GRAYMAIL_CHECK_H

#include "look.h"
#include "verdict/plan.h"

enum { GRAYMAIL_STRONG = 95, GRAYMAIL_DOUBT = 20 };

enum rc graymail_check(struct spam_look *look, struct slice *why_r);
bool graymail_spared(const struct job *job, const unsigned percent[CLASSES]);
void graymail_tell(struct plan *p, const struct graymail *gray);

#endif
