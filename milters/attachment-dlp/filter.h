/*
 * attachment_filter - what may come in, what must not go out
 *
 * Attachments by what they are, and what is told to people outside: steps of
 * decide.h.
 */
#ifndef ATTACHMENT_FILTER_H
#define ATTACHMENT_FILTER_H

#include "milter/filter.h"

extern const struct filter attachment_filter;

#endif
