/* Sockets that tests listen at and connect to. */
#pragma once

#include <netinet/in.h>

/* Listens at an address without a file, of this process alone; and connects to it. Neither socket
 * blocks. */
int sockets_listen(void);
int sockets_connect(void);

/* Connect to a path and to a port on the loopback interface. Return a descriptor that blocks, or
 * -errno. */
int sockets_connect_unix(const char *path);
int sockets_connect_tcp(in_port_t port);

/* The port that a socket of IPv4 is bound to. */
in_port_t sockets_port(int fd);

/* A free port on the loopback interface, which no other test gets until this process ends, and no
 * connection as its own. */
in_port_t sockets_free_port(void);
