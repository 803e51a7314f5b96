/*
 * What tests and benchmarks of tracking need:
 *
 *	track-probe sql FILE SQL...
 *		runs them, prints rows, "|" between columns
 *	track-probe lock FILE
 *		holds a write lock until standard input ends
 *	track-probe generate N DAYS LOG JOURNAL
 *		N delivered messages, evenly over the last DAYS: six lines of
 *		Postfix and an event each
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
print_row(void *arg, int n, char **values, char **names)
{
	(void)arg;
	(void)names;
	for (int i = 0; i < n; i++)
		printf("%s%s", i > 0 ? "|" : "", values[i] != NULL ?
		    values[i] : "");
	putchar('\n');
	return 0;
}

static int
run_sql(const char *file, char **sql)
{
	sqlite3 *db;
	char *why = NULL;

	if (sqlite3_open(file, &db) != SQLITE_OK)
		return 1;
	sqlite3_busy_timeout(db, 20000);
	for (; *sql != NULL; sql++) {
		if (sqlite3_exec(db, *sql, print_row, NULL, &why) !=
		    SQLITE_OK) {
			fprintf(stderr, "%s: %s\n", *sql, why);
			return 1;
		}
	}
	sqlite3_close(db);
	return 0;
}

static int
lock(const char *file)
{
	sqlite3 *db;
	char c;

	if (sqlite3_open(file, &db) != SQLITE_OK)
		return 1;
	sqlite3_busy_timeout(db, 20000);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
	    SQLITE_OK)
		return 1;
	puts("locked");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	return 0;
}

static void
event(FILE *j, const char *stamp, const char *id, long i, const char *from,
    const char *to)
{
	fprintf(j, "{\"@timestamp\":\"%sZ\",\"event.action\":\"message\","
	    "\"event.module\":\"auth-check\",\"event.duration_ms\":\"1.240\","
	    "\"gatehouse.id\":\"%032lx\",\"gatehouse.queue_id\":\"%s\","
	    "\"network.direction\":\"inbound\",\"source.ip\":"
	    "\"192.0.%ld.%ld\",\"source.domain\":\"h%ld.example\","
	    "\"gatehouse.helo\":\"h%ld.example\",\"email.sender.address\":"
	    "\"%s\",\"email.to.address\":[\"%s\"],\"email.message_id\":"
	    "\"<%ld@mail.example>\",\"gatehouse.size\":4321,"
	    "\"gatehouse.verdict\":\"accept\",\"gatehouse.rule\":\"rule%ld\","
	    "\"gatehouse.reason\":\"all is well\",\"gatehouse.coverage\":"
	    "\"headers\",\"gatehouse.spf.result\":\"pass\","
	    "\"gatehouse.dkim.result\":\"pass\",\"gatehouse.dmarc.result\":"
	    "\"pass\"%s}\n", stamp, i * 7919, id, i / 250 % 250, i % 250,
	    i % 5000, i % 5000, from, to, i, i % 40, i % 5000 == 7 ?
	    ",\"gatehouse.virus\":\"Test.Virus\"" : "");
}

static void
lines(FILE *l, const char *stamp, const char *id, long i, const char *from,
    const char *to)
{
	char head[80];

	snprintf(head, sizeof head, "%s+00:00 mx postfix/", stamp);
	fprintf(l, "%ssmtpd[%ld]: connect from h%ld.example[192.0.%ld.%ld]\n"
	    "%ssmtpd[%ld]: %s: client=h%ld.example[192.0.%ld.%ld]\n"
	    "%scleanup[7]: %s: message-id=<%ld@mail.example>\n"
	    "%sqmgr[8]: %s: from=<%s>, size=4321, nrcpt=1 (queue active)\n",
	    head, i % 300, i % 5000, i / 250 % 250, i % 250, head, i % 300, id,
	    i % 5000, i / 250 % 250, i % 250, head, id, i, head, id, from);
	fprintf(l, "%ssmtp[%ld]: %s: to=<%s>, relay=mx.example[192.0.2.9]:25, "
	    "delay=0.3, delays=0/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 "
	    "Ok: queued as 5Y%s)\n"
	    "%sqmgr[8]: %s: removed\n", head, i % 100, id, to, id, head, id);
}

static int
generate(long n, double days, const char *log, const char *journal)
{
	FILE *l = fopen(log, "w"), *j = fopen(journal, "w");
	double begin = (double)time(NULL) - days * 86400;

	if (l == NULL || j == NULL)
		return 1;
	for (long i = 0; i < n; i++) {
		double t = begin + days * 86400 * (double)i / (double)n;
		time_t s = (time_t)t;
		char stamp[40], id[40], from[60], to[60];
		struct tm tm;

		gmtime_r(&s, &tm);
		strftime(stamp, 30, "%Y-%m-%dT%H:%M:%S", &tm);
		sprintf(stamp + 19, ".%03d", (int)((t - (double)s) * 1000));
		snprintf(id, sizeof id, "4Z%08lxz%04ld", i, i % 9973);
		snprintf(from, sizeof from, "user%ld@dom%ld.example",
		    i * 7919 % 50000, i % 2000);
		snprintf(to, sizeof to, "rcpt%ld@ours.example", i * 31 %
		    20000);
		lines(l, stamp, id, i, from, to);
		event(j, stamp, id, i, from, to);
	}
	return fclose(l) | fclose(j);
}

int
main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "sql") == 0)
		return run_sql(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "lock") == 0)
		return lock(argv[2]);
	if (argc == 6 && strcmp(argv[1], "generate") == 0)
		return generate(atol(argv[2]), atof(argv[3]), argv[4],
		    argv[5]);
	fputs("usage: see t/track-probe.c\n", stderr);
	return 64;
}
