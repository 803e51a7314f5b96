/*
 * tap - what a test in C says
 *
 * Each check prints one TAP line and, when it fails, what was wanted and what
 * came. tap_done() prints the plan and gives main its exit status. tap_data()
 * is the folder of shared mail data, or NULL where it is absent: then
 * tap_skip() says so aloud. tap_worked() is for tests that something is not
 * quadratic: milliseconds of processor time that this thread has had, which
 * does not depend on what else the machine does.
 */
#ifndef T_TAP_H
#define T_TAP_H

#include "base/slice.h"

bool tap_ok(bool good, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool tap_is_int(long long got, long long want, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool tap_is(struct slice got, struct slice want, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool tap_is_str(const char *got, const char *want, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void tap_diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tap_skip(unsigned n, const char *why);
int tap_done(void);
int64_t tap_worked(void);

/* $GATEHOUSE_DATA, else ../shared/data seen from the source tree. */
const char *tap_data(void);
/* The source tree: $GATEHOUSE_SRC, else the working directory. */
const char *tap_src(void);
/* A whole file on the heap; the test fails and ends when it cannot be read. */
struct slice tap_file(const char *path);

#endif
