/*
 * disclaimer_load - disclaimers as they are read once, and what is known of
 * them in advance; for disclaimer*.c
 *
 * disclaimer_print	appends what is compared of a text: letters and digits,
 *			ASCII in lower case and for what reads like ASCII
 * disclaimer_printed	the same of a disclaimer with these values
 * disclaimer_rendered	the text form (LF) or HTML form with these values; the
 *			HTML form may be made from the text
 */
#ifndef PREDELIVERY_DISCLAIMER_LOAD_H
#define PREDELIVERY_DISCLAIMER_LOAD_H

#include "disclaimer.h"
#include "notice/template.h"

struct disclaimer {
	struct slice name;
	struct template *text, *html;	/* html NULL: made from text */
	struct template_names *names;	/* what stands in it */
	struct slice prints[2];		/* of text and HTML; may be empty */
};

struct disclaimers {
	struct disclaimer *list;
	size_t n;
};

void disclaimer_print(struct slice utf8, struct buf *out);
struct slice disclaimer_printed(struct arena *a, const struct disclaimer *d,
    bool html, const struct disclaimer_values *values);
struct slice disclaimer_rendered(struct arena *a, const struct disclaimer *d,
    bool html, const struct disclaimer_values *values);

#endif
