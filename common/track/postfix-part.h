/* Pieces that the files of postfix.c share; nobody else includes this. */
#ifndef TRACK_POSTFIX_PART_H
#define TRACK_POSTFIX_PART_H

#include "track/postfix.h"

/* Takes text from the head of *rest, if it stands there. */
bool part_skip(struct slice *rest, struct slice text);
/* Takes what stands before end, and end. */
bool part_until(struct slice *rest, struct slice end, struct slice *before_r);
/* An address and the '>' behind it: one within a quoted local part is none.
 * Where quotes do not close, the first '>' counts. */
bool part_address(struct slice *rest, struct slice *address_r);
/* Where needle stands last; s.len: nowhere. */
size_t part_last(struct slice s, struct slice needle);
void part_client(struct slice s, struct postfix_line *l);

/* "reject: RCPT from a[b]: 554 ...; from=<> to=<> proto=P helo=<h>" and all
 * its kin of smtpd, cleanup and postscreen (postfix-checked.c). */
enum postfix_kind part_checked(struct slice s, struct postfix_line *l);

#endif
