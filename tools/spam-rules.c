/* gatehouse spam rules: what they are, what they weigh, and which are met. */
#include <sysexits.h>

#include "tools/spam.h"

/* What a rule that is met alone adds to the score; NULL: no model. */
static double
weight_of(const struct spam_options *o, const struct spam_rule *rule,
    const struct model *model)
{
	struct features f = { .hash = arena_array(o->a, 1, sizeof *f.hash),
	    .family = arena_array(o->a, 1, 1) };

	if (rule->weighted || model == NULL)
		return rule->weight;
	features_add(&f, o->a, FAMILY_RULES, rule->name, rule->words);
	return model_reason(model, &f, 0) * (double)model->head.slope;
}

static void
print_rule(struct spam_options *o, const struct spam_rule *rule,
    const struct model *model)
{
	struct slice at = rule->field.len > 0 ? rule->field : SLICE("");

	buf_addf(&o->out, "%+6.2f%c %-22s %s%s%.*s%s%s: %.*s\n", weight_of(o,
	    rule, model), rule->weighted ? '=' : ' ', rule->name,
	    rule_where_name(rule->where), at.len > 0 ? ":" : "",
	    SLICE_ARG(at), rule->of != CLASS_SPAM ? ", " : "", rule->of !=
	    CLASS_SPAM ? class_name(rule->of) : "", SLICE_ARG(rule->words));
}

/* Those that --test's message meets, or all. */
static int
print_rules(struct spam_options *o, const struct model *model)
{
	struct spam_mail mail = { .hits = NULL };
	struct slice bytes;
	int status = o->test == NULL ? EX_OK : verb_read(o->test, o->a,
	    &bytes);

	if (status != EX_OK)
		return status;
	if (o->test != NULL)
		spam_read(o->a, bytes, o->rules, &mail);
	for (unsigned i = 0; i < o->rules->n; i++) {
		const struct spam_rule *rule = &o->rules->rule[i];

		if (mail.hits == NULL || mail.hits->met[i])
			print_rule(o, rule, model);
		else if (mail.hits->limited[i])
			buf_addf(&o->out, "limit   %-22s its regex needs too "
			    "many steps for this message\n", rule->name);
	}
	return verb_print(&o->out);
}

int
spam_rules_show(struct spam_options *o)
{
	struct model *model;
	struct slice why;
	int status;

	if (model_open(watch_path(o->own.model, o->house.state_directory, o->a),
	    &model, o->a, &why) != RC_OK)
		buf_addf(&o->out, "what is learned is shown as 0: %.*s\n",
		    SLICE_ARG(why));
	status = print_rules(o, model);
	model_close(model);
	return status;
}
