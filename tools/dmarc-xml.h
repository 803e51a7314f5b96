/*
 * dmarc-xml - an aggregate report as XML (RFC 9990, 3.1; RFC 7489, C)
 *
 * dmarc_xml_row	the text of one row: source_ip on the first line, all
 *			but the count behind it. Two messages belong to one row
 *			when these texts are the same
 * dmarc_xml_report	the whole document; rows sorted by their text, so the
 *			same journal gives the same bytes
 *
 * All text is UTF-8 without what XML 1.0 forbids: ill-formed bytes, controls
 * and non-characters become U+FFFD, markup becomes entities, and a value ends
 * after DMARC_TEXT bytes. Words of closed lists that are none of the list
 * become the list's harmless one.
 */
#ifndef TOOLS_DMARC_XML_H
#define TOOLS_DMARC_XML_H

#include "tools/dmarc-events.h"

struct dmarc_signature {
	struct slice domain, selector, result;
};

/* One message. */
struct dmarc_event {
	struct slice ip;
	struct slice header_from;
	struct slice envelope_from;	/* domain; empty: null reverse-path */
	struct slice helo;
	struct slice disposition;	/* none, quarantine, reject */
	bool enforced;			/* it passed, under a policy that asks
					   for more than none */
	bool dkim, spf;			/* aligned, and passed */
	struct slice reason, comment;	/* of an override; or none */
	struct slice spf_domain, spf_result;
	struct slice helo_result;
	struct dmarc_signature dkims[DMARC_SIGNATURES];
	size_t ndkims;			/* in the order of 3.1.4 */
};

struct dmarc_xml_head {
	enum dmarc_schema schema;
	const char *org_name, *email, *contact;
	struct slice report_id;
};

void dmarc_xml_row(struct buf *out, enum dmarc_schema schema,
    const struct dmarc_event *event);
void dmarc_xml_report(struct buf *out, struct arena *a,
    const struct dmarc_xml_head *head, const struct dmarc_report *report);

#endif
