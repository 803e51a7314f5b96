/*
 * dlp_notify - who a rule tells at once of what it found: notify_to, and
 * notify_sender
 *
 * dlp_notify	in ask(), when the texts have been looked at: a mail for each
 *		rule in force that matched, is for one of the recipients and
 *		names somebody; whatever its action, so of what is refused too.
 *		Officers get the message attached, the sender does not; values
 *		are masked. RC_RETRY with *why_r: a mail was not taken, so the
 *		message is answered 451 and comes again
 *
 * The sender is told only where he is ours and no machine, and where no mail of
 * a machine is answered (notice_stop_reason). What comes back from the
 * quarantine, or was split, has been told.
 */
#ifndef ATTACHMENT_DLP_NOTIFY_H
#define ATTACHMENT_DLP_NOTIFY_H

#include "decide.h"
#include "dlp_step.h"

enum rc dlp_notify(const struct job *job, const struct attachment_answers *seen,
    const char *server, struct slice *why_r);

#endif
