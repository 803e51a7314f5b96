/* The file of rules: read, checked, and given back. */
#include "rules.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/near.h"

enum { NAME = 40, WORDS = 120 };

/* A line while it is read. */
struct line {
	const char *file;
	unsigned number;
	struct slice rest;
	struct arena *a;		/* of *why_r */
	struct slice *why_r;
};

const char *
rule_where_name(enum rule_where where)
{
	static const char *const names[] = { "subject", "from", "field",
	    "head", "text", "hidden", "html", "link", "file", "body",
	    "fact" };

	return where < RULE_WHERES ? names[where] : NULL;
}

static enum rc __attribute__((format(printf, 2, 3)))
bad(struct line *l, const char *fmt, ...)
{
	char what[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	*l->why_r = arena_printf(l->a, "%s:%u: %s", l->file, l->number, what);
	return RC_BAD;
}

static struct slice
word(struct line *l)
{
	struct slice w;
	size_t n = 0;

	l->rest = slice_trim(l->rest);
	while (n < l->rest.len && !ascii_blank(l->rest.ptr[n]))
		n++;
	w = slice_sub(l->rest, 0, n);
	l->rest = slice_trim(slice_after(l->rest, n));
	return w;
}

static enum rc
read_name(struct line *l, struct spam_rules *rules, struct spam_rule *rule)
{
	struct slice name = word(l);

	for (size_t i = 0; i < name.len; i++)
		if (!ascii_digit(name.ptr[i]) && name.ptr[i] != '-' &&
		    (name.ptr[i] < 'a' || name.ptr[i] > 'z'))
			return bad(l, "a rule's name is small letters, digits "
			    "and '-'; '%.*s' is not",
			    SLICE_ARG(slice_sub(name, 0, NAME)));
	if (name.len > NAME)
		return bad(l, "a rule's name has at most %d letters", NAME);
	for (unsigned i = 0; i < rules->n; i++)
		if (slice_eq(name, slice_of(rules->rule[i].name)))
			return bad(l, "there is a rule %s at %.*s; give this "
			    "one another name", rules->rule[i].name,
			    SLICE_ARG(rules->rule[i].place));
	rule->name = arena_printf(rules->arena, "%.*s", SLICE_ARG(name)).ptr;
	return RC_OK;
}

static enum rc
no_place(struct line *l, struct slice name)
{
	struct near near = near_to(name);

	for (int w = 0; w < RULE_WHERES; w++)
		near_try(&near, rule_where_name((enum rule_where)w));
	return bad(l, "'%.*s' is no place to look at; subject, from, "
	    "field:NAME, head, text, hidden, html, link, file, body or "
	    "fact:NAME is%s%s", SLICE_ARG(slice_sub(name, 0, NAME)),
	    near.best != NULL ? "; did you mean " : "",
	    near.best != NULL ? near.best : "");
}

static enum rc
no_fact(struct line *l, struct slice name)
{
	struct near near = near_to(name);
	const char *known;

	for (unsigned i = 0; (known = rule_fact_name(i)) != NULL; i++)
		near_try(&near, known);
	return bad(l, "there is no fact '%.*s'%s%s; gatehouse-spam-rules(5) "
	    "lists them", SLICE_ARG(slice_sub(name, 0, NAME)), near.best !=
	    NULL ? "; did you mean " : "", near.best != NULL ? near.best : "");
}

static enum rc
read_where(struct line *l, struct spam_rules *rules, struct spam_rule *rule)
{
	struct slice which, w = word(l), name = slice_cut(w, ':', &which);
	int where = 0, fact;

	while (where < RULE_WHERES && !slice_eq(name, slice_of(
	    rule_where_name((enum rule_where)where))))
		where++;
	if (where == RULE_WHERES)
		return no_place(l, name);
	rule->where = (enum rule_where)where;
	if (where != RULE_FIELD && where != RULE_FACT)
		return which.ptr == NULL ? RC_OK :
		    bad(l, "nothing may follow %.*s", SLICE_ARG(name));
	if (which.ptr == NULL || which.len == 0 || which.len > NAME)
		return bad(l, "%.*s:NAME is wanted", SLICE_ARG(name));
	rule->field = arena_copy(rules->arena, which);
	if (where == RULE_FIELD)
		return RC_OK;
	fact = rule_fact_find(which);
	if (fact < 0)
		return no_fact(l, which);
	rule->fact = (unsigned)fact;
	return RC_OK;
}

static enum rc
read_weight(struct line *l, struct slice value, struct spam_rule *rule)
{
	char text[20], *end;

	snprintf(text, sizeof text, "%.*s", SLICE_ARG(slice_sub(value, 0,
	    sizeof text - 1)));
	rule->weight = strtod(text, &end);
	rule->weighted = true;
	if (value.len == 0 || value.len >= sizeof text || *end != '\0' ||
	    !(fabs(rule->weight) <= 10))
		return bad(l, "weight=%s: a number from -10 to 10 is wanted; "
		    "0.7 doubles the odds of spam, 2.3 makes them ten times",
		    text);
	return RC_OK;
}

static enum rc
read_class(struct line *l, struct slice value, struct spam_rule *rule)
{
	for (int of = 0; of < CLASSES; of++)
		if (slice_eq(value, slice_of(class_name(
		    (enum mail_class)of)))) {
			rule->of = (enum mail_class)of;
			return RC_OK;
		}
	return bad(l, "class=%.*s: spam, phishing, fraud or graymail is "
	    "wanted", SLICE_ARG(slice_sub(value, 0, NAME)));
}

static enum rc
read_options(struct line *l, struct spam_rule *rule)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		struct line at = *l;
		struct slice value, name = slice_cut(word(&at), '=', &value);

		if (value.ptr == NULL || slice_starts(name, SLICE("/")))
			break;
		if (slice_eq(name, SLICE("weight")))
			rc = read_weight(l, value, rule);
		else if (slice_eq(name, SLICE("class")))
			rc = read_class(l, value, rule);
		else
			break;
		l->rest = at.rest;
	}
	if (rc == RC_OK && rule->of != CLASS_SPAM && !rule->weighted)
		return bad(l, "what a rule of class %s weighs is not learned; "
		    "write weight=N before class=", class_name(rule->of));
	return rc;
}

/* m: ^ and $ are those of lines; s: a dot is a line end too. */
static bool
read_flags(struct line *l, struct spam_rules *rules, struct slice *pattern)
{
	size_t n = 0;

	while (n < l->rest.len && n < 2 && (l->rest.ptr[n] == 'm' ||
	    l->rest.ptr[n] == 's'))
		n++;
	if (n < l->rest.len && !ascii_blank(l->rest.ptr[n]))
		return false;
	*pattern = arena_printf(rules->arena, "(*ANYCRLF)(?%.*s)%.*s", (int)n,
	    l->rest.ptr, SLICE_ARG(*pattern));
	l->rest = slice_trim(slice_after(l->rest, n));
	return true;
}

static enum rc
read_regex(struct line *l, struct spam_rules *rules, struct spam_rule *rule)
{
	struct slice why, pattern, plain;
	size_t end = 1;

	if (l->rest.len == 0 || l->rest.ptr[0] != '/')
		return bad(l, "/REGEX/ is wanted behind the place");
	while (end < l->rest.len && l->rest.ptr[end] != '/')
		end += l->rest.ptr[end] == '\\' ? 2 : 1;
	if (end >= l->rest.len)
		return bad(l, "the regex does not end; a '/' is wanted behind "
		    "it");
	plain = pattern = slice_sub(l->rest, 1, end - 1);
	l->rest = slice_after(l->rest, end + 1);
	if (!read_flags(l, rules, &pattern))
		return bad(l, "behind the regex m and s may stand, then a "
		    "blank");
	needs_add(&rules->needs, rules->arena, rules->n, plain);
	if (regex_compile(rules->arena, pattern, &rule->regex, &why) != RC_OK)
		return bad(l, "%.*s", SLICE_ARG(why));
	return RC_OK;
}

static enum rc
read_rule(struct line *l, struct spam_rules *rules)
{
	struct spam_rule *rule = &rules->rule[rules->n];
	enum rc rc;

	if (rules->n == RULES_MAX)
		return bad(l, "more than %d rules", RULES_MAX);
	*rule = (struct spam_rule){ .place = arena_printf(rules->arena,
	    "%s:%u", l->file, l->number) };
	rc = read_name(l, rules, rule);
	if (rc == RC_OK)
		rc = read_where(l, rules, rule);
	if (rc == RC_OK)
		rc = read_options(l, rule);
	if (rc == RC_OK && rule->where != RULE_FACT)
		rc = read_regex(l, rules, rule);
	if (rc != RC_OK)
		return rc;
	if (l->rest.len == 0 || l->rest.len > WORDS)
		return bad(l, "why, in 1 to %d letters, is wanted at the end: "
		    "recipients and administrators read it", WORDS);
	rule->words = arena_copy(rules->arena, l->rest);
	rules->n++;
	return RC_OK;
}

enum rc
spam_rules_parse(struct spam_rules *rules, const char *name,
    struct slice text, struct arena *a, struct slice *why_r)
{
	struct line l = { .file = name, .a = a, .why_r = why_r };
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice_line(&text, &l.rest)) {
		l.number++;
		l.rest = slice_trim(l.rest);
		if (slice_has(l.rest, '\0'))
			return bad(&l, "a NUL stands there");
		if (l.rest.len > 0 && l.rest.ptr[0] != '#')
			rc = read_rule(&l, rules);
	}
	return rc;
}

static enum rc
read_file(struct spam_rules *rules, const char *path, struct arena *a,
    struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { .st_size = 0 };
	ssize_t n = -1;
	char *bytes;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= RULES_FILE) {
		bytes = arena_alloc(a, (size_t)st.st_size + 1);
		n = pread(fd, bytes, (size_t)st.st_size, 0);
	}
	if (n < 0)
		*why_r = arena_printf(a, "%s: %s", path, st.st_size >
		    RULES_FILE ? "is longer than 1 MB" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return n < 0 ? RC_BAD : spam_rules_parse(rules, path,
	    slice_make(bytes, (size_t)n), a, why_r);
}

struct spam_rules *
spam_rules_new(void)
{
	struct spam_rules *rules = mem_alloc(sizeof *rules);

	memset(rules, 0, sizeof *rules);
	rules->arena = arena_new();
	return rules;
}

void
spam_rules_free(struct spam_rules *rules)
{
	if (rules == NULL)
		return;
	arena_free(rules->arena);
	free(rules);
}

/* Ours: a fault in them is a fault of the build. */
static enum rc
read_shipped(struct spam_rules *rules, struct arena *a, struct slice *why_r)
{
	static const char *const lines[] = {
#include "milters/antispam/rules_table.h"
	};
	struct buf text = buf_in(a);

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		buf_adds(&text, lines[i]);
	return spam_rules_parse(rules, "antispam.rules", buf_slice(&text), a,
	    why_r);
}

enum rc
spam_rules_load(const char *site, struct spam_rules **rules_r,
    struct arena *a, struct slice *why_r)
{
	struct spam_rules *rules = spam_rules_new();
	enum rc rc = read_shipped(rules, a, why_r);

	if (rc == RC_OK && site[0] != '\0')
		rc = read_file(rules, site, a, why_r);
	*rules_r = rc == RC_OK ? rules : NULL;
	if (rc != RC_OK)
		spam_rules_free(rules);
	return rc;
}
