# SPDX-License-Identifier: MIT
# A stream's write when lwIP has no way to the peer: its link is down, and the connection lives.
#
# Which of lwIP's errors is for the call and which for the connection. err.c makes errnos of them;
# the places are lwIP 2.2.1's, and tests/vboard/test_outage.py takes away the link, the address or
# the memory for each.
#
# lwIP            errno         is for      comes from
# ERR_WOULDBLOCK  EAGAIN        call        api_msg.c lwip_netconn_do_writemore: the buffer full,
#                                           or tcp_write had no memory; nothing was queued
# ERR_INPROGRESS  EINPROGRESS   call        api_msg.c lwip_netconn_do_write: another thread writes;
#                                           the firmware says EAGAIN
# ERR_RTE         EHOSTUNREACH  call        api_msg.c lwip_netconn_do_writemore: tcp_output had no
#                                           way, when tcp_write had queued what fits
#                                           tcp.c tcp_connect: nothing was sent
#                                           udp.c udp_sendto: ENETUNREACH for the program
# ERR_MEM         ENOMEM        call        tcp.c tcp_connect, sockets.c lwip_sendto
# ERR_BUF         ENOBUFS       call        tcp.c tcp_connect: no port; udp.c udp_sendto_if_src
# ERR_IF          -1            call        udp.c udp_sendto_if_src: the driver refused a datagram;
#                                           ENETDOWN for the program
# none            ENETUNREACH               lwIP has no such error
# none            ETIMEDOUT     call        modsocket.c, of sockets that block
# ERR_ABRT        ECONNABORTED  connection  api_msg.c err_tcp: tcp.c tcp_slowtmr gave up, or
#                                           tcp_netif_ip_addr_changed: the board lost the address;
#                                           ETIMEDOUT for the program
# ERR_RST         ECONNRESET    connection  api_msg.c err_tcp: tcp_in.c tcp_input; EPIPE for the
#                                           program where the peer's end came first
# ERR_CONN        ENOTCONN      connection  api_msg.c lwip_netconn_do_write, api_lib.c
#                                           netconn_recv_data: one of those two was told already
# ERR_CLSD        none          connection  api_lib.c netconn_recv_data_tcp: the peer's end
#
# ERR_RTE does not say how much was queued. The firmware's poll does: POLLOUT stands while more
# than TCP_SNDLOWAT (2881 bytes) are free, and never after a write that did not fit or had no
# memory. So where it stands before a write, there is room for _MOST, the most of one write; where
# it stands after it, all was queued. Writes of more than _SMALL ask before; smaller ones ask after
# the first of an outage, and before each from then on. What is left are small ones with more than
# half of the buffer under way: nobody can tell, and rather than lose bytes or send them twice the
# connection ends.

from micropython import const

from . import has_room

_AWAY = const(1024)
# lwIP's and the firmware's numbers
_EAGAIN = const(11)
# One write: TCP_SND_BUF (5760) less TCP_SNDLOWAT, and as much less as ESP-IDFs differ.
_MOST = const(2816)
_SMALL = const(256)


def failed(h, n):
    """A write of n bytes met EHOSTUNREACH: how many were queued; 0 if nobody can tell."""
    if n > _SMALL or h.st & _AWAY or has_room(h):
        h.st = h.st | _AWAY
        return min(n, _MOST)
    return 0


def write(h, data):
    """A write on a stream whose last one found no way; raises what lwIP says."""
    if not has_room(h):
        return -_EAGAIN
    r = h.s.write(data, _MOST)
    h.st = h.st & ~_AWAY
    return r or -_EAGAIN
