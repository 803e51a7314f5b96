/*
 * rc - how a call ended
 *
 * RC_OK	done
 * RC_RETRY	not now: our trouble (time-out, full disk, silent server);
 *		it becomes a 4xx in plan_for_trouble() and nowhere else
 * RC_BAD	never: their fault (malformed, over a limit); policy decides
 */
#ifndef BASE_RC_H
#define BASE_RC_H

enum rc { RC_OK = 0, RC_RETRY, RC_BAD };

#endif
