/* Scopes: what is refused and in which words, who gets what, and a naive model
 * that must agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/scope.h"
#include "t/tap.h"

struct sample {
	const struct scopes *scopes;
	unsigned count;
	int64_t time;
	const char *string;
	struct conf_list list;
	bool flag;
	unsigned same;
};

#define AT(field)	offsetof(struct sample, field)

static const struct conf_option options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "count", CONF_COUNT | CONF_SCOPED, AT(count), "200", 1, 10000,
	  "A count.", NULL },
	{ "time", CONF_TIME | CONF_SCOPED, AT(time), "2s", 10, 86400000,
	  "A time.", NULL },
	{ "string", CONF_STRING | CONF_SCOPED, AT(string), "a", 0, 10,
	  "A text.", NULL },
	{ "list", CONF_LIST | CONF_SCOPED, AT(list), "a", 0, 3, "A list.",
	  NULL },
	{ "flag", CONF_BOOL | CONF_SCOPED, AT(flag), "false", 0, 0, "A flag.",
	  NULL },
	{ "same", CONF_COUNT, AT(same), "1", 1, 10, "Same for all.", NULL },
	{ 0 }
};

static struct arena *a;
static struct sample got, other;
static const struct conf_section sections[] = { { options, &got },
    { NULL, NULL } };

static struct slice
parse(struct slice text)
{
	struct slice why = SLICE("");

	arena_reset(a);
	if (conf_parse(a, "F", text, sections, &why) == RC_OK)
		return SLICE("ok");
	return why;
}

static const struct {
	const char *text, *why;
} refused[] = {
	{ "scope = 5;", "F:1: scope wants a list of groups as "
	  "( { domain = \"example.org\"; ... }, { ... } )" },
	{ "scope = { user = \"a@b.c\"; };", "F:1: scope wants a list of groups "
	  "as ( { domain = \"example.org\"; ... }, { ... } )" },
	{ "scope = ( \"a\" );", "F:1: scope holds something else than groups; "
	  "it wants ( { domain = \"example.org\"; ... }, { ... } )" },
	{ "scope = ( { count = 5; } );", "F:1: this scope is for nobody; begin "
	  "it with client, domain, profile or user" },
	{ "scope = (\n{ user = \"a@b.c\";\ndomain = \"b.c\"; } );", "F:2: a "
	  "scope is for one of client, domain, profile and user; this one has "
	  "domain and user" },
	{ "scope = ( { user = \"b.c\"; } );", "F:1: user holds \"b.c\", which "
	  "is no address; write it as \"a@example.org\"" },
	{ "scope = ( { user = \"@b.c\"; } );", "F:1: user holds \"@b.c\", "
	  "which is no address; write it as \"a@example.org\"" },
	{ "scope = ( { domain = \"b..c\"; } );", "F:1: domain holds \"b..c\", "
	  "which is no domain; write it as \"example.org\"" },
	{ "scope = ( { domain = [ ]; } );", "F:1: domain names nobody; name "
	  "one or remove it" },
	{ "scope = ( { domain = 5; } );", "F:1: domain wants text in double "
	  "quotes, or a list of such" },
	{ "scope = ( { client = \"\"; } );", "F:1: client holds a name of 0 "
	  "bytes; it wants 1 to 512" },
	{ "scope = ( { client = \"a\"; }, \n{ client = \"a\"; } );",
	  "F:2: client names a a second time; the first is in F:1" },
	{ "scope = ( { user = [ \"A@b.c\",\n\"a@B.c\" ]; } );",
	  "F:1: user names a@B.c a second time; the first is in F:1" },
	{ "scope = ( { client = \"a\"; domains = [ \"b.c\" ]; }, "
	  "{ client = \"b\"; domains = [ \"B.C\" ]; } );",
	  "F:1: domains names B.C a second time; the first is in F:1" },
	{ "scope = ( { domain = \"b.c\"; domains = [ \"b.c\" ]; } );",
	  "F:1: domains says who belongs to a client; this scope is for a "
	  "domain" },
	{ "scope = ( { domain = \"b.c\"; users = [ \"a@b.c\" ]; } );",
	  "F:1: users says who belongs to a profile; this scope is for a "
	  "domain" },
	{ "scope = ( { domain = \"b.c\";\n cuont = 5; } );", "F:2: unknown "
	  "option cuont in a scope; did you mean count?" },
	{ "scope = ( { domian = \"b.c\"; } );", "F:1: this scope is for "
	  "nobody; begin it with client, domain, profile or user" },
	{ "scope = ( { domain = \"b.c\"; finl = [ ]; } );", "F:1: unknown "
	  "option finl in a scope; did you mean final?" },
	{ "scope = ( { domain = \"b.c\"; elephant = 1; } );", "F:1: unknown "
	  "option elephant in a scope; --manual lists those there are" },
	{ "scope = ( { domain = \"b.c\"; same = 1; } );", "F:1: same is the "
	  "same for all; it has no place in a scope" },
	{ "scope = ( { domain = \"b.c\"; scope = ( ); } );", "F:1: scope is "
	  "the same for all; it has no place in a scope" },
	{ "scope = ( { domain = \"b.c\"; count = 0; } );", "F:1: count is 0; "
	  "it wants a whole number, 1 to 10000" },
	{ "scope = ( { domain = \"b.c\"; final = [ \"same\" ]; } );", "F:1: "
	  "same is the same for all; it has no place in a scope" },
	{ "scope = ( { domain = \"b.c\"; count = 1; count = 2; } );", "F:1: a "
	  "setting of this group is set a second time; remove one of them" },
	{ "final = [ \"tiem\" ];", "F:1: unknown option tiem in a scope; did "
	  "you mean time?" },
	{ "final = 5;", "F:1: final wants text in double quotes, or a list of "
	  "such" },
};

static void
refusals(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		tap_is(parse(slice_of(refused[i].text)),
		    slice_of(refused[i].why), "%s", refused[i].text);
		tap_ok(scope_count(got.scopes) == 0, "nothing of it is used");
	}
}

static const char acme[] =
    "count = 1; string = \"all\"; final = [ \"flag\" ];\n"
    "scope = (\n"
    "  { client = \"acme\"; domains = [ \"example.org\",\n"
    "      \"B\xc3\x9c" "cher.example\" ]; count = 2; final = [ \"time\" ];\n"
    "    time = \"3s\"; },\n"
    "  { domain = \"example.org\"; count = 3; string = \"org\"; },\n"
    "  { domain = \"example.com\"; string = \"com\"; final = \"string\"; },\n"
    "  { profile = \"sales\"; users = [ \"a@example.org\" ]; count = 4; },\n"
    "  { user = [ \"a@example.org\", \"Queen+x@example.org\",\n"
    "      \"\\\"odd one\\\"@example.com\" ]; count = 5; time = \"9s\";\n"
    "    string = \"user\"; flag = true; list = [ \"x\", \"y\" ]; },\n"
    "  { profile = \"empty\"; count = 6; }\n"
    ");\n";

static const struct {
	const char *address, *client, *profile;
	unsigned count;
	int64_t time;
	const char *string;
	const char *level;		/* that decided about count */
	struct scope_match match;
} subjects[] = {
	{ "z@elsewhere.example", NULL, NULL, 1, 2000, "all", "default",
	  { false, '+' } },
	{ "", NULL, NULL, 1, 2000, "all", "default", { false, '+' } },
	{ "<>", NULL, NULL, 1, 2000, "all", "default", { false, '+' } },
	{ "postmaster", NULL, NULL, 1, 2000, "all", "default",
	  { false, '+' } },
	{ "postmaster", "acme", NULL, 2, 3000, "all", "client",
	  { false, '+' } },
	{ "z@EXAMPLE.org", NULL, NULL, 3, 3000, "org", "domain",
	  { false, '+' } },
	{ "<z@example.org.>", NULL, NULL, 3, 3000, "org", "domain",
	  { false, '+' } },
	{ "z@xn--bcher-kva.example", NULL, NULL, 2, 3000, "all", "client",
	  { false, '+' } },
	{ "z@b\xc3\xbc" "cher.example", NULL, NULL, 2, 3000, "all", "client",
	  { false, '+' } },
	{ "A@example.org", NULL, NULL, 5, 3000, "user", "user",
	  { false, '+' } },
	{ "a+list@example.org", NULL, NULL, 5, 3000, "user", "user",
	  { false, '+' } },
	{ "a+list@example.org", NULL, NULL, 3, 3000, "org", "domain",
	  { false, '\0' } },
	{ "a-list@example.org", NULL, NULL, 5, 3000, "user", "user",
	  { false, '-' } },
	{ "A@example.org", NULL, NULL, 3, 3000, "org", "domain",
	  { true, '+' } },
	{ "a+A@example.org", NULL, NULL, 5, 3000, "user", "user",
	  { true, '+' } },
	{ "queen@example.org", NULL, NULL, 3, 3000, "org", "domain",
	  { false, '+' } },
	{ "queen+x@example.org", NULL, NULL, 5, 3000, "user", "user",
	  { false, '+' } },
	{ "\"a\"@example.org", NULL, NULL, 5, 3000, "user", "user",
	  { false, '+' } },
	{ "\"Odd One\"@example.com", NULL, NULL, 5, 9000, "com", "user",
	  { false, '+' } },
	{ "+a@example.org", NULL, NULL, 3, 3000, "org", "domain",
	  { false, '+' } },
	{ "z@example.org", NULL, "empty", 6, 3000, "org", "profile",
	  { false, '+' } },
	{ "z@elsewhere.example", "acme", NULL, 2, 3000, "all", "client",
	  { false, '+' } },
	{ "z@example.org", "unknown", NULL, 3, 2000, "org", "domain",
	  { false, '+' } },
};

static void
resolved(void)
{
	tap_is(parse(slice_of(acme)), SLICE("ok"), "a file with scopes");
	tap_is_int((long long)scope_count(got.scopes), 6, "they are counted");
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
		struct sample conf = got;
		struct scope_subject who;
		struct scope_why why;

		scope_subject(a, slice_of(subjects[i].address),
		    subjects[i].match, &who);
		who.client = slice_of(subjects[i].client);
		who.profile = slice_of(subjects[i].profile);
		scope_resolve(got.scopes, &who, &conf);
		tap_ok(conf.count == subjects[i].count &&
		    conf.time == subjects[i].time &&
		    strcmp(conf.string, subjects[i].string) == 0,
		    "%s: %u %lld %s", subjects[i].address, conf.count,
		    (long long)conf.time, conf.string);
		tap_ok(!conf.flag && conf.same == 1, "final for all stays");
		scope_explain(got.scopes, &who, "count", &why);
		tap_is_str(scope_level_name(why.level), subjects[i].level,
		    "and who decided");
	}
}

static void
explained(void)
{
	struct scope_match match = { false, '+' };
	struct scope_subject who;
	struct scope_why why;

	scope_subject(a, SLICE("A+b@Example.ORG"), match, &who);
	tap_is(who.address, SLICE("a+b@example.org"), "the normal form");
	tap_is(who.plain, SLICE("a@example.org"), "without its extension");
	scope_explain(got.scopes, &who, "time", &why);
	tap_ok(why.level == SCOPE_CLIENT && why.final, "time: the client has "
	    "the last word");
	tap_is(why.name, SLICE("acme"), "its name");
	tap_is(why.where, SLICE("F:3"), "its place");
	scope_explain(got.scopes, &who, "flag", &why);
	tap_ok(why.level == SCOPE_DEFAULT && why.final, "flag: final for all");
	scope_explain(got.scopes, &who, "none", &why);
	tap_ok(why.level == SCOPE_DEFAULT && !why.final, "no such option");
	tap_is(scope_address(a, SLICE("A+b@Example.ORG"), match),
	    SLICE("a@example.org"), "an address");
	match.case_sensitive = true;
	tap_is(scope_address(a, SLICE("A+b@Example.ORG"), match),
	    SLICE("A@example.org"), "an address by letter case");
	tap_ok(scope_address(a, SLICE("nobody"), match).ptr == NULL,
	    "no address");
}

static enum rc
no_nine(struct slice where, const void *conf, void *arg)
{
	const struct sample *s = conf;

	*(struct slice *)arg = where;
	return s->time == 9000 ? RC_BAD : RC_OK;
}

static void
each(void)
{
	struct slice where = SLICE("");

	tap_is_int(scope_each(got.scopes, &got, sizeof got, no_nine, &where),
	    RC_BAD, "a check across options");
	tap_is(where, SLICE("F:9"), "says where");
}

/* Two tables in one file: each gets its own part of a scope. */
static void
two_sections(void)
{
	static const struct conf_option second[] = {
		{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT,
		  NULL },
		{ "same", CONF_COUNT | CONF_SCOPED, AT(same), "1", 1, 10,
		  "Here it differs.", NULL },
		{ 0 }
	};
	const struct conf_section both[] = { { options, &got },
	    { second, &other }, { NULL, NULL } };
	struct scope_match match = { false, '\0' };
	struct scope_subject who;
	struct sample conf, conf2;
	struct slice why = SLICE("");

	tap_is_int(conf_parse(a, "F", SLICE("scope = ( { user = \"a@b.c\"; "
	    "count = 7; same = 8; final = [ \"same\", \"count\" ]; } );"),
	    both, &why), RC_OK, "two tables: %.*s", SLICE_ARG(why));
	conf = got;
	conf2 = other;
	scope_subject(a, SLICE("a@b.c"), match, &who);
	scope_resolve(got.scopes, &who, &conf);
	scope_resolve(other.scopes, &who, &conf2);
	tap_ok(conf.count == 7 && conf.same == 1, "the first has its own");
	tap_ok(conf2.count == 0 && conf2.same == 8, "and so has the second");
}

/*
 * The model: every setting in a list, every subject walks all of it. Names
 * are few, so that levels meet often.
 */
enum { NDOMAINS = 4, NUSERS = 12, NOPTIONS = 2, ROUNDS = 300 };

struct model {
	unsigned values[SCOPE_LEVELS][NUSERS][NOPTIONS]; /* 0: not set */
	bool final[SCOPE_LEVELS][NUSERS][NOPTIONS];
	bool there[SCOPE_LEVELS][NUSERS];
	int client_of[NDOMAINS], profile_of[NUSERS];
};

static unsigned
dice(unsigned n)
{
	return (unsigned)random() % n;
}

static int
names_of(int level)
{
	return level == SCOPE_USER ? NUSERS : level == SCOPE_DEFAULT ? 1 :
	    NDOMAINS;
}

static void
roll(struct model *m)
{
	memset(m, 0, sizeof *m);
	for (int l = SCOPE_DEFAULT; l < SCOPE_LEVELS; l++)
		for (int n = 0; n < names_of(l); n++) {
			m->there[l][n] = l == SCOPE_DEFAULT || dice(3) > 0;
			for (int o = 0; o < NOPTIONS; o++) {
				m->values[l][n][o] = l == SCOPE_DEFAULT ?
				    1 + dice(9999) : dice(2) * (1 + dice(9999));
				m->final[l][n][o] = dice(8) == 0;
			}
		}
	for (int d = 0; d < NDOMAINS; d++)
		m->client_of[d] = (int)dice(NDOMAINS + 1) - 1;
	for (int u = 0; u < NUSERS; u++)
		m->profile_of[u] = (int)dice(NDOMAINS + 1) - 1;
}

static void
add_settings(struct buf *b, const struct model *m, int l, int n)
{
	const bool *final = m->final[l][n];

	if (m->values[l][n][0] > 0)
		buf_addf(b, " count = %u;", m->values[l][n][0]);
	if (m->values[l][n][1] > 0)
		buf_addf(b, " time = \"%us\";", m->values[l][n][1]);
	buf_addf(b, " final = [ %s%s%s ];", final[0] ? "\"count\"" : "",
	    final[0] && final[1] ? ", " : "", final[1] ? "\"time\"" : "");
}

static void
add_members(struct buf *b, const struct model *m, int l, int n)
{
	const char *before = l == SCOPE_CLIENT ? " domains = [ " :
	    " users = [ ", *first = before;
	int count = l == SCOPE_CLIENT ? NDOMAINS : NUSERS;

	for (int i = 0; i < count; i++) {
		if ((l == SCOPE_CLIENT ? m->client_of : m->profile_of)[i] != n)
			continue;
		buf_adds(b, before);
		buf_addf(b, l == SCOPE_CLIENT ? "\"d%d.example\"" :
		    "\"u%d@d%d.example\"", i, i % NDOMAINS);
		before = ", ";
	}
	if (before != first)
		buf_adds(b, " ];");
}

static struct slice
written(const struct model *m)
{
	static const char *const kinds[] = { "", "client = \"c%d\"",
	    "domain = \"D%d.example\"", "profile = \"p%d\"",
	    "user = \"U%d@d%d.Example\"" };
	struct buf b = buf_in(a);
	const char *before = "";

	add_settings(&b, m, SCOPE_DEFAULT, 0);
	buf_adds(&b, " scope = (");
	for (int l = SCOPE_CLIENT; l < SCOPE_LEVELS; l++)
		for (int n = 0; n < names_of(l); n++) {
			if (!m->there[l][n])
				continue;
			buf_addf(&b, "%s\n{ ", before);
			if (l == SCOPE_USER)
				buf_addf(&b, "user = \"U%d@d%d.Example\"", n,
				    n % NDOMAINS);
			else
				buf_addf(&b, "%.*s%d%s",
				    (int)(strchr(kinds[l], '%') - kinds[l]),
				    kinds[l], n, strchr(kinds[l], '%') + 2);
			buf_addc(&b, ';');
			if (l == SCOPE_CLIENT || l == SCOPE_PROFILE)
				add_members(&b, m, l, n);
			add_settings(&b, m, l, n);
			buf_adds(&b, " }");
			before = ",";
		}
	buf_adds(&b, " );");
	return buf_slice(&b);
}

static unsigned
naive(const struct model *m, int user, int o)
{
	const int name[SCOPE_LEVELS] = { 0, m->client_of[user % NDOMAINS],
	    user % NDOMAINS, m->profile_of[user], user };
	unsigned value = 0;

	for (int l = SCOPE_DEFAULT; l < SCOPE_LEVELS; l++) {
		if (name[l] < 0 || !m->there[l][name[l]])
			continue;
		if (m->values[l][name[l]][o] > 0)
			value = m->values[l][name[l]][o];
		if (m->final[l][name[l]][o])
			break;
	}
	return value;
}

static bool
agrees(const struct model *m, int user)
{
	struct scope_match match = { dice(2) != 0, '+' };
	struct slice address = arena_printf(a, "%s%d%s@d%d.example",
	    dice(2) != 0 || match.case_sensitive ? "U" : "u", user,
	    dice(2) != 0 ? "+x" : "", user % NDOMAINS);
	struct sample conf = got;
	struct scope_subject who;
	struct scope_why why;
	bool good;

	/* Members of profiles are written in lower case. */
	if (m->profile_of[user] >= 0)
		match.case_sensitive = false;
	scope_subject(a, address, match, &who);
	scope_resolve(got.scopes, &who, &conf);
	scope_explain(got.scopes, &who, "count", &why);
	good = conf.count == naive(m, user, 0) &&
	    conf.time == (int64_t)naive(m, user, 1) * 1000;
	if (!good)
		tap_diag("%.*s: %u %lld, the model has %u %u",
		    SLICE_ARG(address), conf.count, (long long)conf.time,
		    naive(m, user, 0), naive(m, user, 1));
	return good;
}

static void
model(void)
{
	unsigned wrong = 0;
	struct model m;

	for (int i = 0; i < ROUNDS && wrong == 0; i++) {
		struct slice text, why = SLICE("");

		arena_reset(a);
		roll(&m);
		text = written(&m);
		if (conf_parse(a, "F", text, sections, &why) != RC_OK) {
			tap_diag("%.*s\n%.*s", SLICE_ARG(why), SLICE_ARG(text));
			wrong++;
			break;
		}
		for (int u = 0; u < NUSERS; u++)
			wrong += !agrees(&m, u);
	}
	tap_is_int(wrong, 0, "a naive model agrees, %d files", ROUNDS);
}

static void
printed(void)
{
	struct buf b = { 0 };

	conf_sample(&b, "title", sections);
	tap_ok(slice_search(buf_slice(&b), SLICE("#scope = ( );\n")) < b.len,
	    "the sample has the row");
	tap_ok(slice_search(buf_slice(&b), SLICE("1 to 10000. May stand in a "
	    "scope.\n#count = 200;")) < b.len, "and says which may differ");
	tap_is(parse(buf_slice(&b)), SLICE("ok"), "and loads");
	buf_free(&b);
}

int
main(void)
{
	a = arena_new();
	srandom(20261126);
	refusals();
	resolved();
	explained();
	each();
	two_sections();
	printed();
	model();
	arena_free(a);
	return tap_done();
}
