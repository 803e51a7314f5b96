/*
 * signed - the mix with signatures
 *
 * Of ten messages all are signed with RSA-2048 by the domain in From, nine of
 * them relaxed/relaxed and one simple/simple; one has a second signature, of
 * the provider that sent it, one an Ed25519 signature of its author's too, one
 * went over two lists that sealed it (ARC).
 *
 * signed_heads	the header blocks of all messages, blank line included, made
 *		before the load begins. sender_of says who sends which. FOLDER
 *		holds the keys as PEM: DOMAIN.rsa and DOMAIN.ed25519
 * signed_free	takes them back
 */
#ifndef BENCH_SIGNED_H
#define BENCH_SIGNED_H

#include "bench/mail.h"

#define SIGNED_RSA	"r"		/* the selectors */
#define SIGNED_ED25519	"e"
#define SIGNED_PROVIDER	"provider.example"
#define SIGNED_LISTS	{ "list.example", "forward.example" }

struct slice *signed_heads(const struct mix *m, size_t messages,
    const struct mail_sender *(*sender_of)(void *arg, size_t number),
    void *arg, const char *folder);
void signed_free(struct slice *heads, size_t messages);

#endif
