#include "text/psl.h"

#include <errno.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 253 };

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
	char name[NAME + 1];
	const char *org;

	if (domain.len == 0 || domain.len > NAME ||
	    slice_has(domain, '\0'))
		return SLICE_NONE;
	memcpy(name, domain.ptr, domain.len);
	name[domain.len] = '\0';
	org = psl_registrable_domain(list != NULL ? list->ctx : psl_builtin(),
	    name);
	if (org == NULL)
		return SLICE_NONE;
	return slice_after(domain, (size_t)(org - name));
}

bool
suffixes_known(const struct suffixes *list, struct slice domain)
{
	const psl_ctx_t *ctx = list != NULL ? list->ctx : psl_builtin();
	size_t dot = slice_find_last(domain, '.');
	char name[NAME + 1];

	if (dot < domain.len)
		domain = slice_after(domain, dot + 1);
	if (domain.len == 0 || domain.len > NAME || slice_has(domain, '\0'))
		return false;
	memcpy(name, domain.ptr, domain.len);
	name[domain.len] = '\0';
	return psl_is_public_suffix2(ctx, name,
	    PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

void
suffixes_close(struct suffixes *list)
{
	if (list == NULL)
		return;
	psl_free(list->ctx);
	free(list);
}
