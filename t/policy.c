/* The policy room: who somebody is, what is set for him, lists, forms. */
#include <string.h>

#include "milter/filter.h"
#include "t/policy-stage.h"
#include "t/tap.h"

static struct stage s;

/* --- a house with all of it ---------------------------------------------- */

static const struct stage_texts house = {
	.house = "domains = [ \"a.test\", \"b.test\" ];",
	.one = "count = 5; final = [ \"flag\" ];\n"
	    "scope = (\n"
	    "  { client = \"acme\"; count = 10; time = \"2s\";\n"
	    "    final = [ \"time\" ]; },\n"
	    "  { domain = \"a.test\"; count = 20; time = \"3s\"; flag = true; },\n"
	    "  { profile = \"sales\"; list = [ \"x\", \"y\" ];\n"
	    "    users = [ \"extra@b.test\" ]; },\n"
	    "  { user = [ \"anna@a.test\", \"bert@a.test\" ]; count = 30;\n"
	    "    text = \"say \\\"hi\\\" \\\\ there\"; },\n"
	    "  { user = \"anna+news@a.test\"; count = 31; },\n"
	    "  { user = \"info@a.test\"; count = 40; },\n"
	    "  { domain = \"far.test\"; mode = \"high\"; },\n"
	    "  { domain = \"b\xc3\xbc" "cher.test\"; count = 6; },\n"
	    "  { user = \"\xc3\xbc@far.test\"; count = 8; }\n"
	    ");\n",
	.two = "scope = ( { domain = \"b.test\"; count = 9;\n"
	    "nets = [ \"192.0.2.0/24\" ]; } );\n",
	.sheet = "# by hand\n"
	    "user bert@a.test two.count = 11\n"
	    "user bert@a.test one.mode = \"off\"\n"
	    "user Carl@A.test one.text = \"c\"\n"
	    "final profile \"head office\" one.count = 77\n"
	    "user dora@b.test one.count = 78\n",
	.directory =
	    "D a.test\tclient=acme\ttransport=smtp:[mx.test]\n"
	    "D b.test\n"
	    "P head office\n"
	    "P sales\tclient=other\n"
	    "U anna@a.test\tprofile=sales\tattr.login=anna\t"
	    "attr.name=Anna A.\tattr.phone=1\\t2\n"
	    "A both@a.test\tanna@a.test,dora@b.test\n"
	    "U carl@a.test\ttransport=lmtp:[::1]\n"
	    "A deep@a.test\tinfo2@a.test\n"
	    "U dora@b.test\tprofile=head office\n"
	    "A info2@a.test\tcarl@a.test\n"
	    "A info@a.test\tanna@a.test\n"
	    "A loop1@a.test\tloop2@a.test\n"
	    "A loop2@a.test\tloop1@a.test\n"
	    "A mix@a.test\tanna@a.test,loop1@a.test,out@far.test\n",
	.lists = "# two by two\n"
	    "block all bad@spam.test     # anna 2026-11-26: loud\n"
	    "allow user anna@a.test bad@spam.test\n"
	    "block all .evil.test\n"
	    "block domain a.test evil.test\n"
	    "allow client acme 192.0.2.0/24\n"
	    "block all 192.0.2.7\n"
	    "block profile sales 2001:db8::/32\n"
	    "allow all 2001:db8:1::/48\n"
	    "block all b\xc3\xbc" "cher.test\n",
};

/* A field by its name, as text. */
static struct slice
shown(const struct stage_one *o)
{
	static const char *const modes[] = { "off", "low", "high" };
	struct buf b = buf_in(s.arena);

	buf_addf(&b, "%u %lldms %s %s %d", o->count, (long long)o->time,
	    o->text, modes[o->mode], o->flag);
	for (size_t i = 0; i < o->list.count; i++)
		buf_addf(&b, " [%s]", o->list.items[i].ptr);
	return buf_slice(&b);
}

static const struct {
	const char *name, *address, *want;
} settings[] = {
	{ "a user over his domain and client", "anna@a.test",
	  "30 2000ms say \"hi\" \\ there low 0 [x] [y]" },
	{ "whatever case, by A-label", "<Anna@A.TEST>",
	  "30 2000ms say \"hi\" \\ there low 0 [x] [y]" },
	{ "with an extension", "anna+x@a.test",
	  "30 2000ms say \"hi\" \\ there low 0 [x] [y]" },
	{ "an extension that has something of its own", "anna+news@a.test",
	  "31 2000ms t low 0 [x] [y]" },
	{ "a scope and the sheet together", "bert@a.test",
	  "30 2000ms say \"hi\" \\ there off 0 [a]" },
	{ "one of the sheet only", "carl@a.test", "20 2000ms c low 0 [a]" },
	{ "a stranger in a domain of ours", "nobody@a.test",
	  "20 2000ms t low 0 [a]" },
	{ "final of a profile over the user", "dora@b.test",
	  "77 1000ms t low 0 [a]" },
	{ "who belongs to a profile by a scope", "extra@b.test",
	  "5 1000ms t low 0 [x] [y]" },
	{ "an alias of one is that mailbox", "info2@a.test",
	  "20 2000ms c low 0 [a]" },
	{ "over two aliases", "deep@a.test", "20 2000ms c low 0 [a]" },
	{ "unless something is set for the alias", "info@a.test",
	  "40 2000ms t low 0 [a]" },
	{ "an alias of several is itself", "both@a.test",
	  "20 2000ms t low 0 [a]" },
	{ "a loop is itself", "loop1@a.test", "20 2000ms t low 0 [a]" },
	{ "a domain outside ASCII", "x@B\xc3\xbc" "cher.test",
	  "6 1000ms t low 0 [a]" },
	{ "the same by its A-label", "x@xn--bcher-kva.test",
	  "6 1000ms t low 0 [a]" },
	{ "a local part outside ASCII", "\xc3\xbc@far.test",
	  "8 1000ms t high 0 [a]" },
	{ "a domain that is not ours", "x@far.test", "5 1000ms t high 0 [a]" },
	{ "nobody knows him", "x@unknown.test", "5 1000ms t low 0 [a]" },
	{ "no address at all", "", "5 1000ms t low 0 [a]" },
	{ "no domain", "postmaster", "5 1000ms t low 0 [a]" },
};

static void
try_settings(const struct policy *p)
{
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		struct policy_who who;
		struct stage_one one;

		tap_ok(stage_ask(&s, p, settings[i].address, &one, &who) ==
		    RC_OK, "%s: found", settings[i].name);
		tap_is(shown(&one), slice_of(settings[i].want), "%s",
		    settings[i].name);
	}
}

static void
try_who(const struct policy *p)
{
	struct policy_who who;
	struct stage_one one;

	stage_ask(&s, p, "Anna+y@a.test", &one, &who);
	tap_is(who.address, SLICE("anna@a.test"), "his address");
	tap_is(who.client, SLICE("acme"), "the domain's client");
	tap_is(who.profile, SLICE("sales"), "his profile");
	tap_is(who.domain, SLICE("a.test"), "his domain");
	tap_is(who.transport, SLICE("smtp:[mx.test]"), "the domain's transport");
	tap_ok(who.known && who.ours && !who.alias, "known, ours, a mailbox");
	tap_is(policy_attribute(p, &who, "name"), SLICE("Anna A."), "a name");
	tap_is(policy_attribute(p, &who, "phone"), SLICE("1\t2"), "a tab");
	tap_ok(policy_attribute(p, &who, "fax").ptr == NULL, "no fax");
	stage_ask(&s, p, "deep@a.test", &one, &who);
	tap_is(who.address, SLICE("carl@a.test"), "who is behind an alias");
	tap_is(who.transport, SLICE("lmtp:[::1]"), "and his own transport");
	stage_ask(&s, p, "mix@a.test", &one, &who);
	tap_ok(who.known && who.alias, "an alias of several");
	stage_ask(&s, p, "zoe@b.test", &one, &who);
	tap_ok(!who.known && who.ours, "ours, but no mailbox");
	stage_ask(&s, p, "x@far.test", &one, &who);
	tap_ok(!who.known && !who.ours, "not ours");
	tap_is(policy_login(p, s.arena, SLICE("anna")), SLICE("anna@a.test"),
	    "a login that is a name");
	tap_is(policy_login(p, s.arena, SLICE("q@b.test")), SLICE("q@b.test"),
	    "a login that is an address");
	tap_ok(policy_login(p, s.arena, SLICE("otto")).ptr == NULL,
	    "a login of nobody");
}

/* Of whom only the client is known. */
static void
try_client(const struct policy *p)
{
	struct stage_one one = s.one;
	struct slice why = SLICE("");
	struct policy_who who;

	tap_ok(policy_client(p, s.arena, SLICE("acme"), &who) == RC_OK &&
	    policy_settings(p, &who, "one", stage_one_options, s.one.scopes,
	    &one, &why) == RC_OK, "a client alone");
	tap_is(shown(&one), SLICE("10 2000ms t low 0 [a]"), "has his own");
	tap_is(who.client, SLICE("acme"), "he is told");
	one = s.one;
	tap_ok(policy_client(p, s.arena, SLICE("who"), &who) == RC_OK &&
	    policy_settings(p, &who, "one", stage_one_options, s.one.scopes,
	    &one, &why) == RC_OK && one.count == 5, "one nobody knows");
}

static struct slice
members(const struct policy *p, const char *address)
{
	struct buf b = buf_in(s.arena);
	struct slice *all;
	size_t n;

	if (policy_members(p, s.arena, slice_of(address), &all, &n) != RC_OK)
		return SLICE("trouble");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&b, ' ');
		buf_add(&b, all[i]);
	}
	return buf_slice(&b);
}

static void
try_members(const struct policy *p)
{
	tap_is(members(p, "anna@a.test"), SLICE("anna@a.test"), "a mailbox");
	tap_is(members(p, "both@a.test"), SLICE("anna@a.test dora@b.test"),
	    "an alias");
	tap_is(members(p, "Both+z@a.test"), SLICE("anna@a.test dora@b.test"),
	    "an alias with an extension");
	tap_is(members(p, "deep@a.test"), SLICE("carl@a.test"), "two deep");
	tap_is(members(p, "mix@a.test"), SLICE("anna@a.test out@far.test"),
	    "what leads back is left out");
	tap_is(members(p, "loop1@a.test"), SLICE("loop1@a.test"),
	    "a loop keeps its mail");
	tap_is(members(p, "x@y.test"), SLICE("x@y.test"), "a stranger");
}

static void
try_form(const struct policy *p)
{
	uint64_t form[5];
	static const char *const of[] = { "anna@a.test", "bert@a.test",
	    "nobody@a.test", "x@unknown.test", "dora@b.test" };
	struct policy_who who, bert;
	struct stage_one one;

	for (size_t i = 0; i < 5; i++) {
		stage_ask(&s, p, of[i], &one, &who);
		form[i] = policy_form(p, &who);
	}
	tap_ok(form[2] == form[3], "what changes no bytes changes no form");
	tap_ok(form[0] != form[2], "a text that does");
	tap_ok(form[0] != form[1], "and one more, of another table");
	tap_ok(form[4] != form[3] && form[4] != form[0], "table two only");
	stage_ask(&s, p, "nobody@a.test", &one, &who);
	stage_ask(&s, p, "other@a.test", &one, &bert);
	tap_ok(who.set == bert.set, "equal settings are one set");
	stage_ask(&s, p, "bert@a.test", &one, &bert);
	tap_ok(who.set != bert.set, "others another");
}

static const struct {
	const char *name, *address, *option;
	enum scope_level level;
	const char *where;
	bool final;
} decided[] = {
	{ "the user", "anna@a.test", "count", SCOPE_USER, "one.conf:8", false },
	{ "the client, and it is final", "anna@a.test", "time", SCOPE_CLIENT,
	  "one.conf:3", true },
	{ "nobody: the default is final", "anna@a.test", "flag",
	  SCOPE_DEFAULT, "", true },
	{ "a line of the sheet", "bert@a.test", "mode", SCOPE_USER, "sheet:3",
	  false },
	{ "the profile over the user", "dora@b.test", "count", SCOPE_PROFILE,
	  "sheet:5", true },
	{ "nobody", "x@unknown.test", "count", SCOPE_DEFAULT, "", false },
};

static void
try_decided(const struct policy *p)
{
	for (size_t i = 0; i < sizeof decided / sizeof *decided; i++) {
		struct policy_who who;
		struct scope_why why;
		struct stage_one one;

		stage_ask(&s, p, decided[i].address, &one, &who);
		tap_ok(policy_decided(p, &who, "one", decided[i].option,
		    s.one.scopes, &why) == RC_OK, "%s: told",
		    decided[i].name);
		tap_is_str(scope_level_name(why.level),
		    scope_level_name(decided[i].level), "%s: who",
		    decided[i].name);
		tap_is(why.where, slice_of(decided[i].where), "%s: where",
		    decided[i].name);
		tap_ok(why.final == decided[i].final, "%s: final",
		    decided[i].name);
	}
}

static const struct {
	const char *name, *to, *from, *ip;
	bool aligned;
	enum listed want;
	const char *entry;
} listed[] = {
	{ "blocked for all", "dora@b.test", "bad@spam.test", "", false,
	  LISTED_BLOCK, "lists:2 (anna 2026-11-26: loud)" },
	{ "allowed for one, when it is authentic", "anna@a.test",
	  "Bad@SPAM.test", "", true, LISTED_ALLOW, "lists:3" },
	{ "when it is not, the next level counts", "anna@a.test",
	  "bad@spam.test", "", false, LISTED_BLOCK,
	  "lists:2 (anna 2026-11-26: loud)" },
	{ "another sender", "dora@b.test", "good@spam.test", "", false,
	  LISTED_NOT, "" },
	{ "below a domain", "dora@b.test", "x@y.z.evil.test", "", false,
	  LISTED_BLOCK, "lists:4" },
	{ "not the domain itself", "dora@b.test", "x@evil.test", "", false,
	  LISTED_NOT, "" },
	{ "but for whom it is", "anna@a.test", "x@evil.test", "", false,
	  LISTED_BLOCK, "lists:5" },
	{ "a network of the client", "bert@a.test", "x@y.test", "192.0.2.7",
	  false, LISTED_ALLOW, "lists:6" },
	{ "an address for all others", "dora@b.test", "x@y.test", "192.0.2.7",
	  false, LISTED_BLOCK, "lists:7" },
	{ "the one beside it", "dora@b.test", "x@y.test", "192.0.2.8", false,
	  LISTED_NOT, "" },
	{ "the longest prefix", "dora@b.test", "", "2001:db8:1::1", false,
	  LISTED_ALLOW, "lists:9" },
	{ "a profile before all", "anna@a.test", "", "2001:db8:1::1", false,
	  LISTED_BLOCK, "lists:8" },
	{ "a domain by its A-label", "dora@b.test", "x@xn--bcher-kva.test", "",
	  false, LISTED_BLOCK, "lists:10" },
};

static void
try_lists(const struct policy *p)
{
	for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
		struct policy_sender from = {
		    .address = slice_of(listed[i].from),
		    .aligned = listed[i].aligned };
		enum listed got = LISTED_NOT;
		struct policy_who who;
		struct stage_one one;
		struct slice entry = SLICE("");

		ip_parse(slice_of(listed[i].ip), &from.ip);
		if (listed[i].ip[0] == '\0')
			from.ip.family = 0;
		stage_ask(&s, p, listed[i].to, &one, &who);
		tap_ok(policy_listed(p, &who, &from, &got, &entry) == RC_OK,
		    "%s: asked", listed[i].name);
		tap_is_int(got, listed[i].want, "%s", listed[i].name);
		tap_is(entry, slice_of(listed[i].entry), "%s: which",
		    listed[i].name);
	}
}

/* --- whose settings count in a job --------------------------------------- */

static const struct {
	const char *name, *login, *sender, *want;
} senders[] = {
	{ "a login that is an address", "dora@b.test", "x@a.test",
	  "dora@b.test" },
	{ "a login that is somebody's", "anna", "x@a.test", "anna@a.test" },
	{ "a login of nobody", "otto", "x@a.test", "x@a.test" },
	{ "no login", "", "x@a.test", "x@a.test" },
};

static void
try_job(const struct policy *p)
{
	struct client client = { .user = SLICE("") };
	struct envelope envelope = { .nrecipients = 0 };
	struct job job = { .arena = s.arena, .policy = p, .client = &client,
	    .envelope = &envelope, .direction = DIRECTION_OUT,
	    .filter = "one", .conf = &s.one };
	struct policy_who who;
	struct stage_one one;
	struct slice why;

	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
		client.user = slice_of(senders[i].login);
		envelope.sender = slice_of(senders[i].sender);
		tap_is(job_sender(&job), slice_of(senders[i].want), "%s",
		    senders[i].name);
	}
	tap_ok(job_settings(&job, SLICE("carl@a.test"), stage_one_options,
	    s.one.scopes, sizeof one, &one, &who, &why) == RC_OK,
	    "settings for a job");
	tap_is_str(one.text, "c", "are his");
	tap_is_int(job_direction(&job, &who), DIRECTION_INTERNAL,
	    "from us to one of us");
	tap_is(job_decided(&job, &who, "text", s.one.scopes),
	    SLICE("user carl@a.test (sheet:4)"), "who said so");
	tap_is(job_decided(&job, &who, "mode", s.one.scopes), SLICE(""),
	    "the default says nothing");
	tap_is(job_decided(&job, &who, "flag", s.one.scopes),
	    SLICE("default, final"), "unless it is final");
	policy_find(p, s.arena, SLICE("x@far.test"), &who);
	tap_is_int(job_direction(&job, &who), DIRECTION_OUT, "from us out");
	job.direction = DIRECTION_IN;
	tap_is_int(job_direction(&job, &who), DIRECTION_IN, "from outside");
}

/* --- what is refused ----------------------------------------------------- */

static const struct {
	const char *name;
	struct stage_texts texts;
	const char *want;
} refused[] = {
	{ "an option nobody has", { .sheet = "\nuser a@b.test one.cuont = 1" },
	  "sheet:2: unknown option cuont" },
	{ "a file nobody has", { .sheet = "user a@b.test tow.count = 1" },
	  "sheet:1: there is no file tow.conf; did you mean two?" },
	{ "the same for all", { .sheet = "user a@b.test one.fixed = 1" },
	  "sheet:1: fixed is the same for all; it has no place in a scope" },
	{ "out of range", { .sheet = "user a@b.test one.count = 0" },
	  "sheet:1: count is 0; it wants a whole number, 1 to 10000" },
	{ "two values in one", { .sheet = "user a@b.test one.count = 1; x = 2" },
	  "sheet:1: more than one value" },
	{ "no value", { .sheet = "user a@b.test one.count" },
	  "sheet:1: no value; write it as one.count = VALUE" },
	{ "no level", { .sheet = "usr a@b.test one.count = 1" },
	  "sheet:1: the line begins with \"usr\"; it wants user, profile, "
	  "domain or client, or final and one of these" },
	{ "no address", { .sheet = "user ab.test one.count = 1" },
	  "sheet:1: \"ab.test\" is no address" },
	{ "twice in the sheet", { .sheet = "user a@b.test one.count = 1\n"
	  "user A@b.test one.count = 2" },
	  "sheet:2: count is set for user a@b.test a second time; the first is "
	  "in sheet:1" },
	{ "in file and sheet", { .one = "scope = ( { user = \"a@b.test\";\n"
	  "count = 1; } );", .sheet = "user a@b.test one.count = 2" },
	  "sheet:1: count is set for user a@b.test a second time; the first is "
	  "in one.conf:2" },
	{ "two clients for one domain", {
	  .one = "scope = ( { client = \"x\"; domains = [ \"b.test\" ]; } );",
	  .two = "scope = ( { client = \"y\"; domains = [ \"b.test\" ]; } );" },
	  "b.test belongs to the client \"x\" in one.conf, and to \"y\" in "
	  "two.conf; let them agree" },
	{ "no verdict", { .lists = "deny all a@b.test" },
	  "lists:1: the line begins with \"deny\"; it wants allow or block" },
	{ "for nobody", { .lists = "allow a@b.test" },
	  "lists:1: behind allow or block stands for whom: all, or client, "
	  "domain, profile or user with a name" },
	{ "a user's network", { .lists = "allow user a@b.test 192.0.2.0/24" },
	  "lists:1: a user cannot list a network; a profile, a domain, a client "
	  "or all can" },
	{ "bits behind the prefix", { .lists = "allow all 192.0.2.1/24" },
	  "lists:1: \"192.0.2.1/24\" is no sender; it wants an address "
	  "(a@example.net), a domain (example.net, or .example.net for all "
	  "below it), or a network (192.0.2.0/24)" },
	{ "contradiction", { .lists = "allow all x@b.test\n"
	  "block all X@b.test" },
	  "lists:2: x@b.test is listed a second time for the same, and one "
	  "allows what the other blocks; the first is in lists:1; remove one" },
	{ "no UTF-8", { .lists = "allow all a@b.test # caf\xe9" },
	  "lists:1: the line is not UTF-8; save the file as UTF-8" },
	{ "a control character", { .sheet = "user a@b.test one.text = \"\1\"" },
	  "sheet:1: the line holds a control character; remove it" },
	{ "more behind it", { .lists = "allow all a@b.test c@d.test" },
	  "lists:1: something stands behind the sender; a comment begins with "
	  "#" },
	{ "two with one login", { .directory = "D b.test\n"
	  "U a@b.test\tattr.login=x\nU b@b.test\tattr.login=x\n" },
	  "directory: the login \"x\" is that of a@b.test and of b@b.test; one "
	  "of them needs another one" },
	{ "two spellings", { .house = "local_part_case = true;",
	  .one = "scope = ( { user = \"A@b.test\"; count = 2; } );",
	  .two = "scope = ( { user = \"a@b.test\"; count = 2; } );" },
	  "two.conf:1: a@b.test is spelled as \"a\" here and as \"A\" in "
	  "one.conf:1; the map knows one spelling of a mailbox" },
};

static void
try_refused(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		tap_is_str(stage_compile(&s, &refused[i].texts),
		    refused[i].want, "%s", refused[i].name);
}

/* --- letters that tell mailboxes apart ----------------------------------- */

static void
try_case(void)
{
	static const struct stage_texts texts = {
		.house = "local_part_case = true;",
		.one = "scope = ( { user = \"Ann@a.test\"; count = 2; },\n"
		    "{ domain = \"a.test\"; count = 3; } );",
	};
	struct slice why = SLICE("");
	struct policy_who who;
	struct stage_one one;
	struct policy *p;

	tap_is_str(stage_compile(&s, &texts), NULL, "compiled");
	p = stage_policy(&s, &why);
	stage_ask(&s, p, "Ann+x@a.test", &one, &who);
	tap_is_int(one.count, 2, "as it is written");
	stage_ask(&s, p, "ann@a.test", &one, &who);
	tap_is_int(one.count, 3, "another spelling is somebody else");
	policy_drop(p);
}

/* --- does it fit? -------------------------------------------------------- */

static const struct {
	const char *name;
	struct stage_texts texts;
	const char *want;
} fits[] = {
	{ "the same", { .one = "scope = ( { user = \"a@b.c\"; count = 2; } );" },
	  NULL },
	{ "other lines", { .one = "# a comment\n\nscope = ( \n"
	  "{ user = \"a@b.c\"; count = 2; } );" }, NULL },
	{ "another default", { .one = "count = 9; scope = ( "
	  "{ user = \"a@b.c\"; count = 2; } );" }, NULL },
	{ "another value", { .one = "scope = ( { user = \"a@b.c\"; "
	  "count = 3; } );" },
	  "one: the policy map was compiled with other scopes than the file has "
	  "now; type: gatehouse policy compile" },
	{ "final", { .one = "final = [ \"count\" ]; scope = ( "
	  "{ user = \"a@b.c\"; count = 2; } );" },
	  "one: the policy map was compiled with other scopes than the file has "
	  "now; type: gatehouse policy compile" },
	{ "none", { .one = "" },
	  "one: the policy map was compiled with other scopes than the file has "
	  "now; type: gatehouse policy compile" },
	{ "another domain", { .house = "domains = [ \"b.c\" ];",
	  .one = "scope = ( { user = \"a@b.c\"; count = 2; } );" },
	  "one: the policy map was compiled with other domains, "
	  "recipient_delimiter or local_part_case than gatehouse.conf has now; "
	  "type: gatehouse policy compile" },
};

static const char *
fit(const struct policy *p, const struct stage_texts *t)
{
	const struct conf_section h[] = { { house_options, &s.house },
	    { NULL, NULL } };
	const struct conf_section o[] = { { stage_one_options, &s.one },
	    { NULL, NULL } };
	struct slice why = SLICE("");

	conf_parse(s.arena, "gatehouse.conf",
	    slice_of(t->house != NULL ? t->house : ""), h, &why);
	conf_parse(s.arena, "one.conf", slice_of(t->one), o, &why);
	return policy_fits(p, &s.house, "one", stage_one_options, s.one.scopes,
	    s.arena, &why) == RC_OK ? NULL : arena_str(s.arena, why);
}

static void
try_fits(void)
{
	struct slice why = SLICE("");
	struct policy *p;

	tap_is_str(stage_compile(&s, &fits[0].texts), NULL, "compiled");
	p = stage_policy(&s, &why);
	for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
		tap_is_str(fit(p, &fits[i].texts), fits[i].want, "fits: %s",
		    fits[i].name);
	tap_ok(policy_fits(p, &s.house, "three", stage_one_options, NULL,
	    s.arena, &why) == RC_BAD, "a filter it does not know");
	policy_drop(p);
}

/* Without a map the scopes of the file count. */
static void
try_without(void)
{
	const struct slice domain = SLICE("acme.test");
	const struct tenant acme = { .name = "acme",
	    .domains = { &domain, 1 } };
	struct policy *p = NULL;
	struct slice why = SLICE(""), entry;
	struct policy_sender from = { .address = SLICE("bad@spam.test") };
	enum listed listed_r;
	struct policy_who who;
	struct stage_one one;

	tap_ok(policy_open("/nonexistent/map", &s.house, &p, s.arena, &why) ==
	    RC_OK && !policy_has_map(p), "no file: no map");
	stage_ask(&s, p, "Bert+x@A.test", &one, &who);
	tap_is_int(one.count, 30, "a scope of the file");
	tap_ok(who.ours && !who.known, "ours");
	tap_is_int((long long)policy_form(p, &who), 0, "no form");
	tap_ok(policy_listed(p, &who, &from, &listed_r, &entry) == RC_OK &&
	    listed_r == LISTED_NOT, "no lists");
	tap_ok(who.client.ptr == NULL, "whose client nobody knows");
	policy_drop(p);
	s.house.tenant_list = (struct tenants){ &acme, 1 };
	policy_open(NULL, &s.house, &p, s.arena, &why);
	stage_ask(&s, p, "x@acme.test", &one, &who);
	tap_is(who.client, SLICE("acme"), "a tenant's domain is the client's");
	tap_is_int(one.count, 10, "and his scope counts");
	s.house.tenant_list.count = 0;
	tap_ok(policy_current(p, "/nonexistent/map") &&
	    !policy_current(p, s.path), "it is looked for");
	policy_drop(p);
}

struct seen {
	size_t n;
	unsigned long long counts;
};

static enum rc
see(struct slice where, const void *conf, void *arg)
{
	struct seen *seen = arg;

	(void)where;
	seen->n++;
	seen->counts += ((const struct stage_one *)conf)->count;
	return RC_OK;
}

static void
try_each(const struct policy *p)
{
	struct slice why = SLICE("");
	struct seen seen = { 0 };

	tap_ok(policy_each(p, "one", stage_one_options, s.one.scopes, &s.one,
	    sizeof s.one, see, &seen, &why) == RC_OK, "each block");
	/* default; a.test; anna; news; bert; carl; info; dora; extra; far;
	 * buecher; ue; acme */
	tap_is_int((long long)seen.n, 13, "as many as differ");
	tap_is_int((long long)seen.counts, 10 + 5 + 20 + 30 + 31 + 30 + 20 + 40 +
	    77 + 5 + 5 + 6 + 8, "with what is set");
}

int
main(void)
{
	struct slice why = SLICE("");
	struct policy *p;

	stage_open(&s);
	tap_is_str(stage_compile(&s, &house), NULL, "the house is compiled");
	p = stage_policy(&s, &why);
	tap_is(why, SLICE(""), "and opened");
	if (p != NULL) {
		try_settings(p);
		try_who(p);
		try_members(p);
		try_form(p);
		try_decided(p);
		try_lists(p);
		try_each(p);
		try_client(p);
		try_job(p);
		try_without();
		policy_drop(p);
	}
	try_refused();
	try_case();
	try_fits();
	stage_close(&s);
	return tap_done();
}
