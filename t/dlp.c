/* Rules for data loss without a daemon: the file, what is found, what is done;
 * text of office files; fingerprints (milters/attachment-dlp, common). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"
#include "content/office.h"
#include "detect/plain.h"
#include "milters/attachment-dlp/dlp_step.h"
#include "t/tap.h"

/* ---- the file ---- */

static const struct { const char *text, *want; } wrong[] = {
	{ "rule = ();", "r:1: unknown setting rule; did you mean rules?" },
	{ "rules = 1;", "r:1: rules wants a list of groups: rules = ( { ... }, "
	    "{ ... } );" },
	{ "rules = ( 1 );", "r:1: a rule is a group: { name = \"...\"; card = "
	    "true; then = { ... }; }" },
	{ "rules = (\n{ card = true; } );", "r:2: this rule has no name; give "
	    "it one: name = \"...\";" },
	{ "rules = (\n{ name = \"a\"; } );", "r:2: rule a looks for nothing; "
	    "say what: card, iban, bic, national, address, words, regex, "
	    "label, document" },
	{ "rules = ( { name = \"a b\"; card = true; } );", "r:1: name is \"a "
	    "b\"; it wants 1 to 60 letters, digits, '-', '_' and '.'" },
	{ "rules = ( { name = \"a\";\ncard = false; } );", "r:2: card wants "
	    "true; what a rule does not look for is left out" },
	{ "rules = ( { name = \"a\";\ncrad = true; } );", "r:2: unknown "
	    "setting crad; did you mean card?" },
	{ "rules = ( { name = \"a\";\nregex = \"(\"; } );", "r:2: regex is "
	    "wrong at byte 2: missing closing parenthesis; mend it, "
	    "pcre2pattern(3) says how they are written" },
	{ "rules = ( { name = \"a\"; card = true; within = 5; } );",
	    "r:1: rule a has within, and no context that it could be near to; "
	    "add context, or take it out" },
	{ "rules = ( { name = \"a\"; card = true; share = 5; } );",
	    "r:1: rule a has share, and no document; add document, or take it "
	    "out" },
	{ "rules = ( { name = \"a\"; document = \"x\"; } );", "r:1: document "
	    "is \"x\"; it wants the absolute path of a set of fingerprints" },
	{ "rules = ( { name = \"a\"; card = true;\ndirection = \"up\"; } );",
	    "r:2: direction is \"up\"; it wants some of \"out\" (to recipients "
	    "who are none of ours), \"internal\", \"in\"" },
	{ "rules = ( { name = \"a\"; card = true;\nexcept = [ \"--\" ]; } );",
	    "r:2: \"--\" in except is no number; it wants values as they are "
	    "written" },
	{ "rules = ( { name = \"a\"; card = true; then = {\nnotify_to = [ "
	    "\"a@b.test\", \"officer\" ]; }; } );", "r:2: notify_to has "
	    "\"officer\"; it wants addresses, as \"officer@example.org\"" },
	{ "rules = ( { name = \"a\"; card = true;\nthen = { notify = true; }; "
	    "} );", "r:2: notify without an action; officers are told of what "
	    "is held, so it wants action = \"block\" or \"hold\" beside it" },
	{ "rules = ( { name = \"a\"; card = true; },\n{ name = \"a\"; iban = "
	    "true; } );", "r:2: a second rule a; the first is in r:1" },
	{ "rules = ( { name = \"a\"; words = []; } );", "r:1: words has 0 "
	    "items; it wants 1 to 5000" },
};

static void
test_wrong(struct arena *a)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct dlp_rules *rules;
		struct slice why = SLICE("");

		if (dlp_parse("r", slice_of(wrong[i].text), &rules, a, &why) ==
		    RC_OK)
			why = SLICE("right");
		tap_is(why, slice_of(wrong[i].want), "wrong %zu", i + 1);
		dlp_free(rules);
	}
}

/* ---- what is found ---- */

#define RULE(text)	"rules = ( { name = \"a\"; " text " } );"

static const struct { const char *rules, *text, *want; } cases[] = {
	{ RULE("card = true;"), "4111 1111 1111 1111", "1 yes" },
	{ RULE("card = true;"), "4111 1111 1111 1112", "0 no" },
	{ RULE("card = true;"), "4111111111111111 4111-1111-1111-1111",
	    "1 yes" },
	{ RULE("card = true; at_least = 2;"), "4111111111111111, "
	    "4111 1111 1111 1111", "1 no" },
	{ RULE("card = true; at_least = 2;"), "4111111111111111, "
	    "5500000000000004", "2 yes" },
	{ RULE("card = true; except = [ \"4111 1111 1111 1111\" ];"),
	    "4111111111111111", "0 no" },
	{ RULE("iban = true; except = \"de89 3704 0044 0532 0130 00\";"),
	    "DE89370400440532013000 GB82WEST12345698765432", "1 yes" },
	{ RULE("card = true; context = [ \"expires\" ];"),
	    "4111111111111111", "0 no" },
	{ RULE("card = true; context = [ \"expires\" ];"),
	    "4111111111111111 expires 12/29", "1 yes" },
	{ RULE("card = true; context = [ \"expires\" ]; within = 10;"),
	    "4111111111111111 and much later expires", "0 no" },
	{ RULE("card = true; context = [ \"expires\" ]; within = 10;"),
	    "Expires: 4111111111111111", "1 yes" },
	{ RULE("words = [ \"project falcon\", \"blue\" ]; at_least = 2;"),
	    "blue Project\nFalcon", "2 yes" },
	{ RULE("words = [ \"falcon\" ];"), "falcons", "0 no" },
	{ RULE("words = [ \"merger\" ]; context = [ \"secret\" ]; within = "
	    "20;"), "a secret about the merger", "1 yes" },
	{ RULE("regex = \"PRJ-[0-9]{4}\";"), "prj-1234 PRJ-1234 PRJ-2222",
	    "3 yes" },
	{ RULE("regex = \"(a+)+$\";"), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaab", "0 no undecided" },
	{ RULE("national = [ \"de-steuer-id\" ];"),
	    "Steuer-ID 86 095 742 719", "1 yes" },
	{ RULE("national = [ \"nl-bsn\" ];"),
	    "Steuer-ID 86 095 742 719", "0 no" },
	{ RULE("national = true;"), "Steuer-ID 86 095 742 719", "1 yes" },
	{ RULE("address = true; at_least = 3;"),
	    "a@x.test A@x.test b@x.test c@x.test", "3 yes" },
	{ RULE("bic = true;"), "BIC: COBADEFFXXX", "1 yes" },
	{ RULE("label = [ \"confidential\" ];"), "confidential", "0 no" },
	{ RULE("label = [ \"confidential\" ];"), "L:Name: Confidential",
	    "1 yes" },
};

static void
texts_of(struct arena *a, const char *text, struct dlp_texts *texts_r)
{
	struct dlp_text *t = arena_alloc(a, sizeof *t);

	t->label = strncmp(text, "L:", 2) == 0;
	t->text = plain_text(a, slice_of(text + (t->label ? 2 : 0)));
	t->where = SLICE("text");
	*texts_r = (struct dlp_texts){ .first = t, .count = 1 };
}

static void
test_found(struct arena *a)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dlp_rules *rules;
		struct dlp_texts texts;
		struct dlp_found found;
		struct slice why = SLICE("right");

		if (dlp_parse("r", slice_of(cases[i].rules), &rules, a, &why) !=
		    RC_OK) {
			tap_is(why, SLICE("right"), "found %zu", i + 1);
			continue;
		}
		texts_of(a, cases[i].text, &texts);
		dlp_look(rules, &texts, a, deadline_in(60000), &found);
		tap_is(arena_printf(a, "%u %s%s", found.of[0].values,
		    found.of[0].matched ? "yes" : "no",
		    found.of[0].undecided ? " undecided" : ""),
		    slice_of(cases[i].want), "found %zu", i + 1);
		arena_reset(a);
		dlp_free(rules);
	}
}

/* Text that takes long ends at the deadline, and is told as not done; a hit
 * behind many pauses is found. */
static void
test_late(struct arena *a)
{
	struct buf slow = buf_in(a);
	struct dlp_rules *rules;
	struct dlp_texts texts;
	struct dlp_found found;
	struct slice why;

	for (unsigned i = 0; i < 1500000; i++)
		buf_adds(&slow, "x ");
	buf_adds(&slow, "4111111111111111");
	dlp_parse("r", SLICE(RULE("card = true;")), &rules, a, &why);
	texts_of(a, arena_str(a, buf_slice(&slow)), &texts);
	dlp_look(rules, &texts, a, deadline_in(60000), &found);
	tap_ok(found.of[0].matched && !found.late, "found behind pauses");
	dlp_look(rules, &texts, a, deadline_in(-1), &found);
	tap_ok(found.late && !found.of[0].matched, "the deadline ends it");
	arena_reset(a);
	dlp_free(rules);
}

/* Whatever is told of a hit holds no more than its last four characters. */
static void
test_masked(struct arena *a)
{
	const char *text = "4111111111111111 DE89370400440532013000 "
	    "Steuer-ID 86 095 742 719 PRJ-123456789";
	struct dlp_rules *rules;
	struct dlp_texts texts;
	struct dlp_found found;
	struct slice why, told;

	dlp_parse("r", SLICE(RULE("card = true; iban = true; national = true; "
	    "regex = \"PRJ-[0-9]+\";")), &rules, a, &why);
	texts_of(a, text, &texts);
	dlp_look(rules, &texts, a, deadline_in(60000), &found);
	told = dlp_told(a, &found.of[0]);
	tap_is(told, SLICE("4 values (visa ************1111, iban "
	    "******************3000, de-steuer-id *******2719, regex "
	    "*********6789)"), "masked");
	arena_reset(a);
	dlp_free(rules);
}

/* ---- what is done ---- */

static const struct { const char *name, *rules; enum direction direction;
    int unread; bool closed; const char *want; } deeds[] = {
	{ "audit does nothing", RULE("card = true; then = { action = "
	    "\"block\"; };"), DIRECTION_OUT, 0, false, "none a" },
	{ "enforce blocks", RULE("card = true; mode = \"enforce\"; then = { "
	    "action = \"block\"; };"), DIRECTION_OUT, 0, false, "block a" },
	{ "not those of ours", RULE("card = true; mode = \"enforce\"; then = "
	    "{ action = \"block\"; };"), DIRECTION_INTERNAL, 0, false,
	    "none" },
	{ "nor what comes in", RULE("card = true; mode = \"enforce\"; then = "
	    "{ action = \"block\"; };"), DIRECTION_IN, 0, false, "none" },
	{ "unless it says so", RULE("card = true; mode = \"enforce\"; "
	    "direction = [ \"in\", \"internal\" ]; then = { action = "
	    "\"hold\"; };"), DIRECTION_INTERNAL, 0, false, "hold a" },
	{ "another set", RULE("card = true; set = \"x\"; mode = \"enforce\"; "
	    "then = { action = \"block\"; };"), DIRECTION_OUT, 0, false,
	    "none" },
	{ "the strongest counts", "rules = ( { name = \"a\"; mode = "
	    "\"enforce\"; card = true; then = { action = \"hold\"; tag = true; "
	    "}; }, { name = \"b\"; mode = \"enforce\"; card = true; then = { "
	    "action = \"block\"; encrypt = true; }; } );", DIRECTION_OUT, 0,
	    false, "block b tag encrypt" },
	{ "not read, pass", RULE("iban = true; mode = \"enforce\";"),
	    DIRECTION_OUT, UNREAD_PASS, true, "none" },
	{ "not read, hold", RULE("iban = true; mode = \"enforce\";"),
	    DIRECTION_OUT, UNREAD_HOLD, true, "hold unread" },
	{ "not read, nobody asks", RULE("iban = true;"), DIRECTION_OUT,
	    UNREAD_BLOCK, true, "none" },
	{ "undecided is not read", RULE("regex = \"(1+)+$\"; mode = "
	    "\"enforce\";"), DIRECTION_OUT, UNREAD_BLOCK, false,
	    "block unread" },
};

static void
test_done(struct arena *a)
{
	static const struct slice sets[] = { SLICE("default") };

	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		struct attachment_conf conf = { .dlp_sets = { sets, 1 },
		    .dlp_unread = deeds[i].unread };
		struct dlp_unread unread = { .why = "ole2" };
		struct dlp_answers seen;
		struct dlp_rules *rules;
		struct dlp_decided d;
		struct slice why;

		dlp_parse("r", slice_of(deeds[i].rules), &rules, a, &why);
		texts_of(a, "4111111111111111 11111111111111111111111111111111"
		    "11111111111111111111111b", &seen.texts);
		seen.texts.unread = deeds[i].closed ? &unread : NULL;
		seen.texts.nunread = deeds[i].closed;
		dlp_look(rules, &seen.texts, a, deadline_in(60000),
		    &seen.found);
		d = dlp_decide(&seen, &conf, deeds[i].direction);
		tap_is(arena_printf(a, "%s%s%s%s%s", dlp_action_name(d.action),
		    d.by != NULL || d.audit != NULL ? " " :
		    d.action != DLP_NOTHING ? " unread" : "",
		    d.by != NULL ? d.by->rule->name.ptr : d.audit != NULL ?
		    d.audit->rule->name.ptr : "", d.tag ? " tag" : "",
		    d.encrypt ? " encrypt" : ""), slice_of(deeds[i].want),
		    "%s", deeds[i].name);
		arena_reset(a);
		dlp_free(rules);
	}
}

/* ---- office ---- */

static const struct { const char *name, *xml, *want; } office[] = {
	{ "runs of a paragraph are one text", "<w:p><w:r><w:t>41</w:t></w:r>"
	    "<w:r><w:rPr><w:b/></w:rPr><w:t>11</w:t></w:r></w:p><w:p><w:t>x"
	    "</w:t></w:p>", "4111\nx\n" },
	{ "cells and rows", "<row><c><v>1</v></c><c><is><t>b</t></is></c>"
	    "</row><row><c><v>2</v></c></row>", "1\tb\t2\t" },
	{ "an index is no figure", "<c t=\"s\"><v>7</v></c><c r=\"B1\"><v>8"
	    "</v></c>", "8\t" },
	{ "a figure is written out", "<c><v>3.78282246310005E14</v></c>",
	    "378282246310005\t" },
	{ "a fraction is not", "<c><v>1.5E-7</v></c>", "1.5E-7\t" },
	{ "blanks of ODF", "<text:p>a<text:s text:c=\"2\"/>b<text:tab/>c"
	    "<text:line-break/>d</text:p>", "a  b\tc\nd\n" },
	{ "references", "<t>a&amp;b &#52;&#x34;&nope;</t>", "a&b 44&nope;" },
	{ "CDATA and comments", "<t>a<!-- b --><![CDATA[<c>]]></t>", "a<c>" },
	{ "deleted text stands behind", "<w:t>a</w:t><w:delText>b</w:delText>"
	    "<w:t>c</w:t>", "ac\nb " },
	{ "values behind shown figures", "<table:table-cell office:value=\"4\">"
	    "<text:p>four</text:p></table:table-cell>", "four\n\n4\n" },
	{ "a name of a label", "<property name=\"MSIP_x\"><vt:lpwstr>Secret"
	    "</vt:lpwstr></property>", "Secret\n\nMSIP_x\n" },
	{ "cut off anywhere", "<w:t>a</w:t><w:t", "a" },
	{ "a reference at the end", "<t>a&#5", "a&#5" },
};

static void
test_office(struct arena *a)
{
	struct slice wide = SLICE("\xff\xfe<\0?\0x\0m\0l\0?\0>\0<\0t\0>\0h\0i"
	    "\0<\0/\0t\0>\0");
	bool cut;

	for (size_t i = 0; i < sizeof office / sizeof office[0]; i++)
		tap_is(office_text(a, slice_of(office[i].xml), 1000, &cut),
		    slice_of(office[i].want), "office: %s", office[i].name);
	tap_is(slice_trim(office_text(a, wide, 1000, &cut)), SLICE("hi"),
	    "office: two bytes a character");
	tap_ok(office_xml(wide) && office_xml(SLICE("<?xml version=\"1.0\"?>"))
	    && !office_xml(SLICE("<html>")), "what is XML");
	tap_is(office_text(a, SLICE("<t>12345678</t>"), 4, &cut),
	    SLICE("1234"), "office: a limit");
	tap_ok(cut, "which is told");
	arena_reset(a);
}

/* ---- fingerprints ---- */

/* Words w1 w2 ... that no other document has. */
static struct slice
document(struct arena *a, char letter, unsigned from, unsigned n)
{
	struct buf out = buf_in(a);

	for (unsigned i = from; i < from + n; i++)
		buf_addf(&out, "%c%u%s", letter, i, i % 9 == 0 ? ",\n" : " ");
	return buf_slice(&out);
}

static const struct prints *
stored(struct arena *a, const char *path, struct slice bytes, struct slice *why)
{
	const struct prints *set = NULL;
	FILE *f = fopen(path, "w");

	*why = SLICE("right");
	if (f == NULL)
		return NULL;
	fwrite(bytes.ptr, 1, bytes.len, f);
	if (fclose(f) != 0)
		return NULL;
	return prints_open(path, &set, a, why) == RC_OK ? set : NULL;
}

static void
shares(struct arena *a, const struct prints *set, struct slice text,
    const char *want, const char *name)
{
	unsigned char *seen = arena_alloc(a, prints_bytes(set)), share[3];
	struct buf out = buf_in(a);

	prints_seen(set, text, seen);
	prints_share(set, seen, share);
	for (size_t i = 0; i < prints_documents(set); i++)
		buf_addf(&out, "%.*s %s ", SLICE_ARG(prints_name(set, i)),
		    share[i] == 0 ? "none" : share[i] == 100 ? "all" :
		    share[i] > 40 && share[i] < 60 ? "half" : "some");
	tap_is(slice_trim(buf_slice(&out)), slice_of(want), "%s", name);
}

static void
test_damaged(struct arena *a, const char *path, struct slice bytes)
{
	unsigned opened = 0;
	struct slice why;

	for (size_t i = 0; i < 32; i++) {
		char *copy = arena_str(a, slice_of(""));

		copy = arena_alloc(a, bytes.len);
		memcpy(copy, bytes.ptr, bytes.len);
		copy[i] = (char)(copy[i] ^ 0x40);
		/* The last four of the head are nothing. */
		opened += i < 28 && stored(a, path, slice_make(copy,
		    bytes.len), &why) != NULL;
	}
	tap_is_int(opened, 0, "a damaged head is no set");
	tap_ok(stored(a, path, slice_sub(bytes, 0, bytes.len - 1), &why) ==
	    NULL, "nor one cut off");
}

static void
test_prints(struct arena *a)
{
	char path[] = "/tmp/dlp-prints-XXXXXX";
	struct buf one = buf_in(a), two = buf_in(a), again = buf_in(a);
	struct slice x = document(a, 'x', 0, 1000), why;
	struct slice y = document(a, 'y', 0, 500);
	const struct prints *set;

	close(mkstemp(path));
	tap_ok(prints_add(NULL, SLICE("x"), x, &one, a, &why), "a first one");
	set = stored(a, path, buf_slice(&one), &why);
	tap_is(why, SLICE("right"), "is a set");
	tap_ok(prints_add(set, SLICE("y"), y, &two, a, &why), "and another");
	set = stored(a, path, buf_slice(&two), &why);
	shares(a, set, x, "x all y none", "a document is all of it");
	shares(a, set, document(a, 'X', 0, 500), "x half y none",
	    "half of it in capitals");
	shares(a, set, document(a, 'z', 0, 500), "x none y none",
	    "nothing of it");
	shares(a, set, document(a, 'y', 100, 40), "x none y some",
	    "a passage is some of it");
	tap_ok(prints_add(set, SLICE("x"), document(a, 'z', 0, 90), &again, a,
	    &why), "one anew");
	set = stored(a, path, buf_slice(&again), &why);
	shares(a, set, x, "x none y none", "what it was is gone");
	tap_ok(!prints_add(set, SLICE("q"), SLICE("four words are few"), &two,
	    a, &why), "too short a text is refused");
	tap_ok(!prints_add(set, SLICE(""), x, &two, a, &why), "no name");
	test_damaged(a, path, buf_slice(&one));
	unlink(path);
	arena_reset(a);
}

static void
count(const uint64_t *hashes, size_t n, void *arg)
{
	uint64_t *sum = arg;

	for (size_t i = 0; i < n; i++)
		*sum = *sum * 31 + hashes[i];
}

static uint64_t
sum_of(struct slice text)
{
	uint64_t sum = 0;

	prints_each(text, count, &sum);
	return sum;
}

/* Words are the same wherever they stand in a block of 64 bytes, and whatever
 * signs are between them. */
static void
test_places(struct arena *a)
{
	uint64_t want = sum_of(document(a, 'p', 0, 60)), seed = 9;
	unsigned good = 0;

	for (unsigned n = 0; n < 300; n++) {
		static const char signs[] = " \t\r\n.,;:-()/@[`{^";
		struct slice words = document(a, n % 2 ? 'P' : 'p', 0, 60);
		struct buf out = buf_in(a);

		for (unsigned i = 0; i < n; i++)
			buf_addc(&out, ' ');
		for (size_t i = 0; i < words.len; i++) {
			char c = words.ptr[i];

			if (ascii_alnum(c)) {
				buf_addc(&out, c);
				continue;
			}
			for (unsigned k = 0; k <= (seed >> 40) % 5; k++) {
				seed = seed * UINT64_C(6364136223846793005) + 1;
				buf_addc(&out, signs[(seed >> 33) %
				    (sizeof signs - 1)]);
			}
		}
		good += sum_of(buf_slice(&out)) == want;
	}
	tap_is_int(good, 300, "words are the same wherever they stand");
	tap_ok(sum_of(document(a, 'p', 0, 40)) != want, "and fewer are not");
	arena_reset(a);
}

int
main(void)
{
	struct arena *a = arena_new();

	test_places(a);
	test_wrong(a);
	test_found(a);
	test_late(a);
	test_masked(a);
	test_done(a);
	test_office(a);
	test_prints(a);
	arena_free(a);
	return tap_done();
}
