/* Files of a log by age, plain or compressed; for follow.c alone. */
#ifndef TRACK_FOLLOW_FILES_H
#define TRACK_FOLLOW_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FOLLOW_HEAD = 256, FOLLOW_FILES = 1000 };

struct follow_mark {
	uint64_t dev, ino, offset;
	uint64_t head_len, head;	/* hash of the first bytes of the file,
					   of those that were read */
	int64_t changed;		/* ms: mtime when it was opened */
};

struct follow_list {
	int dir;
	struct follow_entry {
		char *name;
		uint64_t dev, ino, size;
		int64_t changed;	/* ms */
		bool packed;
	} *files;			/* oldest first; NAME itself last */
	size_t count;
};

struct follow_file {
	int fd;				/* -1: none */
	void *packed;			/* gzFile */
	uint64_t dev, ino;
	int64_t changed;
	unsigned char head[FOLLOW_HEAD];
	size_t head_len;
};

/* False with errno. */
bool follow_list_read(struct follow_list *l, const char *dir,
    const char *name);
void follow_list_free(struct follow_list *l);
/* The file that the mark is in; count: it is not there. */
size_t follow_list_find(const struct follow_list *l,
    const struct follow_mark *m);

void follow_file_none(struct follow_file *f);
bool follow_file_is_open(const struct follow_file *f);
bool follow_file_open(struct follow_file *f, const struct follow_list *l,
    size_t i, uint64_t offset);
void follow_file_shut(struct follow_file *f);
/* As read(2); 0 at the end. */
ssize_t follow_file_read(struct follow_file *f, char *room, size_t size);
/* Sets the mark's head for its offset. */
void follow_file_mark(struct follow_file *f, struct follow_mark *m);

enum follow_state { FOLLOW_SAME, FOLLOW_MOVED, FOLLOW_SHORTER };
/* What became of the open file, now that its end was met. */
enum follow_state follow_file_state(const struct follow_file *f,
    const char *dir, const char *name, const struct follow_mark *m);

#endif
