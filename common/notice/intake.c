#include "notice/intake.h"

#include "notice/digest.h"
#include "notice/notice.h"
#include "text/encoded.h"
#include "text/field.h"

/* All of its subjects: a second one is no way around the first. */
static struct slice
subject_of(struct arena *a, struct slice message)
{
	struct buf b = buf_in(a);
	struct slice rest = slice_sub(message, 0, INTAKE_HEADER);
	struct field f;
	unsigned flags;

	while (rest.len > 0 && rest.ptr[0] != '\r' && rest.ptr[0] != '\n' &&
	    field_next(&rest, &f)) {
		if (!slice_eq_nocase(f.name, SLICE("Subject")))
			continue;
		buf_addc(&b, ' ');
		buf_add(&b, encoded_decode(a, field_value(a, &f), &flags));
	}
	return buf_slice(&b);
}

static bool
is_address(const char *option, struct slice address)
{
	return option[0] != '\0' && slice_eq_nocase(slice_of(option), address);
}

struct intake
intake_read(const struct notices_conf *conf, struct arena *a,
    struct slice sender, struct slice recipient, struct slice message)
{
	struct intake in = { .kind = INTAKE_NOTHING };
	bool releases = recipient.ptr == NULL ||
	    is_address(conf->release_address, recipient);
	bool requests = recipient.ptr == NULL ||
	    is_address(conf->request_address, recipient);

	in.why = notice_stop_reason(a, sender, slice_sub(message, 0,
	    INTAKE_HEADER));
	if (in.why != NULL)
		return in;
	in.why = "not-our-address";
	if (!releases && !requests)
		return in;
	in.token = digest_token_in(subject_of(a, message));
	if (releases && in.token.ptr != NULL)
		in.kind = INTAKE_RELEASE;
	else if (requests && conf->request_address[0] != '\0')
		in.kind = INTAKE_DIGEST;
	in.why = in.kind == INTAKE_NOTHING ? "no-token" : "";
	return in;
}
