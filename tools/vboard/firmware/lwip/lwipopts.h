// SPDX-License-Identifier: MIT
// lwIP as ESP-IDF 5.4 sets it up by default (components/lwip: Kconfig and port/include/lwipopts.h)
// with what MicroPython's boards/sdkconfig.base changes.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>

// The host's, which <fcntl.h> brings, is the same structure.
#define iovec iovec

// Threads and locks.
#define LWIP_TCPIP_CORE_LOCKING 0
#define LWIP_NETCONN_SEM_PER_THREAD 1
#define LWIP_NETCONN_FULLDUPLEX 1
#define TCPIP_MBOX_SIZE 32
#define DEFAULT_UDP_RECVMBOX_SIZE 6
#define DEFAULT_TCP_RECVMBOX_SIZE 6
#define DEFAULT_RAW_RECVMBOX_SIZE 6
#define DEFAULT_ACCEPTMBOX_SIZE 6
#define LWIP_RAND host_random

// Memory: the heap, so the only limits are the sockets and, by lwip_patch.c, the active TCP PCBs.
// It is the host's, which finds no large blocks where the test says so.
#define MEM_CUSTOM_ALLOCATOR 1
#define MEM_CUSTOM_MALLOC host_malloc
#define MEM_CUSTOM_CALLOC host_calloc
#define MEM_CUSTOM_FREE free
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT __SIZEOF_POINTER__
#define MEMP_NUM_NETCONN 10
#define MEMP_NUM_RAW_PCB 16
#define MEMP_NUM_TCP_PCB 12
#define MEMP_NUM_TCP_PCB_LISTEN 16
#define MEMP_NUM_UDP_PCB 16

// IP.
#define ARP_QUEUEING 1
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define IP_REASSEMBLY 0
#define IP_FRAG 1
#define IP_DEFAULT_TTL 64
#define LWIP_BROADCAST_PING 0
#define LWIP_MULTICAST_PING 0
#define LWIP_RAW 1
#define LWIP_DHCP 1
#define LWIP_IGMP 1
#define LWIP_IPV6 1
#define LWIP_IPV6_NUM_ADDRESSES 3
#define LWIP_IPV6_FRAG 1
#define LWIP_IPV6_REASS 0
// A pointer of 64 bits does not fit into the header of a fragment.
#define IPV6_FRAG_COPYHEADER (__SIZEOF_POINTER__ > 4)
#define LWIP_IPV6_AUTOCONFIG 0
#define MEMP_NUM_ND6_QUEUE 3
#define LWIP_ND6_NUM_NEIGHBORS 5
#define LWIP_HOOK_FILENAME "lwip_hooks.h"
#define LWIP_HOOK_ND6_GET_GW(netif, destination) vboard_gateway6(netif, destination)

// DNS; the port is that of --dns.
#define LWIP_DNS 1
#define DNS_MAX_SERVERS 3
#define DNS_MAX_HOST_IP 1
extern unsigned short vboard_dns_port;
#define DNS_SERVER_PORT vboard_dns_port

// TCP.
#define TCP_MSS 1440
#define TCP_WND 5760
#define TCP_SND_BUF 5760
#define TCP_MAXRTX 12
#define TCP_SYNMAXRTX 12
#define LWIP_TCP_RTO_TIME 1500
#define TCP_TMR_INTERVAL 250
#define TCP_MSL 60000
#define TCP_FIN_WAIT_TIMEOUT 20000
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_PBUFS 4
#define LWIP_TCP_SACK_OUT 0
#define TCP_LISTEN_BACKLOG 1
#define TCP_OVERSIZE TCP_MSS
#define LWIP_WND_SCALE 0

// Interfaces.
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_API 1
#define LWIP_NETIF_TX_SINGLE_PBUF 1
#define LWIP_HAVE_LOOPIF 1
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_LOOPBACK_MAX_PBUFS 8

// Sockets. The numbers are the highest of newlib's fd_set, which has 64.
#define LWIP_SOCKET_OFFSET (64 - MEMP_NUM_NETCONN)
#define LWIP_COMPAT_SOCKETS 1
#define LWIP_POSIX_SOCKETS_IO_NAMES 0
#define LWIP_SO_SNDTIMEO 1
#define LWIP_SO_RCVTIMEO 1
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_SO_LINGER 0
#define LWIP_SO_RCVBUF 0
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 1
#define LWIP_TIMEVAL_PRIVATE 0

#define LWIP_STATS 0
