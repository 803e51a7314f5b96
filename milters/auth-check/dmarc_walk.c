#include "dmarc_walk.h"
#include "spf_name.h"

/* Not to be asked for: it does not exist. */
static bool
ask_txt(const struct walk_resolver *w, struct slice domain,
    struct dns_answer *answer_r)
{
	struct slice name = arena_printf(w->arena, "_dmarc.%.*s",
	    SLICE_ARG(domain));

	*answer_r = (struct dns_answer){ .status = DNS_NXDOMAIN };
	if (!spf_askable(name))
		return true;
	return w->lookup(w->arg, name, DNS_TXT, answer_r);
}

void
walk_ask(const struct walk_resolver *w, struct slice domain,
    struct walk_step *step)
{
	struct dns_answer answer;

	*step = (struct walk_step){ .domain = domain };
	if (!ask_txt(w, domain, &answer)) {
		step->state = WALK_WAIT;
		return;
	}
	step->status = answer.status;
	if (answer.status == DNS_NXDOMAIN || answer.status == DNS_NODATA)
		return;
	if (answer.status != DNS_OK) {
		step->state = WALK_TEMP;
		return;
	}
	for (size_t i = 0; i < answer.count; i++) {
		struct slice txt = answer.records[i].data;

		if (!dmarc_record_is(txt))
			continue;
		if (++step->records == 1)
			dmarc_record_read(w->arena, txt, &step->record);
	}
}

static size_t
labels(struct slice s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == '.';
	return n;
}

static struct slice
parent(struct slice s)
{
	return slice_after(s, slice_find(s, '.') + 1);
}

/* 4.10, steps 3, 4 and 7. */
static struct slice
next_target(struct slice domain)
{
	size_t n = labels(domain);

	do
		domain = parent(domain);
	while (--n >= DMARC_WALK);
	return domain;
}

static bool
ends_walk(const struct walk_step *step)
{
	return step->records == 1 && step->record.psd != DMARC_PSD_U;
}

void
walk_up(const struct walk_resolver *w, struct slice domain, struct walk *walk)
{
	*walk = (struct walk){ .domain = domain };
	while (domain.len > 0 && walk->count < DMARC_WALK) {
		struct walk_step *step = &walk->steps[walk->count++];

		walk_ask(w, domain, step);
		if (walk->state == WALK_DONE) {
			walk->state = step->state;
			walk->failed = domain;
		}
		/* What is above counts in no case. */
		if (ends_walk(step))
			break;
		domain = next_target(domain);
	}
}

const struct walk_step *
walk_find(const struct walk *walk, struct slice domain)
{
	for (size_t i = 0; i < walk->count; i++)
		if (walk->steps[i].records == 1 &&
		    slice_eq(walk->steps[i].domain, domain))
			return &walk->steps[i];
	return NULL;
}

const struct walk_step *
walk_suffix(const struct walk *walk)
{
	for (size_t i = 1; i < walk->count; i++)
		if (walk->steps[i].records == 1 &&
		    walk->steps[i].record.psd == DMARC_PSD_Y)
			return &walk->steps[i];
	return NULL;
}

/* The domain one label below, on the way down to where the walk began. */
static struct slice
below(struct slice start, struct slice suffix)
{
	struct slice rest = slice_sub(start, 0, start.len - suffix.len - 1);
	size_t dot = slice_find_last(rest, '.');

	return dot < rest.len ? slice_after(start, dot + 1) : start;
}

struct slice
walk_organization(const struct walk *walk)
{
	struct slice org = walk->domain;

	for (size_t i = 0; i < walk->count; i++) {
		const struct walk_step *step = &walk->steps[i];

		if (step->records != 1)
			continue;
		if (i > 0 && step->record.psd == DMARC_PSD_Y)
			return below(walk->domain, step->domain);
		/* psd=n is where the walk ended; else the highest counts. */
		org = step->domain;
	}
	return org;
}

bool
walk_within(struct slice domain, struct slice above)
{
	size_t more = domain.len - above.len;

	if (above.len == 0 || !slice_ends(domain, above))
		return false;
	return more == 0 || domain.ptr[more - 1] == '.';
}

size_t
walk_common(struct slice a, struct slice b)
{
	size_t n = 0;

	while (a.len > 0 && b.len > 0) {
		size_t i = slice_find_last(a, '.'), j = slice_find_last(b, '.');
		struct slice x = i < a.len ? slice_after(a, i + 1) : a;
		struct slice y = j < b.len ? slice_after(b, j + 1) : b;

		if (!slice_eq(x, y))
			break;
		n++;
		a = i < a.len ? slice_sub(a, 0, i) : SLICE_NONE;
		b = j < b.len ? slice_sub(b, 0, j) : SLICE_NONE;
	}
	return n;
}
