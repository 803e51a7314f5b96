/*
 * service - what daemon_main is for milters, for daemons that are none
 *
 * A service is a folder under services/ with one struct service and a main of
 * one line: `return service_main(argc, argv, &store_service);`. What it gets:
 * the options --config, --house, --check-config, --sample, --manual,
 * --verbose, --version, --help; its configuration, read as a daemon must read
 * it (conf_load_trusted: gatehouse.conf and NAME.conf); its log; its folder
 * STATE/NAME; readiness and watchdog for the service manager; a loop
 * (daemon/loop.h) that its sockets, files and timers live in.
 *
 *	check	fills and checks what the table cannot, without a side effect:
 *		--check-config and each reload ask it too. May be NULL
 *	start	opens what the service needs and puts it into run->loop; ready
 *		is told when it comes back. RC_OK, or why not; what it opened
 *		by then is left to the end of the process
 *	reloaded
 *		the configuration was swapped: `now` is in use already. Says in
 *		the log what counts from the next start only. May be NULL
 *	stop	after the loop has ended: joins its threads, closes what must
 *		be whole. May be NULL
 *
 * SIGTERM and SIGINT end the loop, SIGUSR1 loads the configuration anew: one
 * that is wrong is logged and the old one stays. The watchdog is fed by the
 * loop, so a callback that hangs is noticed.
 *
 * service_set		the current configuration with a reference, from any
 *			thread; nothing in it changes. A piece of work keeps
 *			the set it began with
 * service_set_drop	gives it back
 * service_next_start	for reloaded(): says of an option that changed that it
 *			counts from the next start on
 * service_stop		ends the loop, from any thread; the exit status says
 *			75 (so that the service manager starts us again)
 *
 * Exit statuses are those of daemon.h.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "conf/house.h"
#include "daemon/loop.h"

/* One checked set of everything that was configured. */
struct service_set {
	struct arena *arena;
	struct house_conf house;
	void *conf;			/* the service's own struct */
	_Atomic unsigned references;
};

struct service_run;

struct service {
	const char *name;		/* "store": gatehouse-store */
	const struct conf_option *options;
	size_t conf_size;
	enum rc (*check)(void *conf, const struct house_conf *house,
	    struct arena *a, struct slice *why_r);
	enum rc (*start)(struct service_run *run, struct slice *why_r);
	void (*reloaded)(struct service_run *run,
	    const struct service_set *before, const struct service_set *now);
	void (*stop)(struct service_run *run);
};

struct service_run {
	const struct service *service;
	struct arena *arena;		/* of the loop's thread; to the end */
	struct loop *loop;
	const char *folder;		/* STATE/NAME; there, and ours */
	void *state;			/* the service's own */
};

int service_main(int argc, char **argv, const struct service *service);

struct service_set *service_set(struct service_run *run);
void service_set_drop(struct service_set *set);
void service_next_start(const char *option, bool changed);
void service_stop(struct service_run *run);

/* Loads without running, for a verb of gatehouse(1) that needs the same
 * settings: NULL paths give defaults; trusted as in conf_load_trusted. */
enum rc service_load(const struct service *service, const char *house_file,
    const char *conf_file, bool trusted, struct service_set **set_r,
    struct arena *a, struct slice *why_r);

#endif
