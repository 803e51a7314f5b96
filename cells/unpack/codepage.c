#include "cells/unpack/codepage.h"

#include <errno.h>
#include <iconv.h>

#include "text/utf8.h"

static struct {
	unsigned number;
	const char *name;
	iconv_t to;			/* NULL: not prepared */
} pages[] = {
	{ 1252, "CP1252", NULL }, { 1250, "CP1250", NULL },
	{ 1251, "CP1251", NULL }, { 1253, "CP1253", NULL },
	{ 1254, "CP1254", NULL }, { 1255, "CP1255", NULL },
	{ 1256, "CP1256", NULL }, { 1257, "CP1257", NULL },
	{ 1258, "CP1258", NULL }, { 874, "CP874", NULL },
	{ 437, "CP437", NULL }, { 850, "CP850", NULL },
	{ 852, "CP852", NULL }, { 866, "CP866", NULL },
	{ 932, "CP932", NULL }, { 936, "GB18030", NULL },
	{ 949, "CP949", NULL }, { 950, "CP950", NULL },
	{ 1361, "JOHAB", NULL }, { 10000, "MACINTOSH", NULL },
	{ 65001, "UTF-8", NULL },
};

enum { PAGES = sizeof pages / sizeof pages[0], PIECE = 1024 };

#define NONE	((iconv_t)-1)

void
codepage_prepare(void)
{
	for (size_t i = 0; i < PAGES; i++)
		if (pages[i].to == NULL)
			pages[i].to = iconv_open("UTF-8", pages[i].name);
}

static iconv_t
converter(unsigned codepage)
{
	for (size_t i = 0; i < PAGES; i++)
		if (pages[i].number == codepage)
			return pages[i].to != NULL ? pages[i].to : NONE;
	return codepage != pages[0].number ? converter(pages[0].number) : NONE;
}

static void
each_byte(struct sink *sink, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len && !sink_full(sink); i++)
		sink_put(sink, (unsigned char)bytes.ptr[i]);
}

void
codepage_text(struct sink *sink, unsigned codepage, struct slice bytes)
{
	iconv_t to = converter(codepage);
	char *in = (char *)(uintptr_t)bytes.ptr, piece[PIECE];
	size_t left = bytes.len;

	if (to == NONE) {
		each_byte(sink, bytes);
		return;
	}
	iconv(to, NULL, NULL, NULL, NULL);
	while (left > 0 && !sink_full(sink)) {
		char *out = piece;
		size_t room = sizeof piece;
		size_t rc = iconv(to, &in, &left, &out, &room);

		sink_add(sink, slice_make(piece, sizeof piece - room));
		if (rc != (size_t)-1 || errno == E2BIG)
			continue;
		/* A byte that means nothing there. */
		sink_put(sink, UTF8_BAD);
		in++;
		left--;
	}
}
