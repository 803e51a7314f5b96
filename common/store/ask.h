/*
 * ask - asks gatehouse-store at its control socket
 *
 * For the verbs of gatehouse(1), for digests, for the portal: one request, one
 * answer, both a line of JSON (services/store/control.h says what may be
 * asked); behind the answer to "raw" come the bytes of a message.
 *
 * ask_open	RC_RETRY with *why_r: nobody listens, or not to us
 * ask_line	sends the request (without its newline) and reads the answer,
 *		which lives until the next call. RC_RETRY with *why_r: hung up,
 *		too slow, or longer than ASK_ANSWER
 * ask_bytes	the next bytes behind an answer, at most `most`, until the next
 *		call. Empty: the end came before
 * ask_close	NULL is allowed
 *
 * Blocks for at most the time that was given to ask_open, each call. One
 * thread at a time.
 */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum { ASK_ANSWER = 64 << 20 };

struct ask;

enum rc ask_open(const char *path, int64_t ms, struct ask **ask_r,
    struct arena *a, struct slice *why_r);
enum rc ask_line(struct ask *ask, struct slice request,
    struct slice *answer_r, struct slice *why_r);
enum rc ask_bytes(struct ask *ask, uint64_t most, struct slice *bytes_r,
    struct slice *why_r);
void ask_close(struct ask *ask);

#endif
