/*
 * files - attachments that were too large to carry, for who has a link
 *
 *	files/ID	objects of kind OBJECT_FILE (store/object.h)
 *	files.db	what they are, who may have them and how often, who had
 *			them. As with tokens (notices.db) that cannot be made
 *			again from the objects
 *
 * A file is put into the data base first and then into its place; a kill
 * between leaves it in incoming/, where it is found again. It goes the other
 * way round: first it is written down, then it is removed.
 *
 * A link's token names the file. Whoever of the message's recipients uses it
 * has a count and a time of his own; where there is one recipient the token is
 * enough, else who asks has to say whose he is, and the asker at the control
 * socket is believed that, as in all that he asks for mail users.
 *
 * files_open	the folder, the data base; removes what a kill has left
 * files_close	NULL is allowed
 * files_adopt	an object that was read to its end comes in. A message that came
 *		again finds its file: what was taken from somebody stays so,
 *		what has expired is there again, and its time is the later one.
 *		Inside the vault
 * files_sweep	removes what nobody can have any more (expired, used up,
 *		revoked), and the memory of it after the time of option records
 * files_stored	bytes of files that are there
 * files_enter	the data base, for one who asks; waits for others
 * files_leave	gives it back
 * files_key	a mailbox as the data base has it
 * files_end	what nobody can have: removed now. Between enter and leave
 * files_tell	a line in the log, an event in the journal
 *
 * files_fetch	what follows the answer to op file-fetch; see files-fetch.c
 *
 * Thread-safe, but for open and close.
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include "services/store/control.h"
#include "store/db.h"
#include "store/token.h"

struct files_row {
	struct slice id, name, type, sha256, sender, queue_id, identity;
	struct slice direction;
	struct slice infected;		/* a virus, when last asked for */
	int64_t time, size;
	bool body;			/* it is there */
	struct slice recipient;		/* empty: nobody in particular */
	int64_t expires, revoked;	/* revoked 0: not */
	int64_t uses, given;
};

enum rc files_open(struct store *s, struct slice *why_r);
void files_close(struct store *s);
enum rc files_adopt(struct store *s, const struct object_meta *m,
    struct arena *a, struct slice *why_r);
void files_sweep(struct store *s);
uint64_t files_stored(struct store *s);

struct db *files_enter(struct store *s);
void files_leave(struct store *s);
struct token_guard *files_guard(struct store *s);
struct slice files_key(struct store *s, struct slice address,
    struct arena *a);
enum rc files_end(struct store *s, int64_t now, unsigned *ended_r,
    struct arena *a, struct slice *why_r);
/* A name below files/, for openat of the vault's folder. */
void files_path(char path[VAULT_PATH], struct slice id);
void files_tell(struct store *s, const struct files_row *row,
    const char *what, struct slice actor, struct slice why);
/* Room for that many bytes to be looked at; false: not in time. */
bool files_take_room(struct store *s, uint64_t bytes, uint64_t most);
void files_give_room(struct store *s, uint64_t bytes);

extern const struct operation files_operations[];
void files_fetch(struct asked *q);

/* files-scan.c: what the engines say of the bytes of fd. */
enum files_scan { FILES_NOT_NOW = 0, FILES_CLEAN, FILES_INFECTED,
    FILES_TOO_LARGE };

/* "/path/of/clamd.ctl" or "host:port"; RC_BAD with *why_r. */
enum rc files_scanner_check(struct slice scanner, struct arena *a,
    struct slice *why_r);
/* All of them are asked. Clean: each has seen all of it, or (the others) was
 * told that it is too large for them. text_r: a name, or why not now. */
enum files_scan files_scan(const struct store_conf *conf, int fd,
    uint64_t size, struct arena *a, struct slice *text_r);
/* From clamd's words, which stand in the answer. */
enum files_scan files_scan_answer(struct slice answer, struct slice *text_r);

#endif
