/*
 * template-html - where in an HTML file are we? Only for template.c
 *
 * html_place_walk	goes on over a piece of the file
 * html_place_of	what a value at this place is; PLACE_NONE where none may
 *			stand, with a reason
 */
#ifndef NOTICE_TEMPLATE_HTML_H
#define NOTICE_TEMPLATE_HTML_H

#include "base/slice.h"

enum place { PLACE_NONE = 0, PLACE_PLAIN, PLACE_TEXT, PLACE_ATTRIBUTE,
    PLACE_URL, PLACE_URL_PART };

enum html_state { HTML_TEXT = 0, HTML_TAG, HTML_NAME, HTML_BEFORE_VALUE,
    HTML_VALUE, HTML_BARE, HTML_COMMENT, HTML_RAW };

struct html_place {
	enum html_state state;
	char quote;
	bool first;			/* nothing of the value yet */
	char tag[16], attribute[32];	/* lower case, cut */
	size_t tag_len, attribute_len;
	bool in_tag_name;
};

void html_place_walk(struct html_place *p, struct slice text);
enum place html_place_of(const struct html_place *p, const char **why_r);
/* Are both the same for what follows? */
bool html_place_same(const struct html_place *a, const struct html_place *b);

#endif
