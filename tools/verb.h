/*
 * verb - what the verbs of gatehouse(1) share
 *
 * Exit statuses, the same for all verbs: 0 it was done; 1 it was done and the
 * answer is not what --expect named; 64 wrong command line; 65 the message
 * cannot be used; 66 a file cannot be read; 74 output cannot be written; 75
 * trouble, worth another try; 78 wrong configuration (sysexits.h).
 */
#ifndef TOOLS_VERB_H
#define TOOLS_VERB_H

#include <getopt.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"

struct conf_section;

enum { EXIT_UNEXPECTED = 1 };

struct verb {
	const char *name, *summary;
	int (*run)(int argc, char **argv, struct arena *a);
};

int verb_antivirus(int argc, char **argv, struct arena *a);
int verb_attachment(int argc, char **argv, struct arena *a);
int verb_backlog(int argc, char **argv, struct arena *a);
int verb_check_config(int argc, char **argv, struct arena *a);
int verb_directory(int argc, char **argv, struct arena *a);
int verb_digest(int argc, char **argv, struct arena *a);
int verb_dmarc_report(int argc, char **argv, struct arena *a);
int verb_dlp(int argc, char **argv, struct arena *a);
int verb_doctor(int argc, char **argv, struct arena *a);
int verb_explain(int argc, char **argv, struct arena *a);
int verb_forget(int argc, char **argv, struct arena *a);
int verb_harvest(int argc, char **argv, struct arena *a);
int verb_lint(int argc, char **argv, struct arena *a);
int verb_policy(int argc, char **argv, struct arena *a);
int verb_postfix_config(int argc, char **argv, struct arena *a);
int verb_quarantine(int argc, char **argv, struct arena *a);
int verb_report(int argc, char **argv, struct arena *a);
int verb_rules(int argc, char **argv, struct arena *a);
int verb_search(int argc, char **argv, struct arena *a);
int verb_spam(int argc, char **argv, struct arena *a);
int verb_spf(int argc, char **argv, struct arena *a);
int verb_store(int argc, char **argv, struct arena *a);
int verb_tenant(int argc, char **argv, struct arena *a);
int verb_test(int argc, char **argv, struct arena *a);

/* "gatehouse: text" on standard error; returns status. */
int verb_fails(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The exit status of a failed load. */
int verb_status(enum rc rc);
/* Writes to standard output; 0 or 74. */
int verb_print(const struct buf *out);
/* Prints a table of options as the sample of that name, or for a manual; 0 or
 * 74. */
int verb_options(const char *sample, const struct conf_section *sections,
    bool manual);
/* A whole file, or standard input for "-"; 0, or the status that was told. */
int verb_read(const char *path, struct arena *a, struct slice *bytes_r);
/* The folder of configuration: dir, else the packages' if it is there, else
 * NULL for defaults. */
const char *verb_conf_dir(const char *dir);
/* DIR/gatehouse.conf; NULL when there is none, which means defaults. */
const char *verb_house_file(const char *dir, struct arena *a);

/* Seconds since 1970, or UTC as RFC 3339 writes it; false for anything else. */
bool verb_time(const char *text, int64_t *seconds_r);
/* --now: the clock stands at that time, or what is wrong was told. */
int verb_clock(const char *text);
/* A path of the envelope without its <>. */
struct slice verb_path(struct slice s);

/* What people are shown: nothing of the terminal's control codes. A NUL stands
 * behind it. */
struct slice verb_safe(struct arena *a, struct slice s);

#endif
