/*
 * loop - one thread, many sockets
 *
 * loop_add	fd is watched for reading; ready(watch) is called with what
 *		epoll said. fd is set non-blocking
 * loop_writes	whether it is watched for writing as well
 * loop_close	watched no more, and closed
 * loop_run	serves what is ready; false when nothing was for wait_ms
 *
 * net_listen and net_connect take "host:port" (IPv4) or "unix:path"; they end
 * the program with a reason when they fail.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct watch {
	int fd;				/* -1: not open */
	bool writes;
	void (*ready)(struct watch *w, uint32_t events);
};

struct loop {
	int epoll;
};

struct loop loop_new(void);
void loop_add(struct loop *l, struct watch *w, int fd);
void loop_writes(struct loop *l, struct watch *w, bool on);
void loop_close(struct loop *l, struct watch *w);
bool loop_run(struct loop *l, int wait_ms);

int net_listen(const char *where);
int net_connect(const char *where);
void bench_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
