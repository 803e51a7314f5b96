/*
 * split - recipients who need different forms
 *
 * A milter has one body for all recipients. Where their form classes differ
 * (forms.h), the message goes twice through the chain. In the first pass
 * filters decide and nobody edits; each puts the mark on the message, and
 * Postfix (milter_header_checks) hands it after the queue to the splitter,
 * which gives it back once for each class, on a listener of its own: the second
 * pass, where filters edit, refuse nothing and count nothing.
 *
 * The mark is one header field, X-Gatehouse-Split: the seal (seal.h), encrypted
 * and under a MAC (AES-256-GCM, a key made of seal_key). A bounce shows it to
 * the sender, so nothing can be read in it. It is bound to its pass, and in
 * the first to the queue id; in the second it is fresh for SPLIT_FRESH seconds
 * and counts only on the listener that calls itself SPLIT_DAEMON.
 *
 * split_write	the field's body, folded, leading space included. RC_BAD: it
 *		would be too large (the caller answers 4xx)
 * split_read	RC_OK: a mark of that pass (and queue id; SLICE_NONE: any).
 *		RC_BAD: anything else
 *
 * split_listener	is this session of the second pass?
 * split_open	all marks are removed with `edits`. In the second pass the first
 *		filter takes over what a valid one says: true
 * split_begin	the first filter of the first pass, when it knows who the
 *		message is for: do the recipients need different forms? NULL,
 *		or our trouble
 * split_second	the first filter of the second pass: are the recipients of one
 *		class still? NULL, or our trouble
 * split_first	is this the first pass of a message that will be split?
 * split_pass	1 or 2; 0 where nothing is split
 * split_aside	what the filter would have changed is not changed in the first
 *		pass. Who is kept back stays so, and who is added is added: in
 *		the second a filter adds nobody (job->pass)
 * split_passed	in the second pass: a filter that edits nothing has decided in
 *		the first
 * split_softly	no verdict of the second pass refuses, and what was let go by
 *		hand after the first is not held again
 * split_close	puts the mark on; false when it does not fit
 */
#ifndef MILTER_SPLIT_H
#define MILTER_SPLIT_H

#include "milter/seal.h"

#define SPLIT_FIELD	"X-Gatehouse-Split"
#define SPLIT_DAEMON	"SPLIT"

enum {
	SPLIT_MAX = 72 * 1000,		/* Postfix cuts fields at 102400 */
	SPLIT_FRESH = 900,		/* seconds */
};

struct outcome;
struct session;

enum rc split_write(const struct seal *seal, const struct seal_key *key,
    struct arena *a, struct slice *body_r);
enum rc split_read(struct slice body, unsigned pass, struct slice queue_id,
    const struct seal_key *key, struct arena *a, struct seal *seal_r);

bool split_listener(const struct session *s);
bool split_open(struct session *s, struct patches *edits, bool sealed);
const char *split_begin(struct session *s);
const char *split_second(struct session *s);
bool split_first(const struct session *s);
unsigned split_pass(const struct session *s);
void split_aside(const struct session *s, struct plan *plan);
bool split_passed(const struct session *s, size_t instance);
void split_softly(struct session *s, struct plan *plan);
bool split_close(struct session *s, struct patches *edits);

#endif
