/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small HTTP server for one page that clients may only read. It answers GET and HEAD, one request
 * per connection. Clients are hostile: the connections, their memory and their time are limited,
 * and the oldest connection makes room for a new one.
 *
 * It needs libmicrohttpd at build time. Without it, http_open() fails and says how to get it.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/buffer.h"

#define HTTP_CONNECTIONS	32	/* at a time */
#define HTTP_MAX_SECONDS	10	/* from the first byte to the last */
#define HTTP_IDLE_SECONDS	5
#define HTTP_HEADER_BYTES	16384	/* of a request, and the buffers of its connection */

struct http_address {
	struct sockaddr_storage address;
	socklen_t len;
};

/*
 * Parses "127.0.0.1:9737" or "[::1]:9737". Names are not looked up. Returns 0, or EXIT_USAGE after
 * an error message that names @option.
 */
int http_address_parse(struct http_address *address, const char *option, const char *text)
	__attribute__((warn_unused_result));

/* Whether only this machine can reach it. */
bool http_address_is_local(const struct http_address *address);

/* The reverse of http_address_parse(). */
#define HTTP_ADDRESS_LEN 64
void http_address_text(char *text, size_t size, const struct http_address *address);

struct http_page {
	const char *path;		/* "/metrics" */
	const char *title;		/* of the page at "/", which leads there */
	/*
	 * Returns the page, whose text is valid until the next call, and sets its type. @accept:
	 * what the client accepts, or NULL. NULL: there is no page, and the client gets an error.
	 */
	const struct buffer *(*get)(void *ctx, const char *accept, const char **type);
	void *ctx;
	unsigned int idle_seconds, max_seconds;	/* for tests; 0: the limits above */
};

struct http_server;

/*
 * Listens. Connections wait until http_serve() is called. Port 0 becomes a free one in @address.
 * Returns 0, or an exit status after an error message. Call http_close() in any case.
 */
int http_open(struct http_server **server, struct http_address *address,
	      const struct http_page *page) __attribute__((warn_unused_result));

/* Answers requests, and returns after @ms or earlier. */
void http_serve(struct http_server *server, unsigned int ms);

void http_close(struct http_server *server);

#endif /* HTTP_H */
