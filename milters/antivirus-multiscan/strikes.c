#include "strikes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "scan.h"

enum { ITEMS = 256 };

struct strikes {
	pthread_mutex_t lock;
	struct {
		unsigned char hash[LEDGER_HASH];
		unsigned count;		/* 0: free */
	} items[ITEMS];
	size_t next;			/* to be forgotten */
};

struct strikes *
strikes_new(void)
{
	struct strikes *s = mem_alloc(sizeof *s);

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static unsigned
strike(struct strikes *s, const unsigned char hash[LEDGER_HASH])
{
	unsigned count;
	size_t i = 0;

	pthread_mutex_lock(&s->lock);
	while (i < ITEMS && (s->items[i].count == 0 ||
	    memcmp(s->items[i].hash, hash, LEDGER_HASH) != 0))
		i++;
	if (i == ITEMS) {
		i = s->next++ % ITEMS;
		s->items[i].count = 0;
		memcpy(s->items[i].hash, hash, LEDGER_HASH);
	}
	count = ++s->items[i].count;
	pthread_mutex_unlock(&s->lock);
	return count;
}

void
strikes_note(struct strikes *s, struct ledger *l)
{
	for (struct ledger_row *r = l->rows; r != NULL; r = r->next) {
		unsigned count;

		if (!ledger_crashed(l, r) || !scan_hash(r))
			continue;
		count = strike(s, r->hash);
		if (count > l->strikes)
			l->strikes = count;
	}
	if (l->strikes == LEDGER_STRIKES + 1)
		log_error("poison: a message has ended its scanner %u times; "
		    "it is put off no more, but held", l->strikes);
}

void
strikes_free(struct strikes *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}
