/*
 * ledger - what of a message was seen by whom
 *
 * A row for each thing that has to be scanned: the whole message, each part in
 * each plausible reading, each member of a container; with what each engine
 * said of it, or why it could not be looked at. Whether a message is clean is
 * read from the ledger, so that what nobody wrote into it cannot pass for
 * clean.
 *
 * ledger_add	a row; of at most LEDGER_ROWS. NULL: no more; the ledger is cut
 *		then, which is a lack of its own. ledger_put: one that was made
 *		before, and false
 * ledger_worst	the first row and engine that found a virus, one that has a
 *		name before the letter as a whole; false: none
 * ledger_lacks	what is missing for "clean": of each kind of lack the first
 *		row that shows it
 * ledger_crashed	did this row end a reader or an engine?
 * ledger_text	"5 of 5 items, 41 kB, by clamav" for the log
 *
 * Pure; for one thread.
 */
#ifndef ANTIVIRUS_LEDGER_H
#define ANTIVIRUS_LEDGER_H

#include "engine.h"
#include "mime/part.h"
#include "unpack/unpack.h"

enum { LEDGER_ENGINES = 8, LEDGER_ROWS = 20000, LEDGER_STRIKES = 3 };

/* Why a message is not known to be clean, the worst first. */
enum lack {
	LACK_NONE = 0,
	LACK_ENGINE,			/* too few engines answered, or theirs
					   are old: our trouble */
	LACK_CRASH,			/* it ended a reader or an engine */
	LACK_LIMIT,			/* too deep, many, large, long; bombs */
	LACK_ENCRYPTED,
	LACK_AMBIGUOUS,			/* its structure can be read in ways */
	LACK_UNREADABLE,		/* damaged, or of an unknown kind */
	LACKS
};

enum { LEDGER_HASH = 32 };		/* SHA-256 */

struct ledger_row {
	struct ledger_row *next;
	struct slice path;		/* "a.zip/b.exe", as it came */
	struct slice bytes;		/* absent of a member that is known: its
					   container was not opened again */
	size_t len;			/* of the bytes, absent or not */
	unsigned char hash[LEDGER_HASH];	/* of them, once hashed */
	bool hashed, recalled;		/* recalled: all scans are there */
	bool mail;			/* the whole message */
	const struct part *part;	/* that it is, or is inside of */
	bool member;			/* inside of it */
	const char *type;		/* wait_type of the bytes */
	/* Of a letter: what decides which parts an engine sees in it, and the
	 * parts; absent: nothing may be concluded from a letter that has the
	 * same (items.h) */
	struct slice frame, inside;
	enum unpack_why why;		/* what could not be opened in it */
	enum cell_end unpacked;		/* CELL_ANSWERED: opened, or no need */
	struct scan scans[LEDGER_ENGINES];
	bool cached[LEDGER_ENGINES];
};

struct ledger {
	struct arena *arena;
	struct ledger_row *rows, **last;
	size_t nrows;
	bool cut;			/* more than LEDGER_ROWS */
	unsigned strikes;		/* that an item of it crashed somebody
					   (strikes.h); 0: none did */
	const char *ambiguous;		/* what of the structure; NULL: none */
	struct engine_status engines[LEDGER_ENGINES];
	const char *names[LEDGER_ENGINES];
	bool reads_mail[LEDGER_ENGINES];
	size_t nengines;
};

/* What an administrator asks for before he calls a message scanned. */
struct ledger_demand {
	unsigned engines;		/* that saw each item */
	int64_t age;			/* s, of signatures; 0: any */
	int64_t now;
};

struct ledger_lack {
	enum lack lack;
	const struct ledger_row *row;	/* NULL: the message as a whole */
	struct slice text;		/* plain words */
};

void ledger_init(struct ledger *l, struct arena *a);
struct ledger_row *ledger_add(struct ledger *l, struct slice path,
    struct slice bytes);
bool ledger_put(struct ledger *l, struct ledger_row *row);
bool ledger_worst(const struct ledger *l, const struct ledger_row **row_r,
    size_t *engine_r);
/* all_r[lack] has that lack, or LACK_NONE; the worst is returned. */
enum lack ledger_lacks(const struct ledger *l,
    const struct ledger_demand *demand, struct ledger_lack all_r[LACKS]);
bool ledger_crashed(const struct ledger *l, const struct ledger_row *row);
struct slice ledger_text(const struct ledger *l);
const char *lack_name(enum lack lack);

#endif
