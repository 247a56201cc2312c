// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/http.h"
#include "lib/log.h"
#include "lib/number.h"

/* Cuts the port off, and the brackets around an IPv6 address. */
static bool split(char *host, size_t size, const char *text, uint64_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t len;

	if (!colon || number_parse(colon + 1, port) || *port > UINT16_MAX)
		return false;
	len = colon - text;
	if (*text == '[') {
		if (len < 2 || text[len - 1] != ']')
			return false;
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return false;
	}
	if (len >= size)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return true;
}

int http_address_parse(struct http_address *address, const char *option, const char *text)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address->address;
	char host[INET6_ADDRSTRLEN];
	uint64_t port;

	memset(address, 0, sizeof(*address));
	if (split(host, sizeof(host), text, &port)) {
		if (*text != '[' && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
			v4->sin_family = AF_INET;
			v4->sin_port = htons(port);
			address->len = sizeof(*v4);
			return 0;
		}
		if (*text == '[' && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
			v6->sin6_family = AF_INET6;
			v6->sin6_port = htons(port);
			address->len = sizeof(*v6);
			return 0;
		}
	}
	return fail(EXIT_USAGE, "%s '%.64s' is not an IP address and a port; give one such as "
		    "127.0.0.1:9737 or [::1]:9737", option, text);
}

bool http_address_is_local(const struct http_address *address)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->address;

	if (address->address.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

void http_address_text(char *text, size_t size, const struct http_address *address)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->address;
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->address.ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(text, size, "%s:%u", host, ntohs(v4->sin_port));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(text, size, "[%s]:%u", host, ntohs(v6->sin6_port));
	}
}
