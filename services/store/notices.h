/*
 * notices - the store daemon tells people
 *
 * Two threads. One makes notices of objects that came in, and summaries; the
 * other gives mails to Postfix. Both have data bases of their own and never
 * hold the vault. What is to be told is remembered as told in notices.db, so
 * objects that came in just before a kill are told at the next start, and none
 * is told twice.
 *
 * notices_start	opens notices.db and starts the threads
 * notices_stop		ends them; a mail that is being sent is waited for
 * notices_tell		an object came in: noted; told by the thread after. What
 *			waits for a second look is not told of before
 * notices_settled	it is known that it stays
 * notices_wake		which is for when the index has it
 * notices_enter	the state, for one who asks at the control socket;
 *			waits for others. notices_leave wakes the sender
 */
#ifndef STORE_NOTICES_H
#define STORE_NOTICES_H

#include "notice/notice.h"
#include "services/store/control.h"

struct store_notices;

enum rc notices_start(struct store *s, struct slice *why_r);
void notices_stop(struct store *s);
void notices_tell(struct store *s, const struct record *r);
void notices_settled(struct store *s, struct slice id);
void notices_wake(struct store *s);

struct db *notices_enter(struct store *s);
void notices_leave(struct store *s);
/* For work that takes long, which opens a handle of its own: the file, and
 * that there may be mails in it. */
const char *notices_path(struct store *s);
void notices_made(struct store *s);
/* Of who tries wrong tokens; between enter and leave. */
struct token_guard *notices_guard(struct store *s);

extern const struct operation notices_operations[];

#endif
