/*
 * judgement - what was judged, in words, for people and programs
 *
 * judgement_text	a line for each class, then the reasons
 * judgement_json	one JSON object: class, percent and reasons with weights
 * judgement_put	the same object as a value of a larger one
 *
 * Words of the message stand in the text as they are: who shows it on a
 * terminal makes it safe. JSON is valid whatever they are. Appends to out;
 * other memory is the arena's.
 */
#ifndef ANTISPAM_JUDGEMENT_H
#define ANTISPAM_JUDGEMENT_H

#include "decide.h"
#include "text/json.h"

void judgement_text(const struct antispam_answers *seen, struct buf *out);
void judgement_json(struct arena *a, const struct antispam_answers *seen,
    struct buf *out);
void judgement_put(struct arena *a, const struct antispam_answers *seen,
    struct json *w);

#endif
