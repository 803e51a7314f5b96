#include "fraud_part.h"

#include "mime/message.h"
#include "text/address.h"
#include "text/encoded.h"

bool
fraud_freemail(struct slice domain)
{
	static const char *const names[] = { "gmail.com", "googlemail.com",
	    "outlook.com", "outlook.de", "outlook.fr", "outlook.es",
	    "hotmail.com", "hotmail.de", "hotmail.fr", "hotmail.it",
	    "hotmail.es", "hotmail.co.uk", "live.com", "live.de", "live.nl",
	    "live.fr", "msn.com", "yahoo.com", "yahoo.de", "yahoo.fr",
	    "yahoo.it", "yahoo.es", "yahoo.co.uk", "yahoo.com.br",
	    "ymail.com", "rocketmail.com", "aol.com", "aim.com", "icloud.com",
	    "me.com", "mac.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch",
	    "gmx.com", "web.de", "t-online.de", "freenet.de", "posteo.de",
	    "mail.com", "email.com", "usa.com", "consultant.com",
	    "proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.io",
	    "zoho.com", "yandex.ru", "yandex.com", "mail.ru", "bk.ru",
	    "inbox.ru", "list.ru", "rambler.ru", "orange.fr", "wanadoo.fr",
	    "free.fr", "laposte.net", "sfr.fr", "libero.it", "virgilio.it",
	    "tiscali.it", "alice.it", "terra.es", "telefonica.net",
	    "ziggo.nl", "kpnmail.nl", "hetnet.nl", "xs4all.nl", "sapo.pt",
	    "uol.com.br", "bol.com.br", "terra.com.br", "wp.pl", "onet.pl",
	    "o2.pl", "interia.pl", "op.pl", "seznam.cz", "qq.com", "163.com",
	    "126.com", "mailfence.com", "hushmail.com", "fastmail.com",
	    "comcast.net", "verizon.net", "att.net", "cox.net",
	    "sbcglobal.net", "btinternet.com", "rediffmail.com", NULL };

	for (const char *const *n = names; *n != NULL; n++)
		if (slice_eq(domain, slice_of(*n)))
			return true;
	return false;
}

static struct slice
registered(const struct suffixes *suffixes, struct slice domain)
{
	struct slice org = suffixes_org(suffixes, domain);

	return org.ptr != NULL ? org : domain;
}

static bool
fill(struct arena *a, const struct suffixes *suffixes,
    const struct address *one, struct fraud_from *box_r)
{
	unsigned flags;

	if (one->name.len > 0)
		box_r->name = encoded_decode(a, one->name, &flags);
	else if (one->comment.len > 0)
		box_r->name = encoded_decode(a, one->comment, &flags);
	if (one->local.len == 0 ||
	    !domain_ascii(a, one->domain, &box_r->domain))
		return false;
	box_r->local = one->local;
	box_r->org = registered(suffixes, box_r->domain);
	box_r->address = history_address(a, one->local, box_r->domain);
	return true;
}

bool
fraud_mailbox(struct arena *a, const struct suffixes *suffixes,
    struct slice value, struct fraud_from *box_r)
{
	struct address_list list;
	struct address one;

	*box_r = (struct fraud_from){ .name = SLICE_NONE };
	address_open(&list, a, value);
	return address_next(&list, &one) && fill(a, suffixes, &one, box_r);
}

static struct slice
found(const struct job *job, struct slice key)
{
	return job_finding(job, SLICE("auth-check"), key);
}

/* Does that domain, where it passed, stand for the one in From? */
static bool
vouches(const struct job *job, const struct suffixes *suffixes,
    struct slice result, struct slice key, struct slice org)
{
	struct slice domain = found(job, key), ascii;

	return slice_eq(found(job, result), SLICE("pass")) &&
	    domain.len > 0 && domain_ascii(job->arena, domain, &ascii) &&
	    slice_eq(registered(suffixes, ascii), org);
}

static bool
passes_dmarc(const struct job *job, const struct fraud_from *from)
{
	return slice_eq(found(job, SLICE("dmarc")), SLICE("pass")) &&
	    slice_eq_nocase(found(job, SLICE("dmarc-from")), from->domain);
}

static bool
proven(const struct job *job, const struct suffixes *suffixes,
    const struct fraud_from *from)
{
	if (from->dmarc)
		return true;
	/* Its owner says what others are to think of it. */
	if (slice_eq(found(job, SLICE("dmarc")), SLICE("fail")))
		return false;
	return vouches(job, suffixes, SLICE("spf"), SLICE("spf-domain"),
	    from->org) || vouches(job, suffixes, SLICE("dkim"),
	    SLICE("dkim-domain"), from->org);
}

void
fraud_from_read(const struct job *job, struct message *msg,
    const struct antispam_shared *shared, struct fraud_from *from_r)
{
	const struct suffixes *suffixes = shared->suffixes;
	const struct field *from = message_field(msg, SLICE("From"), 0);
	struct address_list list;
	struct address one, more;

	*from_r = (struct fraud_from){ .name = SLICE_NONE };
	if (from == NULL)
		return;
	address_open(&list, msg->arena, field_value(msg->arena, from));
	if (!address_next(&list, &one))
		return;
	fill(msg->arena, suffixes, &one, from_r);
	if (message_count(msg, SLICE("From")) != 1 ||
	    address_next(&list, &more))
		from_r->address = SLICE_NONE;
	if (shared->fraud != NULL)
		from_r->ours = fraud_ours(shared->fraud, from_r->domain);
	if (job == NULL || from_r->domain.len == 0)
		return;
	from_r->checked = found(job, SLICE("dmarc")).ptr != NULL ||
	    found(job, SLICE("spf")).ptr != NULL ||
	    found(job, SLICE("dkim")).ptr != NULL;
	from_r->dmarc = from_r->address.ptr != NULL &&
	    passes_dmarc(job, from_r);
	from_r->proven = from_r->address.ptr != NULL &&
	    proven(job, suffixes, from_r);
}

static bool
below(struct slice domain, struct slice of)
{
	return slice_eq_nocase(domain, of) || (domain.len > of.len &&
	    slice_ends_nocase(domain, of) &&
	    domain.ptr[domain.len - of.len - 1] == '.');
}

bool
fraud_listed(const struct conf_list *list, const struct fraud_from *from)
{
	for (size_t i = 0; i < list->count; i++) {
		struct slice item = list->items[i];

		if (slice_has(item, '@') ? slice_eq_nocase(item,
		    from->address) : below(from->domain, item))
			return true;
	}
	return false;
}
