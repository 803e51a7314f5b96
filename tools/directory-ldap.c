/*
 * A source that is an LDAP server (RFC 4511): paged (RFC 2696), encrypted, no
 * referral followed, and nothing of the machine's ldap.conf or of the
 * environment counts: what directory.d says is all.
 */
#include <errno.h>
#include <ldap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/directory-source.h"

#define SYSTEM_CA	"/etc/ssl/certs/ca-certificates.crt"

enum { PASSWORD_MAX = 1024, PDU_MAX = 64 << 20 };

struct asking_ldap {
	LDAP *ld;
	const struct directory_source *s;
	struct book *book;
	struct source_user user;
	struct slice *why_r;
	char **names;			/* of attributes; NULL at the end */
	size_t entries;
};

static enum rc
fails(struct asking_ldap *k, const char *doing, int err)
{
	char *more = NULL;

	ldap_get_option(k->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	*k->why_r = arena_printf(k->book->arena, "%s: %s: %s%s%s%s",
	    k->s->uri, doing, ldap_err2string(err),
	    more != NULL && *more != '\0' ? ": " : "",
	    more != NULL ? more : "", err == LDAP_SIZELIMIT_EXCEEDED ?
	    "; the server has to lift its limits for bind_dn" : "");
	ldap_memfree(more);
	return RC_RETRY;
}

static int
set_times(struct asking_ldap *k)
{
	struct timeval t = { (time_t)(k->s->timeout / 1000),
	    (suseconds_t)(k->s->timeout % 1000 * 1000) };
	int err = ldap_set_option(k->ld, LDAP_OPT_NETWORK_TIMEOUT, &t);

	return err != LDAP_OPT_SUCCESS ? err : ldap_set_option(k->ld,
	    LDAP_OPT_TIMEOUT, &t);
}

static int
set_tls(struct asking_ldap *k)
{
	const char *ca = k->s->ca_file[0] != '\0' ? k->s->ca_file : SYSTEM_CA;
	int demand = LDAP_OPT_X_TLS_DEMAND, client = 0, err;

	err = ldap_set_option(k->ld, LDAP_OPT_X_TLS_CACERTFILE, ca);
	if (err == LDAP_OPT_SUCCESS)
		err = ldap_set_option(k->ld, LDAP_OPT_X_TLS_REQUIRE_CERT,
		    &demand);
	return err != LDAP_OPT_SUCCESS ? err : ldap_set_option(k->ld,
	    LDAP_OPT_X_TLS_NEWCTX, &client);
}

static enum rc
open_ldap(struct asking_ldap *k)
{
	int version = LDAP_VERSION3, err;
	ber_len_t most = PDU_MAX;
	Sockbuf *sb = NULL;

	setenv("LDAPNOINIT", "1", 1);
	signal(SIGPIPE, SIG_IGN);
	err = ldap_initialize(&k->ld, k->s->uri);
	if (err == LDAP_SUCCESS)
		err = ldap_set_option(k->ld, LDAP_OPT_PROTOCOL_VERSION,
		    &version);
	if (err == LDAP_SUCCESS)
		err = ldap_set_option(k->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	if (err == LDAP_SUCCESS)
		err = set_times(k);
	if (err == LDAP_SUCCESS && ldap_get_option(k->ld, LDAP_OPT_SOCKBUF,
	    &sb) == LDAP_OPT_SUCCESS && sb != NULL)
		ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most);
	if (err == LDAP_SUCCESS && (k->s->tls == DIRECTORY_TLS_START ||
	    strncmp(k->s->uri, "ldaps://", 8) == 0))
		err = set_tls(k);
	if (err != LDAP_SUCCESS)
		return fails(k, "cannot be set up", err);
	if (k->s->tls != DIRECTORY_TLS_START ||
	    strncmp(k->s->uri, "ldap://", 7) != 0)
		return RC_OK;
	err = ldap_start_tls_s(k->ld, NULL, NULL);
	return err == LDAP_SUCCESS ? RC_OK : fails(k, "STARTTLS", err);
}

/* Its first line. Others may not read it: it opens all address books. */
static enum rc
password(struct asking_ldap *k, char text[PASSWORD_MAX], size_t *len_r)
{
	FILE *f = fopen(k->s->password_file, "re");
	const char *what = NULL;
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		what = strerror(errno);
	else if ((st.st_mode & 0007) != 0)
		what = "others may read or write it; chmod o= that file";
	else if (fgets(text, PASSWORD_MAX, f) == NULL)
		what = "it is empty";
	if (f != NULL)
		fclose(f);
	if (what != NULL) {
		*k->why_r = arena_printf(k->book->arena, "%s: %s",
		    k->s->password_file, what);
		return RC_BAD;
	}
	*len_r = strcspn(text, "\r\n");
	return RC_OK;
}

static enum rc
bind_ldap(struct asking_ldap *k)
{
	char text[PASSWORD_MAX] = "";
	struct berval secret = { 0, text };
	size_t len = 0;
	int err;
	enum rc rc = RC_OK;

	if (k->s->bind_dn[0] != '\0')
		rc = password(k, text, &len);
	/* With a name and no password a server says yes to anybody (RFC 4513,
	 * 5.1.2). */
	if (rc == RC_OK && k->s->bind_dn[0] != '\0' && len == 0) {
		*k->why_r = arena_printf(k->book->arena, "%s: its first line "
		    "is empty; it wants the password", k->s->password_file);
		rc = RC_BAD;
	}
	if (rc != RC_OK)
		return rc;
	secret.bv_len = len;
	err = ldap_sasl_bind_s(k->ld, k->s->bind_dn, LDAP_SASL_SIMPLE, &secret,
	    NULL, NULL, NULL);
	explicit_bzero(text, sizeof text);
	return err == LDAP_SUCCESS ? RC_OK : fails(k, "bind", err);
}

/* --- entries ------------------------------------------------------------ */

static void
name_attributes(struct asking_ldap *k)
{
	size_t n = k->s->fields.count;

	k->names = arena_array(k->book->arena, n + 1, sizeof *k->names);
	for (size_t i = 0; i < n; i++) {
		struct slice item = k->s->fields.items[i];

		k->names[i] = arena_str(k->book->arena, slice_sub(item, 0,
		    slice_find_last(item, '=')));
	}
}

static enum rc
one_attribute(struct asking_ldap *k, LDAPMessage *entry, size_t i)
{
	struct slice item = k->s->fields.items[i];
	struct slice to = slice_after(item, slice_find_last(item, '=') + 1);
	struct berval **values = ldap_get_values_len(k->ld, entry,
	    k->names[i]);
	enum rc rc = RC_OK;

	for (int v = 0; values != NULL && values[v] != NULL && rc == RC_OK;
	    v++)
		rc = source_field(&k->user, to, slice_make(values[v]->bv_val,
		    values[v]->bv_len), k->why_r);
	ldap_value_free_len(values);
	return rc;
}

static enum rc
one_entry(struct asking_ldap *k, LDAPMessage *entry)
{
	char *dn = ldap_get_dn(k->ld, entry);
	enum rc rc = RC_OK;

	if (++k->entries > k->s->max_entries) {
		*k->why_r = arena_printf(k->book->arena, "%s: over %u entries; "
		    "narrow the filter, or raise max_entries", k->s->uri,
		    k->s->max_entries);
		ldap_memfree(dn);
		return RC_BAD;
	}
	source_begin(&k->user, (unsigned)k->entries);
	k->user.dn = dn;
	for (size_t i = 0; i < k->s->fields.count && rc == RC_OK; i++)
		rc = one_attribute(k, entry, i);
	if (rc == RC_OK)
		rc = source_done(&k->user, k->why_r);
	if (rc == RC_BAD && dn != NULL &&
	    slice_search(*k->why_r, slice_of(dn)) == k->why_r->len)
		*k->why_r = arena_printf(k->book->arena, "%.*s (%s)",
		    SLICE_ARG(*k->why_r), dn);
	k->user.dn = NULL;
	ldap_memfree(dn);
	return rc;
}

static enum rc
entries_of(struct asking_ldap *k, LDAPMessage *page)
{
	enum rc rc = RC_OK;

	for (LDAPMessage *e = ldap_first_entry(k->ld, page); e != NULL &&
	    rc == RC_OK; e = ldap_next_entry(k->ld, e))
		rc = one_entry(k, e);
	return rc;
}

/* --- pages -------------------------------------------------------------- */

/* What the server gave to go on with; empty: that was all. */
static enum rc
next_cookie(struct asking_ldap *k, LDAPMessage *page, struct berval *cookie)
{
	LDAPControl **controls = NULL, *paged;
	ber_int_t estimate;
	int code = LDAP_SUCCESS, err = ldap_parse_result(k->ld, page, &code,
	    NULL, NULL, NULL, &controls, 0);

	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){ 0, NULL };
	if (err == LDAP_SUCCESS)
		err = code;
	paged = controls != NULL ? ldap_control_find(
	    LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
	if (err == LDAP_SUCCESS && paged != NULL)
		err = ldap_parse_pageresponse_control(k->ld, paged, &estimate,
		    cookie);
	ldap_controls_free(controls);
	return err == LDAP_SUCCESS ? RC_OK : fails(k, "search", err);
}

static enum rc
one_page(struct asking_ldap *k, struct berval *cookie)
{
	struct timeval t = { (time_t)(k->s->timeout / 1000), 0 };
	LDAPControl *paged = NULL, *controls[2] = { NULL, NULL };
	LDAPMessage *page = NULL;
	int err = ldap_create_page_control(k->ld, (ber_int_t)k->s->page,
	    cookie->bv_val != NULL ? cookie : NULL, 1, &paged);
	enum rc rc;

	if (err != LDAP_SUCCESS)
		return fails(k, "paging", err);
	controls[0] = paged;
	err = ldap_search_ext_s(k->ld, k->s->base, LDAP_SCOPE_SUBTREE,
	    k->s->filter, k->names, 0, controls, NULL, &t, LDAP_NO_LIMIT,
	    &page);
	ldap_control_free(paged);
	if (err != LDAP_SUCCESS) {
		/* A part of the users is not the users. */
		rc = fails(k, "search", err);
	} else {
		rc = entries_of(k, page);
		if (rc == RC_OK)
			rc = next_cookie(k, page, cookie);
	}
	ldap_msgfree(page);
	return rc;
}

static enum rc
search(struct asking_ldap *k)
{
	struct berval cookie = { 0, NULL };
	enum rc rc;

	name_attributes(k);
	do
		rc = one_page(k, &cookie);
	while (rc == RC_OK && cookie.bv_val != NULL && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return rc;
}

enum rc
source_ldap(const struct directory_source *s, struct book *b,
    struct slice *why_r)
{
	struct asking_ldap k = { .s = s, .book = b, .why_r = why_r,
	    .user = { .source = s, .book = b, .arena = arena_new() } };
	enum rc rc = open_ldap(&k);

	if (rc == RC_OK)
		rc = bind_ldap(&k);
	if (rc == RC_OK)
		rc = search(&k);
	if (rc != RC_OK)
		*why_r = arena_copy(b->arena, *why_r);
	if (k.ld != NULL)
		ldap_unbind_ext_s(k.ld, NULL, NULL);
	arena_free(k.user.arena);
	return rc;
}
