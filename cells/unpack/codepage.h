/*
 * codepage - text of one of Windows' code pages, as UTF-8
 *
 * codepage_prepare	opens all that there are: iconv(3) reads files for that,
 *			and behind the cell's walls there are none. Once, before
 *			any thread; what cannot be opened is read as 1252
 * codepage_text	adds the bytes to the sink; a code page that nobody here
 *			knows is read as 1252
 *
 * Not thread-safe: a worker of a cell has one thread.
 */
#ifndef CELLS_UNPACK_CODEPAGE_H
#define CELLS_UNPACK_CODEPAGE_H

#include "cells/unpack/sink.h"

void codepage_prepare(void);
void codepage_text(struct sink *sink, unsigned codepage, struct slice bytes);

#endif
