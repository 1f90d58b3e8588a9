# SPDX-License-Identifier: MIT
"""Brings a board's network up: `wifi.up()`, or `wifi.lan()` where there is Ethernet.

Not loaded by the layer; a program that wants it imports usocket_compat.wifi.
"""
# The firmware tries again for ever, and says only of some failures why. So it gets a few tries
# for the time of the call, after which its status is the true reason.

from . import errno as E
from .zbase import p

FILE = "/wifi.txt"

_TRIES = 4
# How often it looks (a second), and for how many looks a reason must last that the firmware tells
# from the first try on: a scan of all channels takes 2 to 3 s, and often the first one fails.
_LOOKS = 20
_PATIENCE = 80
# wlan.status(): ESP-IDF's reasons, and from here on what is none. Not all have names.
_PENDING = 1000
_ABSENT = (201, 212)
# 15 and 204: a WPA2 handshake that got no answer.
_WRONG_KEY = (202, 15, 204)
_SECURITY = (210, 211)
_EARLY = (201, 202, 210, 211, 212)


def up(ssid=None, key=None, hostname=None, timeout_s=20):
    """Connects to the Wi-Fi network ssid; returns the board's IPv4 address.

    Without ssid: to the network of /wifi.txt on the board (its name, and its key on the next
    line), if there is no connection yet. Raises OSError with a sentence: EHOSTUNREACH for no such
    network, ECONNREFUSED for a wrong key, ETIMEDOUT for no connection or no address in time,
    ENOENT without /wifi.txt, EINVAL for one without a name, ENODEV where there is no Wi-Fi.
    """
    network = _network("WLAN", "Wi-Fi")
    wlan = network.WLAN()
    if wlan.isconnected() and (ssid is None or ssid == _ssid(wlan)):
        return _address(wlan)
    if ssid is None:
        ssid, key = _file()
    if hostname:
        network.hostname(hostname)
    wlan.active(True)
    # While it tries to connect it takes no other network.
    wlan.disconnect()
    before = wlan.status()
    reconnects = wlan.config("reconnects")
    wlan.config(reconnects=_TRIES - 1)
    try:
        wlan.connect(ssid, key)
        reason = _wait(wlan, before, int(timeout_s * _LOOKS))
        if not wlan.isconnected():
            raise _failed(wlan, ssid, reason, timeout_s)
    finally:
        if not wlan.isconnected():
            wlan.disconnect()
        try:
            wlan.config(reconnects=reconnects)
        except OSError:
            pass  # said of the rest of the configuration; this is set
    return _address(wlan)


def lan(hostname=None, timeout_s=20, **settings):
    """Starts the board's Ethernet; returns its IPv4 address.

    settings are those of network.LAN: the pins and the PHY. Raises OSError: ETIMEDOUT for no
    cable or no address in time, ENODEV where there is no Ethernet, or its PHY does not answer.
    """
    network = _network("LAN", "Ethernet")
    if hostname:
        network.hostname(hostname)
    try:
        nic = network.LAN(**settings)
    except OSError as e:
        raise OSError(E.ENODEV, "no Ethernet at these pins, with this PHY: %s" % e)
    nic.active(True)
    for _ in range(int(timeout_s * _LOOKS)):
        if nic.isconnected():
            break
        p.sleep_ms(1000 // _LOOKS)
    if nic.isconnected():
        return _address(nic)
    if nic.status() == network.ETH_CONNECTED:
        raise OSError(E.ETIMEDOUT, "no address from the Ethernet within %g s" % timeout_s)
    raise OSError(E.ETIMEDOUT, "no Ethernet link within %g s: is the cable in?" % timeout_s)


def _network(kind, what):
    try:
        network = __import__("network")
        if hasattr(network, kind):
            return network
    except ImportError:
        pass
    raise OSError(E.ENODEV, "this interpreter has no %s: it takes a board that has" % what)


def _ssid(wlan):
    try:
        return wlan.config("ssid")
    except OSError:
        return None


def _address(nic):
    return nic.ipconfig("addr4")[0]


def _file():
    try:
        with open(FILE) as f:
            ssid = f.readline().rstrip("\r\n")
            key = f.readline().rstrip("\r\n")
    except OSError:
        raise OSError(
            E.ENOENT, "no network is named: give its name and key here or in the file " + FILE
        )
    if not ssid:
        raise OSError(E.EINVAL, "the first line of %s is empty; it is the network's name" % FILE)
    return ssid, key or None


def _wait(wlan, before, looks):
    """Waits for the connection, a reason why there is none, or the end of the time."""
    lasted = 0
    reason = _PENDING
    for _ in range(looks):
        if wlan.isconnected():
            break
        reason = wlan.status()
        if reason < _PENDING:
            if reason not in _EARLY or lasted > 2 * _PATIENCE:
                break
            # It may be what the attempt before this call left there.
            lasted += 1 if reason == before else 2
        p.sleep_ms(1000 // _LOOKS)
    return reason


def _failed(wlan, ssid, reason, timeout_s):
    """The OSError that says why there is no connection."""
    if reason in _ABSENT:
        code, text = E.EHOSTUNREACH, "there is no Wi-Fi network %r in reach" % ssid
    elif reason in _WRONG_KEY:
        code, text = E.ECONNREFUSED, "the Wi-Fi network %r does not take this key" % ssid
    elif reason in _SECURITY:
        code, text = E.ECONNREFUSED, "the Wi-Fi network %r has another kind of security" % ssid
    elif reason < _PENDING:
        code, text = E.ECONNREFUSED, "the Wi-Fi network %r fails with reason %d" % (ssid, reason)
    else:
        what = "no address from" if _joined(wlan) else "no connection to"
        code, text = E.ETIMEDOUT, "%s the Wi-Fi network %r in %g s" % (what, ssid, timeout_s)
    return OSError(code, text)


def _joined(wlan):
    try:
        return wlan.status("rssi") < 0
    except OSError:
        return False
