/* From a verdict to the three parts of an SMTP reply. */
#include "verdict/plan.h"

enum { TEXT_MAX = 400 };

/* Longest first digits that RFC 3463 allows: class "." 1-3 "." 1-3. */
static size_t
enhanced_length(struct slice s, char class)
{
	size_t at = 2;

	if (s.len < 5 || s.ptr[0] != class || s.ptr[1] != '.')
		return 0;
	for (int field = 0; field < 2; field++) {
		size_t digits = 0;

		while (at < s.len && digits < 4 && ascii_digit(s.ptr[at])) {
			at++;
			digits++;
		}
		if (digits == 0 || digits > 3)
			return 0;
		if (field == 0 && (at >= s.len || s.ptr[at++] != '.'))
			return 0;
	}
	return at;
}

/* Printable ASCII on one line: an SMTP reply can carry no more. */
static const char *
reply_text(struct arena *a, struct slice s)
{
	char *text = arena_str(a, slice_sub(s, 0, TEXT_MAX));

	for (size_t i = 0; i < s.len && i < TEXT_MAX; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	return text;
}

void
reply_split(struct arena *a, const struct verdict *v, char code_r[4],
    const char **enhanced_r, const char **text_r)
{
	bool forever = v->action == REJECT;
	size_t len = enhanced_length(v->reply, forever ? '5' : '4');
	struct slice text = slice_trim(slice_after(v->reply, len));

	code_r[0] = forever ? '5' : '4';
	code_r[1] = '5';
	code_r[2] = forever ? '0' : '1';
	code_r[3] = '\0';
	if (len == 0 || text.len == 0) {
		*enhanced_r = forever ? "5.7.1" : "4.7.1";
		*text_r = forever ? "Message refused" :
		    "Service unavailable - try again later";
		return;
	}
	*enhanced_r = arena_str(a, slice_sub(v->reply, 0, len));
	*text_r = reply_text(a, text);
}
