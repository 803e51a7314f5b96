/*
 * office - the text of what office files are made of
 *
 * OOXML (docx, xlsx, pptx) and OpenDocument files are zip archives of XML; who
 * has the members (unpack/unpack.h) gets their text here.
 *
 * office_xml	is that XML? A declaration, or a root that is no HTML
 * office_text	what a reader sees of one member, UTF-8, at most max bytes in
 *		the arena. Runs of one paragraph are one text, however they are
 *		split; paragraphs, cells and rows end with a line or a tab.
 *		Behind it what he does not see at once: deleted text,
 *		instructions of fields, values behind shown figures, titles.
 *		Numbers that a sheet holds as 4.11E15 are written out. *cut_r:
 *		max was met. Comments and processing instructions are no text
 *
 * Not an XML parser: nothing is well-formed to it or not, entities that a
 * document declares itself are left as they are written. Pure; thread-safe;
 * linear.
 */
#ifndef CONTENT_OFFICE_H
#define CONTENT_OFFICE_H

#include "base/arena.h"

bool office_xml(struct slice bytes);
struct slice office_text(struct arena *a, struct slice bytes, size_t max,
    bool *cut_r);

#endif
