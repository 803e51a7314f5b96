/*
 * dmarc_record - a DMARC policy record (RFC 9989, 4.7 and 4.8; RFC 7489, 6.3)
 *
 * dmarc_record_is	does this TXT record call itself one? "v=DMARC1", these
 *			capitals, first of all, then a semicolon or the end
 * dmarc_record_read	reads one of which that is true. It never fails: unknown
 *			tags are ignored, a malformed value counts as absent, of
 *			a tag that comes twice the first counts. Both standards
 *			at once: np, psd and t are of RFC 9989 alone, pct and ri
 *			of RFC 7489; who applies it takes what is his
 * dmarc_record_settle	the policy that it stands for by one of the standards
 *			(4.10.1; 7489, 6.6.3): a p that is missing or invalid,
 *			or an invalid sp or np, makes it "none" when rua has a
 *			good URI; else DMARC does not apply, and this is false
 * dmarc_uris_read	a list of report addresses (4.6): what is no URI, or a
 *			mailto without a mailbox, is left out; at most
 *			DMARC_URIS
 *
 * Reports to other domains (RFC 9990, 4; RFC 7489, 7.1):
 * dmarc_report_name	where the destination says that it takes reports about
 *			a domain; RC_BAD when that is no DNS name. What it says
 *			there is judged by who sends (tools/dmarc-dest.c)
 *
 * Slices borrow from the text or live in the arena. Linear in the text. Pure.
 */
#ifndef AUTH_CHECK_DMARC_RECORD_H
#define AUTH_CHECK_DMARC_RECORD_H

#include "base/rc.h"
#include "net/dns.h"

enum dmarc_mode { DMARC_RFC9989 = 0, DMARC_RFC7489 };

/* In the order of strength. */
enum dmarc_policy { DMARC_NO_POLICY = 0, DMARC_QUARANTINE, DMARC_REJECT };

enum dmarc_psd { DMARC_PSD_U = 0, DMARC_PSD_Y, DMARC_PSD_N };

enum { DMARC_URIS = 20 };

enum dmarc_fault {
	DMARC_P_MISSING = 1 << 0,
	DMARC_P_INVALID = 1 << 1,
	DMARC_SP_INVALID = 1 << 2,
	DMARC_NP_INVALID = 1 << 3,
	DMARC_OTHER_INVALID = 1 << 4,	/* some value that was ignored */
	DMARC_DUPLICATE = 1 << 5,	/* a tag came twice */
	DMARC_JUNK = 1 << 6,		/* something that is no tag */
	DMARC_URI_INVALID = 1 << 7,	/* of rua or ruf */
};

struct dmarc_uri {
	struct dmarc_uri *next;
	struct slice text;		/* as written, without "!10m" */
	struct slice scheme;		/* as written; "mailto" in any case */
	struct slice address;		/* mailto: the mailbox, %XX decoded;
					   else SLICE_NONE */
	struct slice host;		/* mailto: its domain, A-labels */
	uint64_t limit;			/* "!10m" in bytes (RFC 7489, 6.2); 0:
					   none */
};

enum { DMARC_FO_0 = 1, DMARC_FO_1 = 2, DMARC_FO_D = 4, DMARC_FO_S = 8 };

struct dmarc_record {
	struct slice text;
	enum dmarc_policy p, sp, np;	/* sp, np: p or sp where absent */
	bool has_p, has_sp, has_np;	/* was it given, and valid? */
	bool strict_dkim, strict_spf;	/* adkim=s, aspf=s */
	enum dmarc_psd psd;
	bool testing;			/* t=y */
	unsigned pct;			/* 0..100 */
	unsigned fo;			/* DMARC_FO_*; without ruf: 0 */
	uint32_t ri;			/* seconds */
	struct dmarc_uri *rua, *ruf;
	unsigned faults;		/* DMARC_* */
};

bool dmarc_record_is(struct slice txt);
void dmarc_record_read(struct arena *a, struct slice txt,
    struct dmarc_record *record_r);
bool dmarc_record_settle(struct dmarc_record *record, enum dmarc_mode mode);

struct dmarc_uri *dmarc_uris_read(struct arena *a, struct slice list,
    bool *faults_r);

enum rc dmarc_report_name(struct arena *a, struct slice domain,
    struct slice host, struct slice *name_r);

/* "none", "quarantine", "reject". */
const char *dmarc_policy_name(enum dmarc_policy policy);

#endif
