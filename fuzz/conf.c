/* The configuration reader: any bytes are a file, or are refused in words.
 * Scopes too: what one sets is what somebody gets, unless it was final above. */
#include <stdlib.h>
#include <string.h>

#include "conf/house.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scoped {
	struct scopes *scopes;
	unsigned count;
	struct conf_list list;
	const char *text;
};

#define AT(field)	offsetof(struct scoped, field)

static const struct conf_option scoped_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "count", CONF_COUNT | CONF_SCOPED, AT(count), "5", 1, 100, "A count.",
	  NULL },
	{ "list", CONF_LIST | CONF_SCOPED, AT(list), "a", 0, 5, "A list.",
	  NULL },
	{ "text", CONF_STRING | CONF_SCOPED, AT(text), "t", 0, 20, "A text.",
	  NULL },
	{ 0 }
};

static void
scopes(struct slice file)
{
	static const char *const who[] = { "a@b.c", "A+x@B.C", "z@b.c", "", "<>",
	    "\"odd one\"@b.c", "a@[192.0.2.1]" };
	struct scoped conf, one;
	const struct conf_section sections[] = {
	    { scoped_options, &conf }, { NULL, NULL } };
	const struct scope_match match = { false, '+' };
	struct arena *a = arena_new();
	struct scope_subject subject;
	struct scope_why from;
	struct slice why = SLICE_NONE;

	if (conf_parse(a, "fuzz", file, sections, &why) != RC_OK &&
	    (why.ptr == NULL || why.len == 0))
		abort();
	for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
		one = conf;
		scope_subject(a, slice_of(who[i]), match, &subject);
		scope_resolve(conf.scopes, &subject, &one);
		scope_explain(conf.scopes, &subject, "count", &from);
		if (one.count < 1 || one.count > 100 || one.list.count > 5 ||
		    strlen(one.text) > 20 || (from.level == SCOPE_DEFAULT &&
		    one.count != conf.count))
			abort();
	}
	arena_free(a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct house_conf house;
	const struct conf_section sections[] = {
	    { house_options, &house }, { NULL, NULL } };
	struct arena *a = arena_new();
	struct slice why = SLICE_NONE;

	if (conf_parse(a, "fuzz", slice_make(data, size), sections, &why) !=
	    RC_OK) {
		if (why.ptr == NULL || why.len == 0)
			abort();	/* refused without a word */
	} else if (house_finish(&house, a, &why) == RC_OK &&
	    (house.hostname[0] == '\0' || house.peers.count == 0)) {
		abort();
	}
	arena_free(a);
	scopes(slice_make(data, size));
	return 0;
}
