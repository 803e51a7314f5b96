#include "notice/digest-rows.h"

#include <string.h>

#include "text/percent.h"

bool
rows_listable(const struct notices_conf *conf, const struct store_row *row)
{
	if (!conf_list_has(&conf->digest_causes, row->object.cause))
		return false;
	if (row->state == STORE_HELD)
		return !store_row_waits(row);
	/* What somebody deleted by hand is no news; what was never kept is. */
	return row->state == STORE_DELETED && !row->object.body &&
	    conf->digest_deleted;
}

/* Is it to stand in this digest? */
static bool
wanted(struct rows *r, const struct store_row *row)
{
	bool listed = false;

	if (!rows_listable(r->conf, row))
		return false;
	if (row->state == STORE_HELD && (r->conf->digest_all ||
	    r->kind == DIGEST_NOW || r->kind == DIGEST_ASKED))
		return true;
	r->rc = state_listed(r->tools->state, r->a, row->object.id,
	    row->recipient, &listed, &r->why);
	return r->rc == RC_OK && !listed;
}

static bool
may_release(struct rows *r, const struct store_row *row)
{
	struct store_index *x = r->tools->index;
	bool restricted = true;

	if (!r->conf->digest_links || row->state != STORE_HELD ||
	    !row->object.body || store_restricted(row->object.cause) ||
	    store_waiting(row->object.cause) ||
	    row->expires <= r->tools->now)
		return false;
	if (x->does->restricted(x, row->object.content, &restricted) != RC_OK) {
		r->rc = RC_RETRY;
		r->why = arena_copy(r->a, x->why);
	}
	return !restricted;
}

static struct slice
link_text(struct rows *r, const char *token)
{
	const struct notices_conf *c = &r->tools->n->conf;
	struct buf b = buf_in(r->a);

	if (c->portal_url[0] != '\0') {
		buf_addf(&b, "%s/release/%s", c->portal_url, token);
	} else {
		buf_adds(&b, "mailto:");
		percent_encode(&b, slice_of(c->release_address), "@");
		buf_addf(&b, "?subject=release%%20%s", token);
	}
	return buf_slice(&b);
}

static void
add_link(struct rows *r, const struct store_row *row,
    struct template_data **data)
{
	const struct notices_conf *c = &r->tools->n->conf;
	int64_t expires = r->tools->now + r->conf->link_lifetime / 1000;
	char token[TOKEN_TEXT + 1] = "preview";

	if ((c->portal_url[0] == '\0' && c->release_address[0] == '\0') ||
	    !may_release(r, row))
		return;
	if (row->expires < expires)
		expires = row->expires;
	if (r->kind != DIGEST_PREVIEW) {
		const struct token_spec spec = { TOKEN_RELEASE,
		    row->object.id, row->recipient, expires, 1 };

		r->rc = token_issue(r->tools->state, r->a, &spec,
		    r->tools->now, token, &r->why);
		if (r->rc != RC_OK)
			return;
	}
	template_put(r->a, data, "link", link_text(r, token));
	template_put(r->a, data, "expires", zone_short(r->a,
	    notices_zone(r->tools->n, r->conf), expires));
	r->links = true;
}

static void
take(struct rows *r, const struct store_row *row)
{
	enum cause cause;
	struct template_row *line;

	if (r->count == DIGEST_ROWS) {
		r->more++;
		return;
	}
	if (!cause_parse(row->object.cause, &cause))
		cause = CAUSE_NONE;
	if (r->groups[cause].count++ == 0) {
		write_cause(r->a, &r->groups[cause].data, row->object.cause);
		r->groups[cause].rows = template_put(r->a,
		    &r->groups[cause].data, "rows", SLICE(""));
	}
	line = template_row(r->a, r->groups[cause].rows);
	write_message(r->a, &line->data, r->to, &row->object,
	    row->state == STORE_DELETED);
	template_put(r->a, &line->data, "recipient", row->recipient);
	add_link(r, row, &line->data);
	r->count++;
	if (r->rc == RC_OK && r->kind != DIGEST_PREVIEW)
		r->rc = state_list(r->tools->state, r->a, row->object.id,
		    row->recipient, r->tools->now, &r->why);
}

struct page {
	struct rows *r;
	unsigned seen;
	struct store_filter *filter;
};

static bool
visit(const struct store_row *row, void *arg)
{
	struct page *page = arg;

	page->seen++;
	page->filter->before_time = row->object.time;
	page->filter->before_id = row->object.id;
	page->filter->before_recipient = row->recipient;
	if (wanted(page->r, row))
		take(page->r, row);
	return page->r->rc == RC_OK;
}

void
rows_take(struct rows *r, struct slice recipient)
{
	struct store_index *x = r->tools->index;
	struct store_filter filter = { .recipient = recipient,
	    .states = 1u << STORE_HELD | 1u << STORE_DELETED,
	    .limit = STORE_LIST_MAX };
	struct page page = { r, STORE_LIST_MAX, &filter };

	if (!r->conf->digest_all && r->kind == DIGEST_SLOT)
		filter.since = r->tools->now - DIGEST_LOOK_BACK;
	while (r->rc == RC_OK && page.seen == STORE_LIST_MAX) {
		enum rc rc;

		page.seen = 0;
		rc = x->does->list(x, &filter, r->a, visit, &page);
		if (rc != RC_OK && r->rc == RC_OK) {
			r->rc = rc;
			r->why = arena_copy(r->a, x->why);
		}
	}
}

static struct slice
number(struct arena *a, unsigned n)
{
	return arena_printf(a, "%u", n);
}

void
rows_data(struct rows *r, struct template_data **data, bool several)
{
	const struct notices_conf *c = &r->tools->n->conf;
	struct template_data *groups = template_put(r->a, data, "groups",
	    SLICE(""));

	for (size_t i = 0; i < CAUSES + 1; i++) {
		struct template_row *row;

		if (r->groups[i].count == 0)
			continue;
		row = template_row(r->a, groups);
		row->data = r->groups[i].data;
		template_put(r->a, &row->data, "count", number(r->a,
		    r->groups[i].count));
	}
	template_put(r->a, data, "count", number(r->a, r->count));
	if (r->more > 0)
		template_put(r->a, data, "more", number(r->a, r->more));
	if (several)
		template_put(r->a, data, "several", SLICE("1"));
	if (r->links)
		template_put(r->a, data, "links", SLICE("1"));
	template_put(r->a, data, "request", slice_of(c->request_address));
}
