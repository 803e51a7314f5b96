/* gatehouse rules test: each rule and each condition, in words or in JSON. */
#include "text/json.h"
#include "tools/rules.h"
#include "tools/verb.h"

static const char *const truths[] = { "no", "yes", "undecided" };
static const char *const modes[] = { "shadow", "active", "off" };

static const char *
direction_name(unsigned bit)
{
	return bit == RULE_IN ? "in" : bit == RULE_OUT ? "out" : "internal";
}

struct telling {
	const struct rules_told *t;
	struct notes notes;
	struct buf *out;
	struct json *w;			/* NULL: in words */
	size_t recipient;
	bool ended;			/* the rules end here for him */
};

/* ---- conditions ---- */

static enum truth
truth_of(struct telling *g, const struct node *node)
{
	struct rule one = { .when = (struct node *)(uintptr_t)node };

	return rules_when(&g->notes, &one);
}

static void
tell_line(struct telling *g, unsigned depth, const char *what,
    struct slice text, enum truth truth)
{
	if (g->w != NULL) {
		json_begin_object(g->w);
		json_put_int(g->w, "depth", depth);
		json_put(g->w, "what", slice_of(what));
		if (text.len > 0)
			json_put(g->w, "text", text);
		json_put(g->w, "result", slice_of(truths[truth]));
		json_end(g->w);
		return;
	}
	buf_addf(g->out, "      %-9s %*s%s", truths[truth], (int)(2 * depth),
	    "", text.len > 0 ? "" : what);
	buf_addf(g->out, "%.*s\n", SLICE_ARG(verb_safe(g->t->job->arena,
	    text)));
}

static void
tell_node(struct telling *g, const struct node *node, unsigned depth)
{
	static const char *const kinds[] = { [NODE_ALL] = "all of",
	    [NODE_ANY] = "any of", [NODE_NOT] = "not" };

	if (node->kind == NODE_LEAF) {
		tell_line(g, depth, "condition", node->leaf->text,
		    rules_truth(&g->notes, node->leaf));
		return;
	}
	tell_line(g, depth, kinds[node->kind], SLICE(""), truth_of(g, node));
	/* No deeper than a file may be. */
	for (const struct node *c = node->first; c != NULL; c = c->next)
		tell_node(g, c, depth + 1);
}

/* ---- rules ---- */

/* What the rule means for him, given those before it. */
static const char *
effect(const struct telling *g, const struct rule *rule, enum truth truth)
{
	if (truth == TRUTH_NO)
		return "does not apply";
	if (rule->mode == RULE_SHADOW)
		return "would apply, is a shadow";
	if (truth == TRUTH_UNDECIDED && rule->undecided == UNDECIDED_SKIP)
		return "is passed over";
	return g->ended ? "is not reached" : "applies";
}

static void
tell_rule_json(struct telling *g, const struct rule *rule, enum truth truth)
{
	struct json *w = g->w;

	json_begin_object(w);
	json_put(w, "name", rule->name);
	json_put(w, "set", rule->set);
	json_put(w, "mode", slice_of(modes[rule->mode]));
	json_put(w, "where", rule->where);
	json_put(w, "result", slice_of(truths[truth]));
	json_put(w, "effect", slice_of(effect(g, rule, truth)));
	json_put(w, "then", rules_actions_text(g->t->job->arena, rule));
	json_key(w, "conditions");
	json_begin_array(w);
	if (rule->when != NULL)
		tell_node(g, rule->when, 0);
	json_end(w);
	json_end(w);
}

static void
tell_rule(struct telling *g, const struct rule *rule)
{
	enum truth truth = rules_when(&g->notes, rule);
	struct slice then = rules_actions_text(g->t->job->arena, rule);

	if (rule->mode == RULE_OFF || (truth == TRUTH_NO && !g->t->all))
		return;
	if (g->w != NULL) {
		tell_rule_json(g, rule, truth);
	} else {
		buf_addf(g->out, "  rule %.*s (%s, %.*s): %s, %s\n",
		    SLICE_ARG(rule->name), modes[rule->mode],
		    SLICE_ARG(rule->where), truths[truth],
		    effect(g, rule, truth));
		buf_addf(g->out, "    then %.*s\n", SLICE_ARG(then));
		if (rule->when != NULL)
			tell_node(g, rule->when, 0);
	}
	g->ended = g->ended ||
	    g->t->outcome->of[g->recipient].end == rule;
}

static void
tell_rules(struct telling *g, const struct conf_list *sets)
{
	const struct rules *rules = g->t->rules;

	for (size_t i = 0; i < sets->count; i++) {
		const struct rule_set *set = rules_set(rules, sets->items[i]);

		for (unsigned k = set != NULL ? set->first : 0;
		    set != NULL && k < set->end; k++)
			tell_rule(g, &rules->all[k]);
	}
}

/* ---- recipients ---- */

static void
tell_sets(struct telling *g, const struct conf_list *sets)
{
	for (size_t i = 0; i < sets->count; i++) {
		if (g->w != NULL)
			json_text(g->w, sets->items[i]);
		else
			buf_addf(g->out, "%s%.*s", i > 0 ? ", " : "",
			    SLICE_ARG(sets->items[i]));
	}
}

static void
tell_recipient_json(struct telling *g, const struct rules_for *of,
    const struct verdict *v, struct slice address)
{
	struct json *w = g->w;

	json_begin_object(w);
	json_put(w, "address", address);
	json_put(w, "direction", slice_of(direction_name(of->direction)));
	json_key(w, "sets");
	json_begin_array(w);
	tell_sets(g, of->sets);
	json_end(w);
	json_key(w, "rules");
	json_begin_array(w);
	tell_rules(g, of->sets);
	json_end(w);
	json_put(w, "verdict", slice_of(action_name(v->action)));
	json_put(w, "rule", slice_of(v->rule));
	json_put(w, "reason", v->reason);
	json_end(w);
}

static void
tell_recipient(struct telling *g, size_t i)
{
	const struct job *job = g->t->job;
	const struct rules_for *of = &g->t->of[i];
	const struct verdict *v = plan_verdict(g->t->plan, i);
	struct slice address = job->envelope->recipients[i].address;

	g->recipient = i;
	g->ended = false;
	notes_recipient(&g->notes, i, of->direction);
	if (g->w != NULL) {
		tell_recipient_json(g, of, v, address);
		return;
	}
	buf_addf(g->out, "<%.*s>, direction %s, sets ", SLICE_ARG(
	    verb_safe(job->arena, address)), direction_name(of->direction));
	tell_sets(g, of->sets);
	buf_addc(g->out, '\n');
	tell_rules(g, of->sets);
	buf_addf(g->out, "  %s: %s (%.*s)\n", action_name(v->action), v->rule,
	    SLICE_ARG(verb_safe(job->arena, v->reason)));
}

/* ---- the message ---- */

static void
tell_envelope(const struct plan *p, struct json *w, struct buf *out)
{
	if (p->sender.ptr != NULL && w != NULL)
		json_put(w, "sender", p->sender);
	else if (p->sender.ptr != NULL)
		buf_addf(out, "sender becomes <%.*s>\n",
		    SLICE_ARG(verb_safe(p->arena, p->sender)));
	if (p->route.ptr != NULL && w != NULL)
		json_put(w, "route", p->route);
	else if (p->route.ptr != NULL)
		buf_addf(out, "goes by %.*s\n", SLICE_ARG(p->route));
	if (w != NULL && p->addresses != NULL) {
		json_key(w, "addresses");
		json_begin_array(w);
	}
	for (const struct plan_address *x = p->addresses; x != NULL;
	    x = x->next) {
		if (w == NULL) {
			buf_addf(out, x->removed.ptr != NULL ?
			    "recipient <%.*s> becomes " : "%.*sone more "
			    "recipient ", SLICE_ARG(verb_safe(p->arena,
			    x->removed)));
			buf_addf(out, "<%.*s>\n",
			    SLICE_ARG(verb_safe(p->arena, x->added)));
			continue;
		}
		json_begin_object(w);
		if (x->removed.ptr != NULL)
			json_put(w, "removed", x->removed);
		json_put(w, "added", x->added);
		json_end(w);
	}
	if (w != NULL && p->addresses != NULL)
		json_end(w);
}

void
rules_tell(const struct rules_told *t, bool json, struct buf *out)
{
	struct telling g = { .t = t, .out = out };
	struct json w;

	notes_init(&g.notes, t->rules, t->facts);
	if (json) {
		g.w = &w;
		json_init(&w, out);
		json_pretty(&w);
		json_begin_object(&w);
		json_put_int(&w, "rules", t->rules->n);
		json_put_int(&w, "looked_at", t->outcome->looked_at);
		json_key(&w, "recipients");
		json_begin_array(&w);
	}
	for (size_t i = 0; i < t->job->envelope->nrecipients; i++)
		tell_recipient(&g, i);
	if (json)
		json_end(&w);
	tell_envelope(t->plan, g.w, out);
	if (json) {
		json_end(&w);
		buf_addc(out, '\n');
		return;
	}
	buf_addf(out, "%u rules, %u of them could match at all\n",
	    t->rules->n, t->outcome->looked_at);
}
