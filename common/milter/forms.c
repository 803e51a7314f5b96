#include "milter/forms.h"

struct seen {
	bool any, differ;
	uint64_t form;
	size_t mailboxes;
};

static enum rc
look(const struct forms *forms, struct arena *a, struct slice address,
    struct seen *seen)
{
	struct slice *members;
	size_t n = 0;
	enum rc rc = forms->members(forms->arg, a, address, &members, &n);

	for (size_t i = 0; rc == RC_OK && !seen->differ && i < n; i++) {
		uint64_t form = 0;

		rc = forms->form(forms->arg, a, members[i], &form);
		seen->differ = (seen->any && form != seen->form) ||
		    ++seen->mailboxes > FORMS_MAX;
		seen->any = true;
		seen->form = form;
	}
	return rc;
}

enum rc
forms_differ(const struct forms *forms, struct arena *a,
    const struct slice *addresses, size_t n, bool *differ_r)
{
	struct seen seen = { .any = false };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && !seen.differ && i < n; i++)
		rc = look(forms, a, addresses[i], &seen);
	*differ_r = seen.differ;
	return rc;
}
