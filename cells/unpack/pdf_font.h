/*
 * pdf_font - what the codes of a font mean
 *
 * pdf_font_read	of a font's dictionary
 * pdf_font_put		a shown string, decoded to bytes, as UTF-8. False: some
 *			of it has no meaning that the font tells
 */
#ifndef CELLS_PDF_FONT_H
#define CELLS_PDF_FONT_H

#include "base/buf.h"
#include "cells/unpack/pdf_object.h"

struct pdf_range {
	uint32_t low, high;
	uint32_t cp;			/* of low; 0: text */
	struct slice text;		/* several characters; UTF-8 */
};

struct pdf_font {
	struct pdf_range *ranges;	/* of ToUnicode, in order of low */
	size_t nranges, cap;
	bool wide;			/* two bytes a code */
	bool mute;			/* nobody can tell what it means */
	const char *names[256];		/* by Differences; else NULL */
	bool named;
};

void pdf_font_read(struct pdf *pdf, struct slice dictionary,
    struct pdf_font *font_r);
bool pdf_font_put(const struct pdf_font *font, struct slice bytes,
    struct buf *out);
/* A string as it is written, "(...)" or "<...>", as bytes. */
void pdf_string(struct slice written, struct buf *out);
/* The bytes of a string for people (title, note): UTF-16 behind its mark, else
 * as they are. */
void pdf_words(struct slice bytes, struct buf *out);

#endif
