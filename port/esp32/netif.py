# SPDX-License-Identifier: MIT
# This board's interfaces and its own addresses. The firmware has no list of interfaces, and to ask
# for Wi-Fi starts its driver: so that is asked only where no other interface is known.

from micropython import const

# Handle.st
_DGRAM = const(64)
_EADDRNOTAVAIL = const(125)

# What a program has named; the last address that it bound and that nobody knew. It is of an
# interface that the firmware does not tell of.
named = []
bound = []


def use_interface(nic):
    if not hasattr(nic, "ifconfig"):
        raise TypeError("not a network interface")
    if nic not in named:
        named.append(nic)


def _interfaces():
    """The interfaces in the order in which lwIP prefers them, and whether these are all."""
    import network

    found = list(named)
    lan = getattr(network, "LAN", None)
    if lan:
        try:
            # The firmware's own once it is initialised; before that it wants a PHY, and does
            # nothing without.
            lan = lan()
            if lan not in found:
                found.append(lan)
        except (TypeError, ValueError, OSError):
            pass
    if found or not hasattr(network, "WLAN"):
        return found, False
    return [network.WLAN(0), network.WLAN(1)], True


def _addresses(interfaces):
    """(address, netmask, interface) of IPv4 of each of them that is up."""
    found = []
    for nic in interfaces:
        if not hasattr(nic, "active") or nic.active():
            address, mask = nic.ifconfig()[:2]
            if address != "0.0.0.0":
                found.append((address, mask, nic))
    return found


def bind(h, host):
    """EADDRNOTAVAIL for an address that is not this board's; lwIP gets what cannot be judged."""
    first = int(host.split(".")[0])
    if h.st & _DGRAM and (host == "255.255.255.255" or 224 <= first < 240):
        return
    # The broadcast of the loopback would reach nobody.
    if first != 127 and first < 224:
        interfaces, all_known = _interfaces()
        own = _addresses(interfaces)
        if _broadcast(host, own):
            if h.st & _DGRAM:
                return
        elif any([host == entry[0] for entry in own]):
            return
        elif not all_known or not any([nic.active() for nic in interfaces]):
            bound[:] = [host]
            return
    raise OSError(_EADDRNOTAVAIL)


def _number(host):
    value = 0
    for part in host.split("."):
        value = value << 8 | int(part)
    return value


def broadcast(host):
    """Whether host is everybody, or everybody on a network of this board; None if it has none."""
    if host == "255.255.255.255" or host == "127.255.255.255":
        return True
    return _broadcast(host, _addresses(_interfaces()[0]))


def _broadcast(host, own):
    found = None
    for address, mask, _ in own:
        free = _number(mask) ^ 0xFFFFFFFF
        found = found or free > 1 and _number(host) == _number(address) | free
    return found


def _is(nic, device):
    try:
        return nic.config("ifname") == device
    except (AttributeError, ValueError, OSError):
        return False


def toward(peer, device=None):
    """The address that this board has on the way to peer, or on the device that it is bound to."""
    if peer[:4] == "127.":
        return "127.0.0.1"
    first = ""
    own = _addresses(_interfaces()[0])
    for address, mask, nic in own:
        if peer == address:
            return address
    for address, mask, nic in own:
        if device:
            if _is(nic, device):
                return address
        elif (_number(peer) ^ _number(address)) & _number(mask) == 0:
            return address
        first = first or address
    return first or (bound and bound[0]) or "0.0.0.0"
