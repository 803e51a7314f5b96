/* The checks beside the classifier, in the order in which they run. */
#include "campaign_check.h"
#include "graymail_check.h"
#include "backend_ask.h"
#include "dnslist_ask.h"
#include "fraud.h"
#include "history_note.h"
#include "look.h"
#include "phish.h"

static spam_check *const checks[] = {
	dnslist_links,			/* asks; the others look meanwhile */
	graymail_check,
	campaign_check,
	phish_check_links,
	phish_check_feeds,
	phish_check_sender,
	phish_check_markup,
	history_check, fraud_check,
	/* What is waited for comes last. */
	dnslist_check,
	backends_check_run,
	NULL
};

void
look_missed(struct spam_look *look, struct slice source)
{
	if (look->missed.len > 0)
		buf_adds(&look->missed, ", ");
	buf_add(&look->missed, source);
}

enum rc
checks_run(struct spam_look *look, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; checks[i] != NULL && rc == RC_OK; i++)
		rc = checks[i](look, why_r);
	return rc;
}
