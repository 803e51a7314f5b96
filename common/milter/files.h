/*
 * files - what a message leaves in the store for those who get it
 *
 * A filter that puts links in place of attachments (plan_file) has edits that
 * are worth nothing before the files are there. So each is an object of its own
 * (OBJECT_FILE, store/object.h), durable before the first edit goes out; where
 * one cannot be written the message is answered 451, and unchanged.
 *
 * files_settle	what the plan's files mean, once it is known who gets the
 *		message. Without a store, or with nobody who gets it, there are
 *		none: the first is trouble of ours. Pure
 * files_write	NULL when all are durable, else why not, for the log. What was
 *		written before a failure stays: the message that comes again
 *		gives the same names, and one that does not leaves what expires
 */
#ifndef MILTER_FILES_H
#define MILTER_FILES_H

#include "milter/hold.h"

void files_settle(struct session *s, const struct job *job,
    struct outcome *out, const struct verdict *each);
const char *files_write(struct session *s, struct outcome *outs, size_t n);

#endif
