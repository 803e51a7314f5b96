#include "services/sandbox/answer.h"

#include <jansson.h>
#include <string.h>

#include "base/buf.h"

static const char *const names[VERDICTS] = { "clean", "none", "suspicious",
    "malicious" };

const char *
answer_verdict_name(enum answer_verdict verdict)
{
	return (unsigned)verdict < VERDICTS ? names[verdict] : "none";
}

static enum rc
bad(struct slice *why_r, const char *text)
{
	*why_r = slice_of(text);
	return RC_BAD;
}

static json_t *
read_object(struct slice body, struct slice *why_r)
{
	json_t *root = body.len > 0 ? json_loadb(body.ptr, body.len,
	    JSON_REJECT_DUPLICATES, NULL) : NULL;

	*why_r = SLICE("the answer is no JSON object");
	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

static struct slice
text_of(const json_t *value)
{
	return json_is_string(value) ? slice_make(json_string_value(value),
	    json_string_length(value)) : SLICE("");
}

/* For people: what is printable of it. */
static struct slice
name_of(const json_t *value, struct arena *a)
{
	struct slice s = text_of(value);
	struct buf out = buf_in(a);

	for (size_t i = 0; i < s.len && out.len < ANSWER_NAME; i++)
		if (ascii_alnum(s.ptr[i]) || strchr(" ._-:/", s.ptr[i]) !=
		    NULL)
			buf_addc(&out, s.ptr[i]);
	return buf_slice(&out);
}

/* A name of ours to build a path from. */
static bool
id_good(struct slice s)
{
	return s.len > 0 && s.len <= ANSWER_ID && s.ptr[0] != '.' &&
	    ascii_all_of(s, "._-");
}

static bool
score_of(const json_t *value, double times, struct answer *r)
{
	double n = json_number_value(value) * times;

	if (!json_is_number(value) || !(n >= -100000) || !(n <= 100000))
		return false;
	r->scored = true;
	r->score = n < 0 ? 0 : n > 100 ? 100 : (unsigned)(n + 0.5);
	return true;
}

/* ---- the generic interface ---- */

static enum rc
generic_submitted(const json_t *root, struct arena *a, struct slice *tasks_r,
    struct slice *why_r)
{
	struct slice id = text_of(json_object_get(root, "id"));

	if (!id_good(id))
		return bad(why_r, "the answer has no usable id");
	*tasks_r = arena_copy(a, id);
	return RC_OK;
}

static enum rc
generic_verdict(const json_t *root, struct arena *a, struct answer *r,
    struct slice *why_r)
{
	const json_t *score = json_object_get(root, "score");
	const json_t *verdict = json_object_get(root, "verdict");

	for (unsigned i = 0; i < VERDICTS; i++)
		if (slice_eq(text_of(verdict), slice_of(names[i]))) {
			r->judged = true;
			r->verdict = (enum answer_verdict)i;
		}
	if (verdict != NULL && !r->judged)
		return bad(why_r, "the verdict is none that is defined");
	if (score != NULL && !score_of(score, 1, r))
		return bad(why_r, "the score is no number");
	if (!r->judged && !r->scored)
		return bad(why_r, "it is done, without verdict and score");
	r->name = name_of(json_object_get(root, "name"), a);
	return RC_OK;
}

static enum rc
generic_state(const json_t *root, struct slice task, struct slice sha256,
    struct arena *a, struct answer *r, struct slice *why_r)
{
	struct slice state = text_of(json_object_get(root, "state"));

	if (!slice_eq(text_of(json_object_get(root, "id")), task))
		return bad(why_r, "the answer is about another file's id");
	if (slice_eq(state, SLICE("pending")))
		return RC_OK;
	if (slice_eq(state, SLICE("failed"))) {
		r->state = ANSWER_FAILED;
		return RC_OK;
	}
	if (!slice_eq(state, SLICE("done")))
		return bad(why_r, "the state is none that is defined");
	if (!slice_eq_nocase(text_of(json_object_get(root, "sha256")),
	    sha256))
		return bad(why_r, "the answer is about another file");
	r->state = ANSWER_DONE;
	return generic_verdict(root, a, r, why_r);
}

/* ---- CAPEv2 ---- */

/* What it calls an error comes with 200. */
static enum rc
cape_error(const json_t *root, struct slice *why_r)
{
	const json_t *error = json_object_get(root, "error");

	if (error == NULL || json_is_false(error))
		return RC_OK;
	return bad(why_r, "it says that there was an error");
}

static enum rc
cape_submitted(const json_t *root, struct arena *a, struct slice *tasks_r,
    struct slice *why_r)
{
	const json_t *ids = json_object_get(json_object_get(root, "data"),
	    "task_ids");
	struct buf out = buf_in(a);

	if (cape_error(root, why_r) != RC_OK)
		return RC_BAD;
	if (json_array_size(ids) == 0 || json_array_size(ids) > ANSWER_TASKS)
		return bad(why_r, "the answer has no task_ids, or too many");
	for (size_t i = 0; i < json_array_size(ids); i++) {
		json_int_t n = json_integer_value(json_array_get(ids, i));

		if (n <= 0)
			return bad(why_r, "a task id is no number");
		buf_addf(&out, "%s%lld", i > 0 ? "," : "", (long long)n);
	}
	*tasks_r = buf_slice(&out);
	return RC_OK;
}

static bool
same_task(const json_t *value, struct slice task, struct arena *a)
{
	return json_is_integer(value) && slice_eq(task, arena_printf(a, "%lld",
	    (long long)json_integer_value(value)));
}

static enum rc
cape_state(const json_t *root, struct slice task, struct arena *a,
    struct answer *r, struct slice *why_r)
{
	const json_t *data = json_object_get(root, "data");
	struct slice status = text_of(json_object_get(data, "status"));

	if (cape_error(root, why_r) != RC_OK)
		return RC_BAD;
	if (!same_task(json_object_get(data, "id"), task, a))
		return bad(why_r, "the answer is about another task");
	if (status.len == 0)
		return bad(why_r, "the answer has no status");
	if (slice_eq(status, SLICE("reported")))
		r->state = ANSWER_DONE;
	else if (slice_starts(status, SLICE("failed")) ||
	    slice_eq(status, SLICE("banned")) ||
	    slice_eq(status, SLICE("aborted")))
		r->state = ANSWER_FAILED;
	return RC_OK;
}

/* Reports of several versions: a list of objects, or a name. */
static struct slice
cape_family(const json_t *root, struct arena *a)
{
	const json_t *found = json_object_get(root, "detections");

	if (json_is_array(found))
		found = json_object_get(json_array_get(found, 0), "family");
	if (!json_is_string(found))
		found = json_object_get(root, "malfamily");
	return name_of(found, a);
}

static enum rc
cape_report(const json_t *root, struct slice task, struct slice sha256,
    struct arena *a, struct answer *r, struct slice *why_r)
{
	const json_t *info = json_object_get(root, "info");
	const json_t *file = json_object_get(json_object_get(root, "target"),
	    "file");
	const json_t *score = json_object_get(root, "malscore");

	if (cape_error(root, why_r) != RC_OK)
		return RC_BAD;
	if (!same_task(json_object_get(info, "id"), task, a))
		return bad(why_r, "the report is about another task");
	if (sha256.ptr != NULL && !slice_eq_nocase(sha256,
	    text_of(json_object_get(file, "sha256"))))
		return bad(why_r, "the report is about another file");
	if (!score_of(score != NULL ? score : json_object_get(info, "score"),
	    10, r))
		return bad(why_r, "the report has no score");
	r->state = ANSWER_DONE;
	r->name = cape_family(root, a);
	return RC_OK;
}

/* ---- all ---- */

enum rc
answer_submitted(enum sandbox_api api, struct slice body, struct arena *a,
    struct slice *tasks_r, struct slice *why_r)
{
	json_t *root = read_object(body, why_r);
	enum rc rc;

	if (root == NULL)
		return RC_BAD;
	rc = api == SANDBOX_CAPE ? cape_submitted(root, a, tasks_r, why_r) :
	    generic_submitted(root, a, tasks_r, why_r);
	json_decref(root);
	return rc;
}

enum rc
answer_state(enum sandbox_api api, struct slice body, struct slice task,
    struct slice sha256, struct arena *a, struct answer *r,
    struct slice *why_r)
{
	json_t *root = read_object(body, why_r);
	enum rc rc;

	*r = (struct answer){ .name = SLICE("") };
	if (root == NULL)
		return RC_BAD;
	rc = api == SANDBOX_CAPE ? cape_state(root, task, a, r, why_r) :
	    generic_state(root, task, sha256, a, r, why_r);
	json_decref(root);
	return rc;
}

enum rc
answer_report(struct slice body, struct slice task, struct slice sha256,
    struct arena *a, struct answer *r, struct slice *why_r)
{
	json_t *root = read_object(body, why_r);
	enum rc rc;

	*r = (struct answer){ .name = SLICE("") };
	if (root == NULL)
		return RC_BAD;
	rc = cape_report(root, task, sha256, a, r, why_r);
	json_decref(root);
	return rc;
}

enum answer_verdict
answer_judge(const struct sandbox_conf *conf, const struct answer *r)
{
	enum answer_verdict v = r->judged ? r->verdict : r->scored ?
	    VERDICT_CLEAN : VERDICT_NONE;

	if (r->scored && r->score >= conf->malicious)
		v = VERDICT_MALICIOUS;
	else if (r->scored && r->score >= conf->suspicious &&
	    v < VERDICT_SUSPICIOUS)
		v = VERDICT_SUSPICIOUS;
	return v;
}
