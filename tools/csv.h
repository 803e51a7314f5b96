/*
 * csv - values for people's spreadsheets (RFC 4180)
 *
 * csv_cell	a value and what follows it: a comma, or the end of the line.
 *		Always in quotes. Controls become blanks, bytes that are no
 *		UTF-8 become U+FFFD, and a value that a spreadsheet would take
 *		for a formula (= + - @, or a tab before them) gets a ' first
 * csv_row	a line of n names
 */
#ifndef TOOLS_CSV_H
#define TOOLS_CSV_H

#include "base/buf.h"

void csv_cell(struct buf *out, struct slice value, bool last);
void csv_row(struct buf *out, const char *const *names, int n);

#endif
