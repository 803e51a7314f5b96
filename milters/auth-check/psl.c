#include "psl.h"

#include <errno.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns.h"

struct suffixes {
	psl_ctx_t *ctx;
};

struct suffixes *
suffixes_open(const char *path, struct arena *a, struct slice *why_r)
{
	bool named = path != NULL && *path != '\0';
	struct suffixes *list;
	psl_ctx_t *ctx;

	errno = 0;
	ctx = named ? psl_load_file(path) : psl_latest(NULL);
	if (ctx == NULL) {
		*why_r = arena_printf(a, "no public suffix list in %s%s%s",
		    named ? path : "libpsl", errno != 0 ? ": " : "",
		    errno != 0 ? strerror(errno) : "");
		return NULL;
	}
	/* It reads any file at all as a list without rules. libpsl counts
	 * the rules of texts only: -1 for compiled ones. */
	if (psl_suffix_count(ctx) == 0) {
		*why_r = arena_printf(a, "%s holds no public suffix",
		    named ? path : "libpsl");
		psl_free(ctx);
		return NULL;
	}
	list = mem_alloc(sizeof *list);
	list->ctx = ctx;
	return list;
}

struct slice
suffixes_org(const struct suffixes *list, struct slice domain)
{
	char name[DNS_NAME_MAX + 1];
	const char *org;

	if (domain.len == 0 || domain.len > DNS_NAME_MAX ||
	    slice_has(domain, '\0'))
		return SLICE_NONE;
	memcpy(name, domain.ptr, domain.len);
	name[domain.len] = '\0';
	org = psl_registrable_domain(list->ctx, name);
	if (org == NULL)
		return SLICE_NONE;
	return slice_after(domain, (size_t)(org - name));
}

void
suffixes_close(struct suffixes *list)
{
	if (list == NULL)
		return;
	psl_free(list->ctx);
	free(list);
}
