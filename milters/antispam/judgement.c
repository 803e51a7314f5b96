#include "judgement.h"

void
judgement_text(const struct antispam_answers *seen, struct buf *out)
{
	for (int of = 0; of < CLASSES; of++)
		if (of == CLASS_SPAM || seen->percent[of] > 0)
			buf_addf(out, "%s with %u %%\n",
			    class_name((enum mail_class)of),
			    seen->percent[of]);
	if (seen->gray.kind != GRAYMAIL_NONE)
		buf_addf(out, "%.*s\n", SLICE_ARG(seen->gray.words));
	if (seen->gray.code)
		buf_adds(out, "with a code, or a link, that somebody waits "
		    "for\n");
	for (size_t i = 0; i < seen->nreasons; i++)
		buf_addf(out, "  %+6.2f  %.*s\n", seen->reasons[i].weight,
		    SLICE_ARG(seen->reasons[i].words));
	if (seen->missed.len > 0)
		buf_addf(out, "no answer from %.*s\n",
		    SLICE_ARG(seen->missed));
}

static void
put_reasons(struct json *w, struct arena *a,
    const struct antispam_answers *seen)
{
	json_key(w, "reasons");
	json_begin_array(w);
	for (size_t i = 0; i < seen->nreasons; i++) {
		json_begin_object(w);
		json_put(w, "weight", arena_printf(a, "%+.3f",
		    seen->reasons[i].weight));
		json_put(w, "words", seen->reasons[i].words);
		json_end(w);
	}
	json_end(w);
}

void
judgement_put(struct arena *a, const struct antispam_answers *seen,
    struct json *w)
{
	json_begin_object(w);
	json_put(w, "class", slice_of(class_name(antispam_class(seen))));
	json_put_int(w, "percent", seen->percent[CLASS_SPAM]);
	for (int of = CLASS_SPAM + 1; of < CLASSES; of++)
		json_put_int(w, class_name((enum mail_class)of),
		    seen->percent[of]);
	json_put(w, "kind", slice_of(graymail_name(seen->gray.kind)));
	json_put_bool(w, "code", seen->gray.code);
	json_put(w, "score", arena_printf(a, "%.3f", seen->score));
	put_reasons(w, a, seen);
	if (seen->missed.len > 0)
		json_put(w, "missed", seen->missed);
	json_end(w);
}

void
judgement_json(struct arena *a, const struct antispam_answers *seen,
    struct buf *out)
{
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	judgement_put(a, seen, &w);
	buf_addc(out, '\n');
}
