#include "lint_asking.h"

#include "mime/message.h"

static void
want(void *arg, struct slice name, enum dns_type type)
{
	asking_want(arg, name, type);
}

static const struct dns_answer *
look_up(void *arg, struct slice name, enum dns_type type)
{
	return asking_answer(arg, name, type);
}

void
lint_asking_start(struct lint_asking *k, const struct lint_domains *domains)
{
	lint_questions(k->conf, domains, k->arena, want, k->asking);
}

void
lint_asking_key(struct lint_asking *k, struct slice name, struct slice body)
{
	struct slice domain, key;

	if (k->conf->lint_rules[LINT_DKIM_KEY] == SEVERITY_OFF ||
	    k->conf->dkim_selectors.count > 0 || k->keys >= LINT_SIGNATURES)
		return;
	key = lint_key_name(k->arena, name, body, &domain);
	if (key.ptr == NULL)
		return;
	k->keys++;
	asking_want(k->asking, key, DNS_TXT);
}

void
lint_asking_wait(struct lint_asking *k, struct lint_mail *m,
    const struct lint_domains *domains, deadline_t until)
{
	/* Some came before it was known that anything is to be asked. */
	k->keys = 0;
	for (size_t i = 0; i < m->msg->nfields; i++)
		lint_asking_key(k, m->msg->fields[i].name,
		    m->msg->fields[i].body);
	m->lookup = look_up;
	m->arg = k->asking;
	asking_wait(k->asking, until);
	for (unsigned i = 0; i < LINT_ROUNDS &&
	    lint_more(m, domains, want, k->asking); i++)
		asking_wait(k->asking, until);
}
