#include "milter/forms.h"

static enum rc
members_of(const void *arg, struct arena *a, struct slice address,
    struct slice **members_r, size_t *n_r)
{
	return policy_members(arg, a, address, members_r, n_r);
}

static enum rc
form_of(const void *arg, struct arena *a, struct slice mailbox,
    uint64_t *form_r)
{
	struct policy_who who;
	enum rc rc = policy_find(arg, a, mailbox, &who);

	if (rc == RC_OK)
		*form_r = policy_form(arg, &who);
	return rc;
}

struct forms
forms_of(const struct policy *p)
{
	return (struct forms){ members_of, form_of, p };
}

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

	if (rc == RC_BAD) {
		seen->differ = true;
		return RC_OK;
	}
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

enum rc
forms_same(const struct forms *forms, struct arena *a,
    const struct slice *addresses, size_t n, bool *same_r)
{
	uint64_t first = 0, form = 0;
	enum rc rc = RC_OK;

	*same_r = true;
	for (size_t i = 0; rc == RC_OK && *same_r && i < n; i++) {
		rc = forms->form(forms->arg, a, addresses[i], &form);
		if (i == 0)
			first = form;
		*same_r = form == first;
	}
	return rc;
}
