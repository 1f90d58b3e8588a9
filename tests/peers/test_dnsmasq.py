"""getaddrinfo against dnsmasq, in a network and mount namespace of the test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from targets import HostTarget

HERE = Path(__file__).parent
WAIT = 60  # seconds

# --no-daemon: it stays in the foreground, and as the user that it is.
SCRIPT = """
set -e
ip link set lo up
mount --bind {folder}/resolv.conf /etc/resolv.conf
mount --bind {folder}/nsswitch.conf /etc/nsswitch.conf
dnsmasq --no-daemon --no-hosts --no-resolv --conf-file=/dev/null \
  --listen-address=127.0.0.1 --bind-interfaces --port=53 --local=/test/ \
  --host-record=several.test,10.0.0.1,fd00::1 --host-record=several.test,10.0.0.2,fd00::2 \
  --host-record=local.test,127.0.0.1 2>{folder}/dnsmasq.log &
server=$!
for try in 1 2 3 4 5 6 7 8 9 10; do getent ahostsv4 local.test >/dev/null && break; sleep 0.1; done
status=0
{command} || status=$?
kill $server
wait $server || true
exit $status
"""


def test_names_with_several_addresses(target: HostTarget, tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: dns\n")
    argv, environment = target.command(None)
    program = " ".join([*argv, str(HERE / "lookup.py")])
    assignments = " ".join(f"{name}={value}" for name, value in environment.items())
    script = SCRIPT.format(folder=tmp_path, command=f"env {assignments} {program}")
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    log = tmp_path / "dnsmasq.log"
    assert done.returncode == 0, (
        done.stderr + done.stdout + (log.read_text() if log.exists() else "")
    )
    v4 = ["10.0.0.1", "10.0.0.2"]
    v6 = ["fd00::1", "fd00::2"]
    want = [f"False {v4} 80", f"False {v6} 80", f"True {v4 + v6} 80"]
    if target.id == "unix-noffi":
        assert done.stdout.splitlines() == [*want, "EOPNOTSUPP", "EAI_NONAME", "2"]
    else:
        peer = "('127.0.0.1', 9)"
        reverse = "('several.test', '80')"
        assert done.stdout.splitlines() == [*want, reverse, "EAI_NONAME", "2", peer]
