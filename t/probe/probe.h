/*
 * probe - a filter for tests: each message says what is to be done with it
 *
 * Each header field X-Probe holds words: accept, reject, tempfail, discard,
 * hold, mixed (holds for the first recipient only), trouble (ask fails), late
 * (ask outlasts its deadline), crash (the process dies), append (a field at
 * the end), insert (one at the top), change (X-Change gets another value),
 * delete (all X-Delete go), body (each "probe" becomes "PROBE!"), empty (the
 * body goes), grow (the body doubles), sender, recipient, finding,
 * forbidden (an edit that its table does not allow), hang (ask never comes
 * back).
 *
 * cause:spam is the cause of hold or discard. hold:ADDRESS, discard:ADDRESS,
 * reject:, tempfail:, accept: are the verdict for one recipient, with :CAUSE
 * behind it or without. FILTER/word is for that filter alone, second/word
 * for the second pass of a message that is split.
 *
 * Beside that it does what is set for recipients: verdict for each, mark and
 * strip as for the first of them.
 *
 * `probe` reads the body, `probe-head` only header fields. `probe-light' reads
 * the body unless X-Probe says skip.
 */
#ifndef T_PROBE_H
#define T_PROBE_H

#include "milter/filter.h"

extern const struct filter probe_filter;
extern const struct filter probe_head_filter;
extern const struct filter probe_light_filter;

#endif
