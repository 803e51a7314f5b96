/*
 * api - the sandbox is asked
 *
 * api_new	RC_BAD with *why_r: no token, no certificates
 * api_submit	gives it a file. *tasks_r: what to ask for later
 * api_ask	how that is; of several tasks all must be done, and the worst
 *		counts
 * api_probe	does it answer at all? API_OK or API_DOWN
 * api_free	NULL is allowed
 *
 * API_OK; API_DOWN: it cannot be reached, does not answer in time, says that it
 * has trouble (5xx, 429) or does not know us (401, 403): no fault of this file;
 * API_NONSENSE: the answer is none to what was asked, or there is no such task
 * any more; API_REFUSED: it does not take this file (another 4xx). *why_r in
 * plain words. Each call ends within the timeout of the options. A file's name
 * does not go there, only its extension.
 */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "services/sandbox/answer.h"

enum api_end { API_OK, API_DOWN, API_NONSENSE, API_REFUSED };

struct api;

struct api_file {
	struct slice bytes, sha256, name;
};

enum rc api_new(const struct sandbox_conf *conf, struct api **api_r,
    struct arena *a, struct slice *why_r);
enum api_end api_submit(struct api *api, const struct api_file *file,
    struct arena *a, struct slice *tasks_r, struct slice *why_r);
enum api_end api_ask(struct api *api, struct slice tasks, struct slice sha256,
    struct arena *a, struct answer *answer_r, struct slice *why_r);
enum api_end api_probe(struct api *api, struct arena *a,
    struct slice *why_r);
void api_free(struct api *api);

#endif
