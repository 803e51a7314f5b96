/*
 * fraud-cases - letters that want money by deceit, and such as are honest and
 * look like them
 *
 * Written for this test after what is reported of such mail: the firm is
 * acme-works.com, its head Erika Müller-Lüdenscheid, its finance chief John
 * Smith, its bookkeeper Jan de Vries (who is in the directory); its supplier
 * nordlicht-logistik.de has written for months, and named an account.
 */
#ifndef T_FRAUD_CASES_H
#define T_FRAUD_CASES_H

#include <stdbool.h>
#include <stddef.h>

enum proof { NOT_LOOKED, NO_PROOF, FAILS, PASSES, SPF_ONLY };

struct fraud_case {
	bool fraud;
	const char *name;		/* of the case */
	const char *from, *reply_to, *more;	/* header lines; NULL: none */
	const char *subject, *body;
	enum proof proof;		/* of the domain in From */
};

extern const struct fraud_case fraud_cases[];

#endif
