#include "cells/unpack/walk.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unpack/format.h"

enum { PAGE = 4096, RATIO_FROM = 1 << 20, PATH = 1000 };

void
walk_why(struct walk_entry *entry, enum unpack_why why)
{
	if (entry->record.why == UNPACK_WHOLE)
		entry->record.why = why;
}

static struct walk_entry *
add_entry(struct walk *w)
{
	struct walk_entry *e = arena_alloc(w->arena, sizeof *e);

	e->index = w->count++;
	*w->last = e;
	w->last = &e->next;
	return e;
}

struct walk_entry *
walk_begin(struct walk *w, struct walk_entry *parent, struct slice path)
{
	struct walk_entry *e;

	if (parent->record.depth >= w->request.limits.depth) {
		walk_why(parent, UNPACK_TOO_DEEP);
		return NULL;
	}
	/* The file itself is an entry, but no member. */
	if (w->count > w->request.limits.members) {
		walk_why(parent, UNPACK_TOO_MANY);
		return NULL;
	}
	e = add_entry(w);
	e->record = (struct told_record){ .parent = parent->index,
	    .depth = parent->record.depth + 1, .member = true,
	    .offset = w->place, .path = arena_copy(w->arena,
	    slice_sub(path, 0, PATH)), .format = SLICE("") };
	return e;
}

/* Why so many more bytes may not be written; UNPACK_WHOLE: they may. */
static enum unpack_why
over(const struct walk *w, const struct walk_entry *member, size_t more)
{
	const struct unpack_limits *max = &w->request.limits;
	uint64_t all = w->written + more;

	if (member->record.len + more > max->member_bytes || all > max->bytes)
		return UNPACK_TOO_LARGE;
	if (all > RATIO_FROM && all / max->ratio > w->in)
		return UNPACK_RATIO;
	return UNPACK_WHOLE;
}

bool
walk_add(struct walk *w, struct walk_entry *member, struct slice bytes)
{
	enum unpack_why why = over(w, member, bytes.len);

	if (why != UNPACK_WHOLE) {
		walk_why(member, why);
		return false;
	}
	while (bytes.len > 0) {
		ssize_t n = pwrite(w->out, bytes.ptr, bytes.len,
		    (off_t)(member->record.offset + member->record.len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			walk_why(member, UNPACK_TOO_LARGE);
			return false;
		}
		member->record.len += (uint64_t)n;
		w->written += (uint64_t)n;
		bytes = slice_after(bytes, (size_t)n);
	}
	return true;
}

static void
walk_bytes(struct walk *w, struct walk_entry *entry, struct slice bytes)
{
	static walk_reader *const readers[UNPACK_BYS] = {
		[UNPACK_BY_ARCHIVE] = archive_read_members,
		[UNPACK_BY_MAIL] = mail_read_members,
		[UNPACK_BY_OLE2] = ole2_read_members,
		[UNPACK_BY_PDF] = pdf_read_members,
		[UNPACK_BY_RTF] = rtf_read_members,
		[UNPACK_BY_TNEF] = tnef_read_members,
	};
	const struct unpack_format *format = unpack_format_of(bytes);

	if (format == NULL)
		return;
	entry->record.format = slice_of(format->name);
	if (readers[format->by] != NULL)
		readers[format->by](w, entry, bytes);
	else
		walk_why(entry, UNPACK_UNKNOWN);
}

void
walk_end(struct walk *w, struct walk_entry *member)
{
	size_t len = (size_t)member->record.len;
	void *map;

	/* The next member begins on a page, so that each can be mapped. */
	w->place = (member->record.offset + len + PAGE - 1) / PAGE * PAGE;
	if (len == 0)
		return;
	map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, w->out,
	    (off_t)member->record.offset);
	if (map == MAP_FAILED) {
		walk_why(member, UNPACK_TOO_LARGE);
		return;
	}
	walk_bytes(w, member, slice_make(map, len));
	munmap(map, len);
}

bool
walk_member(struct walk *w, struct walk_entry *parent, struct slice path,
    struct slice bytes)
{
	struct walk_entry *member = walk_begin(w, parent, path);
	bool whole;

	if (member == NULL)
		return false;
	whole = walk_add(w, member, bytes);
	walk_end(w, member);
	return whole;
}

void
walk_file(struct walk *w, struct slice bytes)
{
	struct walk_entry *file;

	w->last = &w->first;
	w->in = bytes.len;
	file = add_entry(w);
	file->record = (struct told_record){ .path = w->request.name,
	    .format = SLICE("") };
	walk_bytes(w, file, bytes);
}
