/*
 * cell - hostile bytes are read by a process that may die
 *
 * A cell is a program of its own (cell/trade.h is its main). Its zygote loads
 * what is expensive once (signatures, a magic database) and forks workers;
 * each worker sits behind walls (cell/walls.h: no network, no new files, few
 * system calls, bounded memory) and answers one request at a time. Whatever
 * happens to a worker is an answer: it crashed, it wanted what is forbidden,
 * it took too long. Another takes its place within milliseconds, and other
 * messages notice nothing.
 *
 * cell_program	where the program of that name is: beside the program that
 *		runs, when that is a build tree, else where make install puts it
 * cell_open	starts the program (argv), or connects to one that runs as a
 *		unit of its own (socket). Returns at once; loading goes on in
 *		the background. RC_BAD with *why_r: it cannot be started
 * cell_ready	waits until the zygote has loaded. RC_RETRY with *why_r when it
 *		did not by then, or ended meanwhile; what was wrong it has said
 *		on standard error
 * cell_warm	has all workers made, so that no request waits for a fork
 * cell_ask	hands a request and a descriptor (cell_memfd; -1: none) to a
 *		worker and collects its answer in the arena, at most answer_max
 *		bytes. Waits for a free worker and for the answer until the
 *		deadline. The descriptor stays the caller's
 * cell_told	what the zygote said of itself when it had loaded ("signatures
 *		27512, 2026-11-26"); valid as long as the arena
 * cell_counts	how often what happened, since cell_open
 * cell_close	waits for no answer: call it when nobody asks any more
 *
 * A request that killed a worker is not tried again: the next worker would
 * die too. A worker that died before it was given the request is no answer;
 * the next one is taken.
 *
 * All calls are thread-safe but for cell_close. Any number of threads may ask
 * at once; no more than conf->workers are served at a time.
 */
#ifndef CELL_CELL_H
#define CELL_CELL_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum cell_end {
	CELL_DOWN = 0,			/* no worker to be had: our trouble */
	CELL_ANSWERED,
	CELL_REFUSED,			/* the trade cannot read these bytes */
	CELL_CRASHED,			/* a signal, or it ended by itself */
	CELL_FORBIDDEN,			/* a system call that the walls forbid */
	CELL_TIMEOUT,			/* not by the deadline; it was killed */
	CELL_TOO_MUCH,			/* more than answer_max; it was killed */
	CELL_ENDS
};

struct cell_conf {
	const char *name;		/* "unpack", for the log */
	const char *socket;		/* of a running cell; NULL: argv */
	const char *const *argv;	/* absolute program, NULL at the end */
	unsigned workers;		/* at most at once, 1 to CELL_WORKERS */
	size_t answer_max;		/* bytes */
	unsigned pieces_max;		/* descriptors in one answer */
};

enum { CELL_WORKERS = 256, CELL_REQUEST = 32 * 1024, CELL_PIECES = 4096 };

/* What a worker passed back: bytes, and perhaps a sealed descriptor. */
struct cell_piece {
	struct cell_piece *next;
	struct slice bytes;
	int fd;				/* -1: none; closed with the arena */
};

struct cell_answer {
	enum cell_end end;
	struct slice why;		/* plain words, unless answered */
	struct cell_piece *pieces;
	size_t npieces;
	int64_t us;			/* from call to answer */
};

struct cell;

const char *cell_program(struct arena *a, const char *name);
enum rc cell_open(const struct cell_conf *conf, struct cell **cell_r,
    struct arena *a, struct slice *why_r);
enum rc cell_ready(struct cell *cell, deadline_t until, struct arena *a,
    struct slice *why_r);
void cell_warm(struct cell *cell, deadline_t until);
void cell_ask(struct cell *cell, struct slice request, int fd,
    deadline_t until, struct arena *a, struct cell_answer *answer_r);
struct slice cell_told(struct cell *cell, struct arena *a);
void cell_counts(struct cell *cell, uint64_t counts_r[CELL_ENDS]);
void cell_close(struct cell *cell);

const char *cell_end_name(enum cell_end end);

/*
 * The bytes in a sealed memory file: nobody can change them or their size any
 * more, so that who checks them and who reads them see the same. -1 with
 * errno when there is no memory.
 */
int cell_memfd(struct slice bytes);

#endif
