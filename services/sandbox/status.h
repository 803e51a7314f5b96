/*
 * status - how the sandbox is, for gatehouse antivirus status and doctor
 *
 *	{"time":...,"url":"...","up":true,"since":...,"why":"","store":true,
 *	 "mails":0,"files":0,"tasks":0,"clean":0,"suspicious":0,"malicious":0,
 *	 "none":0}
 *
 * up: the last question was answered; since when that is so; why not. store:
 * gatehouse-store was reached.
 */
#ifndef SANDBOX_STATUS_H
#define SANDBOX_STATUS_H

#include "services/sandbox/book.h"

struct sandbox_status {
	bool up, store;
	int64_t since;
	char why[200], url[320];
};

/* Into dir, whole or not at all; a failure is told in the log once. */
void sandbox_status_write(const char *dir, const struct sandbox_status *status,
    const struct book_counts *counts);

#endif
