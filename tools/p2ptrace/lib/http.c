// SPDX-License-Identifier: GPL-2.0
#include "lib/http.h"
#include "lib/log.h"

#ifndef HAVE_LIBMICROHTTPD

int http_open(struct http_server **server, struct http_address *address,
	      const struct http_page *page)
{
	(void)address;
	(void)page;
	*server = NULL;
	return fail(EXIT_OTHER, "this p2ptrace was built without libmicrohttpd and cannot listen; "
		    "install it (on Debian: libmicrohttpd-dev) and build p2ptrace again, or write "
		    "a file instead");
}

void http_serve(struct http_server *server, unsigned int ms)
{
	(void)server;
	(void)ms;
}

void http_close(struct http_server *server)
{
	(void)server;
}

#else

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/units.h"

/* An open connection. */
struct client {
	int fd;				/* -1: not in use */
	uint64_t since_ns;
	bool ended;			/* shut down by us; libmicrohttpd has still to close it */
};

/*
 * Twice the limit, because a connection that we ended still counts until libmicrohttpd has closed
 * it. libmicrohttpd accepts none above this number meanwhile.
 */
#define NR_CLIENTS (2 * HTTP_CONNECTIONS)

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_page page;
	int fd;				/* listens; -1 once libmicrohttpd has it */
	struct client clients[NR_CLIENTS];
	char front[512];		/* the page at "/" */
};

static void client_end(struct client *client)
{
	/* libmicrohttpd reads the end of the connection, and closes it */
	shutdown(client->fd, SHUT_RDWR);
	client->ended = true;
}

/* Ends the connections that take too long and, of those above the limit, the oldest. */
static void drop_clients(struct http_server *server)
{
	uint64_t now = clock_now_ns();
	struct client *oldest;
	size_t nr;

	do {
		oldest = NULL;
		nr = 0;
		for (size_t i = 0; i < NR_CLIENTS; i++) {
			struct client *client = &server->clients[i];

			if (client->fd < 0 || client->ended)
				continue;
			if (now - client->since_ns > server->page.max_seconds * NSEC_PER_SEC) {
				client_end(client);
				continue;
			}
			nr++;
			if (!oldest || client->since_ns < oldest->since_ns)
				oldest = client;
		}
		if (nr > HTTP_CONNECTIONS)
			client_end(oldest);
	} while (nr > HTTP_CONNECTIONS);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct http_server *server = ctx;
	struct client *client = *socket_ctx;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (client)
			client->fd = -1;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (size_t i = 0; i < NR_CLIENTS && info; i++) {
		client = &server->clients[i];
		if (client->fd >= 0)
			continue;
		*client = (struct client){ .fd = info->connect_fd, .since_ns = clock_now_ns() };
		*socket_ctx = client;
		break;
	}
	drop_clients(server);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *type, const char *text, size_t len)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_words(struct MHD_Connection *connection, unsigned int status,
				    const char *words)
{
	return answer(connection, status, "text/plain; charset=utf-8", words, strlen(words));
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **request_ctx)
{
	const struct http_server *server = ctx;
	const struct http_page *page = &server->page;
	const struct buffer *text;
	const char *type;

	(void)version;
	(void)data;
	(void)data_size;
	(void)request_ctx;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				    "only GET and HEAD are allowed\n");
	if (!strcmp(url, "/"))
		return answer(connection, MHD_HTTP_OK, "text/html; charset=utf-8", server->front,
			      strlen(server->front));
	if (strcmp(url, page->path))
		return answer_words(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
	text = page->get(page->ctx, MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
								MHD_HTTP_HEADER_ACCEPT), &type);
	if (!text)
		return answer_words(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				    "the values cannot be read; see the messages of p2ptrace\n");
	return answer(connection, MHD_HTTP_OK, type, buffer_text(text), text->len);
}

/* libmicrohttpd tells what clients do wrong, which would fill a log. */
static void __attribute__((format(printf, 2, 0)))
no_messages(void *ctx, const char *fmt, va_list ap)
{
	(void)ctx;
	(void)fmt;
	(void)ap;
}

static int cannot_listen(const struct http_address *address, int err)
{
	char text[HTTP_ADDRESS_LEN];

	http_address_text(text, sizeof(text), address);
	switch (err) {
	case EADDRINUSE:
		return fail(EXIT_OTHER, "cannot listen on %s: another process listens there "
			    "already; stop it, or give another port", text);
	case EADDRNOTAVAIL:
		return fail(EXIT_USAGE, "cannot listen on %s: this machine does not have that "
			    "address; see 'ip address'", text);
	case EACCES:
	case EPERM:
		return fail(EXIT_KERNEL, "cannot listen on %s: %s; give a port above 1023, or run "
			    "p2ptrace as root", text, strerror(err));
	default:
		return fail(EXIT_OTHER, "cannot listen on %s: %s", text, strerror(err));
	}
}

static int open_socket(struct http_server *server, struct http_address *address)
{
	struct sockaddr *sa = (struct sockaddr *)&address->address;
	int one = 1;

	server->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0 ||
	    setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(server->fd, sa, address->len) || listen(server->fd, SOMAXCONN) ||
	    getsockname(server->fd, sa, &address->len))
		return cannot_listen(address, errno);
	return 0;
}

int http_open(struct http_server **new, struct http_address *address, const struct http_page *page)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int rc;

	*new = server;
	if (!server)
		return fail(EXIT_OTHER, "out of memory");
	server->page = *page;
	server->page.idle_seconds = page->idle_seconds ?: HTTP_IDLE_SECONDS;
	server->page.max_seconds = page->max_seconds ?: HTTP_MAX_SECONDS;
	for (size_t i = 0; i < NR_CLIENTS; i++)
		server->clients[i].fd = -1;
	snprintf(server->front, sizeof(server->front),
		 "<!DOCTYPE html><html lang=\"en\"><title>%s</title><h1>%s</h1>"
		 "<p><a href=\"%s\">%s</a></html>\n", page->title, page->title, page->path,
		 page->path);
	rc = open_socket(server, address);
	if (rc)
		return rc;
	/* Our loop drives it: no thread, so no locks */
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		on_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, no_messages, NULL,
		MHD_OPTION_LISTEN_SOCKET, server->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)NR_CLIENTS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, server->page.idle_seconds,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
		MHD_OPTION_END);
	if (!server->daemon)
		return fail(EXIT_OTHER, "cannot start the HTTP server: libmicrohttpd %s refuses to "
			    "start", MHD_get_version());
	server->fd = -1;
	return 0;
}

void http_serve(struct http_server *server, unsigned int ms)
{
	drop_clients(server);
	MHD_run_wait(server->daemon, ms);
}

void http_close(struct http_server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->fd >= 0)
		close(server->fd);
	free(server);
}

#endif /* HAVE_LIBMICROHTTPD */
