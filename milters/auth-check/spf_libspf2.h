/*
 * spf_libspf2 - the same question, put to libspf2
 *
 * Restartable like spf_check(): a lookup that is pending ends the evaluation.
 * Debian 12's libspf2 is no correct SPF evaluator (no limit of void lookups,
 * "neutral" for long records, lost letters in %{d2}; t/auth-check-libspf2.c
 * lists what differs) and lacks the fix for CVE-2023-42118: for sites that
 * must use it, and as a second opinion in tests.
 *
 * Its errors become temperror where DNS was the reason, else permerror. It
 * does not say which mechanism decided nor what it counted: those are empty
 * and 0. The domain's explanation is left out, for it puts '%' where blanks
 * stood and expands only some macros. It asks one question at a time and never
 * looks ahead.
 */
#ifndef AUTH_CHECK_SPF_LIBSPF2_H
#define AUTH_CHECK_SPF_LIBSPF2_H

#include "spf.h"

spf_evaluate spf_libspf2_check;

#endif
