/*
 * copy - the message as it was goes to a mailbox (option copy_to), or a mail
 * about it does
 *
 * copy_send	hands it in by SMTP, under a null reverse-path, and returns when
 *		it was taken, which is durable. RC_RETRY with *why_r: it was
 *		not; the message itself is then answered 451, and nothing is
 *		removed
 *
 * copy_letter	the same for a mail of our own (notice/letter.h), to several
 *
 * A message that comes again, since somebody after us put it off, has its copy
 * sent again.
 */
#ifndef ATTACHMENT_COPY_H
#define ATTACHMENT_COPY_H

#include "milter/filter.h"

enum rc copy_send(const struct job *job, const char *server,
    struct slice mailbox, struct slice *why_r);
enum rc copy_letter(const struct job *job, const char *server,
    const struct slice *mailboxes, size_t n, struct slice letter, bool body8,
    struct slice *why_r);

#endif
