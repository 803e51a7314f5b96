/* The messages of RFC 6376, A.2, and RFC 8463, A.3, with their keys. */
#include <stdio.h>
#include <stdlib.h>

#include "dkim/dkim.h"
#include "dkim/key.h"
#include "t/tap.h"

static struct slice keys_tsv;
static struct dkim_keys *cache;

static struct slice
find_key(struct slice name)
{
	struct slice rest = keys_tsv, line, txt;

	while (slice_line(&rest, &line))
		if (slice_eq(slice_cut(line, '\t', &txt), name))
			return txt;
	return SLICE_NONE;
}

static struct slice
data_file(struct arena *a, const char *name)
{
	char path[4096];
	struct slice text, copy;

	snprintf(path, sizeof path, "%s/rfc-vectors/dkim/%s", tap_data(), name);
	text = tap_file(path);
	copy = arena_copy(a, text);
	free((void *)(uintptr_t)text.ptr);
	return copy;
}

static void
verify(struct arena *a, const char *file, size_t want)
{
	struct dkim_limits limits = dkim_limits_default;
	struct slice text = data_file(a, file), head, body, name;
	struct dkim_signature *list;
	struct dkim_bodies *bodies;
	struct message msg;
	size_t n;

	message_split(a, text, &head, &body);
	message_read(&msg, a, head, body, NULL);
	limits.now = 1600000000;
	bodies = dkim_bodies_new(a, &msg);
	n = dkim_signatures(a, &msg, &limits, &list);
	tap_is_int((long long)n, (long long)want, "%s: signatures", file);
	for (size_t i = 0; i < n; i++) {
		struct dns_record record;
		struct dns_answer answer = { .records = &record, .count = 1 };

		tap_ok(dkim_key_name(a, &list[i], &name), "%s: a name", file);
		record.data = find_key(name);
		tap_ok(record.data.ptr != NULL, "%s: %.*s has a key", file,
		    SLICE_ARG(name));
		dkim_verify(a, &list[i], &msg, bodies, &answer, cache, &limits);
		tap_ok(list[i].result == DKIM_PASS, "%s: %s passes (%.*s)", file,
		    dkim_algorithm_name(list[i].algorithm),
		    SLICE_ARG(list[i].reason));
	}
}

int
main(void)
{
	struct arena *a;

	if (tap_data() == NULL) {
		tap_skip(1, "no data folder");
		return tap_done();
	}
	a = arena_new();
	cache = dkim_keys_new(0);
	keys_tsv = data_file(a, "keys.tsv");
	verify(a, "rfc6376-A.2.eml", 1);
	verify(a, "rfc8463-A.3.eml", 2);
	dkim_keys_free(cache);
	arena_free(a);
	return tap_done();
}
