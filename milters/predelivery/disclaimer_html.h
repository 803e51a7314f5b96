/*
 * disclaimer_html - where in a text/html part it goes
 *
 * For disclaimer.c: an offset between two tokens of the decoded text. Pure,
 * linear. False: there is no place where a reader would see it.
 *
 * What is quoted at the end, for DISCLAIMER_REPLY, begins with the first of
 *
 *	containers	blockquote with type=cite or a class of a quote, and the
 *			elements of mail clients around what they quote
 *			(gmail_quote, moz-cite-prefix, yahoo_quoted ...). When
 *			text of one's own follows behind it, as in an answer
 *			below or within, it was no quote at the end
 *	separators	Outlook's divRplyFwdMsg, appendonsend, its blue line,
 *			and "-----Original Message-----": all that follows is
 *			quoted
 *
 * The end is before the last </body>, or </html>, or the end of the text. Where
 * a reader would not see it there (an element that hides what is in it was not
 * closed), or it would be within a link, a table between cells, svg, a comment
 * or a script that is never closed, it is the last place before that is better.
 */
#ifndef PREDELIVERY_DISCLAIMER_HTML_H
#define PREDELIVERY_DISCLAIMER_HTML_H

#include "disclaimer.h"

bool disclaimer_html_spot(struct arena *a, struct slice text,
    enum disclaimer_place place, size_t *at_r);

#endif
