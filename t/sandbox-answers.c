/* What a sandbox says, and what it cannot make us believe. */
#include <string.h>

#include "services/sandbox/answer.h"
#include "t/tap.h"

#define SHA	"2d711642b726b04401627ca9fbac32f5" \
	"c8530fb1903cc4db02258717921a4881"
#define OTHER	"fb1903cc4db02258717921a48812d711" \
	"642b726b04401627ca9fbac32f5c8530"

static struct arena *arena;

/* ---- given ---- */

static const struct {
	enum sandbox_api api;
	const char *body, *tasks;	/* NULL: nothing to be believed */
} given[] = {
	{ SANDBOX_CAPE, "{\"error\":false,\"data\":{\"task_ids\":[12]}}",
	    "12" },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":[1,2,3]}}", "1,2,3" },
	{ SANDBOX_CAPE, "{\"error\":true,\"data\":{\"task_ids\":[12]}}",
	    NULL },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":[]}}", NULL },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":[0]}}", NULL },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":[-1]}}", NULL },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":[\"1/../2\"]}}", NULL },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":[1,1,1,1,1,1,1,1,1,1,1,1,1,"
	    "1,1,1,1,1,1,1,1]}}", NULL },
	{ SANDBOX_CAPE, "{\"data\":{\"task_ids\":12}}", NULL },
	{ SANDBOX_CAPE, "{\"data\":[", NULL },
	{ SANDBOX_CAPE, "[]", NULL },
	{ SANDBOX_CAPE, "", NULL },
	{ SANDBOX_CAPE, "{\"id\":\"a\"}", NULL },
	{ SANDBOX_GENERIC, "{\"id\":\"a-b.1_2\"}", "a-b.1_2" },
	{ SANDBOX_GENERIC, "{\"id\":\"../etc\"}", NULL },
	{ SANDBOX_GENERIC, "{\"id\":\"a/b\"}", NULL },
	{ SANDBOX_GENERIC, "{\"id\":\"a\\r\\nX: y\"}", NULL },
	{ SANDBOX_GENERIC, "{\"id\":\"\"}", NULL },
	{ SANDBOX_GENERIC, "{\"id\":12}", NULL },
	{ SANDBOX_GENERIC, "{}", NULL },
};

static void
test_given(void)
{
	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
		struct slice tasks = SLICE(""), why = SLICE("");
		enum rc rc = answer_submitted(given[i].api,
		    slice_of(given[i].body), arena, &tasks, &why);

		tap_is_int(rc, given[i].tasks != NULL ? RC_OK : RC_BAD, "%s",
		    given[i].body);
		if (given[i].tasks != NULL)
			tap_is(tasks, slice_of(given[i].tasks), "its tasks");
		else
			tap_ok(why.len > 0, "and why not");
	}
}

/* ---- how it is ---- */

static const struct {
	enum sandbox_api api;
	const char *body;
	enum rc rc;
	enum answer_state state;
	int score;			/* -1: none */
	enum answer_verdict verdict;	/* as judged */
} states[] = {
#define CAPE(status) "{\"error\":false,\"data\":{\"id\":7,\"status\":\"" \
	status "\"}}"
	{ SANDBOX_CAPE, CAPE("pending"), RC_OK, ANSWER_PENDING, -1,
	    VERDICT_NONE },
	{ SANDBOX_CAPE, CAPE("completed"), RC_OK, ANSWER_PENDING, -1,
	    VERDICT_NONE },
	{ SANDBOX_CAPE, CAPE("something new"), RC_OK, ANSWER_PENDING, -1,
	    VERDICT_NONE },
	{ SANDBOX_CAPE, CAPE("reported"), RC_OK, ANSWER_DONE, -1,
	    VERDICT_NONE },
	{ SANDBOX_CAPE, CAPE("failed_analysis"), RC_OK, ANSWER_FAILED, -1,
	    VERDICT_NONE },
	{ SANDBOX_CAPE, CAPE("banned"), RC_OK, ANSWER_FAILED, -1,
	    VERDICT_NONE },
	{ SANDBOX_CAPE, CAPE(""), RC_BAD, 0, 0, 0 },
	{ SANDBOX_CAPE, "{\"data\":{\"id\":8,\"status\":\"reported\"}}",
	    RC_BAD, 0, 0, 0 },
	{ SANDBOX_CAPE, "{\"data\":{\"id\":\"7\",\"status\":\"reported\"}}",
	    RC_BAD, 0, 0, 0 },
	{ SANDBOX_CAPE, "{\"error\":true,\"error_value\":\"no\"}", RC_BAD, 0,
	    0, 0 },
#define GENERIC(rest) "{\"id\":\"7\",\"sha256\":\"" SHA "\"" rest "}"
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"pending\""), RC_OK,
	    ANSWER_PENDING, -1, VERDICT_NONE },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"failed\""), RC_OK,
	    ANSWER_FAILED, -1, VERDICT_NONE },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"verdict\":\"clean\""),
	    RC_OK, ANSWER_DONE, -1, VERDICT_CLEAN },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"score\":70"),
	    RC_OK, ANSWER_DONE, 70, VERDICT_MALICIOUS },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"score\":69.4"),
	    RC_OK, ANSWER_DONE, 69, VERDICT_SUSPICIOUS },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"verdict\":\"clean\","
	    "\"score\":99"), RC_OK, ANSWER_DONE, 99, VERDICT_MALICIOUS },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"verdict\":"
	    "\"malicious\",\"score\":0"), RC_OK, ANSWER_DONE, 0,
	    VERDICT_MALICIOUS },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"score\":1000"),
	    RC_OK, ANSWER_DONE, 100, VERDICT_MALICIOUS },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"score\":-5"),
	    RC_OK, ANSWER_DONE, 0, VERDICT_CLEAN },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"score\":1e300"),
	    RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"score\":\"0\""),
	    RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\",\"verdict\":\"fine\""),
	    RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"done\""), RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, GENERIC(",\"state\":\"odd\""), RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, "{\"id\":\"8\",\"state\":\"pending\"}", RC_BAD, 0,
	    0, 0 },
	{ SANDBOX_GENERIC, "{\"id\":\"7\",\"sha256\":\"" OTHER "\",\"state\":"
	    "\"done\",\"verdict\":\"clean\"}", RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, "{\"id\":\"7\",\"state\":\"done\",\"verdict\":"
	    "\"clean\"}", RC_BAD, 0, 0, 0 },
	{ SANDBOX_GENERIC, "{\"id\":\"7\",\"id\":\"7\",\"state\":\"pending\"}",
	    RC_BAD, 0, 0, 0 },
};

static void
test_states(const struct sandbox_conf *conf)
{
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct answer r;
		struct slice why = SLICE("");
		enum rc rc = answer_state(states[i].api,
		    slice_of(states[i].body), SLICE("7"), SLICE(SHA), arena,
		    &r, &why);

		tap_is_int(rc, states[i].rc, "%s", states[i].body);
		if (rc != RC_OK || states[i].rc != RC_OK) {
			tap_ok(why.len > 0, "and why not");
			continue;
		}
		tap_is_int(r.state, states[i].state, "state");
		tap_is_int(r.scored ? (int)r.score : -1, states[i].score,
		    "score");
		tap_is_str(answer_verdict_name(answer_judge(conf, &r)),
		    answer_verdict_name(states[i].verdict), "verdict");
	}
}

/* ---- a report of CAPE ---- */

static const struct {
	const char *body;
	enum rc rc;
	unsigned score;
	const char *name;
} reports[] = {
#define REPORT(id, sha, rest) "{\"info\":{\"id\":" id "},\"target\":{" \
	"\"file\":{\"sha256\":\"" sha "\"}}" rest "}"
	{ REPORT("7", SHA, ",\"malscore\":9.14,\"detections\":"
	    "[{\"family\":\"Emotet\"}]"), RC_OK, 91, "Emotet" },
	{ REPORT("7", SHA, ",\"malscore\":0.0"), RC_OK, 0, "" },
	{ REPORT("7", SHA, ",\"malscore\":10"), RC_OK, 100, "" },
	{ REPORT("7", SHA, ",\"malscore\":42"), RC_OK, 100, "" },
	{ REPORT("7", SHA, ",\"malscore\":1,\"detections\":\"Old\""), RC_OK,
	    10, "Old" },
	{ REPORT("7", SHA, ",\"malscore\":1,\"malfamily\":\"A\\u001b[1m<b>"
	    "\\r\\nX: y\""), RC_OK, 10, "A1mbX: y" },
	{ REPORT("7", SHA, ",\"malscore\":1,\"malfamily\":[[[]]]"), RC_OK, 10,
	    "" },
	{ "{\"info\":{\"id\":7,\"score\":5.5},\"target\":{\"file\":"
	    "{\"sha256\":\"" SHA "\"}}}", RC_OK, 55, "" },
	{ REPORT("8", SHA, ",\"malscore\":0"), RC_BAD, 0, NULL },
	{ REPORT("7", OTHER, ",\"malscore\":0"), RC_BAD, 0, NULL },
	{ REPORT("7", SHA, ""), RC_BAD, 0, NULL },
	{ REPORT("7", SHA, ",\"malscore\":null"), RC_BAD, 0, NULL },
	{ REPORT("7", SHA, ",\"malscore\":\"0\""), RC_BAD, 0, NULL },
	{ REPORT("7", SHA, ",\"malscore\":0,\"error\":true"), RC_BAD, 0,
	    NULL },
	{ "{\"malscore\":0}", RC_BAD, 0, NULL },
	{ "{\"malscore\":0", RC_BAD, 0, NULL },
	{ "null", RC_BAD, 0, NULL },
};

static void
test_reports(void)
{
	struct buf deep = { 0 };
	struct answer r;
	struct slice why;

	for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
		enum rc rc = answer_report(slice_of(reports[i].body),
		    SLICE("7"), SLICE(SHA), arena, &r, &why);

		tap_is_int(rc, reports[i].rc, "%s", reports[i].body);
		if (rc != RC_OK || reports[i].rc != RC_OK)
			continue;
		tap_is_int((int)r.score, (int)reports[i].score, "score");
		tap_is(r.name, slice_of(reports[i].name), "name");
	}
	tap_is_int(answer_report(slice_of(REPORT("7", OTHER,
	    ",\"malscore\":3")), SLICE("7"), SLICE_NONE, arena, &r, &why),
	    RC_OK, "of a member the digest is not known");
	for (int i = 0; i < 100000; i++)
		buf_addc(&deep, '[');
	tap_is_int(answer_report(buf_slice(&deep), SLICE("7"), SLICE_NONE,
	    arena, &r, &why), RC_BAD, "as deep as it likes");
	buf_free(&deep);
}

int
main(void)
{
	const struct sandbox_conf conf = { .malicious = 70, .suspicious = 40 };

	arena = arena_new();
	test_given();
	test_states(&conf);
	test_reports();
	arena_free(arena);
	return tap_done();
}
