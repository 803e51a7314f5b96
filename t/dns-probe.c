/*
 * dns-probe - asks through the dns room what its command line says
 *
 *	dns-probe RESOLVER WORD...
 *
 *	timeout=MS cache=N ttl=S	settings; before the first other word
 *	NAME/TYPE	asks, and does not wait; NAME/TYPE*N asks it N times
 *	wait		until all that was asked is answered
 *	ask=NAME/TYPE	dns_wait()
 *	sleep=MS
 *	budget=N until=MS	another budget from here on
 *	cancel		the budget; its answers are there when it returns
 *	asked		prints how many questions went out
 *	flood=N		asks N names of the wildcard n*.flood.test TXT
 *	warm=THREADS,N	asks warm.test TXT N times in each thread
 *	stress=THREADS,N	budgets made, asked through and cancelled
 *
 * Prints a line for each answer: name/type status count ttl ms data...
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/dns.h"

enum { SHOWN = 5, SHOWN_BYTES = 100 };

static struct dns_conf conf = { .timeout_ms = 1000, .cache_entries = 1000,
    .ttl_max = 3600 };
static struct dns *dns;
static struct dns_budget *budget;
static struct arena *arena;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static unsigned open_questions;
static bool quiet;

struct question {
	char *text;
	struct slice name;
	enum dns_type type;
	int64_t start;
};

static enum dns_type
type_of(const char *name)
{
	static const struct {
		const char *name;
		enum dns_type type;
	} types[] = {
		{ "A", DNS_A }, { "AAAA", DNS_AAAA }, { "MX", DNS_MX },
		{ "TXT", DNS_TXT }, { "PTR", DNS_PTR }, { "CNAME", DNS_CNAME },
		{ "TLSA", DNS_TLSA },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	fprintf(stderr, "dns-probe: unknown type %s\n", name);
	exit(2);
}

static void
show_data(enum dns_type type, const struct dns_record *record)
{
	char text[INET6_ADDRSTRLEN];

	if (type == DNS_A || type == DNS_AAAA) {
		inet_ntop(type == DNS_A ? AF_INET : AF_INET6,
		    record->data.ptr, text, sizeof text);
		printf(" %s", text);
		return;
	}
	putchar(' ');
	if (type == DNS_MX)
		printf("%u:", record->preference);
	if (record->data.len > SHOWN_BYTES) {
		printf("(%zu bytes)", record->data.len);
		return;
	}
	putchar('<');
	for (size_t i = 0; i < record->data.len; i++) {
		unsigned char c = (unsigned char)record->data.ptr[i];

		printf(c >= ' ' && c <= '~' ? "%c" : "\\x%02x", c);
	}
	putchar('>');
}

static void
show(const struct question *q, const struct dns_answer *answer)
{
	if (quiet)
		return;
	printf("%s %s count=%zu ttl=%u ms=%lld", q->text,
	    dns_status_name(answer->status), answer->count, answer->ttl,
	    (long long)(clock_mono() - q->start));
	for (size_t i = 0; i < answer->count && i < SHOWN; i++)
		show_data(q->type, &answer->records[i]);
	putchar('\n');
	fflush(stdout);
}

static void
answered(const struct dns_answer *answer, void *arg)
{
	struct question *q = arg;

	pthread_mutex_lock(&lock);
	show(q, answer);
	free(q->text);
	free(q);
	open_questions--;
	pthread_cond_broadcast(&change);
	pthread_mutex_unlock(&lock);
}

static void
wait_below(unsigned n)
{
	pthread_mutex_lock(&lock);
	while (open_questions > n)
		pthread_cond_wait(&change, &lock);
	pthread_mutex_unlock(&lock);
}

/* text: NAME/TYPE, in which %2e and the like stand for any byte. */
static struct question *
question_new(const char *text)
{
	struct question *q = mem_alloc(sizeof *q);
	char *slash = strrchr(text, '/'), *to;

	q->text = strdup(text);
	if (slash == NULL)
		exit(2);
	q->type = type_of(slash + 1);
	q->name.ptr = to = mem_alloc(strlen(text));
	for (const char *p = text; p < slash; p++, to++) {
		if (*p == '%' && ascii_hex(p[1]) >= 0 && ascii_hex(p[2]) >= 0) {
			*to = (char)(ascii_hex(p[1]) * 16 + ascii_hex(p[2]));
			p += 2;
		} else {
			*to = *p;
		}
	}
	q->name.len = (size_t)(to - q->name.ptr);
	q->start = clock_mono();
	return q;
}

static void
ask(const char *text)
{
	struct question *q = question_new(text);
	struct slice name = arena_copy(arena, q->name);

	free((void *)(uintptr_t)q->name.ptr);
	pthread_mutex_lock(&lock);
	open_questions++;
	pthread_mutex_unlock(&lock);
	dns_ask(budget, name, q->type, answered, q);
}

static void
ask_and_wait(const char *text)
{
	struct question *q = question_new(text);
	struct dns_answer answer;

	dns_wait(budget, q->name, q->type, arena, &answer);
	show(q, &answer);
	free((void *)(uintptr_t)q->name.ptr);
	free(q->text);
	free(q);
}

static long
rss_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void
flood(unsigned n)
{
	int64_t start = clock_mono_us();
	char text[64];

	quiet = true;
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof text, "n%u.flood.test/TXT", i);
		wait_below(500);
		ask(text);
	}
	wait_below(0);
	quiet = false;
	printf("flood %u: %.0f/s, %ld kB\n", n,
	    n * 1e6 / (double)(clock_mono_us() - start), rss_kb());
}

static unsigned warm_rounds;
static atomic_uint warm_bad;

static void
warm_answered(const struct dns_answer *answer, void *arg)
{
	(void)arg;
	if (answer->status != DNS_OK)
		atomic_fetch_add(&warm_bad, 1);
}

static void *
warm_thread(void *arg)
{
	struct dns_budget *b = dns_budget_new(dns, 1, DEADLINE_NEVER);

	for (unsigned i = 0; i < warm_rounds; i++)
		if (!dns_ask(b, SLICE("warm.test"), DNS_TXT, warm_answered,
		    NULL))
			atomic_fetch_add(&warm_bad, 1);
	dns_budget_free(b);
	return arg;
}

static void
threads_run(unsigned threads, void *(*body)(void *arg))
{
	pthread_t ids[64];

	if (threads > 64)
		exit(2);
	for (uintptr_t i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, body, (void *)(i + 1)) != 0)
			exit(2);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}

static void
warm(unsigned threads, unsigned rounds)
{
	int64_t start;

	warm_rounds = rounds;
	quiet = true;
	ask_and_wait("warm.test/TXT");
	quiet = false;
	start = clock_mono_us();
	threads_run(threads, warm_thread);
	printf("warm %u: %.0f/s, %u bad\n", threads, threads * (double)rounds *
	    1e6 / (double)(clock_mono_us() - start), atomic_load(&warm_bad));
}

/*
 * Each round: a budget, questions of all temperaments, some of which ask
 * again from inside, then at a random moment cancel or free. What is counted
 * lives on the stack of the round: a call after the end would be seen by the
 * sanitizers, and by `late'.
 */
struct round {
	struct dns_budget *budget;
	atomic_uint calls, cancelled;
	atomic_bool over;
	unsigned seed;
};

static atomic_uint late, lost, stress_calls, stress_cancelled;
static unsigned stress_rounds;

static void
round_answered(const struct dns_answer *answer, void *arg)
{
	struct round *r = arg;

	if (atomic_load(&r->over))
		atomic_fetch_add(&late, 1);
	if (answer->status == DNS_CANCELLED)
		atomic_fetch_add(&r->cancelled, 1);
	for (size_t i = 0; i < answer->count; i++)
		if (answer->records[i].data.len == 0)
			atomic_fetch_add(&lost, 1);
	atomic_fetch_add(&r->calls, 1);
}

static void
round_again(const struct dns_answer *answer, void *arg)
{
	struct round *r = arg;

	round_answered(answer, arg);
	dns_ask(r->budget, SLICE("warm.test"), DNS_TXT, round_answered, arg);
	if (r->seed % 16 == 0)
		dns_budget_cancel(r->budget);
}

static void
stress_round(unsigned *seed)
{
	static const char *const names[] = { "warm.test", "slow.flood.test",
	    "fail.test", "none.test", "mute.test", "a..b" };
	struct round r = { .seed = (unsigned)rand_r(seed) };
	unsigned asked = 0;
	char name[64];

	r.budget = dns_budget_new(dns, 8, deadline_in(r.seed % 40));
	for (; asked < 10; asked++) {
		unsigned k = (unsigned)rand_r(seed);

		snprintf(name, sizeof name, "n%u.flood.test", k / 8 % 500);
		dns_ask(r.budget, slice_of(k % 8 < 6 ? names[k % 8] : name),
		    DNS_TXT, k % 32 == 7 ? round_again : round_answered, &r);
	}
	if (r.seed % 4 != 0)
		usleep(r.seed % 5000);
	if (r.seed % 3 == 0)
		dns_budget_cancel(r.budget);
	dns_budget_free(r.budget);
	atomic_store(&r.over, true);
	if (atomic_load(&r.calls) < asked)
		atomic_fetch_add(&lost, 1);
	atomic_fetch_add(&stress_calls, atomic_load(&r.calls));
	atomic_fetch_add(&stress_cancelled, atomic_load(&r.cancelled));
}

static void *
stress_thread(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < stress_rounds; i++)
		stress_round(&seed);
	return arg;
}

static void
stress(unsigned threads, unsigned rounds)
{
	stress_rounds = rounds;
	threads_run(threads, stress_thread);
	printf("stress %u: %u calls, %s cancelled, %u lost, %u late\n",
	    threads, atomic_load(&stress_calls),
	    atomic_load(&stress_cancelled) > 0 ? "some" : "none",
	    atomic_load(&lost), atomic_load(&late));
}

static void
budget_renew(unsigned questions, deadline_t until)
{
	dns_budget_free(budget);
	budget = dns_budget_new(dns, questions, until);
}

static void
ask_often(char *word)
{
	char *star = strrchr(word, '*');
	unsigned n = 1;

	if (star != NULL && star[1] != '\0' && strchr(star, '/') == NULL) {
		*star = '\0';
		n = (unsigned)atoi(star + 1);
	}
	while (n-- > 0)
		ask(word);
}

static void
obey(char *word)
{
	unsigned a = 0, b = 0;

	if (strcmp(word, "wait") == 0)
		wait_below(0);
	else if (strcmp(word, "cancel") == 0)
		dns_budget_cancel(budget);
	else if (strcmp(word, "asked") == 0)
		printf("asked %u\n", dns_budget_asked(budget));
	else if (sscanf(word, "sleep=%u", &a) == 1)
		usleep(a * 1000);
	else if (sscanf(word, "budget=%u", &a) == 1)
		budget_renew(a, DEADLINE_NEVER);
	else if (sscanf(word, "until=%u", &a) == 1)
		budget_renew(100, deadline_in(a));
	else if (sscanf(word, "flood=%u", &a) == 1)
		flood(a);
	else if (sscanf(word, "warm=%u,%u", &a, &b) == 2)
		warm(a, b);
	else if (sscanf(word, "stress=%u,%u", &a, &b) == 2)
		stress(a, b);
	else if (strncmp(word, "ask=", 4) == 0)
		ask_and_wait(word + 4);
	else
		ask_often(word);
	fflush(stdout);
}

static bool
setting(const char *word)
{
	return sscanf(word, "timeout=%u", &conf.timeout_ms) == 1 ||
	    sscanf(word, "cache=%u", &conf.cache_entries) == 1 ||
	    sscanf(word, "ttl=%u", &conf.ttl_max) == 1;
}

int
main(int argc, char **argv)
{
	struct slice why = SLICE_NONE;
	int i = 2;

	if (argc < 2)
		return 2;
	arena = arena_new();
	conf.resolver = argv[1];
	while (i < argc && setting(argv[i]))
		i++;
	dns = dns_open(&conf, arena, &why);
	if (dns == NULL) {
		printf("not opened: %.*s\n", SLICE_ARG(why));
		arena_free(arena);
		return 1;
	}
	budget = dns_budget_new(dns, 1000000, DEADLINE_NEVER);
	for (; i < argc; i++)
		obey(argv[i]);
	/* What is still open ends as cancelled; the budget outlives it. */
	dns_close(dns);
	dns_budget_free(budget);
	arena_free(arena);
	return 0;
}
