#include "tools/ask.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/house.h"
#include "tools/verb.h"

enum { ANSWER_MAX = 64 << 20 };

void
ask_begin(struct ask *q, struct arena *a, const char *operation)
{
	q->a = a;
	q->line = buf_in(a);
	json_init(&q->w, &q->line);
	json_begin_object(&q->w);
	json_put_int(&q->w, "v", 1);
	json_put(&q->w, "op", slice_of(operation));
}

static int
open_socket(struct ask *q, int *fd_r)
{
	struct house_conf house;
	const struct conf_section sections[] = { { house_options, &house },
	    { NULL, NULL } };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct slice path, why = SLICE("");

	if (conf_load(q->a, verb_house_file(q->dir, q->a), sections, &why) !=
	    RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	path = arena_printf(q->a, "%s/store/sock", q->state != NULL ?
	    q->state : house.state_directory);
	if (path.len >= sizeof to.sun_path)
		return verb_fails(EX_CONFIG, "%s: the path is too long",
		    path.ptr);
	memcpy(to.sun_path, path.ptr, path.len);
	*fd_r = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd_r >= 0 && connect(*fd_r, (struct sockaddr *)&to, sizeof to) ==
	    0)
		return EX_OK;
	return verb_fails(EX_TEMPFAIL, "%s: %s; does gatehouse-store run?",
	    path.ptr, strerror(errno));
}

static bool
put(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = slice_after(s, (size_t)n);
	}
	return true;
}

/* One line; empty when there is none. */
static struct slice
get(int fd, struct arena *a)
{
	struct buf in = buf_in(a);

	while (in.len < ANSWER_MAX) {
		ssize_t n = read(fd, buf_room(&in, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_took(&in, (size_t)n);
		if (in.ptr[in.len - 1] == '\n')
			return buf_slice(&in);
	}
	return SLICE("");
}

static int
judge(struct ask *q, const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer,
	    "error"));
	const char *why = json_string_value(json_object_get(answer, "why"));

	if (json_is_true(json_object_get(answer, "ok")))
		return EX_OK;
	if (error != NULL && strcmp(error, "trouble") == 0)
		return verb_fails(EX_TEMPFAIL, "gatehouse-store: %s",
		    why != NULL ? why : error);
	if (!q->quiet)
		verb_fails(EXIT_UNEXPECTED, "gatehouse-store: %s%s%s",
		    error != NULL ? error : "no answer",
		    why != NULL && why[0] != '\0' ? ": " : "",
		    why != NULL ? why : "");
	return EXIT_UNEXPECTED;
}

int
ask_store(struct ask *q, json_t **answer_r)
{
	struct slice line = SLICE("");
	int fd = -1, status = open_socket(q, &fd);

	*answer_r = NULL;
	if (status == EX_OK) {
		json_end(&q->w);
		buf_addc(&q->line, '\n');
		if (put(fd, buf_slice(&q->line)))
			line = get(fd, q->a);
	}
	if (fd >= 0)
		close(fd);
	if (status != EX_OK)
		return status;
	*answer_r = json_loadb(line.ptr, line.len, 0, NULL);
	if (!json_is_object(*answer_r))
		return verb_fails(EX_TEMPFAIL, "gatehouse-store hung up; its "
		    "log says why");
	status = judge(q, *answer_r);
	if (status != EX_OK) {
		json_decref(*answer_r);
		*answer_r = NULL;
	}
	return status;
}
