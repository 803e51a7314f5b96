#include "policy/room.h"

struct seen {
	bool any, several;
	uint64_t form;
};

static enum rc
look(struct slice key, struct slice value, void *arg)
{
	struct unpack u = { .rest = value };
	struct seen *seen = arg;
	uint64_t form = unpack_u64(&u);

	(void)key;
	seen->several = seen->several || (seen->any && form != seen->form);
	seen->any = true;
	seen->form = form;
	return RC_OK;
}

bool
policy_several_forms(const struct policy *p)
{
	struct seen seen = { .any = false };

	return p->file != NULL && file_walk(p->file, 's', look, &seen) ==
	    RC_OK && seen.several;
}
