/*
 * figures - times that were measured, and what they come to
 *
 * figures_add	one time in microseconds
 * figures_at	the time that this share (0..1) of all did not exceed, in
 *		milliseconds; 0 when there are none. Sorts what is there
 * figures_print	lines "NAME_p50 ms", _p95, _p99 and _max on stdout
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>

struct figures {
	int64_t *us;
	size_t count, cap;
};

void figures_add(struct figures *f, int64_t us);
double figures_at(struct figures *f, double share);
void figures_print(struct figures *f, const char *name);

#endif
