/*
 * sig - the field of a signature, read tag by tag (RFC 6376, 3.5; RFC 8617,
 * 4.1.2 and 4.1.3)
 *
 * sig_read	reads a DKIM-Signature, an ARC-Message-Signature or an
 *		ARC-Seal. sig_r->result stays DKIM_NONE where nothing is wrong.
 *		The tags are left in *tags_r for those who want more of them
 * sig_fail	sets what decides; rule and reason are static
 * sig_instance	the i= of ARC: 1 to ARC_SETS in at most two digits; 0 else
 *
 * In here: other rooms want dkim.h and arc.h. Safe from any thread.
 */
#ifndef DKIM_SIG_H
#define DKIM_SIG_H

#include "dkim/dkim.h"
#include "dkim/tags.h"

enum sig_kind { SIG_DKIM = 1, SIG_AMS = 2, SIG_SEAL = 4 };

void sig_read(struct arena *a, const struct field *field, enum sig_kind kind,
    const struct dkim_limits *limits, struct dkim_signature *sig_r,
    struct tags *tags_r);
void sig_fail(struct dkim_signature *sig, enum dkim_result result,
    const char *rule, const char *reason);
unsigned sig_instance(struct slice value);

#endif
