/*
 * Journal lines into a DMARC report: whatever they hold, the XML is UTF-8
 * without what XML forbids, its tags match, and rows add up. The first byte
 * chooses the schema and the limits.
 */
#include <stdlib.h>

#include "journal/lines.h"
#include "text/utf8.h"
#include "tools/dmarc-xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = 16 };

/* Tags open and close in pairs; no other markup than ours. */
static void
check_tags(struct slice xml)
{
	struct slice open[DEPTH], rest = xml, name, text;
	size_t depth = 0;

	slice_line(&rest, &text);	/* the XML declaration */
	slice_cut(rest, '<', &rest);
	while (rest.ptr != NULL) {
		name = slice_cut(rest, '>', &rest);
		if (rest.ptr == NULL)
			abort();
		slice_cut(rest, '<', &rest);
		if (name.len > 0 && name.ptr[0] == '/') {
			if (depth-- == 0 || !slice_eq(slice_after(name, 1),
			    open[depth]))
				abort();
			continue;
		}
		if (depth == DEPTH)
			abort();
		open[depth++] = slice_cut(name, ' ', &text);
	}
	if (depth != 0)
		abort();
}

static void
check_text(struct slice xml)
{
	struct slice rest = xml;
	uint32_t cp;

	while (utf8_next(&rest, &cp))
		if (cp == UTF8_BAD || (cp < ' ' && cp != '\n') ||
		    (cp & 0xfffe) == 0xfffe)
			abort();
}

static bool
add_count(struct slice key, void *value, void *arg)
{
	(void)key;
	*(uint64_t *)arg += (uintptr_t)value;
	return true;
}

static void
check_report(struct arena *a, enum dmarc_schema schema,
    const struct dmarc_report *report, size_t max_rows)
{
	struct dmarc_xml_head head = { schema, "us", "a@us.test", "",
	    SLICE("id") };
	struct buf xml = buf_in(a);
	uint64_t sum = 0;

	dmarc_xml_report(&xml, a, &head, report);
	check_text(buf_slice(&xml));
	check_tags(buf_slice(&xml));
	map_each(report->rows, add_count, &sum);
	if (sum != report->messages || map_count(report->rows) > max_rows)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_list none;
	struct arena *a = arena_new();
	struct dmarc_events_conf conf = { .from = 0, .to = 4102444800,
	    .interval = 86400, .skip = &none, .mailboxes = &none,
	    .max_memory = 1 << 20 };
	struct dmarc_events *ev;
	struct lines l = { .visit = dmarc_events_line };
	struct dmarc_report **list;
	size_t count;

	if (size == 0)
		goto end;
	conf.schema = (enum dmarc_schema)(data[0] & 1);
	conf.max_rows = 1 + data[0] / 2;
	ev = dmarc_events_new(&conf, a);
	l.arg = ev;
	lines_feed(&l, slice_make(data + 1, size - 1));
	lines_end(&l);
	lines_free(&l);
	list = dmarc_events_reports(ev, &count);
	for (size_t i = 0; i < count; i++)
		check_report(a, conf.schema, list[i], conf.max_rows);
	dmarc_events_free(ev);
end:
	arena_free(a);
	return 0;
}
