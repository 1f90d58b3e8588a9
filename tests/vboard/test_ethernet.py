# SPDX-License-Identifier: MIT
"""A board whose network is Ethernet: its own addresses are known, and Wi-Fi is left alone."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from usocket_tools.boards.device import Device
from usocket_tools.findings import of_board
from usocket_tools.suite import joining
from usocket_tools.vboard.board import Board

SECONDS = 60
# A module network whose Wi-Fi starts no driver, but says that it was asked.
BEGIN = """
import sys, time
import network as real

def complain(*args):
    raise RuntimeError("Wi-Fi was asked")

class Network:
    STA_IF, AP_IF = 0, 1
    LAN = real.LAN
    WLAN = complain

sys.modules["network"] = Network
import usocket_compat as net
from usocket_compat import errno

def name(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return [n for n in NAMES if getattr(errno, n) == e.errno] or e

NAMES = "EADDRNOTAVAIL EADDRINUSE ENODEV ECONNREFUSED EHOSTUNREACH EOPNOTSUPP".split()

def lan():
    nic = real.LAN(mdc=23, mdio=18, phy_addr=0, phy_type=real.PHY_LAN8720)
    nic.active(True)
    while not nic.isconnected():
        time.sleep_ms(10)
    return nic

def udp(peer=None, device=None):
    fd = net.socket(type=net.SOCK_DGRAM)
    if device:
        net.setsockopt(fd, net.SOL_SOCKET, net.SO_BINDTODEVICE, device.encode())
    if peer:
        net.connect(fd, (peer, 9))
    return fd

class Nic:
    def __init__(self, address, mask="255.255.255.0", up=True, name="pp4"):
        self.ifconfig = lambda: (address, mask, "", "")
        self.active = lambda: up
        self.config = lambda what: name
"""


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    with Board(ethernet=True) as made:
        yield made


@pytest.fixture
def run(board: Board, tmp_path: Path) -> Callable[..., list[str]]:
    def run(code: str, *args: object) -> list[str]:
        file = tmp_path / "program.py"
        file.write_text(BEGIN + code)
        # Each program finds the board as after power-on.
        board.control("reset")
        command = [sys.executable, "-m", "usocket_tools.cli", "run", "--device", board.device]
        done = subprocess.run(
            [*command, str(file), *map(str, args)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout.splitlines()

    return run


def test_the_firmware_s_ethernet(run):
    """ports/esp32/network_lan.c: nothing without a PHY's address, the same object from then on."""
    assert run("""
try:
    real.LAN()
except TypeError as e:
    print(e)
nic = real.LAN(mdc=23, mdio=18, phy_addr=0, phy_type=real.PHY_LAN8720)
print(nic is real.LAN(), nic.active(), nic.status() == real.ETH_INITIALIZED, nic.ifconfig()[0])
nic.active(True)
print(nic.active(), nic.isconnected())
lan()
print(nic.isconnected(), nic.status() == real.ETH_GOT_IP, nic.ifconfig()[:3])
print(nic.config("ifname"), nic.config("mac")[5] - 0x56, nic.ipconfig("dhcp4"))
nic.active(False)
print(nic.isconnected(), nic.status() == real.ETH_STOPPED)
print(name(real.WLAN(0).active, True), real.WLAN(0).scan())
""") == [
        "'phy_addr' argument required",
        "True False True 0.0.0.0",
        "True False",
        "True True ('10.0.2.15', '255.255.255.0', '10.0.2.2')",
        "en1 3 True",
        "False True",
        "True []",
    ]


def test_a_board_without_ethernet():
    with Board() as board:
        program = (
            "import network\n"
            "try:\n network.LAN(mdc=23, mdio=18, phy_addr=0, phy_type=network.PHY_LAN8720)\n"
            "except OSError as e:\n print(e)\n"
            "try:\n network.LAN()\nexcept TypeError as e:\n print(e)\n"
        )
        command = [sys.executable, "-m", "mpremote", "connect", board.device, "exec", program]
        said = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert said.stdout.splitlines() == [
        "esp_eth_driver_install failed",
        "'phy_addr' argument required",
    ]


def test_own_address(run):
    """What the kernel of a host does with its own address: bind, and name it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines = run(
            """
nic = lan()
own = nic.ifconfig()[0]
for kind in net.SOCK_STREAM, net.SOCK_DGRAM:
    fd = net.socket(type=kind)
    print(name(net.bind, fd, (own, 8080)), net.getsockname(fd))
    other = net.socket(type=kind)
    print(name(net.bind, other, (own, 8080)))
    net.close(other)
    if kind == net.SOCK_STREAM:
        net.listen(fd)
        c = net.socket()
        net.connect(c, (own, 8080))
        a, peer = net.accept(fd)
        print(net.getsockname(c)[0], peer[0], net.getsockname(a), net.getpeername(c))
c = net.socket()
net.connect(c, ("10.0.2.2", int(sys.argv[1])))
print(net.getsockname(c)[0], net.getsockname(udp("10.0.2.2"))[0])
print(net.getsockname(udp("127.0.0.1"))[0], net.getsockname(udp("198.51.100.9"))[0])
net.closeall()
c = udp("10.0.2.2")
print(net.getsockname(udp())[0], name(net.bind, net.socket(), ("127.0.0.2", 0)))
print(name(net.bind, net.socket(), ("224.0.0.1", 0)))
nic.active(False)
print(net.getsockname(c)[0])
""",
            server.getsockname()[1],
        )
    assert lines == [
        "None ('10.0.2.15', 8080)",
        "['EADDRINUSE']",
        "10.0.2.15 10.0.2.15 ('10.0.2.15', 8080) ('10.0.2.15', 8080)",
        "None ('10.0.2.15', 8080)",
        "['EADDRINUSE']",
        "10.0.2.15 10.0.2.15",
        "127.0.0.1 10.0.2.15",
        "0.0.0.0 ['EADDRNOTAVAIL']",
        "['EADDRNOTAVAIL']",
        "0.0.0.0",
    ]


def test_what_cannot_be_judged_is_lwip_s(run):
    """No interface is known, or others may be there beside the Ethernet."""
    assert run("""
fd = net.socket()
Network.WLAN = lambda kind: Nic("192.168.4.1", up=False)
print(name(net.bind, fd, ("10.0.2.15", 80)), net.getsockname(fd))
# The program has said that this is an address of the board.
print(net.getsockname(udp("198.51.100.9"))[0])
Network.WLAN = complain
lan()
print(name(net.bind, net.socket(), ("192.0.2.1", 80)))
print(net.getsockname(udp("192.0.2.5"))[0])
# Wi-Fi alone is known whole.
Network.LAN, Network.WLAN = None, lambda kind: Nic("10.0.2.15" if kind == 0 else "0.0.0.0")
for host in "192.0.2.1", "10.0.2.15":
    print(name(net.bind, net.socket(), (host, 81)))
del Network.WLAN
print(name(net.bind, net.socket(), ("192.0.2.1", 82)))
""") == [
        "None ('10.0.2.15', 80)",
        "10.0.2.15",
        "None",
        "10.0.2.15",
        "['EADDRNOTAVAIL']",
        "None",
        "None",
    ]


def test_an_interface_that_is_named(run):
    """Its address is the board's; lwIP sends by it what no other interface is nearer to."""
    assert run("""
Network.LAN = None
ppp = Nic("192.0.2.33", "255.255.255.255")
net.use_interface(ppp)
net.use_interface(ppp)
print(name(net.bind, net.socket(), ("192.0.2.33", 80)))
print(net.getsockname(udp("10.0.2.2"))[0], net.getsockname(udp("192.0.2.33"))[0])
Network.LAN = real.LAN
nic = lan()
print(net.getsockname(udp("10.0.2.2"))[0], net.getsockname(udp("198.51.100.9"))[0])
net.use_interface(nic)
print(net.getsockname(udp("10.0.2.2"))[0])
for odd in None, 5, "en1":
    try:
        print(net.use_interface(odd))
    except TypeError as e:
        print(e)
""") == [
        "None",
        "192.0.2.33 192.0.2.33",
        "10.0.2.15 192.0.2.33",
        "10.0.2.15",
        *["not a network interface"] * 3,
    ]


def test_bound_to_a_device(run):
    assert run("""
nic = lan()
device = nic.config("ifname")
net.use_interface(Nic("192.0.2.33", "255.255.255.255"))
print(net.getsockname(udp("198.51.100.9", device))[0], net.getsockname(udp("198.51.100.9"))[0])
print(name(udp, "198.51.100.9", "xx7"))
""") == ["10.0.2.15 192.0.2.33", "['ENODEV']"]


def test_multicast(run, board):
    """Joined by any interface, and by the address of this one; another address has none."""
    assert run("""
own = lan().ifconfig()[0]
def join(fd, group, interface):
    return name(net.setsockopt, fd, net.IPPROTO_IP, net.IP_ADD_MEMBERSHIP,
                net.inet_aton(group) + net.inet_aton(interface))
receiver = udp()
net.bind(receiver, ("", 5007))
print(join(receiver, "239.1.2.3", own), join(receiver, "239.1.2.4", "0.0.0.0"))
print(join(receiver, "239.1.2.5", "192.0.2.1"))
""") == ["None None", "['ENODEV']"]


def test_a_cable_that_is_pulled(run, board):
    """The interface goes down with its cable, and comes back by itself."""
    board.control("link up")
    program = """
nic = lan()
print("up")
sys.stdin.readline()
"""
    assert run(program.replace("sys.stdin.readline()", "")) == ["up"]
    # The firmware is still there, and so is what it has started.
    look = "import network, time; nic = network.LAN()\n"
    for state, wanted in (("down", "ETH_DISCONNECTED"), ("up", "ETH_GOT_IP")):
        board.control(f"link {state}")
        code = look + f"while nic.status() != network.{wanted}: time.sleep_ms(10)\n"
        code += "print(nic.isconnected())"
        command = [sys.executable, "-m", "mpremote", "connect", board.device, "resume", "exec"]
        said = subprocess.run([*command, code], capture_output=True, text=True, timeout=SECONDS)
        assert said.stdout.strip() == str(state == "up")


def test_the_tools_leave_wifi_alone(run, board):
    """What looks at a board by itself asks its Ethernet, and only that where there is one."""
    assert run("print(lan().ifconfig()[0])") == [board.address]
    watch = "import sys, network\nclass Network:\n LAN = network.LAN\n"
    watch += "sys.modules['network'] = Network\n"
    with Device(board.device) as device:
        device.fresh()
        assert device.exec(watch + of_board._NETWORK).strip() == repr(board.address)
        assert device.exec(watch + joining._CONNECTED).strip() == "True"
