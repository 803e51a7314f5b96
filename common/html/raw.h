/*
 * raw - where the content of script, style, title and their like ends
 *
 * For html.c. html_raw_end gives how many bytes of s, which stands behind the
 * start tag, are content: up to its end tag, or all of them.
 */
#ifndef HTML_RAW_H
#define HTML_RAW_H

#include "html/tag.h"

size_t html_raw_end(struct slice s, enum html_tag tag, struct slice name);

#endif
