#include "milter/filter.h"

struct slice
job_finding(const struct job *job, struct slice filter, struct slice key)
{
	for (size_t i = 0; i < job->nfindings; i++)
		if (slice_eq(job->findings[i].filter, filter) &&
		    slice_eq(job->findings[i].key, key))
			return job->findings[i].value;
	return SLICE_NONE;
}
