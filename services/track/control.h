/*
 * control - what gatehouse(1) asks the running daemon for
 *
 * STATE/track/control is a unix socket; root and our own user may speak to it.
 * One line of JSON in, one out, and it is closed:
 *
 *	{"verb":"may-forget","address":"a@b"}	does no legal hold cover it?
 *	{"verb":"forget","address":"a@b"}
 *	{"verb":"hello"}			{"ok":true}: it is there
 *	{"ok":true,"messages":1,"recipients":2,...}
 *	{"ok":false,"held":true,"why":"..."}
 *
 * One request at a time; the next one waits in the kernel's queue.
 *
 * track_control_open
 *		listens; RC_RETRY with *why_r
 * control_step	goes on with a request that takes several steps; true: there
 *		is one. Between batches only
 */
#ifndef TRACK_CONTROL_H
#define TRACK_CONTROL_H

#include "base/rc.h"
#include "daemon/loop.h"
#include "services/track/feed.h"

struct control;

enum rc track_control_open(struct control **control_r, const char *folder,
    struct loop *loop, struct feed *feed, struct arena *a,
    struct slice *why_r);
bool control_step(struct control *c);
void track_control_close(struct control *c);

#endif
