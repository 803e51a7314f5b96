/*
 * http-sink - a server that takes events, or does not
 *
 *	http-sink DIR [CERT KEY]
 *
 * Listens on 127.0.0.1, says "port N", and takes requests one after the other,
 * with TLS when it has a certificate. What each POST brought is appended to
 * DIR/body, its head to DIR/head. DIR/mode says how to answer (read anew each
 * time; "ok" when it is not there):
 *
 *	ok		200, and the connection stays
 *	close		200, and it does not
 *	chunked		200, in pieces
 *	status N	that status, with a text; nothing is kept
 *	refuse WORD	400 for a body with that word in it
 *	lost		keeps the body and hangs up without an answer
 *	silent		keeps nothing and never answers
 *	garbage		bytes that are no HTTP
 *	endless		an answer that does not end
 *	raw		not HTTP: all that comes is appended to DIR/body
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *dir;
static SSL *ssl;
static int fd;

static int
get(char *room, int size)
{
	return ssl != NULL ? SSL_read(ssl, room, size) :
	    (int)read(fd, room, (size_t)size);
}

static void
say(const char *text)
{
	int len = (int)strlen(text);

	if ((ssl != NULL ? SSL_write(ssl, text, len) :
	    (int)send(fd, text, (size_t)len, MSG_NOSIGNAL)) != len)
		return;
}

static void
keep(const char *name, const char *bytes, size_t len)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "a");
	if (f != NULL) {
		fwrite(bytes, 1, len, f);
		fclose(f);
	}
}

static void
read_mode(char *mode, int size)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof path, "%s/mode", dir);
	f = fopen(path, "r");
	if (f == NULL || fgets(mode, size, f) == NULL)
		snprintf(mode, (size_t)size, "ok");
	if (f != NULL)
		fclose(f);
	mode[strcspn(mode, "\n")] = '\0';
}

/* A request; its body begins at *body_r. -1: none came. */
static long
request(char *room, long size, long *body_r)
{
	long len = 0, want = -1;
	int n;

	while (want < 0 || len < want) {
		n = get(room + len, (int)(size - len - 1));
		if (n <= 0)
			return -1;
		len += n;
		room[len] = '\0';
		if (want < 0 && strstr(room, "\r\n\r\n") != NULL) {
			const char *l = strcasestr(room, "content-length:");

			*body_r = strstr(room, "\r\n\r\n") + 4 - room;
			want = *body_r + (l != NULL ? atol(l + 15) : 0);
		}
	}
	return len;
}

static void
ok(const char *more)
{
	char text[300];

	snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%sContent-Length: "
	    "2\r\n\r\nok", more);
	say(text);
}

/* False: the connection ends. */
static int
answer(const char *mode, const char *body, size_t len)
{
	char text[300];

	if (strncmp(mode, "status ", 7) == 0) {
		snprintf(text, sizeof text, "HTTP/1.1 %d No\r\n"
		    "Content-Length: 8\r\n\r\nnot now\n", atoi(mode + 7));
		say(text);
		return 1;
	}
	if (strcmp(mode, "silent") == 0) {
		sleep(600);
		return 0;
	}
	if (strcmp(mode, "garbage") == 0) {
		say("\x16\x03\x01 no HTTP at all\n\n\n");
		return 0;
	}
	if (strcmp(mode, "endless") == 0) {
		say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		for (int i = 0; i < 100; i++)
			say("ffffff\r\n");
		return 0;
	}
	if (strncmp(mode, "refuse ", 7) == 0 &&
	    memmem(body, len, mode + 7, strlen(mode + 7)) != NULL) {
		say("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
		return 1;
	}
	keep("body", body, len);
	if (strcmp(mode, "lost") == 0)
		return 0;
	if (strcmp(mode, "chunked") == 0)
		say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
		    "transfer-encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\n"
		    "X: y\r\n\r\n");
	else
		ok(strcmp(mode, "close") == 0 ? "Connection: close\r\n" : "");
	return strcmp(mode, "close") != 0;
}

static void
serve(void)
{
	static char room[4 << 20];
	char mode[200];
	long body, len;

	read_mode(mode, sizeof mode);
	if (strcmp(mode, "raw") == 0) {
		while ((len = get(room, sizeof room)) > 0)
			keep("body", room, (size_t)len);
		return;
	}
	do {
		len = request(room, sizeof room, &body);
		if (len < 0)
			return;
		read_mode(mode, sizeof mode);
		keep("head", room, (size_t)body);
	} while (answer(mode, room + body, (size_t)(len - body)));
}

int
main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	SSL_CTX *ctx = NULL;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc < 2)
		return 64;
	dir = argv[1];
	if (argc > 3) {
		ctx = SSL_CTX_new(TLS_server_method());
		if (SSL_CTX_use_certificate_file(ctx, argv[2],
		    SSL_FILETYPE_PEM) != 1 || SSL_CTX_use_PrivateKey_file(ctx,
		    argv[3], SSL_FILETYPE_PEM) != 1)
			return 66;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) != 0 ||
	    listen(listener, 16) != 0)
		return 75;
	getsockname(listener, (struct sockaddr *)&in, &len);
	printf("port %d\n", ntohs(in.sin_port));
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			/* Not one that sleeps longer than the test. */
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			close(listener);
			if (ctx != NULL) {
				ssl = SSL_new(ctx);
				SSL_set_fd(ssl, fd);
				if (SSL_accept(ssl) != 1)
					_exit(0);
			}
			serve();
			if (ssl != NULL)
				SSL_shutdown(ssl);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}
