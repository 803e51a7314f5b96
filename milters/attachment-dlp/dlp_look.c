#include "dlp_look.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum {
	WORD_HITS = 1 << 20,		/* of one text, remembered */
	WORD_FAR = 300,			/* a word is no longer, as a rule */
	NEAR_WORK = 50 * 1000 * 1000,	/* of one message */
	CLOCK = 4096,			/* hits between two looks at it */
	PAUSE = 512 * 1024,		/* bytes, likewise */
	KEY = 16,			/* of a kind, in a key */
	TOLD = 5,			/* values in a line of the log */
};

/* A word that stands in the text, in the order in which they end. */
struct stand {
	uint32_t number;
	size_t at, end;
};

struct looking {
	const struct dlp_rules *rules;
	struct dlp_found *found;
	struct map **values;		/* by rule */
	unsigned char *seen[DLP_SETS];
	struct regex_scan *scan;
	struct arena *a;
	deadline_t until;
	uint64_t work;
	unsigned ticks;

	const struct dlp_text *text;	/* under way */
	struct stand *stands;
	size_t nstands, cap;
	bool crowded;			/* there were more */
};

static bool
late(struct looking *l)
{
	if (++l->ticks % CLOCK == 0 && deadline_left(l->until) == 0)
		l->found->late = true;
	return l->found->late;
}

/* ---- near ---- */

static bool
has_number(const struct dlp_words *w, unsigned number)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->numbers[mid] == number)
			return true;
		if (w->numbers[mid] < number)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* The first that ends at `at` or behind it. */
static size_t
first_behind(const struct looking *l, size_t at)
{
	size_t low = 0, high = l->nstands;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->stands[mid].end < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
near(struct looking *l, const struct dlp_rule *rule, size_t at, size_t end)
{
	size_t from = at > rule->within ? at - rule->within : 0;

	if (rule->context.n == 0 || l->crowded || l->work > NEAR_WORK)
		return true;
	for (size_t i = first_behind(l, from); i < l->nstands &&
	    l->stands[i].end <= end + rule->within + WORD_FAR; i++) {
		l->work++;
		if (l->stands[i].at <= end + rule->within &&
		    has_number(&rule->context, l->stands[i].number))
			return true;
	}
	return false;
}

/* ---- values ---- */

static bool
excepted(const struct dlp_rule *rule, struct slice value)
{
	size_t low = 0, high = rule->except.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = slice_cmp(value, rule->except.items[mid]);

		if (order == 0)
			return true;
		if (order > 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* True: nobody had it yet. */
static bool
new_value(struct looking *l, const struct dlp_rule *rule, const char *name,
    struct slice value)
{
	char key[KEY + FIND_VALUE] = { 0 };
	struct map **values = &l->values[rule->id];

	strncpy(key, name, KEY - 1);
	value = slice_sub(value, 0, FIND_VALUE);
	memcpy(key + KEY, value.ptr, value.len);
	if (*values == NULL)
		*values = map_new();
	return map_put(*values, slice_make(key, KEY + value.len), l) == NULL;
}

static void
take(struct looking *l, const struct dlp_rule *rule, const char *name,
    struct slice value, struct slice masked)
{
	struct dlp_result *r = &l->found->of[rule->id];
	struct dlp_hit *hit;

	if (excepted(rule, value) || r->values >= DLP_VALUES)
		return;
	if (new_value(l, rule, name, value))
		r->values++;
	if (r->nhits++ >= DLP_HITS)
		return;
	hit = arena_alloc(l->a, sizeof *hit);
	hit->name = name;
	hit->masked = arena_copy(l->a, masked);
	hit->where = l->text != NULL ? l->text->where : SLICE("message");
	*r->last = hit;
	r->last = &hit->next;
}

static bool
kind_wanted(const struct dlp_rule *rule, const struct find_hit *hit)
{
	return (rule->find & hit->what) != 0 && (hit->what != FIND_NATIONAL ||
	    rule->national.count == 0 || conf_list_has(&rule->national,
	    slice_of(hit->name)));
}

static void
take_number(struct looking *l, const struct find_hit *hit)
{
	char out[FIND_VALUE];

	for (unsigned i = 0; i < l->rules->n; i++) {
		const struct dlp_rule *rule = &l->rules->all[i];

		if (kind_wanted(rule, hit) &&
		    near(l, rule, hit->at, hit->at + hit->len))
			take(l, rule, hit->name, slice_make(hit->value,
			    hit->nvalue), find_mask(hit, out));
	}
}

/* Text that was made to be slow takes a tenth of a second from one look at the
 * clock to the next. */
static void
find_numbers(struct looking *l)
{
	unsigned what = l->rules->find & FIND_ALL;
	struct find_hit hit;
	struct finder f;

	if (what == 0)
		return;
	find_begin(&f, l->text->text, what);
	for (f.pause = PAUSE; !l->found->late; f.pause = f.pos + PAUSE) {
		while (!late(l) && find_next(&f, &hit))
			take_number(l, &hit);
		if (f.pos >= f.text.len)
			return;
		l->found->late |= deadline_left(l->until) == 0;
	}
}

static void
remember(struct looking *l, const struct words_hit *hit)
{
	if (l->nstands == WORD_HITS) {
		l->crowded = true;
		return;
	}
	if (l->nstands == l->cap) {
		l->cap = l->cap * 2 + 256;
		l->stands = mem_grow(l->stands, l->cap * sizeof *l->stands);
	}
	l->stands[l->nstands++] = (struct stand){ hit->number, hit->at,
	    hit->at + hit->len };
}

/* All words of the text first: any may be the context of another. */
static void
find_words(struct looking *l)
{
	struct words_scan scan;
	struct words_hit hit;

	l->nstands = 0;
	l->crowded = false;
	if (l->rules->words == NULL)
		return;
	words_begin(&scan, l->rules->words, l->text->text);
	while (!late(l) && words_next(&scan, &hit))
		remember(l, &hit);
}

static void
take_words(struct looking *l, const struct dlp_rule *rule,
    const struct dlp_words *words, const char *name)
{
	for (size_t i = 0; i < l->nstands && !late(l); i++) {
		const struct stand *s = &l->stands[i];
		struct slice word = l->rules->word_texts[s->number];

		if (has_number(words, s->number) &&
		    near(l, rule, s->at, s->end))
			take(l, rule, name, word, word);
	}
}

/* ---- regular expressions ---- */

static void
take_regex(struct looking *l, const struct dlp_rule *rule,
    const struct regex *regex)
{
	struct slice text = l->text->text, hit;
	enum regex_found found = REGEX_NONE;
	char out[FIND_VALUE];
	size_t at = 0;

	while (!late(l) && (found = regex_next(regex, l->scan, text, &at,
	    &hit)) == REGEX_HIT) {
		struct find_hit shown = { .what = 0, .name = "regex" };

		shown.nvalue = hit.len < FIND_VALUE ? hit.len : FIND_VALUE;
		memcpy(shown.value, hit.ptr, shown.nvalue);
		if (near(l, rule, at - hit.len, at))
			take(l, rule, "regex", hit, find_mask(&shown, out));
		if (l->found->of[rule->id].values >= DLP_VALUES)
			return;
	}
	if (found == REGEX_LIMIT)
		l->found->of[rule->id].undecided = true;
}

/* ---- a text ---- */

static void
look_at(struct looking *l)
{
	find_words(l);
	find_numbers(l);
	for (unsigned i = 0; i < l->rules->n; i++) {
		const struct dlp_rule *rule = &l->rules->all[i];

		if (rule->words.n > 0)
			take_words(l, rule, &rule->words, "word");
		if (rule->labels.n > 0 && l->text->label)
			take_words(l, rule, &rule->labels, "label");
		for (size_t k = 0; k < rule->nregexes; k++)
			take_regex(l, rule, rule->regexes[k].regex);
	}
	for (size_t i = 0; i < l->rules->nprints; i++)
		prints_seen(l->rules->prints[i], l->text->text, l->seen[i]);
}

static void
take_documents(struct looking *l, size_t number)
{
	const struct prints *set = l->rules->prints[number];
	size_t n = prints_documents(set);
	unsigned char *share = mem_alloc(n + 1);

	prints_share(set, l->seen[number], share);
	for (unsigned i = 0; i < l->rules->n; i++) {
		const struct dlp_rule *rule = &l->rules->all[i];

		if (rule->prints == NULL || rule->prints_number != number)
			continue;
		for (size_t k = 0; k < n; k++)
			if (share[k] >= rule->share)
				take(l, rule, "document", prints_name(set, k),
				    arena_printf(l->a, "%.*s (%u %%)",
				    SLICE_ARG(prints_name(set, k)),
				    share[k]));
	}
	free(share);
}

static void
end(struct looking *l)
{
	l->text = NULL;
	for (size_t i = 0; i < l->rules->nprints; i++)
		take_documents(l, i);
	for (unsigned i = 0; i < l->rules->n; i++) {
		struct dlp_result *r = &l->found->of[i];

		r->matched = r->values >= r->rule->at_least;
		if (l->values[i] != NULL)
			map_free(l->values[i]);
	}
	free(l->stands);
}

void
dlp_look(const struct dlp_rules *rules, const struct dlp_texts *texts,
    struct arena *a, deadline_t until, struct dlp_found *found_r)
{
	struct looking l = { .rules = rules, .found = found_r, .a = a,
	    .until = until, .scan = regex_scan_new(a) };

	*found_r = (struct dlp_found){ .n = rules->n };
	found_r->of = arena_array(a, rules->n + 1u, sizeof *found_r->of);
	l.values = arena_array(a, rules->n + 1u, sizeof (struct map *));
	for (unsigned i = 0; i < rules->n; i++) {
		found_r->of[i].rule = &rules->all[i];
		found_r->of[i].last = &found_r->of[i].hits;
	}
	for (size_t i = 0; i < rules->nprints; i++)
		l.seen[i] = arena_alloc(a, prints_bytes(rules->prints[i]));
	for (const struct dlp_text *t = texts->first; rules->n > 0 &&
	    t != NULL && !found_r->late; t = t->next) {
		l.text = t;
		look_at(&l);
		found_r->late |= deadline_left(until) == 0;
	}
	end(&l);
}

struct slice
dlp_told(struct arena *a, const struct dlp_result *r)
{
	struct buf out = buf_in(a);
	unsigned n = 0;

	buf_addf(&out, "%u value%s (", r->values, r->values == 1 ? "" : "s");
	for (const struct dlp_hit *h = r->hits; h != NULL && n < TOLD;
	    h = h->next, n++)
		buf_addf(&out, "%s%s %.*s", n > 0 ? ", " : "", h->name,
		    SLICE_ARG(slice_sub(h->masked, 0, 100)));
	buf_adds(&out, r->nhits > n ? ", ...)" : ")");
	return buf_slice(&out);
}
