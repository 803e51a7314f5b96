#include "notice/machine.h"

#include "mime/header.h"
#include "text/field.h"

static bool
is_machine(struct slice sender)
{
	static const char *const names[] = { "mailer-daemon", "postmaster",
	    "double-bounce", "listserv", "majordomo", "no-reply", "noreply",
	    "bounce", "bounces", NULL };
	struct slice local = slice_sub(sender, 0,
	    slice_find_last(sender, '@'));

	for (size_t i = 0; names[i] != NULL; i++)
		if (slice_eq_nocase(local, slice_of(names[i])))
			return true;
	return slice_starts_nocase(local, SLICE("owner-")) ||
	    slice_ends_nocase(local, SLICE("-request")) ||
	    slice_ends_nocase(local, SLICE("-owner")) ||
	    slice_ends_nocase(local, SLICE("-bounces"));
}

/* One of these fields says so (RFC 3834, 2 and 5; RFC 2919; RFC 2369). */
static const char *
field_reason(struct arena *a, const struct field *f)
{
	struct slice value = slice_trim(field_value(a, f));

	if (slice_eq_nocase(f->name, SLICE("Auto-Submitted")) &&
	    !slice_eq_nocase(slice_trim(slice_sub(value, 0,
	    slice_find(value, ';'))), SLICE("no")))
		return "auto-submitted";
	if (slice_eq_nocase(f->name, SLICE("Precedence")) &&
	    (slice_eq_nocase(value, SLICE("bulk")) ||
	    slice_eq_nocase(value, SLICE("list")) ||
	    slice_eq_nocase(value, SLICE("junk"))))
		return "precedence";
	if (slice_eq_nocase(f->name, SLICE("List-Id")) ||
	    slice_eq_nocase(f->name, SLICE("List-Unsubscribe")))
		return "list";
	return NULL;
}

const char *
notice_stop_reason(struct arena *a, struct slice sender, struct slice message)
{
	const char *reason = NULL;
	struct slice rest = message;
	struct field f;

	if (sender.len == 0)
		return "null-sender";
	if (is_machine(sender))
		return "mailer";
	while (rest.len > 0 && rest.ptr[0] != '\r' && rest.ptr[0] != '\n' &&
	    reason == NULL && field_next(&rest, &f))
		reason = field_reason(a, &f);
	return reason;
}
