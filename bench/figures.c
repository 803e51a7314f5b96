#include "bench/figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

void
figures_add(struct figures *f, int64_t us)
{
	if (f->count == f->cap) {
		f->cap = f->cap > 0 ? f->cap * 2 : 256;
		f->us = mem_grow(f->us, f->cap * sizeof *f->us);
	}
	f->us[f->count++] = us;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The nearest rank: a time that was measured, none in between. */
double
figures_at(struct figures *f, double share)
{
	size_t rank;

	if (f->count == 0)
		return 0;
	qsort(f->us, f->count, sizeof *f->us, by_time);
	rank = (size_t)(share * (double)f->count + 0.999999);
	if (rank < 1)
		rank = 1;
	if (rank > f->count)
		rank = f->count;
	return (double)f->us[rank - 1] / 1000;
}

void
figures_print(struct figures *f, const char *name)
{
	printf("%s_p50 %.3f\n%s_p95 %.3f\n%s_p99 %.3f\n%s_max %.3f\n",
	    name, figures_at(f, 0.50), name, figures_at(f, 0.95),
	    name, figures_at(f, 0.99), name, figures_at(f, 1));
}
