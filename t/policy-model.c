/*
 * The compiled map against a naive model: random clients, domains, profiles,
 * users and final marks, told by scopes, by the settings file and by the
 * directory. What a user gets is what the model walks to, level by level; who
 * gets the same has the same set.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/policy-stage.h"
#include "t/tap.h"

enum { CLIENTS = 3, DOMAINS = 5, PROFILES = 4, USERS = 40, MOST = 40,
    OPTIONS = 2 };

static struct stage s;
static uint64_t state = 1;

static unsigned
dice(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* By level and name; a value of 0: not set. */
struct model {
	unsigned values[SCOPE_LEVELS][MOST][OPTIONS];
	bool final[SCOPE_LEVELS][MOST][OPTIONS];
	bool sheet[SCOPE_LEVELS][MOST];	/* told there, not by a scope */
	int client_of[DOMAINS];		/* -1: none */
	bool client_by_file[DOMAINS];
	int profile_of[USERS];
	bool known[USERS];		/* the directory has him */
};

static const unsigned names[SCOPE_LEVELS] = { 1, CLIENTS, DOMAINS, PROFILES,
    USERS };

static void
draw(struct model *m)
{
	memset(m, 0, sizeof *m);
	for (int l = SCOPE_DEFAULT; l < SCOPE_LEVELS; l++) {
		for (unsigned n = 0; n < names[l]; n++) {
			m->sheet[l][n] = l != SCOPE_DEFAULT && dice(2) == 0;
			for (int o = 0; o < OPTIONS; o++) {
				m->values[l][n][o] = l == SCOPE_DEFAULT ?
				    1 + dice(99) : dice(3) == 0 ? 0 :
				    1 + dice(99);
				m->final[l][n][o] = dice(8) == 0;
			}
		}
	}
	for (int d = 0; d < DOMAINS; d++) {
		m->client_of[d] = (int)dice(CLIENTS + 1) - 1;
		m->client_by_file[d] = dice(2) == 0;
	}
	for (int u = 0; u < USERS; u++) {
		m->known[u] = dice(3) != 0;
		m->profile_of[u] = (int)dice(PROFILES + 1) - 1;
	}
}

/* ---- as files ---- */

static struct slice
name_of(int level, unsigned n)
{
	static const char *const words[] = { "", "client ", "", "profile " };

	if (level == SCOPE_USER)
		return arena_printf(s.arena, "u%02u@d%u.test", n, n % DOMAINS);
	if (level == SCOPE_DOMAIN)
		return arena_printf(s.arena, "d%u.test", n);
	return arena_printf(s.arena, "%s%u", words[level], n);
}

static const char *const option_names[OPTIONS] = { "count", "time" };

static struct slice
value_of(int option, unsigned value)
{
	return option == 0 ? arena_printf(s.arena, "%u", value) :
	    arena_printf(s.arena, "\"%us\"", value);
}

static void
put_settings(struct buf *out, const struct model *m, int l, unsigned n)
{
	const char *before = "";

	for (int o = 0; o < OPTIONS; o++)
		if (m->values[l][n][o] > 0)
			buf_addf(out, " %s = %.*s;", option_names[o],
			    SLICE_ARG(value_of(o, m->values[l][n][o])));
	buf_adds(out, " final = [");
	for (int o = 0; o < OPTIONS; o++) {
		if (!m->final[l][n][o])
			continue;
		buf_addf(out, "%s \"%s\"", before, option_names[o]);
		before = ",";
	}
	buf_adds(out, " ];");
}

static void
put_members(struct buf *out, const struct model *m, int l, unsigned n)
{
	const char *before = "";

	buf_adds(out, l == SCOPE_CLIENT ? " domains = [" : " users = [");
	for (unsigned d = 0; l == SCOPE_CLIENT && d < DOMAINS; d++) {
		if (m->client_of[d] != (int)n || !m->client_by_file[d])
			continue;
		buf_addf(out, "%s \"d%u.test\"", before, d);
		before = ",";
	}
	for (unsigned u = 0; l == SCOPE_PROFILE && u < USERS; u++) {
		if (m->profile_of[u] != (int)n || m->known[u])
			continue;
		buf_addf(out, "%s \"%.*s\"", before,
		    SLICE_ARG(name_of(SCOPE_USER, u)));
		before = ",";
	}
	buf_adds(out, " ];");
}

static bool
has_members(const struct model *m, int l, unsigned n)
{
	for (unsigned d = 0; l == SCOPE_CLIENT && d < DOMAINS; d++)
		if (m->client_of[d] == (int)n && m->client_by_file[d])
			return true;
	for (unsigned u = 0; l == SCOPE_PROFILE && u < USERS; u++)
		if (m->profile_of[u] == (int)n && !m->known[u])
			return true;
	return false;
}

/* Scopes, but for what the sheet says; members have no other place. */
static const char *
file(const struct model *m)
{
	struct buf out = buf_in(s.arena);
	const char *before = "";

	put_settings(&out, m, SCOPE_DEFAULT, 0);
	buf_adds(&out, "\nscope = (");
	for (int l = SCOPE_CLIENT; l < SCOPE_LEVELS; l++) {
		for (unsigned n = 0; n < names[l]; n++) {
			if (m->sheet[l][n] && !has_members(m, l, n))
				continue;
			buf_addf(&out, "%s\n{ %s = \"%.*s\";", before,
			    scope_level_name((enum scope_level)l),
			    SLICE_ARG(name_of(l, n)));
			before = ",";
			if (has_members(m, l, n))
				put_members(&out, m, l, n);
			if (!m->sheet[l][n])
				put_settings(&out, m, l, n);
			buf_adds(&out, " }");
		}
	}
	buf_adds(&out, " );\n");
	return arena_str(s.arena, buf_slice(&out));
}

static const char *
sheet(const struct model *m)
{
	struct buf out = buf_in(s.arena);

	for (int l = SCOPE_CLIENT; l < SCOPE_LEVELS; l++)
		for (unsigned n = 0; n < names[l]; n++)
			for (int o = 0; o < OPTIONS && m->sheet[l][n]; o++) {
				unsigned value = m->values[l][n][o];

				if (value == 0 && !m->final[l][n][o])
					continue;
				buf_addf(&out, "%s%s \"%.*s\" one.%s",
				    m->final[l][n][o] ? "final " : "",
				    scope_level_name((enum scope_level)l),
				    SLICE_ARG(name_of(l, n)),
				    option_names[o]);
				if (value > 0)
					buf_addf(&out, " = %.*s", SLICE_ARG(
					    value_of(o, value)));
				buf_addc(&out, '\n');
			}
	return arena_str(s.arena, buf_slice(&out));
}

static int
by_text(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static const char *
directory(const struct model *m)
{
	struct buf out = buf_in(s.arena);
	struct slice users[USERS];
	size_t n = 0;

	for (unsigned d = 0; d < DOMAINS; d++) {
		buf_addf(&out, "D d%u.test", d);
		if (m->client_of[d] >= 0 && !m->client_by_file[d])
			buf_addf(&out, "\tclient=client %d", m->client_of[d]);
		buf_addc(&out, '\n');
	}
	for (unsigned p = 0; p < PROFILES; p++)
		buf_addf(&out, "P profile %u\n", p);
	for (unsigned u = 0; u < USERS; u++) {
		struct slice who = name_of(SCOPE_USER, u);

		if (m->known[u] && m->profile_of[u] >= 0)
			users[n++] = arena_printf(s.arena,
			    "U %.*s\tprofile=profile %d\n", SLICE_ARG(who),
			    m->profile_of[u]);
		else if (m->known[u])
			users[n++] = arena_printf(s.arena, "U %.*s\n",
			    SLICE_ARG(who));
	}
	qsort(users, n, sizeof *users, by_text);
	for (size_t i = 0; i < n; i++)
		buf_add(&out, users[i]);
	return arena_str(s.arena, buf_slice(&out));
}

/* ---- and as the model has it ---- */

static unsigned
naive(const struct model *m, unsigned user, int o, enum scope_level *level_r)
{
	const int name[SCOPE_LEVELS] = { 0, m->client_of[user % DOMAINS],
	    (int)(user % DOMAINS), m->profile_of[user], (int)user };
	unsigned value = 0;

	for (int l = SCOPE_DEFAULT; l < SCOPE_LEVELS; l++) {
		if (name[l] < 0)
			continue;
		if (m->values[l][name[l]][o] > 0) {
			value = m->values[l][name[l]][o];
			*level_r = (enum scope_level)l;
		}
		if (m->final[l][name[l]][o])
			break;
	}
	return value;
}

static bool
agrees(const struct model *m, const struct policy *p, unsigned user,
    uint32_t *set_r)
{
	const char *address = arena_printf(s.arena, "<%s%02u%s@D%u.test>",
	    dice(2) != 0 ? "U" : "u", user, dice(3) == 0 ? "+x" : "",
	    user % DOMAINS).ptr;
	enum scope_level level = SCOPE_DEFAULT, ignored;
	struct policy_who who;
	struct stage_one one;
	struct scope_why why;
	bool good = stage_ask(&s, p, address, &one, &who) == RC_OK &&
	    one.count == naive(m, user, 0, &level) &&
	    one.time == (int64_t)naive(m, user, 1, &ignored) * 1000 &&
	    policy_decided(p, &who, "one", "count", s.one.scopes, &why) ==
	    RC_OK && why.level == level && who.known == m->known[user];

	*set_r = who.set;
	if (!good)
		tap_diag("%s: %u %lld by %s, the model has %u %u by %s",
		    address, one.count, (long long)one.time,
		    scope_level_name(why.level), naive(m, user, 0, &ignored),
		    naive(m, user, 1, &ignored), scope_level_name(level));
	return good;
}

/* Values of those who differ only by who told them are one set. */
static bool
sets_agree(const struct model *m, const uint32_t sets[USERS])
{
	enum scope_level a[OPTIONS], b[OPTIONS];

	for (unsigned u = 0; u < USERS; u++)
		for (unsigned v = 0; v < u; v++) {
			bool same = true;

			for (int o = 0; o < OPTIONS; o++) {
				a[o] = b[o] = SCOPE_DEFAULT;
				same &= naive(m, u, o, &a[o]) ==
				    naive(m, v, o, &b[o]) &&
				    (a[o] == SCOPE_DEFAULT) ==
				    (b[o] == SCOPE_DEFAULT);
			}
			if (same != (sets[u] == sets[v]))
				return false;
		}
	return true;
}

static unsigned
one_house(unsigned *cases_r)
{
	struct stage_texts t = { .house = "" };
	uint32_t sets[USERS];
	struct slice why = SLICE("");
	unsigned wrong = 0;
	struct policy *p;
	struct model m;
	const char *told;

	draw(&m);
	t.one = file(&m);
	t.sheet = sheet(&m);
	t.directory = directory(&m);
	told = stage_compile(&s, &t);
	p = told == NULL ? stage_policy(&s, &why) : NULL;
	if (p == NULL) {
		tap_diag("%s%.*s", told != NULL ? told : "", SLICE_ARG(why));
		return 1;
	}
	for (unsigned u = 0; u < USERS; u++)
		wrong += !agrees(&m, p, u, &sets[u]);
	wrong += !sets_agree(&m, sets);
	*cases_r += USERS;
	policy_drop(p);
	return wrong;
}

int
main(void)
{
	unsigned houses = getenv("GATEHOUSE_FULL") != NULL ? 2000 : 100;
	unsigned wrong = 0, cases = 0;

	for (unsigned i = 0; i < houses && wrong == 0; i++) {
		state = i + 1;
		stage_open(&s);
		wrong = one_house(&cases);
		if (wrong > 0)
			tap_diag("house %u", i);
		stage_close(&s);
	}
	tap_is_int(wrong, 0, "%u users of %u random houses get what the model "
	    "gives them", cases, houses);
	return tap_done();
}
