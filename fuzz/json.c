/*
 * Whatever bytes a string is made of, what the writer makes is JSON to us and
 * to jansson; and what jansson takes as JSON, json_valid takes too.
 */
#include <jansson.h>
#include <stdlib.h>

#include "text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *
theirs(struct slice text)
{
	return json_loadb(text.ptr, text.len,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static void
must(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	struct buf out = { 0 };
	struct json w;
	json_t *read;

	json_init(&w, &out);
	if (size % 2 == 0)
		json_pretty(&w);
	json_begin_array(&w);
	json_text(&w, in);
	json_begin_object(&w);
	json_put(&w, "s", slice_after(in, size / 2));
	json_end(&w);
	json_end(&w);
	must(json_valid(buf_slice(&out)));
	must(!slice_has(buf_slice(&out), '<'));
	must((read = theirs(buf_slice(&out))) != NULL);
	json_decref(read);
	buf_free(&out);

	/*
	 * jansson refuses more than we do (lone surrogates, huge numbers), and
	 * takes a NUL for the end.
	 */
	read = theirs(in);
	if (read != NULL && in.len < JSON_LEVELS && !slice_has(in, '\0'))
		must(json_valid(in));
	json_decref(read);
	return 0;
}
