#include "services/sandbox/api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/hex.h"
#include "net/http.h"
#include "net/url.h"

enum { EXTENSION = 10 };

struct api {
	const struct sandbox_conf *conf;
	char *host, *path, *auth;	/* path without a slash at its end */
	struct stream_tls *tls;
	struct http *http;
};

/* ---- who asks ---- */

static enum rc
open_server(struct api *api, struct arena *a, struct slice *why_r)
{
	const struct sandbox_conf *conf = api->conf;
	struct slice path;
	struct url url;

	url_parse(slice_of(conf->url), &url);
	for (path = url.path; path.len > 0 && path.ptr[path.len - 1] == '/';)
		path.len--;
	api->host = strndup(url.host.ptr, url.host.len);
	api->path = strndup(path.ptr, path.len);
	if (conf->token[0] != '\0') {
		struct buf auth = buf_in(a);

		if (!http_token(conf->token, conf->api == SANDBOX_CAPE ?
		    "Token" : "Bearer", &auth, a, why_r)) {
			*why_r = arena_printf(a, "token: %.*s",
			    SLICE_ARG(*why_r));
			return RC_BAD;
		}
		api->auth = strndup(auth.ptr, auth.len);
	}
	if (slice_eq(url.scheme, SLICE("https"))) {
		api->tls = stream_tls_new(conf->ca, a, why_r);
		if (api->tls == NULL)
			return RC_BAD;
	}
	api->http = http_new(api->host, url.port, api->tls);
	return RC_OK;
}

enum rc
api_new(const struct sandbox_conf *conf, struct api **api_r, struct arena *a,
    struct slice *why_r)
{
	struct api *api = mem_alloc(sizeof *api);

	*api = (struct api){ .conf = conf };
	if (open_server(api, a, why_r) == RC_OK) {
		*api_r = api;
		return RC_OK;
	}
	api_free(api);
	*api_r = NULL;
	return RC_BAD;
}

void
api_free(struct api *api)
{
	if (api == NULL)
		return;
	http_free(api->http);
	stream_tls_free(api->tls);
	free(api->host);
	free(api->path);
	free(api->auth);
	free(api);
}

/* ---- a question ---- */

static enum api_end
end_of(const struct http_answer *answer, struct arena *a, struct slice *why_r)
{
	int status = answer->status;

	if (status >= 200 && status <= 299)
		return API_OK;
	*why_r = arena_printf(a, "it answered %d", status);
	if (status == 404)
		return API_NONSENSE;
	if (status >= 400 && status <= 499 && status != 401 && status != 403 &&
	    status != 408 && status != 429)
		return API_REFUSED;
	return API_DOWN;
}

static enum api_end
ask(struct api *api, const char *method, const char *path, const char *more,
    struct slice body, struct arena *a, struct slice *body_r,
    struct slice *why_r)
{
	const struct http_request q = { .method = method,
	    .path = arena_printf(a, "%s%s", api->path, path).ptr,
	    .more = arena_printf(a, "%s%s", api->auth != NULL ? api->auth : "",
	    more).ptr, .body = body, .most = (size_t)api->conf->report_limit };
	struct http_answer answer;
	enum api_end end;

	if (http_ask(api->http, &q, deadline_in(api->conf->timeout), &answer,
	    a, why_r) != RC_OK)
		return API_DOWN;
	end = end_of(&answer, a, why_r);
	if (end == API_OK)
		*body_r = arena_copy(a, buf_slice(&answer.body));
	http_answer_free(&answer);
	return end;
}

/* ---- giving it a file ---- */

/* A sandbox chooses by the extension how it opens a file. */
static const char *
name_for(const struct api_file *file, struct arena *a)
{
	size_t dot = slice_find_last(file->name, '.');
	struct slice ext = dot < file->name.len ?
	    slice_after(file->name, dot + 1) : SLICE("");

	if (ext.len == 0 || ext.len > EXTENSION || !ascii_all_of(ext, ""))
		return arena_printf(a, "%.16s", file->sha256.ptr).ptr;
	return arena_printf(a, "%.16s.%.*s", file->sha256.ptr,
	    SLICE_ARG(ext)).ptr;
}

static enum api_end
submit_generic(struct api *api, const struct api_file *file, struct arena *a,
    struct slice *body_r, struct slice *why_r)
{
	const char *more = arena_printf(a, "Content-Type: application/"
	    "octet-stream\r\nX-Gatehouse-SHA256: %.64s\r\n"
	    "X-Gatehouse-Name: %s\r\n", file->sha256.ptr,
	    name_for(file, a)).ptr;

	return ask(api, "POST", "/files", more, file->bytes, a, body_r, why_r);
}

/* multipart/form-data (RFC 7578), with a boundary that nobody foresees. */
static enum api_end
submit_cape(struct api *api, const struct api_file *file, struct arena *a,
    struct slice *body_r, struct slice *why_r)
{
	unsigned char random[16];
	char boundary[33];
	struct buf form = { 0 };
	enum api_end end;

	if (getrandom(random, sizeof random, 0) != sizeof random) {
		*why_r = SLICE("no random bytes");
		return API_DOWN;
	}
	hex_write(boundary, random, sizeof random);
	buf_addf(&form, "--%s\r\nContent-Disposition: form-data; "
	    "name=\"file\"; filename=\"%s\"\r\nContent-Type: application/"
	    "octet-stream\r\n\r\n", boundary, name_for(file, a));
	buf_add(&form, file->bytes);
	buf_addf(&form, "\r\n--%s--\r\n", boundary);
	end = ask(api, "POST", "/tasks/create/file/", arena_printf(a,
	    "Content-Type: multipart/form-data; boundary=%s\r\n",
	    boundary).ptr, buf_slice(&form), a, body_r, why_r);
	buf_free(&form);
	return end;
}

enum api_end
api_submit(struct api *api, const struct api_file *file, struct arena *a,
    struct slice *tasks_r, struct slice *why_r)
{
	struct slice body;
	enum api_end end = api->conf->api == SANDBOX_CAPE ?
	    submit_cape(api, file, a, &body, why_r) :
	    submit_generic(api, file, a, &body, why_r);

	if (end != API_OK)
		return end;
	return answer_submitted((enum sandbox_api)api->conf->api, body, a,
	    tasks_r, why_r) == RC_OK ? API_OK : API_NONSENSE;
}

/* ---- asking for it ---- */

static enum api_end
ask_report(struct api *api, struct slice task, struct slice sha256,
    struct arena *a, struct answer *r, struct slice *why_r)
{
	struct slice body;
	enum api_end end = ask(api, "GET", arena_printf(a,
	    "/tasks/get/report/%.*s/", SLICE_ARG(task)).ptr, "", SLICE(""), a,
	    &body, why_r);

	if (end != API_OK)
		return end;
	return answer_report(body, task, sha256, a, r, why_r) == RC_OK ?
	    API_OK : API_NONSENSE;
}

/* sha256 is absent where a file became several tasks: its members. */
static enum api_end
ask_one(struct api *api, struct slice task, struct slice sha256, bool whole,
    struct arena *a, struct answer *r, struct slice *why_r)
{
	bool cape = api->conf->api == SANDBOX_CAPE;
	struct slice body;
	enum api_end end = ask(api, "GET", arena_printf(a, cape ?
	    "/tasks/view/%.*s/" : "/files/%.*s", SLICE_ARG(task)).ptr, "",
	    SLICE(""), a, &body, why_r);

	if (end != API_OK)
		return end;
	if (answer_state((enum sandbox_api)api->conf->api, body, task, sha256,
	    a, r, why_r) != RC_OK)
		return API_NONSENSE;
	if (!cape || r->state != ANSWER_DONE)
		return API_OK;
	return ask_report(api, task, whole ? sha256 : SLICE_NONE, a, r, why_r);
}

enum api_end
api_ask(struct api *api, struct slice tasks, struct slice sha256,
    struct arena *a, struct answer *r, struct slice *why_r)
{
	bool whole = slice_find(tasks, ',') == tasks.len;
	struct slice rest = tasks;
	bool first = true;

	*r = (struct answer){ .name = SLICE("") };
	while (rest.ptr != NULL) {
		struct answer one;
		enum api_end end = ask_one(api, slice_cut(rest, ',', &rest),
		    sha256, whole, a, &one, why_r);

		if (end != API_OK)
			return end;
		if (one.state != ANSWER_DONE) {
			*r = one;
			return API_OK;
		}
		if (first || one.score > r->score)
			*r = one;
		first = false;
	}
	return API_OK;
}

/* Whatever it says to that, it is there: but trouble, and not knowing us. */
enum api_end
api_probe(struct api *api, struct arena *a, struct slice *why_r)
{
	struct slice body;

	return ask(api, "GET", api->conf->api == SANDBOX_CAPE ?
	    "/cuckoo/status/" : "/files/0", "", SLICE(""), a, &body, why_r) ==
	    API_DOWN ? API_DOWN : API_OK;
}
