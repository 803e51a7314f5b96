/*
 * pdf_object - objects of a PDF: where they are, what is in them
 *
 * pdf_index	finds each "N G obj" of the file, whatever its cross-reference
 *		table says, and what is in object streams; of several with one
 *		number the last one counts
 * pdf_at	the i-th object in the order of the file, and its dictionary
 * pdf_find	the object that a reference ("12 0 R") names; the value itself
 *		when it is none. Empty: there is none
 * pdf_get	the value of a key in a dictionary, as it is written (a
 *		reference is not followed); empty: not there
 * pdf_name_is	whether a name, without its slash, is that one
 * pdf_value	the value at the beginning of s, and *rest_r behind it; false
 *		at the end
 * pdf_stream	the bytes of an object's stream, decrypted and with its filters
 *		(pdf_filter.h) undone. *whole_r false: another filter, damaged,
 *		or too large
 * pdf_decrypted
 *		the bytes of a string that stands in that object's body
 *
 * A document that anybody can open (pdf_crypt.h) is read like any other;
 * pdf.crypt.lock is PDF_LOCKED where a password is wanted, and no object stream
 * was looked into then.
 *
 * Bounds: OBJECTS, and 64 MB for all streams of a document together.
 */
#ifndef CELLS_PDF_OBJECT_H
#define CELLS_PDF_OBJECT_H

#include "base/arena.h"
#include "base/slice.h"
#include "cells/unpack/pdf_crypt.h"

struct pdf_object {
	uint32_t number, order;
	struct slice body;		/* behind "obj", to "endobj" or so */
};

struct pdf {
	struct arena *arena;
	struct pdf_object *objects;	/* by number */
	size_t n, cap;
	struct slice bytes;
	struct pdf_crypt crypt;
	size_t left;			/* bytes of streams that may be read */
	bool whole;			/* nothing was left out */
};

void pdf_index(struct pdf *pdf, struct slice bytes, struct arena *a);
struct slice pdf_find(const struct pdf *pdf, struct slice value);
bool pdf_name_is(struct slice name, const char *key);
struct slice pdf_get(struct slice dictionary, const char *key);
bool pdf_value(struct slice s, struct slice *value_r, struct slice *rest_r);
struct slice pdf_stream(struct pdf *pdf, struct slice body, bool *whole_r);
struct slice pdf_decrypted(const struct pdf *pdf, struct slice body,
    bool string, struct slice bytes);

#endif
