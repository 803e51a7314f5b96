#include "clue.h"

void
clues_open(struct clues *s, struct arena *a)
{
	*s = (struct clues){ .arena = a };
	s->last = &s->first;
}

void
clues_add(struct clues *s, const char *name, double weight,
    enum mail_class of, struct slice words)
{
	struct clue *clue = arena_alloc(s->arena, sizeof *clue);

	*clue = (struct clue){ NULL, name, weight, of, words };
	*s->last = clue;
	s->last = &clue->next;
	s->count++;
}

double
clues_sum(const struct clues *s)
{
	double sum = 0;

	for (const struct clue *i = s->first; i != NULL; i = i->next)
		sum += i->weight;
	return sum;
}

double
clues_of(const struct clues *s, enum mail_class of)
{
	double sum = 0;

	for (const struct clue *i = s->first; i != NULL; i = i->next)
		if (i->of == of)
			sum += i->weight;
	return sum;
}

const char *
class_name(enum mail_class of)
{
	static const char *const names[] = { "spam", "phishing", "fraud",
	    "graymail" };

	return of < CLASSES ? names[of] : "none";
}
