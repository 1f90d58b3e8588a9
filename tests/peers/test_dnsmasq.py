"""getaddrinfo and getnameinfo against dnsmasq, in a network of their own."""

from __future__ import annotations

from pathlib import Path

import peers
import pytest
from targets import ROOT, HostTarget

PROGRAMS = Path(__file__).parent / "programs"
LIMIT = 60
MANY = [f"192.0.2.{n}" for n in range(1, 41)]
NAMES = {
    "multi.test": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"],
    "four.test": ["192.0.2.4"],
    "six.test": ["2001:db8::6"],
    "many.test": MANY,
    "several.test": ["::1", "127.0.0.9", "127.0.0.1"],
    "local.test": ["127.0.0.1"],
}
FILES = {
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "hosts": "127.0.0.1 localhost\n192.0.2.77 Mine.test  mine # theirs.test\n",
    "nsswitch.conf": "hosts: files dns\n",
    "names": "".join(f"{a} {name}\n" for name, addresses in NAMES.items() for a in addresses),
}


@pytest.fixture(params=["libc", "dns"])
def lookup(target: HostTarget, tmp_path: Path, request: pytest.FixtureRequest):
    """Runs queries on the target, with or without a server; by libc, and by the layer's dns.py."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    conf = tmp_path / "dns.conf"
    conf.write_text((ROOT / "board_configs" / "UNIX.conf").read_text() + "CONFIG_USOCKET_DNS=y\n")
    chosen = conf if request.param == "dns" else None

    def run(*queries: str, server: bool = True) -> list[str]:
        prefix = [peers.program("unshare"), "--map-root-user", "--net", "--mount", "sh"]
        prefix += [str(PROGRAMS / "namespace.sh"), str(tmp_path)]
        prefix.append(peers.program("dnsmasq") if server else "")
        process = target.run(PROGRAMS / "lookup.py", *queries, conf=chosen, prefix=prefix)
        lines = process.rest(LIMIT)
        log = tmp_path / "dnsmasq.log"
        told = log.read_text() if log.exists() else ""
        assert process.end() == "", "\n".join([*lines, told])
        return lines

    return run


def test_several_addresses(lookup) -> None:
    v4 = "192.0.2.1 192.0.2.2 192.0.2.3"
    v6 = "2001:db8::1 2001:db8::2"
    assert lookup(
        "look('multi.test')",
        "look('multi.test', net.AF_INET)",
        "look('multi.test', net.AF_INET6)",
        "look('MULTI.test.', net.AF_INET)",
        "look('four.test')",
        "look('six.test')",
    ) == [f"{v4} {v6}", v4, v6, v4, "192.0.2.4", "2001:db8::6"]


def test_an_answer_too_long_for_one_datagram(lookup) -> None:
    assert lookup("look('many.test')") == [" ".join(sorted(MANY))]


def test_canonical_name(lookup) -> None:
    assert lookup("look('alias.test', net.AF_INET6, net.AI_CANONNAME)") == [
        "multi.test 2001:db8::1 2001:db8::2"
    ]


def test_names_that_are_not_there(lookup) -> None:
    assert lookup(
        "look('nosuch.test')",
        "look('four.test', net.AF_INET6)",
        "look('multi.test', 0, net.AI_NUMERICHOST)",
        "look('multi.test')[:9]",
    ) == ["EAI_NONAME", "EAI_NODATA", "EAI_NONAME", "192.0.2.1"]


def test_names_of_the_machine_s_own_list(lookup) -> None:
    assert lookup("look('mine.test')", "look('mine')", "look('theirs.test')") == [
        "192.0.2.77", "192.0.2.77", "EAI_NONAME"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("addresses", "families"),
    [
        ("192.0.2.9/24", "44466 444"),
        ("2001:db8::9/64", "66444 66"),
        ("192.0.2.9/24 2001:db8::9/64", "66444 66444"),
        ("", "66444 66444"),
    ],
)
def test_order_and_configured_families(
    lookup, monkeypatch: pytest.MonkeyPatch, addresses: str, families: str
) -> None:
    """What this machine has a way to comes first, IPv6 before IPv4; AI_ADDRCONFIG."""
    monkeypatch.setenv("ADDRESSES", addresses)
    assert lookup("families()") == [families]


def test_no_server(lookup) -> None:
    assert lookup("look('multi.test')", "look('127.0.0.1')", server=False) == [
        "EAI_AGAIN",
        "127.0.0.1",
    ]


def test_every_address_is_tried(lookup) -> None:
    assert lookup("connect()")[0].startswith("connected to 127.0.0.1, not to ")


def test_a_name_in_an_address(lookup) -> None:
    assert lookup("by_name()") == ["hello EAI_NONAME"]


def test_lookups_in_several_threads(lookup) -> None:
    assert lookup("threads()") == ["192.0.2.1 192.0.2.2 192.0.2.3"]


def test_names_of_addresses(lookup, target: HostTarget) -> None:
    queries = (
        "net.capabilities()['getnameinfo']",
        "reverse(('192.0.2.4', 80))",
        "reverse(('192.0.2.99', 80))",
        "reverse(('192.0.2.99', 80), net.NI_NAMEREQD)",
        "reverse(('2001:db8::6', 80))",
    )
    found = lookup(*queries)
    if found[0] == "False":
        assert all("EOPNOTSUPP" in line or "95" in line for line in found[1:])
    else:
        assert found[1:] == ["four.test 80", "192.0.2.99 80", "EAI_NONAME", "six.test 80"]
