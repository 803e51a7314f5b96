/*
 * thread - threads that get no signal
 *
 * thread_start	runs run(arg) in a thread with all signals blocked: they are
 *		for the thread of main, and for nobody else. What it starts
 *		inherits that. False: there can be none now
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

bool thread_start(pthread_t *thread_r, void *(*run)(void *arg), void *arg);

#endif
