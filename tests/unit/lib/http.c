// SPDX-License-Identifier: GPL-2.0
/*
 * The HTTP server: addresses; and, if it is built, what it answers to friendly, slow, broken and
 * very many clients.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/http.h"
#include "lib/log.h"

static void addresses_are_parsed_whole(void **state)
{
	static const char *const good[] = {
		"127.0.0.1:9737", "0.0.0.0:0", "[::1]:9737", "[::]:65535", "10.1.2.3:1",
	};
	static const char *const bad[] = {
		"", ":", "9737", ":9737", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:x", "127.0.0.1:1x", "127.0.0:1", "localhost:1", "::1:9737", "[::1]",
		"[::1]9737", "[::1:9737", "[]:1", "[127.0.0.1]:1", "[:1", "]:1",
		"127.0.0.1:-1", "127.0.0.1: 1", "[fe80::1%lo]:1",
		"1111111111111111111111111111111111111111111111111111111111111111111111:1",
	};
	struct http_address address;
	char text[HTTP_ADDRESS_LEN];
	struct capture c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(http_address_parse(&address, "--listen", good[i]), 0);
		http_address_text(text, sizeof(text), &address);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		capture_begin(&c);
		assert_int_equal(http_address_parse(&address, "--listen", bad[i]), EXIT_USAGE);
		assert_one_line(capture_end(&c), "127.0.0.1:9737");
	}
}

static void only_loopback_addresses_are_local(void **state)
{
	static const struct {
		const char *text;
		bool local;
	} cases[] = {
		{ "127.0.0.1:1", true }, { "127.1.2.3:1", true }, { "[::1]:1", true },
		{ "0.0.0.0:1", false }, { "128.0.0.1:1", false }, { "[::]:1", false },
		{ "[::ffff:127.0.0.1]:1", false },
	};
	struct http_address address;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(http_address_parse(&address, "--listen", cases[i].text), 0);
		assert_int_equal(http_address_is_local(&address), cases[i].local);
	}
}

#ifndef HAVE_LIBMICROHTTPD

static void without_the_library_it_says_how_to_get_it(void **state)
{
	struct http_address address;
	struct http_server *server;
	struct capture c;

	(void)state;
	capture_begin(&c);
	assert_int_equal(http_open(&server, &address, &(struct http_page){}), EXIT_OTHER);
	assert_one_line(capture_end(&c), "libmicrohttpd-dev");
	http_serve(server, 0);
	http_close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_parsed_whole),
		cmocka_unit_test(only_loopback_addresses_are_local),
		cmocka_unit_test(without_the_library_it_says_how_to_get_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#define PATIENCE_NS	(60 * NSEC_PER_SEC)
#define IDLE_SECONDS	2
#define MAX_SECONDS	3

static struct http_server *server;
static struct http_address address;
static struct buffer page;
static unsigned int gets;
static char accepted[256];
static bool no_page;
static size_t answer_len;
static char answer[262144];

static const struct buffer *get_page(void *ctx, const char *accept, const char **type)
{
	(void)ctx;
	gets++;
	snprintf(accepted, sizeof(accepted), "%s", accept ? accept : "(none)");
	*type = "text/x-test";
	return no_page ? NULL : &page;
}

static const struct http_page metrics = {
	.path = "/metrics", .title = "a test", .get = get_page,
	.idle_seconds = IDLE_SECONDS, .max_seconds = MAX_SECONDS,
};

static int setup(void **state)
{
	(void)state;
	assert_int_equal(http_address_parse(&address, "--listen", "127.0.0.1:0"), 0);
	assert_int_equal(http_open(&server, &address, &metrics), 0);
	gets = 0;
	no_page = false;
	buffer_reset(&page);
	buffer_printf(&page, "a 1\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_close(server);
	return 0;
}

static int connect_to(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&address.address, address.len))
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* Whether the server has closed the connection; reads what it sent into answer. */
static bool is_closed(int fd)
{
	ssize_t n;

	do {
		n = read(fd, answer + answer_len, sizeof(answer) - 1 - answer_len);
		if (n > 0)
			answer_len += n;
	} while (n > 0 && answer_len < sizeof(answer) - 1);
	answer[answer_len] = '\0';
	return !n || (n < 0 && errno != EAGAIN && errno != ENOTCONN);
}

/* The library may need a few rounds for one request. */
static void serve_until_closed(int fd)
{
	uint64_t end = clock_now_ns() + PATIENCE_NS;

	while (!is_closed(fd)) {
		assert_true(clock_now_ns() < end);
		http_serve(server, 10);
	}
	close(fd);
}

static void send_all(int fd, const char *text, size_t len)
{
	uint64_t end = clock_now_ns() + PATIENCE_NS;

	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
			return;	/* the server has had enough */
		if (n > 0) {
			text += n;
			len -= n;
		}
		assert_true(clock_now_ns() < end);
		http_serve(server, 1);
	}
}

static const char *ask_bytes(const char *text, size_t len)
{
	int fd = connect_to();

	answer_len = 0;
	send_all(fd, text, len);
	serve_until_closed(fd);
	return answer;
}

/* Does not wait for an answer: the library keeps a request that is not whole until it is late. */
static void send_and_leave(const char *text, size_t len)
{
	int fd = connect_to();

	send_all(fd, text, len);
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 4; i++)
		http_serve(server, 0);
	answer_len = 0;
	is_closed(fd);
	close(fd);
}

static const char *ask(const char *text)
{
	return ask_bytes(text, strlen(text));
}

static void assert_status(const char *said, int status)
{
	char begin[32];

	snprintf(begin, sizeof(begin), "HTTP/1.1 %d ", status);
	if (strncmp(said, begin, strlen(begin)))
		fail_msg("not '%s': %.200s", begin, said);
}

static void assert_has(const char *said, const char *part)
{
	if (!strstr(said, part))
		fail_msg("'%s' is not in: %.500s", part, said);
}

static void the_page_is_served(void **state)
{
	const char *said;

	(void)state;
	said = ask("GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/x;q=1\r\n\r\n");
	assert_status(said, 200);
	assert_has(said, "Content-Type: text/x-test\r\n");
	assert_has(said, "Content-Length: 4\r\n");
	assert_has(said, "\r\n\r\na 1\n");
	assert_string_equal(accepted, "text/x;q=1");
	assert_int_equal(gets, 1);
	/* A query is no part of the path */
	assert_status(ask("GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
	assert_string_equal(accepted, "(none)");
	said = ask("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_status(said, 200);
	assert_null(strstr(said, "a 1"));
	said = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_status(said, 200);
	assert_has(said, "href=\"/metrics\"");
}

static void a_long_page_is_served_whole(void **state)
{
	const char *said;

	(void)state;
	while (page.len < 200000)
		buffer_printf(&page, "line %zu\n", page.len);
	said = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_status(said, 200);
	assert_string_equal(strstr(said, "\r\n\r\n") + 4, buffer_text(&page));
}

static void clients_can_only_read(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };
	char request[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		snprintf(request, sizeof(request), "%s /metrics HTTP/1.1\r\nHost: a\r\n"
			 "Content-Length: 3\r\n\r\nabc", methods[i]);
		assert_status(ask(request), 405);
		assert_has(answer, "Allow: GET, HEAD\r\n");
	}
	assert_int_equal(gets, 0);
}

static void other_paths_do_not_exist(void **state)
{
	static const char *const paths[] = {
		"/metric", "/metrics/", "//metrics", "/../../etc/passwd", "/%2e%2e/etc/passwd",
		"/metrics%00", "/Metrics",
	};
	char request[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
		if (strcmp(paths[i], "/metrics%00"))
			assert_status(ask(request), 404);
		else
			ask(request);
		assert_null(strstr(answer, "passwd"));
	}
}

static void a_page_that_cannot_be_made_is_an_error(void **state)
{
	(void)state;
	no_page = true;
	assert_status(ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 500);
}

static void broken_requests_do_no_harm(void **state)
{
	static const char *const broken[] = {
		"\r\n\r\n\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", " / HTTP/1.1\r\n\r\n",
		"GET /metrics HTTP/9.9\r\n\r\n", "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n",
		"GET /metrics HTTP/1.1\r\n: \r\n\r\n", "\x16\x03\x01\x02\x01\x01\r\n\r\n",
		"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET % HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		send_and_leave(broken[i], strlen(broken[i]));
		assert_status(ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
	}
}

/* Random requests from a fixed seed, whole and cut off. */
static void random_requests_do_no_harm(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n";
	unsigned int seed = 1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		size_t len = rand_r(&seed) % sizeof(request);
		char text[sizeof(request)];

		memcpy(text, request, sizeof(request));
		for (int change = rand_r(&seed) % 4; change > 0; change--)
			text[rand_r(&seed) % sizeof(request)] = rand_r(&seed);
		send_and_leave(text, len);
	}
	assert_status(ask(request), 200);
}

static void long_headers_are_refused(void **state)
{
	struct buffer request = {};

	(void)state;
	buffer_printf(&request, "GET /metrics HTTP/1.1\r\nHost: a\r\n");
	while (request.len < 1000000)
		buffer_printf(&request, "X-%zu: %0100d\r\n", request.len, 0);
	ask_bytes(buffer_text(&request), request.len);
	/* The server may reset the connection before the client reads why */
	if (answer_len)
		assert_has(answer, "HTTP/1.1 4");
	buffer_reset(&request);
	buffer_printf(&request, "GET /%01000000d", 0);
	ask_bytes(buffer_text(&request), request.len);
	if (answer_len)
		assert_has(answer, "HTTP/1.1 4");
	buffer_free(&request);
	assert_int_equal(gets, 0);
	assert_status(ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
}

static size_t open_files(void)
{
	size_t nr = 0;

	for (int fd = 0; fd < 4096; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void a_thousand_connections_do_not_shut_others_out(void **state)
{
	enum { CONNECTIONS = 1000 };
	struct rlimit limit = { 4096, 4096 };
	static int fds[CONNECTIONS];
	size_t before = open_files(), servers_own;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		skip();
	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = connect_to();
		/* A half of them begin a request and never end it */
		if (i % 2)
			(void)!send(fds[i], "GET /metr", 9, MSG_NOSIGNAL);
		if (i % 16 == 0)
			http_serve(server, 0);
	}
	for (int i = 0; i < 100; i++)
		http_serve(server, 0);
	servers_own = open_files() - before - CONNECTIONS;
	if (servers_own > 2 * HTTP_CONNECTIONS)
		fail_msg("%zu connections are open", servers_own);
	assert_status(ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
	for (int i = 0; i < CONNECTIONS; i++)
		close(fds[i]);
}

/* One byte every now and then keeps a connection from being idle. */
static void slow_clients_are_dropped(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n";
	uint64_t begin = clock_now_ns(), next = begin;
	int slow = connect_to(), idle = connect_to();
	uint64_t slow_ns = 0, idle_ns = 0;
	size_t sent = 0;

	(void)state;
	answer_len = 0;
	while (!slow_ns || !idle_ns) {
		uint64_t now = clock_now_ns();

		assert_true(now - begin < PATIENCE_NS);
		http_serve(server, 20);
		if (!slow_ns && now >= next && sent < sizeof(request) - 1) {
			(void)!send(slow, request + sent++, 1, MSG_NOSIGNAL);
			next = now + NSEC_PER_SEC / 2;
		}
		if (!slow_ns && is_closed(slow))
			slow_ns = now - begin;
		if (!idle_ns && is_closed(idle))
			idle_ns = now - begin;
	}
	assert_true(slow_ns > IDLE_SECONDS * NSEC_PER_SEC);
	/* Before it had sent all of it */
	assert_true(sent < sizeof(request) - 1);
	assert_true(idle_ns < 20 * IDLE_SECONDS * NSEC_PER_SEC);
	close(slow);
	close(idle);
	assert_int_equal(gets, 0);
}

/* A client that asks and does not read the answer. */
static void clients_that_do_not_read_are_dropped(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	uint64_t begin = clock_now_ns();
	size_t before = open_files();
	int fd = connect_to(), small = 4096;

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	while (page.len < 16 << 20)
		buffer_printf(&page, "%01000000d\n", 0);
	send_all(fd, request, strlen(request));
	do {
		assert_true(clock_now_ns() - begin < PATIENCE_NS);
		http_serve(server, 20);
	} while (!gets || open_files() > before + 1);
	close(fd);
	buffer_free(&page);
}

static int refused_with(const char *text, const char *part)
{
	struct http_address other;
	struct http_server *second;
	struct capture c;
	int rc;

	assert_int_equal(http_address_parse(&other, "--listen", text), 0);
	capture_begin(&c);
	rc = http_open(&second, &other, &metrics);
	http_close(second);
	if (rc)
		assert_one_line(capture_end(&c), part);
	else
		capture_end(&c);
	return rc;
}

static void what_cannot_listen_says_why(void **state)
{
	char text[HTTP_ADDRESS_LEN];

	(void)state;
	http_address_text(text, sizeof(text), &address);
	assert_int_equal(refused_with(text, "another process listens there already"), EXIT_OTHER);
	/* TEST-NET-1 is no address of any machine */
	assert_int_equal(refused_with("192.0.2.1:9737", "does not have that address"), EXIT_USAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_parsed_whole),
		cmocka_unit_test(only_loopback_addresses_are_local),
		TEST(the_page_is_served),
		TEST(a_long_page_is_served_whole),
		TEST(clients_can_only_read),
		TEST(other_paths_do_not_exist),
		TEST(a_page_that_cannot_be_made_is_an_error),
		TEST(broken_requests_do_no_harm),
		TEST(random_requests_do_no_harm),
		TEST(long_headers_are_refused),
		TEST(a_thousand_connections_do_not_shut_others_out),
		TEST(slow_clients_are_dropped),
		TEST(clients_that_do_not_read_are_dropped),
		TEST(what_cannot_listen_says_why),
	};
	int rc;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	buffer_free(&page);
	return rc;
}

#endif /* HAVE_LIBMICROHTTPD */
