/*
 * pdf_text - what a PDF says: the text that its pages show
 *
 * pdf_text	the text of each page and form, in the order of the objects, of
 *		notes, of fields that were filled in, of title and keywords;
 *		UTF-8, at most max bytes. False: not all of it could be read (a
 *		font that does not say what its glyphs mean, a filter that
 *		nobody here knows, a limit)
 *
 * Text is told in the order in which it is drawn; where it moves to another
 * place a blank or a line end stands. What a font means is what its ToUnicode
 * map says, else its encoding. Pictures of text are no text.
 */
#ifndef CELLS_PDF_TEXT_H
#define CELLS_PDF_TEXT_H

#include "base/buf.h"
#include "cells/unpack/pdf_object.h"

bool pdf_text(struct pdf *pdf, size_t max, struct buf *out);

#endif
