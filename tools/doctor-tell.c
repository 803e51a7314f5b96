#include <string.h>

#include "conf/conf.h"
#include "text/json.h"
#include "tools/doctor.h"
#include "tools/verb.h"

static const char *const names[] = {
	[DOCTOR_OK] = "ok", [DOCTOR_INFO] = "info",
	[DOCTOR_WARNING] = "warning", [DOCTOR_CRITICAL] = "critical",
	[DOCTOR_UNKNOWN] = "unknown",
};

enum { NSEVERITIES = sizeof names / sizeof names[0] };

const char *
doctor_severity_name(enum doctor_severity s)
{
	return names[s];
}

/* What a machine that is watched is told: a fault counts more than what could
 * not be looked at. */
static int
weight(enum doctor_severity s)
{
	switch (s) {
	case DOCTOR_CRITICAL: return 3;
	case DOCTOR_WARNING: return 2;
	case DOCTOR_UNKNOWN: return 1;
	default: return 0;
	}
}

static enum doctor_severity
worst_of(const struct doctor_report *r)
{
	enum doctor_severity worst = DOCTOR_OK;

	for (size_t i = 0; i < r->nfindings; i++)
		if (weight(r->findings[i].severity) > weight(worst))
			worst = r->findings[i].severity;
	return worst;
}

enum doctor_severity
doctor_worst(const struct doctor_report *reports, size_t count)
{
	enum doctor_severity worst = DOCTOR_OK;

	for (size_t i = 0; i < count; i++)
		if (weight(worst_of(&reports[i])) > weight(worst))
			worst = worst_of(&reports[i]);
	return worst;
}

/* The line that a monitoring system shows: state, and how many of what. */
static void
add_summary(struct buf *out, const struct doctor_report *reports, size_t count)
{
	static const enum doctor_severity order[] = { DOCTOR_CRITICAL,
	    DOCTOR_WARNING, DOCTOR_UNKNOWN, DOCTOR_INFO };
	static const char *const states[] = { "OK", "OK", "WARNING",
	    "CRITICAL", "UNKNOWN" };
	size_t n[NSEVERITIES] = { 0 }, all = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t f = 0; f < reports[i].nfindings; f++, all++)
			n[reports[i].findings[f].severity]++;
	buf_addf(out, "gatehouse doctor %s: %zu checks",
	    states[doctor_worst(reports, count)], count);
	if (all == 0)
		buf_adds(out, ", nothing to mend");
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (n[order[i]] > 0)
			buf_addf(out, ", %zu %s", n[order[i]],
			    names[order[i]]);
	buf_addc(out, '\n');
}

/* A text of several lines stays one entry: the others stand below the first. */
static void
add_text(struct buf *out, struct arena *a, const char *label,
    struct slice text)
{
	struct slice line;

	text = verb_safe(a, text);
	while (slice_line(&text, &line)) {
		buf_addf(out, "    %-5s ", label);
		buf_add(out, line);
		buf_addc(out, '\n');
		label = "";
	}
}

static void
add_finding(struct buf *out, const struct doctor_report *r,
    const struct doctor_finding *f)
{
	buf_addf(out, "%s %s.%s: ", names[f->severity], r->check->id, f->id);
	buf_add(out, verb_safe(r->arena, f->what));
	buf_addc(out, '\n');
	add_text(out, r->arena, "why", slice_of(f->why));
	add_text(out, r->arena, "type", f->type);
}

void
doctor_text(struct buf *out, const struct doctor_report *reports, size_t count,
    bool verbose)
{
	add_summary(out, reports, count);
	for (size_t i = 0; i < count; i++) {
		const struct doctor_report *r = &reports[i];

		if (verbose)
			buf_addf(out, "%s %s: %s\n", names[worst_of(r)],
			    r->check->id, r->check->looks);
		if (verbose)
			add_text(out, r->arena, "saw", buf_slice(&r->saw));
		for (size_t f = 0; f < r->nfindings; f++)
			add_finding(out, r, &r->findings[f]);
		if (r->more > 0)
			buf_addf(out, "%s: and %zu more\n", r->check->id,
			    r->more);
	}
}

static void
json_findings(struct json *w, const struct doctor_report *r)
{
	json_key(w, "findings");
	json_begin_array(w);
	for (size_t i = 0; i < r->nfindings; i++) {
		const struct doctor_finding *f = &r->findings[i];

		json_begin_object(w);
		json_put(w, "id", arena_printf(r->arena, "%s.%s",
		    r->check->id, f->id));
		json_put(w, "severity", slice_of(names[f->severity]));
		json_put(w, "what", f->what);
		json_put(w, "why", slice_of(f->why));
		json_put(w, "type", f->type);
		json_end(w);
	}
	json_end(w);
}

static void
json_saw(struct json *w, const struct doctor_report *r)
{
	struct slice rest = buf_slice(&r->saw), line;

	json_key(w, "saw");
	json_begin_array(w);
	while (slice_line(&rest, &line))
		json_text(w, line);
	json_end(w);
}

void
doctor_json(struct buf *out, const struct doctor_report *reports, size_t count)
{
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put(&w, "state", slice_of(names[doctor_worst(reports, count)]));
	json_key(&w, "checks");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(&w);
		json_put(&w, "check", slice_of(reports[i].check->id));
		json_put(&w, "looks", slice_of(reports[i].check->looks));
		json_put(&w, "state", slice_of(names[worst_of(&reports[i])]));
		json_findings(&w, &reports[i]);
		json_put_int(&w, "more", (int64_t)reports[i].more);
		json_saw(&w, &reports[i]);
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_addc(out, '\n');
}

static void
json_list(struct buf *out, const struct doctor_check *const *list,
    size_t count)
{
	struct json w;

	json_init(&w, out);
	json_pretty(&w);
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		const struct doctor_kind *k = list[i]->kinds;

		json_begin_object(&w);
		json_put(&w, "check", slice_of(list[i]->id));
		json_put(&w, "looks", slice_of(list[i]->looks));
		json_key(&w, "findings");
		json_begin_array(&w);
		for (; k->id != NULL; k++) {
			json_begin_object(&w);
			json_put(&w, "id", slice_of(k->id));
			json_put(&w, "severity",
			    slice_of(names[k->severity]));
			json_put(&w, "why", slice_of(k->why));
			json_end(&w);
		}
		json_end(&w);
		json_end(&w);
	}
	json_end(&w);
	buf_addc(out, '\n');
}

void
doctor_list(struct buf *out, const struct doctor_check *const *list,
    size_t count, bool json)
{
	if (json) {
		json_list(out, list, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct doctor_kind *k = list[i]->kinds;

		buf_addf(out, "%s: %s\n", list[i]->id, list[i]->looks);
		for (; k->id != NULL; k++)
			buf_addf(out, "    %-9s %s.%s: %s\n",
			    names[k->severity], list[i]->id, k->id, k->why);
	}
}

static void
manual_kind(struct buf *out, const struct doctor_kind *k)
{
	buf_adds(out, ".TP\n.BR ");
	conf_roff(out, slice_of(k->id));
	buf_addf(out, " \" (%s)\"\n", names[k->severity]);
	conf_roff(out, slice_of(k->why));
	buf_addc(out, '\n');
}

void
doctor_manual(struct buf *out, const struct doctor_check *const *list,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct doctor_kind *k = list[i]->kinds;

		buf_addf(out, ".SS %s\n", list[i]->id);
		/* "Speaks to each milter ..." */
		buf_addc(out, (char)(list[i]->looks[0] - ('a' - 'A')));
		conf_roff(out, slice_of(list[i]->looks + 1));
		buf_adds(out, ".\n");
		for (; k->id != NULL; k++)
			manual_kind(out, k);
	}
}
