#include "nets.h"

#include <stdlib.h>

#include "backend_ask.h"
#include "decide.h"
#include "dnslist_ask.h"

struct nets {
	struct dnslists *lists;
	struct backends *backends;
};

enum rc
nets_check(const struct antispam_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct dnslist list;

	for (size_t i = 0; i < conf->dns_lists.count; i++)
		if (dnslist_read(conf->dns_lists.items[i], &list, a, why_r) !=
		    RC_OK)
			return RC_BAD;
	return backends_check(&conf->backends, a, why_r);
}

enum rc
nets_open(const struct antispam_conf *conf, struct dns *dns,
    struct nets **nets_r, struct arena *a, struct slice *why_r)
{
	struct nets *nets = mem_alloc(sizeof *nets);
	enum rc rc;

	*nets = (struct nets){ .lists = NULL };
	*nets_r = nets;
	rc = dnslist_open(conf, dns, &nets->lists, a, why_r);
	if (rc == RC_OK)
		rc = backends_open(conf, &nets->backends, a, why_r);
	return rc;
}

void
nets_close(struct nets *nets)
{
	if (nets == NULL)
		return;
	dnslist_close(nets->lists);
	backends_close(nets->backends);
	free(nets);
}

void
nets_begin(struct job *job)
{
	const struct antispam_shared *shared = job->shared;
	struct antispam_answers *seen = job->answers;

	seen->lists = dnslist_begin(job, shared->nets->lists);
}

void
nets_field(struct job *job, struct slice name, struct slice body)
{
	struct antispam_answers *seen = job->answers;

	dnslist_field(seen->lists, name, body);
}

void
nets_message(struct job *job)
{
	const struct antispam_shared *shared = job->shared;
	struct antispam_answers *seen = job->answers;

	seen->backends = backends_ask(job, shared->nets->backends);
}
