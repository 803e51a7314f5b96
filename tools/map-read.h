/*
 * map-read - records of a MAP file: what other systems hand over for a sync
 *
 * UTF-8, one record a line, fields separated by one tab; LF or CRLF. What each
 * record means, and what was left open where the format comes from, stands in
 * gatehouse-directory(5):
 *
 *	DOMAIN	domain [transport]
 *	DIR	address
 *	MAP	alias  address [address ...]
 *	PROFILE	address  profile
 *	UCFG	address  name  value
 *	P13N	address  name  value
 *	++++	[number of records]
 *
 * Empty lines, and lines that begin with #, are no records. Fields are given
 * without blanks at their ends; an empty one is refused, but for a value.
 *
 * map_next	the next record; *more_r is false behind the end mark, and only
 *		then was the file whole. RC_BAD: "name:line: what is wrong; what
 *		would be right"; RC_RETRY: it cannot be read
 *
 * Lines are at most MAP_LINE_MAX bytes. Fields live until the next call.
 */
#ifndef TOOLS_MAP_READ_H
#define TOOLS_MAP_READ_H

#include "base/arena.h"
#include "base/rc.h"

enum { MAP_LINE_MAX = 65536, MAP_FIELDS_MAX = 1001,
    MAP_RECORDS_MAX = 64000000 };

enum map_kind { MAP_DOMAIN, MAP_DIR, MAP_MAP, MAP_PROFILE, MAP_UCFG, MAP_P13N,
    MAP_KINDS };

struct map_record {
	enum map_kind kind;
	const struct slice *fields;	/* without the kind */
	size_t count;
	size_t line;
};

struct map_reader;

struct map_reader *map_open(int fd, const char *name);
struct map_reader *map_bytes(struct slice bytes, const char *name);
enum rc map_next(struct map_reader *m, struct map_record *record_r,
    bool *more_r, struct slice *why_r);
void map_close(struct map_reader *m);

#endif
