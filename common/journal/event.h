/*
 * event - one event of a journal, read
 *
 * Whoever reads journals (gatehouse explain, dmarc-report, gatehouse-track)
 * reads them by this: keys are flat, values are text unless doc/journal says
 * otherwise. Uses jansson, so programs that include it link it.
 *
 * event_read	NULL for what is no JSON object. Values may hold NULs; of two
 *		equal keys the last counts. json_decref gives it back
 * event_text	the text of a key; empty when it is absent or no text. Borrowed
 * event_int	the number of a key, or `none`
 * event_item	text number i of a list; SLICE_NONE behind its end
 * event_named	is this the event's message? name: its queue id, its identity,
 *		its Message-ID (without brackets) or the id of its object; or,
 *		where no message was the cause, the client's address
 */
#ifndef JOURNAL_EVENT_H
#define JOURNAL_EVENT_H

#include <jansson.h>

#include "base/slice.h"

json_t *event_read(struct slice line);
struct slice event_text(const json_t *event, const char *key);
int64_t event_int(const json_t *event, const char *key, int64_t none);
struct slice event_item(const json_t *event, const char *key, size_t i);
/* Without its brackets. */
struct slice event_message_id(const json_t *event);
bool event_named(const json_t *event, struct slice name);

#endif
