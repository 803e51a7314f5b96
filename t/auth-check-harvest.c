/*
 * Harvest protection without mail: who is slowed, who is refused, who never;
 * what a flood cannot push out; what a damaged table does. Thousands of
 * sources of which it is known what they are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milters/auth-check/harvest_file.h"
#include "t/tap.h"

static const struct harvest_policy policy = { .half_life = 4 * 3600,
    .slow = 10, .refuse = 30, .share = 0.3, .delay = 5000 };

static int64_t now = 1795000000;
static uint64_t next_key;

static struct harvest_table *
table_of(unsigned entries)
{
	void *memory = malloc(harvest_size(entries));

	if (memory == NULL)
		abort();
	harvest_begin(memory, entries, now);
	return memory;
}

static struct ip
ip_of(const char *text)
{
	struct ip ip;

	if (!ip_parse(slice_of(text), &ip))
		abort();
	return ip;
}

/* n recipients, each another one. */
static struct harvest_view
rcpts(struct harvest_table *t, const struct ip *ip, unsigned n, bool refused)
{
	struct harvest_view v;

	harvest_look(t, &policy, ip, now, &v);
	for (unsigned i = 0; i < n; i++)
		harvest_count(t, &policy, ip, refused, next_key += 0x9e3779b9,
		    now, &v);
	return v;
}

static struct harvest_view
look(struct harvest_table *t, const char *ip)
{
	struct ip address = ip_of(ip);
	struct harvest_view v;

	harvest_look(t, &policy, &address, now, &v);
	return v;
}

/* One client: accepted, then refused; its state at the end. */
static const struct {
	const char *name, *ip;
	unsigned good, bad;
	enum harvest_state want;
} cases[] = {
	{ "nobody", "192.0.2.1", 0, 0, HARVEST_CLEAN },
	{ "good mail only", "192.0.2.1", 500, 0, HARVEST_CLEAN },
	{ "a few errors", "192.0.2.1", 0, 9, HARVEST_CLEAN },
	{ "slowed", "192.0.2.1", 0, 10, HARVEST_SLOW },
	{ "still slowed", "192.0.2.1", 0, 29, HARVEST_SLOW },
	{ "refused", "192.0.2.1", 0, 30, HARVEST_REFUSE },
	{ "far beyond", "192.0.2.1", 0, 5000, HARVEST_REFUSE },
	{ "a third of many", "192.0.2.1", 70, 31, HARVEST_REFUSE },
	{ "just below the share", "192.0.2.1", 75, 31, HARVEST_CLEAN },
	{ "a provider with errors", "192.0.2.1", 10000, 300, HARVEST_CLEAN },
	{ "a list with old addresses", "192.0.2.1", 400, 100, HARVEST_CLEAN },
	{ "IPv6, slowed", "2001:db8::1", 0, 10, HARVEST_SLOW },
	{ "IPv6, refused", "2001:db8::1", 0, 30, HARVEST_REFUSE },
	{ "IPv6, a provider", "2001:db8::1", 1000, 30, HARVEST_CLEAN },
};

static void
judges_a_client(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct harvest_table *t = table_of(1024);
		struct ip ip = ip_of(cases[i].ip);

		rcpts(t, &ip, cases[i].good, false);
		rcpts(t, &ip, cases[i].bad, true);
		tap_is_str(harvest_state_name(look(t, cases[i].ip).state),
		    harvest_state_name(cases[i].want), "%s", cases[i].name);
		free(t);
	}
}

static void
tells_once(void)
{
	struct harvest_table *t = table_of(1024);
	struct ip ip = ip_of("192.0.2.1");
	unsigned slow = 0, refuse = 0;
	int64_t last = 0;
	bool longer = true;

	for (int i = 0; i < 100; i++) {
		struct harvest_view v = rcpts(t, &ip, 1, true);

		slow += v.began && v.state == HARVEST_SLOW;
		refuse += v.began && v.state == HARVEST_REFUSE;
		longer = longer && v.delay >= last;
		last = v.delay;
	}
	tap_is_int(slow, 1, "that it is slowed is told once");
	tap_is_int(refuse, 1, "that it is refused, too");
	tap_ok(longer, "the delay only grows");
	tap_is_int(last, policy.delay, "to the longest");
	free(t);

	t = table_of(1024);
	slow = refuse = 0;
	for (unsigned i = 0; i < 250; i++) {
		struct harvest_view v;

		ip.bytes[3] = (unsigned char)i;
		v = rcpts(t, &ip, 2, true);
		slow += v.began && v.state == HARVEST_SLOW;
		refuse += v.began && v.state == HARVEST_REFUSE;
	}
	tap_is_int(slow, 1, "a /24 of them is told once");
	tap_is_int(refuse, 1, "when it is refused, too");
	free(t);
}

static void
repeats_do_not_count(void)
{
	struct harvest_table *t = table_of(1024);
	struct ip ip = ip_of("192.0.2.1");
	struct harvest_view v;

	for (int i = 0; i < 1000; i++)
		harvest_count(t, &policy, &ip, true, 42 + (uint64_t)(i % 3) * 2,
		    now, &v);
	tap_is_int(v.state, HARVEST_CLEAN,
	    "three dead addresses a thousand times are no harvest");
	tap_ok(!v.fresh, "and are not counted again");
	tap_is_int(harvest_key(t, SLICE("A@Example.org")) ==
	    harvest_key(t, SLICE("a@example.ORG")), true, "whatever case");
	free(t);
}

static void
time_heals(void)
{
	struct harvest_table *t = table_of(1024);
	struct ip ip = ip_of("192.0.2.1");
	int64_t start = now;

	rcpts(t, &ip, 40, true);
	now += 3600;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_REFUSE,
	    "refused an hour later");
	now = start + 5 * 3600;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_REFUSE,
	    "and below the threshold, until it has halved");
	now = start + 7 * 3600;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_SLOW, "then slowed");
	now = start + 14 * 3600;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_CLEAN, "then free");
	now = start + 365 * 86400;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_CLEAN, "and stays so");

	/* A clock that is set back. */
	now = start + 10 * 365 * 86400;
	rcpts(t, &ip, 40, true);
	now = start;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_REFUSE,
	    "a clock set back frees nobody at once");
	now = start + 86400;
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_CLEAN,
	    "nor does it keep him for ten years");
	now = start;
	free(t);
}

static void
networks_count(void)
{
	struct harvest_table *t = table_of(4096);
	struct ip ip = ip_of("192.0.2.0"), good = ip_of("192.0.2.200");
	struct harvest_view v;

	rcpts(t, &good, 20, false);
	for (unsigned i = 1; i <= 100; i++) {
		ip.bytes[3] = (unsigned char)i;
		rcpts(t, &ip, 2, true);
	}
	v = look(t, "192.0.2.150");
	tap_is_int(v.state, HARVEST_REFUSE, "a new address of a guilty /24");
	tap_is_int(v.source.bits, 24, "for its network's sake");
	tap_is_int(look(t, "192.0.2.200").state, HARVEST_CLEAN,
	    "a good one beside it is not");
	tap_is_int(look(t, "192.0.3.1").state, HARVEST_CLEAN, "nor the next");
	rcpts(t, &good, 40, true);
	tap_is_int(look(t, "192.0.2.200").state, HARVEST_REFUSE,
	    "until it does the same");

	ip = ip_of("2001:db8:1:2::");
	for (unsigned i = 0; i < 35; i++) {
		ip.bytes[15] = (unsigned char)i;
		rcpts(t, &ip, 1, true);
	}
	v = look(t, "2001:db8:1:2:ffff::1");
	tap_is_int(v.state, HARVEST_REFUSE, "a new address of a guilty /64");
	tap_is_int(v.source.bits, 64, "is one host's to us");
	tap_is_int(look(t, "2001:db8:1:3::1").state, HARVEST_CLEAN,
	    "the /64 beside it is free");
	for (unsigned i = 0; i < 200; i++) {
		ip.bytes[7] = (unsigned char)i;
		rcpts(t, &ip, 1, true);
	}
	v = look(t, "2001:db8:1:ffff::1");
	tap_is_int(v.state, HARVEST_REFUSE, "but not when all of the /48 do");
	tap_is_int(v.source.bits, 48, "for the /48's sake");
	tap_is_int(look(t, "2001:db8:2::1").state, HARVEST_CLEAN,
	    "the next /48 is free");
	free(t);
}

static unsigned
random_under(unsigned n)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 33) % n;
}

/* 5000 sources, each of a kind, all mixed up: nobody is taken for another. */
static void
a_day_of_mail(void)
{
	enum { SOURCES = 5000, ROUNDS = 400000 };
	struct harvest_table *t = table_of(65536);
	int64_t start = now;
	unsigned wrong = 0, caught = 0, bad = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned who = random_under(SOURCES);
		struct ip ip = { .family = AF_INET, .bytes = { 10,
		    (unsigned char)(who >> 8), (unsigned char)who, 1 } };
		bool harvester = who % 100 == 7;
		/* One of 20 recipients of anybody else does not exist. */
		bool refused = harvester ? random_under(10) > 0 :
		    random_under(20) == 0;

		rcpts(t, &ip, 1, refused);
		now = start + i / 20;
	}
	for (unsigned who = 0; who < SOURCES; who++) {
		struct ip ip = { .family = AF_INET, .bytes = { 10,
		    (unsigned char)(who >> 8), (unsigned char)who, 1 } };
		struct harvest_view v = rcpts(t, &ip, 0, false);

		bad += who % 100 == 7;
		caught += who % 100 == 7 && v.state != HARVEST_CLEAN;
		wrong += who % 100 != 7 && v.state != HARVEST_CLEAN;
	}
	tap_is_int(wrong, 0, "no honest source of 4950 is touched");
	tap_is_int(caught, bad, "all 50 harvesters are");
	now = start;
	free(t);
}

static void
floods_push_out_nobody(void)
{
	struct harvest_table *t = table_of(4096);
	struct ip guilty[200], ip = ip_of("2001:db8:bad::");
	unsigned kept = 0, honest = 0;

	for (unsigned i = 0; i < 200; i++) {
		guilty[i] = (struct ip){ .family = AF_INET,
		    .bytes = { 10, 1, (unsigned char)i, 1 } };
		rcpts(t, &guilty[i], i % 2 == 0 ? 35 : 20, i % 2 == 0);
	}
	/* Many addresses of one /48. */
	for (unsigned i = 0; i < 200000; i++) {
		memcpy(ip.bytes + 6, &i, 4);
		rcpts(t, &ip, 1, true);
		rcpts(t, &guilty[1], i % 10000 == 0, false);
	}
	for (unsigned i = 0; i < 200; i++) {
		struct harvest_view v = rcpts(t, &guilty[i], 0, false);

		kept += i % 2 == 0 && v.state == HARVEST_REFUSE;
		honest += i % 2 == 1 && v.accepted >= 19;
	}
	tap_ok(kept >= 95, "a /48 of many pushes out few (%u of 100 are "
	    "still refused)", kept);
	tap_ok(honest >= 95, "honest ones stay known (%u of 100)", honest);
	tap_is_int(look(t, "2001:db8:bad:1234::1").state, HARVEST_REFUSE,
	    "and is refused itself");

	/* As many different networks: only light ones are churned. */
	ip = (struct ip){ .family = AF_INET };
	for (unsigned i = 0; i < 100000; i++) {
		ip.bytes[0] = 11;
		ip.bytes[1] = (unsigned char)(i >> 16);
		ip.bytes[2] = (unsigned char)(i >> 8);
		ip.bytes[3] = (unsigned char)i;
		rcpts(t, &ip, 1, true);
		if (i % 100 == 0)
			rcpts(t, &guilty[1], 1, false);
	}
	kept = 0;
	for (unsigned i = 0; i < 200; i += 2)
		kept += rcpts(t, &guilty[i], 0, false).state == HARVEST_REFUSE;
	tap_ok(kept >= 90, "nor does a flood of networks (%u of 100)", kept);
	free(t);
}

static void
an_empty_map_is_our_fault(void)
{
	struct harvest_table *t = table_of(65536);
	struct ip big = ip_of("198.51.100.1"), ip, late = ip_of("203.0.113.9");
	unsigned began = 0, touched = 0;
	struct harvest_view v;

	rcpts(t, &big, 10, false);
	rcpts(t, &big, 40, true);
	for (unsigned i = 0; i < 500; i++) {
		ip = (struct ip){ .family = AF_INET, .bytes = { 10,
		    (unsigned char)(i >> 8), (unsigned char)i, 1 } };
		v = rcpts(t, &ip, 1, true);
		began += v.news == HARVEST_GUARD_BEGAN;
	}
	tap_is_int(began, 1, "refusals from everywhere are noticed, once");
	tap_ok(harvest_guarded(t), "the guard is on");
	for (unsigned i = 0; i < 500; i++) {
		ip = (struct ip){ .family = AF_INET, .bytes = { 10,
		    (unsigned char)(i >> 8), (unsigned char)i, 1 } };
		touched += rcpts(t, &ip, 100, true).state != HARVEST_CLEAN;
	}
	tap_is_int(touched, 0, "nobody is blamed");
	tap_is_int(look(t, "198.51.100.1").state, HARVEST_CLEAN,
	    "nor for what came shortly before");
	v = rcpts(t, &late, 1, false);
	tap_is_int(v.news, HARVEST_GUARD_ENDED, "an accepted one ends it");
	tap_is_int(rcpts(t, &late, 1, false).news, HARVEST_NO_NEWS, "once");
	tap_is_int(look(t, "198.51.100.1").state, HARVEST_CLEAN,
	    "and nothing is left of it");
	rcpts(t, &ip, 40, true);
	v = rcpts(t, &ip, 0, false);
	tap_is_int(v.state, HARVEST_REFUSE, "then it counts as before");
	free(t);

	/* A few attackers while nobody else writes are no empty map. */
	t = table_of(1024);
	for (unsigned i = 0; i < HARVEST_GUARD - 1; i++) {
		ip = (struct ip){ .family = AF_INET, .bytes = { 10, 0,
		    (unsigned char)i, 1 } };
		rcpts(t, &ip, 40, true);
	}
	tap_ok(!harvest_guarded(t), "some attackers at night are not enough");
	tap_is_int(look(t, "10.0.7.1").state, HARVEST_REFUSE,
	    "and are refused");
	free(t);
}

static void
count_entries(const struct harvest_view *v, void *arg)
{
	unsigned *n = arg;

	n[v->state]++;
}

static void
is_listed_and_forgotten(void)
{
	struct harvest_table *t = table_of(1024);
	struct ip ip = ip_of("192.0.2.1");
	struct network net;
	unsigned n[3] = { 0 };

	rcpts(t, &ip, 150, true);
	ip = ip_of("2001:db8::1");
	rcpts(t, &ip, 15, true);
	harvest_each(t, &policy, now, count_entries, n);
	tap_is_int(n[HARVEST_REFUSE], 2, "an address and its /24 are refused");
	tap_is_int(n[HARVEST_SLOW], 2, "an address and its /64 are slowed");
	tap_is_int(n[HARVEST_CLEAN], 1, "the /48 is clean");
	net_parse(SLICE("192.0.2.1"), &net);
	tap_is_int(harvest_forget(t, &net), 2, "the client is forgotten");
	memset(n, 0, sizeof n);
	harvest_each(t, &policy, now, count_entries, n);
	tap_is_int(n[HARVEST_REFUSE], 0, "no longer listed");
	tap_is_int(look(t, "192.0.2.1").state, HARVEST_CLEAN, "and let in");
	tap_is_int(look(t, "2001:db8::1").state, HARVEST_SLOW, "only he");
	net_parse(SLICE("2001:db8::/32"), &net);
	tap_is_int(harvest_forget(t, &net), 3, "all of a network are forgotten");
	tap_is_int(look(t, "2001:db8::1").state, HARVEST_CLEAN, "and let in");
	free(t);
}

static void
damage_is_an_empty_entry(void)
{
	size_t size = harvest_size(1024);
	unsigned char *copy = malloc(size);
	struct harvest_table *t = table_of(1024);
	struct ip ip = ip_of("192.0.2.1");
	unsigned n[3], taken = 0, believed = 0;

	rcpts(t, &ip, 40, true);
	if (copy == NULL)
		abort();
	for (unsigned i = 0; i < 20000; i++) {
		struct harvest_table *damaged = (void *)copy;
		unsigned flips = 1 + random_under(20);

		memcpy(copy, t, size);
		while (flips-- > 0)
			copy[random_under(i % 2 ? (unsigned)size : 4096)] ^=
			    (unsigned char)(1 + random_under(255));
		if (!harvest_whole(copy, size))
			continue;
		taken++;
		memset(n, 0, sizeof n);
		harvest_each(damaged, &policy, now, count_entries, n);
		believed += n[HARVEST_SLOW] + n[HARVEST_REFUSE] > 2;
		rcpts(damaged, &ip, 3, true);
	}
	tap_ok(taken > 1000, "many damaged tables are looked at (%u)", taken);
	tap_is_int(believed, 0, "damage makes nobody guilty");
	tap_ok(!harvest_whole(t, size - 1), "a short one is no table");
	tap_ok(!harvest_whole(t, 0), "nor is nothing");
	((char *)t)[8]++;
	tap_ok(!harvest_whole(t, size), "nor one of another version");
	free(copy);
	free(t);
}

/* ---- the file ---- */

static void
write_file(const char *path, const char *bytes, size_t size, off_t end)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size ||
	    ftruncate(fd, end) != 0)
		abort();
	close(fd);
}

/* A process that is killed with SIGKILL after 40 refused recipients. */
static void
killed_child(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct arena *a = arena_new();
		struct ip ip = ip_of("192.0.2.1");
		struct harvest_file *f;
		struct harvest_view v;
		const char *anew;
		struct slice why = SLICE("");

		if (harvest_open(path, 1024, &f, &anew, a, &why) != RC_OK)
			_exit(1);
		for (int i = 0; i < 40; i++)
			harvest_file_count(f, &policy, &ip, true,
			    arena_printf(a, "u%d@x.test", i), now, &v);
		kill(getpid(), SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		abort();
}

static void
file_lives_on(const char *dir, struct arena *a)
{
	const char *path = arena_printf(a, "%s/harvest", dir).ptr, *anew;
	struct ip ip = ip_of("192.0.2.1");
	struct harvest_file *f, *second;
	struct harvest_view v;
	struct slice why = SLICE("");

	killed_child(path);
	tap_is_int(harvest_open(path, 1024, &f, &anew, a, &why), RC_OK,
	    "opened after a kill");
	tap_ok(anew == NULL, "and taken over");
	harvest_file_look(f, &policy, &ip, now, &v);
	tap_is_int(v.state, HARVEST_REFUSE, "with all that was counted");
	tap_is_int(harvest_open(path, 1024, &second, &anew, a, &why), RC_BAD,
	    "nobody else may have it");
	harvest_drop(harvest_hold(f));
	harvest_file_look(f, &policy, &ip, now, &v);
	tap_is_int(v.state, HARVEST_REFUSE, "held twice, dropped once");
	harvest_drop(f);
	tap_is_int(harvest_open(path, 2048, &f, &anew, a, &why), RC_OK,
	    "another size");
	tap_ok(anew != NULL, "is begun anew (%s)", anew);
	harvest_drop(f);

	for (int i = 0; i < 3; i++) {
		static const char junk[4096] = "GHharvst nonsense";

		write_file(path, junk, i == 2 ? 0 : sizeof junk, i == 0 ?
		    (off_t)harvest_size(1024) : i == 1 ? 4096 : 0);
		tap_is_int(harvest_open(path, 1024, &f, &anew, a, &why), RC_OK,
		    "a broken file (%d)", i);
		tap_ok(anew != NULL, "is begun anew");
		harvest_file_look(f, &policy, &ip, now, &v);
		tap_is_int(v.state, HARVEST_CLEAN, "and empty");
		harvest_drop(f);
	}
	tap_ok(harvest_map(path, true, a, &why) != NULL, "a tool maps it");
	write_file(path, "x", 1, 100);
	tap_ok(harvest_map(path, false, a, &why) == NULL, "but no other file");
	tap_is_int(harvest_open(dir, 1024, &f, &anew, a, &why), RC_RETRY,
	    "a folder is no table: %.*s", SLICE_ARG(why));
	unlink(path);
}

int
main(void)
{
	char dir[] = "/tmp/gatehouse-harvest-XXXXXX";
	struct arena *a = arena_new();

	if (mkdtemp(dir) == NULL)
		abort();
	judges_a_client();
	tells_once();
	repeats_do_not_count();
	time_heals();
	networks_count();
	a_day_of_mail();
	floods_push_out_nobody();
	an_empty_map_is_our_fault();
	is_listed_and_forgotten();
	damage_is_an_empty_entry();
	file_lives_on(dir, a);
	rmdir(dir);
	arena_free(a);
	return tap_done();
}
