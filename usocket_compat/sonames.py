# SPDX-License-Identifier: MIT
# Where the drop-in's rarer names are: the file of each, which loads when it is first asked for.

from sys import modules

_METHODS = (
    "|rest sendall connect_ex gettimeout getblocking sendfile "
    "|fd fileno getsockname getpeername getsockopt shutdown dup detach sendmsg recvmsg"
    " recv_into recvfrom_into recvmsg_into again l_read l_readinto l_readline l_write "
    "|dgram recvfrom sendto d_recv d_readinto "
    "|wait t_recv t_send t_accept t_recvfrom t_sendto t_read t_readinto t_readline t_write "
    "|kernel k_recv k_send k_accept k_recvfrom k_sendto k_read k_readinto k_readline k_write"
    " k_connect "
    "|poll l_ioctl "
    "|file makefile "
    "|db get_inheritable set_inheritable "
)
_PUBLIC = (
    "|err timeout herror error "
    "|mod create_connection create_server socketpair fromfd has_dualstack_ipv6 has_ipv6"
    " gethostbyname gethostbyname_ex getfqdn getnameinfo setdefaulttimeout getdefaulttimeout"
    " SocketType close "
    "|db getservbyname getservbyport getprotobyname gethostbyaddr sethostname if_nameindex"
    " if_nametoindex if_indextoname "
    "|cmsg CMSG_LEN CMSG_SPACE send_fds recv_fds "
)


def _find(table, name):
    at = table.find(" " + name + " ")
    if at >= 0:
        line = table.rfind("|", 0, at) + 1
        found = modules["usocket"].later(table[line : table.find(" ", line)])
        return getattr(found, name)


def method(cls, self, name):
    """The method of that name, which the class has from now on."""
    if name == "timeout":
        return self.gettimeout()
    found = _find(_METHODS, name)
    if found is None:
        raise AttributeError("'socket' object has no attribute '" + name + "'")
    setattr(cls, name, found)
    return getattr(self, name)


def inherited(cls):
    """Gives the class what super() looks for, which asks no __getattr__."""
    if not hasattr(cls, "_super"):
        setattr(cls, "_super", True)
        for name in _METHODS.split():
            if name[0] != "|" and name[1:2] != "_" and not hasattr(cls, name):
                setattr(cls, name, _later(cls, name))


def _later(cls, name):
    def call(self, *args, **named):
        found = _find(_METHODS, name)
        setattr(cls, name, found)
        return found(self, *args, **named)

    return call


def public(name):
    """What the module has by that name: of the drop-in, or of the layer."""
    found = _find(_PUBLIC, name)
    if found is None:
        if name[:6] == "zsock_" or name[:1] == "_":
            raise AttributeError(name)
        import usocket_compat

        if name == "SO_LINGER" and not modules["usocket"].packs:
            # Programs ask for the name to see whether a board can reset a connection with it.
            raise AttributeError(name)
        found = getattr(usocket_compat, name, None)
        if found is None:
            found = getattr(modules["usocket"].later("db"), name)
    return found
