/*
 * trade - what a cell does for a living; the main of its program
 *
 *	static const struct cell_trade unpack = { "unpack", prepare, work };
 *	int main(int argc, char **argv) { return cell_main(argc, argv, &unpack); }
 *
 * prepare	once, in the zygote, before any worker: loads what all share.
 *		May read files; may start no thread. False with *why_r ends the
 *		program. *told_r is what cell_told gives
 * settle	in each worker, behind the walls, before its first request: what
 *		would make that one slow. May be NULL
 * work		one request, in a worker, behind the walls. What it leaks goes
 *		with the worker, which ends after `requests` of them
 *
 * trade_piece	passes bytes (at most TRADE_PIECE) and a descriptor (-1: none)
 *		to who asked; false: he is gone, stop working
 * trade_refuse	"cannot read this": the answer is CELL_REFUSED
 *
 * The program is called with --fd N (a socket to who started it), or with
 * --socket PATH, where it listens; PATH "systemd": the descriptor that
 * systemd passes. --peers NAME,... are the users who may connect to it
 * (default: its own). What else stands on the command line is the trade's.
 */
#ifndef CELL_TRADE_H
#define CELL_TRADE_H

#include "base/arena.h"
#include "cell/walls.h"

enum { TRADE_PIECE = 48 * 1024 };

struct trade_request {
	struct slice request;
	int fd;				/* -1: none */
	struct slice bytes;		/* of fd, mapped; absent: none */
	const char *scratch;		/* an empty folder of its own */
	struct arena *arena;
	int client;			/* trade_piece's */
};

struct cell_trade {
	const char *name;
	bool (*prepare)(int argc, char **argv, struct arena *a,
	    struct slice *told_r, struct slice *why_r);
	void (*settle)(void);
	void (*work)(struct trade_request *r);
	struct walls walls;
	unsigned requests;		/* of one worker; 0: 1000 */
};

bool trade_piece(struct trade_request *r, struct slice bytes, int fd);
void trade_refuse(struct trade_request *r, struct slice why);

int cell_main(int argc, char **argv, const struct cell_trade *trade);

#endif
