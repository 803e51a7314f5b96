/* What the verbs quarantine and store share: asking gatehouse-store. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "store/bytes.h"
#include "text/utf8.h"
#include "tools/quarantine.h"
#include "tools/tracked.h"
#include "tools/verb.h"

int
asking_state(struct asking *q)
{
	return tracked_state(q->config, q->state, &q->state, q->a);
}

int
asking_open(struct asking *q, int64_t ms)
{
	int status = asking_state(q);
	struct slice why;

	if (status != EX_OK)
		return status;
	if (ask_open(arena_printf(q->a, "%s/store/sock", q->state).ptr, ms,
	    &q->ask, q->a, &why) == RC_OK)
		return EX_OK;
	return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
}

void
asking_begin(struct asking *q, const char *op)
{
	buf_clear(&q->out);
	json_init(&q->w, &q->out);
	json_begin_object(&q->w);
	json_put_int(&q->w, "v", 1);
	json_put(&q->w, "op", slice_of(op));
}

/* Absent (NULL) asks for nothing. */
void
asking_put(struct asking *q, const char *key, const char *text)
{
	if (text == NULL)
		return;
	json_key(&q->w, key);
	json_bytes(&q->w, slice_of(text));
}

int
asking_ask(struct asking *q)
{
	struct slice line, why;

	json_end(&q->w);
	if (ask_line(q->ask, buf_slice(&q->out), &line, &why) != RC_OK)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	json_decref(q->answer);
	q->answer = json_loadb(line.ptr, line.len, JSON_ALLOW_NUL, NULL);
	if (json_is_true(json_object_get(q->answer, "ok")))
		return EX_OK;
	return verb_fails(strcmp(asking_text(q, q->answer, "error"),
	    "trouble") == 0 ? EX_TEMPFAIL : EXIT_UNEXPECTED, "%s%s%s",
	    asking_text(q, q->answer, "error"), asking_get(q, q->answer,
	    "why").len > 0 ? ": " : "", asking_text(q, q->answer, "why"));
}

void
asking_close(struct asking *q)
{
	json_decref(q->answer);
	ask_close(q->ask);
	buf_free(&q->out);
}

struct slice
asking_get(struct asking *q, const json_t *from, const char *key)
{
	struct slice s = SLICE("");

	json_get_bytes(json_object_get(from, key), q->a, &s);
	return s;
}

const char *
asking_text(struct asking *q, const json_t *from, const char *key)
{
	struct slice rest = asking_get(q, from, key);
	struct buf out = buf_in(q->a);
	uint32_t cp;

	while (utf8_next(&rest, &cp)) {
		char text[4];

		if (cp == UTF8_BAD)
			cp = 0xfffd;
		if (utf8_control(cp) || utf8_bidi(cp) || utf8_unseen(cp))
			buf_addf(&out, "\\u{%X}", (unsigned)cp);
		else
			buf_add(&out, slice_make(text, utf8_put(text, cp)));
	}
	buf_addc(&out, '\0');
	return out.ptr;
}
