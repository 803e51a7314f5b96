/*
 * css - what of CSS matters here: URLs, declarations, colours, lengths
 *
 * css_word	is `word` (lower case ASCII) next? Then it is taken. Escapes of
 *		CSS are read (\75 rl)
 * css_url	the next url() or @import "": bytes [*from_r, *end_r) of what c
 *		reads; *quote_r its quote or '\0'. Comments and strings are
 *		passed over. False at the end
 * css_next	takes the next "name: value" of a style attribute, in *decl,
 *		from *rest: name and value trimmed, "!important" cut off.
 *		Declarations without a colon are passed over. References are
 *		decoded before
 * css_colour	0xRRGGBB; false: none, or one that we do not know. CSS_CLEAR
 *		for transparent
 * css_length	in thousandths of a pixel; *relative_r for %, em and others
 *		that are parts of something. False: no number. Units of print
 *		are taken as CSS says (96 px an inch)
 */
#ifndef HTML_CSS_H
#define HTML_CSS_H

#include "html/chars.h"

#define CSS_CLEAR	UINT32_C(0x1000000)

struct css_decl {
	struct slice name, value;
};

bool css_word(struct html_chars *c, const char *word);
bool css_url(struct html_chars *c, size_t *from_r, size_t *end_r,
    char *quote_r);
bool css_next(struct slice *rest, struct css_decl *decl);
bool css_colour(struct slice value, uint32_t *rgb_r);
bool css_length(struct slice value, int64_t *length_r, bool *relative_r);
/* The next word of a value, parentheses kept together. */
bool css_token(struct slice *rest, struct slice *token_r);

#endif
