"""The layer's own DNS client against dnsmasq and against a server that lies.

Blocking (CONFIG_USOCKET_DNS) and under asyncio, on hosts and on the virtual boards, which reach
this machine's loopback as 10.0.2.2.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import liar as lies
import peers
import pytest
from targets import ROOT, HostTarget, Memory, all_targets, newest

from usocket_tools.suite.onboard import Target, Vboard
from usocket_tools.vboard.board import Board

PROGRAM = Path(__file__).parent / "programs" / "names.py"
LIMIT = 90
MANY = [f"192.0.2.{n}" for n in range(1, 41)]
NAMES = {
    "multi.test": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"],
    "four.test": ["192.0.2.4"],
    "six.test": ["2001:db8::6"],
    "many.test": MANY,
}
TRUE, TRUE6 = lies.TRUE, lies.TRUE6
CONF = {
    "host": (ROOT / "board_configs" / "UNIX.conf").read_text(),
    "board": "CONFIG_ZVFS_OPEN_MAX=10\nCONFIG_ZVFS_POLL_MAX=10\n",
}


# What runs on each target. The rest runs on one of each kind, since what asks is the same file
# everywhere; with --target on that one.
EVERYWHERE = """
    test_all_addresses test_lies test_no_answer test_nothing_is_lost test_servers_of_the_platform
""".split()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "names" in metafunc.fixturenames:
        ids = metafunc.config.getoption("--target")
        targets = [t for t in all_targets() if isinstance(t, (HostTarget, Vboard))]
        targets = [t for t in targets if not ids or t.id in ids]
        if not ids and metafunc.function.__name__ not in EVERYWHERE:
            one_of_each = "cpython", f"unix-{newest()}", "vboard"
            targets = [t for t in targets if t.id in one_of_each]
        modes = ["aio"] if "aio_only" in metafunc.fixturenames else ["blocking", "aio"]
        both = [(t, m) for t in targets if not isinstance(t, Memory) for m in modes]
        metafunc.parametrize("names", both, indirect=True, ids=[f"{t.id}-{m}" for t, m in both])


@pytest.fixture
def aio_only() -> None:
    """For tests of asyncio."""


@pytest.fixture(scope="module")
def boards() -> Iterator[dict[str, Board]]:
    started: dict[str, Board] = {}
    yield started
    for board in started.values():
        board.stop()


class Names:
    """Runs queries on a target: a line for each."""

    def __init__(self, target: Target, mode: str, folder: Path, boards: dict[str, Board]):
        self.target = target
        self.mode = mode
        self.board = isinstance(target, Vboard)
        self.micropython = target.id != "cpython"
        self._boards = boards
        self.conf = folder / "dns.conf"
        # asyncio has it in any case.
        asks = "CONFIG_USOCKET_DNS=y\n" if mode == "blocking" else ""
        self.conf.write_text(CONF["board" if self.board else "host"] + asks)

    def server(self, port: int) -> str:
        return f"{Board.host if self.board else '127.0.0.1'}:{port}"

    def __call__(self, servers: object, *queries: str) -> list[str]:
        if isinstance(servers, int):
            servers = self.server(servers)
        words = [self.mode, str(servers), *queries]
        if isinstance(self.target, HostTarget):
            process = self.target.run(PROGRAM, *words, conf=self.conf)
            lines = process.rest(LIMIT)
            assert process.end() == "", "\n".join(lines)
            return lines
        board = self._boards.get(self.target.id)
        if board is None:
            variant = "32bit" if "32bit" in self.target.id else "standard"
            board = self._boards[self.target.id] = Board(variant=variant)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "usocket_tools.cli",
                "run",
                "--device",
                board.device,
                str(PROGRAM),
                *words,
            ],
            env={**os.environ, "USOCKET_COMPAT_CONF": str(self.conf)},
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout.splitlines()

    def order(self, v4: str, v6: str) -> list[str]:
        """A board, and a host with no way to IPv6, has IPv4 first."""
        return [f"{v4} {v6}"] if self.board else [f"{v4} {v6}", f"{v6} {v4}"]


@pytest.fixture
def names(request: pytest.FixtureRequest, tmp_path: Path, boards: dict[str, Board]) -> Names:
    return Names(*request.param, tmp_path, boards)


@pytest.fixture
def dnsmasq(tmp_path: Path, free_port: int) -> Iterator[int]:
    file = tmp_path / "names"
    file.write_text("".join(f"{a} {name}\n" for name, found in NAMES.items() for a in found))
    log = tmp_path / "dnsmasq.log"
    argv = [peers.program("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--pid-file="]
    argv += [f"--port={free_port}", "--listen-address=127.0.0.1", "--bind-interfaces"]
    argv += ["--no-resolv", "--no-hosts", f"--addn-hosts={file}", "--local=/test/"]
    argv += ["--local-ttl=60", "--cname=alias.test,multi.test", "--cname=more.test,alias.test"]
    with peers.running(argv, log) as process:
        peers.wait_for_port(free_port, process, log)
        yield free_port


@pytest.fixture
def liar() -> Iterator[lies.Liar]:
    with lies.liar() as server:
        yield server


def addresses(line: str) -> list[str]:
    return sorted(line.split())


# -- against dnsmasq ----------------------------------------------------------------------


def test_all_addresses(names: Names, dnsmasq: int) -> None:
    found = names(
        dnsmasq,
        "look('multi.test')",
        "look('multi.test', V4)",
        "look('multi.test', V6)",
        "look('MULTI.test.', V4)",
        "look(b'multi.test', V4)",
        "look('four.test')",
        "look('six.test')",
        "look('many.test', V4)",
    )
    v4, v6 = NAMES["multi.test"][:3], NAMES["multi.test"][3:]
    assert [addresses(line) for line in found] == [
        sorted([*v4, *v6]), v4, v6, v4, v4, ["192.0.2.4"], ["2001:db8::6"], sorted(MANY)
    ]  # fmt: skip
    families = "".join("6" if ":" in a else "4" for a in found[0].split())
    assert families == "44466" if names.board else families in ("44466", "66444")


def test_true_names(names: Names, dnsmasq: int) -> None:
    found = names(
        dnsmasq,
        "look('alias.test', V6, net.AI_CANONNAME)",
        "look('more.test', V6, net.AI_CANONNAME)",
        "look('four.test', V4, net.AI_CANONNAME)",
        "look('more.test', V6)",
    )
    names_of = [line.split()[0] for line in found]
    assert names_of[:3] == ["multi.test", "multi.test", "four.test"]
    assert [len(line.split()) for line in found] == [3, 3, 2, 2]


def test_names_that_are_not_there(names: Names, dnsmasq: int) -> None:
    assert names(
        dnsmasq,
        "look('nosuch.test')",
        "look('four.test', V6)",
        "look('six.test', V4)",
        "look('four.test', V6, net.AI_V4MAPPED)",
        "look('six.test', V6, net.AI_V4MAPPED)",
    ) == ["EAI_NONAME", "EAI_NODATA", "EAI_NODATA", "::ffff:192.0.2.4", "2001:db8::6"]
    mapped = "look('multi.test', V6, net.AI_V4MAPPED | net.AI_ALL)"
    assert addresses(names(dnsmasq, mapped)[0]) == sorted(
        [f"::ffff:192.0.2.{n}" for n in (1, 2, 3)] + NAMES["multi.test"][3:]
    )


def test_shapes_and_arguments(names: Names, dnsmasq: int) -> None:
    """As the platform itself has them of the address in numbers."""
    calls = (
        "80, V4",
        "80, V4, net.SOCK_DGRAM",
        "'http', V4",
        "'8080', V4, 0, net.IPPROTO_TCP",
        "None, V4, STREAM",
    )
    number = "192.0.2.4"
    assert (
        names(
            dnsmasq,
            *(f"ask('four.test', {c}) == net.zsock_getaddrinfo('{number}', {c})" for c in calls),
            "ask('six.test', 80) == net.zsock_getaddrinfo('2001:db8::6', 80)",
        )
        == ["True"] * 6
    )
    assert names(
        dnsmasq,
        "look('four.test', 1)",
        "look('four.test', V4, 0, 'nosuchservice')",
        "look('four.test', V4, net.AI_NUMERICSERV, 'http')",
        "look('four.test', V4, 0, 80, 77)",
        "look('four.test', V4, 0x100000)",
        "look('four.test', V4, net.AI_NUMERICHOST)",
        "look('four.test', V4, 0, -1)[:8]",
        "look(4, V4)[:9]",
    ) == [
        "EAI_FAMILY",
        "EAI_SERVICE",
        "EAI_NONAME",
        "EAI_SOCKTYPE",
        "EAI_BADFLAGS",
        "EAI_NONAME",
        "Overflow",
        "TypeError",
    ]


def test_kept_and_given_away(names: Names, dnsmasq: int) -> None:
    """dnsmasq's time to live is 60 s; what is not there has no SOA."""
    assert names(
        dnsmasq,
        "look('four.test', V4)",
        "kept()",
        "look('nosuch.test', V4)",
        "kept()",
        "dns.set_servers([])",
        "kept()",
    ) == ["192.0.2.4", "1", "EAI_NONAME", "1", "None", "0"]


# -- against a liar -------------------------------------------------------------------------


# What it does, and what is found for all that: the truth behind it.
TRICKS = {
    "true": TRUE,
    "id": TRUE,
    "question": TRUE,
    "query": TRUE,
    "pointers": TRUE,
    "cut": TRUE,
    "oversize": TRUE,
    "spoof": TRUE,
    "circle": TRUE,
    "poison": TRUE,
    "case": TRUE,
    "odd": TRUE,
    "loss": TRUE,
    "chain-1": TRUE,
    "chain-9": TRUE,
    "chain-15": TRUE,
    "chain-16": "EAI_AGAIN",
    "onlylies": "EAI_AGAIN",
    "code-1": "EAI_AGAIN",
    "code-2": "EAI_AGAIN",
    "code-4": "EAI_AGAIN",
    "code-5": "EAI_AGAIN",
    "none-3": "EAI_NONAME",
    "none-0": "EAI_NODATA",
    "noneandlie": "EAI_NONAME",
    "truncated": " ".join([TRUE] * 60),
    "tcpslow": TRUE,
    "tcpcut": "EAI_AGAIN",
    "tcphuge": "EAI_AGAIN",
    "tcpstall": "EAI_AGAIN",
    "tcpid": "EAI_AGAIN",
    "tcpagain": "EAI_AGAIN",
    "tcpclose": "EAI_AGAIN",
    "tcpnone": "EAI_NONAME",
}


def test_lies(names: Names, liar: lies.Liar) -> None:
    found = names(liar.port, "quick(1000)", *(f"look('{trick}.test', V4)" for trick in TRICKS))
    assert dict(zip(TRICKS, found[1:])) == TRICKS
    assert len(found) == 1 + len(TRICKS), "an fd was left"


def test_lies_about_ipv6(names: Names, liar: lies.Liar) -> None:
    tricks = [trick for trick, found in TRICKS.items() if found == TRUE]
    found = names(liar.port, "quick(1000)", *(f"look('{trick}.test', V6)" for trick in tricks))
    assert dict(zip(tricks, found[1:])) == dict.fromkeys(tricks, TRUE6)


def test_flood(names: Names, liar: lies.Liar) -> None:
    """The true answer comes behind hundreds of others; more of them do not keep it from ending."""
    _begin, found = names(liar.port, "quick(2500, 1)", "look('flood.test', V4)")
    assert found == TRUE
    assert liar.asked == {("flood.test", "A"): 1}


def test_both_families(names: Names, liar: lies.Liar) -> None:
    """What one family has is found, even if the server has no answer for the other."""
    _quick, both, bad, silent, again = names(
        liar.port,
        "quick(300)",
        "look('true.test')",
        "look('halfbad.test')",
        "timed(300, 700, 'halfsilent.test')",
        "look('halfbad.test')",
    )
    assert both in names.order(TRUE, TRUE6)
    assert (bad, silent, again) == (TRUE, TRUE, TRUE)


# rows: C42; on cpython unix-oldest unix-newest unix-noffi unix-binary vboard vboard-32bit
def test_no_answer(names: Names, liar: lies.Liar) -> None:
    """It asks again, and waits twice as long, and then says so."""
    assert names(
        liar.port,
        "quick(100, 3)",
        "timed(700, 1200, 'silent.test', V4)",
    ) == ["quick", "EAI_AGAIN"]
    assert liar.asked == {("silent.test", "A"): 3}


def test_the_usual_patience(names: Names, liar: lies.Liar) -> None:
    assert names(liar.port, "timed(7000, 8000, 'silent.test', V4)") == ["EAI_AGAIN"]


def test_a_stalled_stream_is_bounded(names: Names, liar: lies.Liar) -> None:
    assert names(
        liar.port, "quick(200, 1)", "timed(400, 1000, 'tcpstall.test', V4)"
    ) == ["quick", "EAI_AGAIN"]  # fmt: skip
    assert liar.streams == 1


def test_several_servers(names: Names, liar: lies.Liar, dnsmasq: int) -> None:
    """The next is asked if one does not know, or does not answer."""
    servers = f"{names.server(liar.port)},{names.server(dnsmasq)}"
    closed = f"{names.server(peers.free_port())},{names.server(liar.port)}"
    assert names(servers, "quick(300)", "look('true.test', V4)", "look('code-2.test', V4)") == [
        "quick", TRUE, "EAI_NONAME"
    ]  # fmt: skip
    assert names(servers, "quick(300)", "timed(300, 900, 'silent.test', V4)")[1] == "EAI_NONAME"
    assert names(closed, "quick(300)", "look('true.test', V4)")[1] == TRUE
    assert liar.asked["code-2.test", "A"] == liar.asked["silent.test", "A"] == 1


def test_more_than_three_servers(names: Names, liar: lies.Liar) -> None:
    servers = ",".join([names.server(liar.port)] * 5)
    assert names(servers, "quick(50, 1)", "look('silent.test', V4)")[1] == "EAI_AGAIN"
    assert liar.asked == {("silent.test", "A"): 3}


def test_who_asks_nobody(names: Names, liar: lies.Liar) -> None:
    """Addresses in numbers, this machine, what is no name, and what the DNS is not for."""
    found = names(
        liar.port,
        "quick(100, 1)",
        "look('127.0.0.1')",
        "look('127.1')",
        "look('::1', V6)",
        "look('localhost', V4)",
        "look(None, V4)",
        "look('a..test')",
        "look('x' * 64 + '.test')",
        "look('a b.test')",
        "look('1.2.3.4.5')",
        "look('true.test', V4, net.AI_NUMERICHOST)",
        "look('')",
        "look('x.local', V4)[:4]",
    )
    assert found[1:] == ["127.0.0.1", "127.0.0.1", "::1", "127.0.0.1", "127.0.0.1"] + [
        "EAI_NONAME"
    ] * 6 + ["EAI_"]
    assert not liar.asked


def test_ports_and_ids_are_drawn(names: Names, liar: lies.Liar) -> None:
    names(liar.port, *["look('true.test', V4)"] * 24)
    assert len(liar.ports) > 20 and len(liar.ids) > 20
    assert max(liar.ports) - min(liar.ports) > 5000 or names.board  # slirp has ports of its own
    ordered = sorted(liar.ids)
    assert max(b - a for a, b in zip(ordered, ordered[1:])) > 256


# -- what is kept ---------------------------------------------------------------------------


def test_time_to_live(names: Names, liar: lies.Liar) -> None:
    found = names(
        liar.port,
        "look('ttl-60.test', V4)",
        "look('TTL-60.test.', V4)",
        "look('ttl-60.test', V6)",
        "look('ttl-1.test', V4)",
        "look('ttl-1.test', V4)",
        "sleep(1100)",
        "look('ttl-1.test', V4)",
        "look('ttl-0.test', V4)",
        "look('ttl-0.test', V4)",
        "look('ttl-2147483648.test', V4)",
        "look('ttl-4294967295.test', V4)",
        "kept()",
        "look('ttl-1000000.test', V4)",
        "3590 < longest() <= 3600",
    )
    assert found[2] == TRUE6 and found[11:] == ["3", TRUE, "True"]
    assert set(found[:2] + found[3:5] + found[6:11]) == {TRUE}
    assert liar.asked == {
        ("ttl-60.test", "A"): 1,
        ("ttl-60.test", "AAAA"): 1,
        ("ttl-1.test", "A"): 2,
        ("ttl-0.test", "A"): 2,
        ("ttl-2147483648.test", "A"): 1,
        ("ttl-4294967295.test", "A"): 1,
        ("ttl-1000000.test", "A"): 1,
    }


def test_what_is_not_there_is_kept_too(names: Names, liar: lies.Liar) -> None:
    """As long as its SOA says, the shorter of two (RFC 2308); not without one."""
    again = [f"look('none-{rest}.test', V4)" for rest in ("3-60-30", "0-30-60", "3-60-0", "3")]
    found = names(liar.port, *again, *again, "kept()", "20 < longest() <= 30")
    assert found == ["EAI_NONAME", "EAI_NODATA", "EAI_NONAME", "EAI_NONAME"] * 2 + ["2", "True"]
    assert {name: n for (name, _), n in liar.asked.items()} == {
        "none-3-60-30.test": 1,
        "none-0-30-60.test": 1,
        "none-3-60-0.test": 2,
        "none-3.test": 2,
    }


def test_what_is_kept_is_bounded(names: Names, liar: lies.Liar) -> None:
    """The oldest goes, and what is long is not kept."""
    found = names(
        liar.port,
        "many(40, 60)",
        "kept()",
        "look('ttl-60-39.test', V4)",
        "look('ttl-60-0.test', V4)",
        "look('truncated.test', V4)[:9]",
        "kept()",
    )
    assert found == ["asked", "16", TRUE, TRUE, TRUE, "16"]
    assert liar.asked["ttl-60-39.test", "A"] == 1
    assert liar.asked["ttl-60-0.test", "A"] == 2


def test_one_family_kept_does_not_hide_the_other(names: Names, liar: lies.Liar) -> None:
    found = names(liar.port, "look('ttl-60.test', V4)", "look('ttl-60.test')")
    assert found[0] == TRUE and found[1] in names.order(TRUE, TRUE6)


def test_nothing_is_lost(names: Names, liar: lies.Liar) -> None:
    """No heap and no fd, after twenty lookups and twenty more."""
    assert names(
        liar.port, "quick(100, 1)", "leaks('true.test')", "leaks('truncated.test')[-2:]",
        "leaks('silent.test', 3)", "leaks('none-3.test')",
    )[1:] == [f"{TRUE} 0", " 0", "EAI_AGAIN 0", "EAI_NONAME 0"]  # fmt: skip


# -- under asyncio --------------------------------------------------------------------------


def test_others_go_on(names: Names, aio_only: None, liar: lies.Liar) -> None:
    hosts = "'true.test', 'silent.test', 'loss.test', 'truncated.test'"
    assert names(liar.port, "quick(300)", f"together({hosts})")[1:] == [
        f"{TRUE} EAI_AGAIN {TRUE} {TRUE} lively"
    ]


def test_cancelled_at_every_await(names: Names, aio_only: None, liar: lies.Liar) -> None:
    assert names(
        liar.port,
        "quick(100, 2)",
        "cancels('loss.test', 1)",
        "cancels('silent.test', 2)",
        "cancels('truncated.test', 2)",
        "cancels('tcpslow.test', 4)",
        "look('true.test', V4)",
    ) == ["quick", *["cancelled"] * 4, TRUE]


def test_closed_meanwhile(names: Names, aio_only: None, liar: lies.Liar) -> None:
    assert names(liar.port, "quick(1000)", "closed('silent.test')", "closed('tcpstall.test')") == [
        "quick", "EBADF True", "EBADF True"
    ]  # fmt: skip


# -- the servers ----------------------------------------------------------------------------


def test_servers_are_checked(names: Names, aio_only: None) -> None:
    assert names(
        "-",
        "refused('name.test', 53)",
        "refused('127.0.0.1', 0)",
        "refused('127.0.0.1', 65536)",
        "refused('127.0.0.1', '53')",
        "refused('127.0.0.1')",
        "refused('127.0.0.1', 5353), dns.servers()",
    ) == [
        "ValueError",
        "OverflowError",
        "OverflowError",
        "TypeError",
        "TypeError",
        "(None, [('127.0.0.1', 5353)])",
    ]


def test_servers_of_the_platform(names: Names, aio_only: None) -> None:
    """A virtual board without --dns has none, and says so at once."""
    if names.board:
        assert names("-", "dns.servers()", "timed(0, 100, 'four.test', V4)") == ["[]", "EAI_AGAIN"]
    else:
        (found,) = names("-", "dns.servers()")
        with open("/etc/resolv.conf") as f:
            words = [line.split() for line in f]
        listed = [line[1] for line in words if line[:1] == ["nameserver"]]
        assert found == str([(host, 53) for host in listed[:3] or ["127.0.0.1"]])
