"""Real servers on free ports of the loopback, each ended by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import peers


class Mosquitto:
    """A broker that can be killed and started again, on the same port; it forgets all."""

    CONF = """
listener {port} 127.0.0.1
allow_anonymous true
log_dest stderr
"""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = peers.free_port()
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(self.CONF.format(port=self.port))
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        log = self.folder / "mosquitto.log"
        argv = [peers.program("mosquitto"), "-c", str(self._conf)]
        self._process = self._stack.enter_context(peers.running(argv, log))
        peers.wait_for_port(self.port, self._process, log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._stack.close()

    def publish(self, topic: str, message: str, qos: int = 0) -> None:
        argv = [peers.program("mosquitto_pub"), "-p", str(self.port), "-t", topic]
        subprocess.run([*argv, "-m", message, "-q", str(qos)], check=True, timeout=10)


class Heard:
    """What a subscriber of the broker hears."""

    def __init__(self, broker: Mosquitto, topic: str) -> None:
        argv = [peers.program("mosquitto_sub"), "-p", str(broker.port), "-t", topic, "-v"]
        self._argv = [*argv, "-q", "1", "-i", "host", "-V", "mqttv311", "-d"]
        self._folder = broker.folder
        self._logs: list[Path] = []
        self.start()

    def start(self) -> None:
        self._stack = contextlib.ExitStack()
        self._logs.append(self._folder / f"heard{len(self._logs)}.log")
        line_buffered = [peers.program("stdbuf"), "-oL", *self._argv]
        self._stack.enter_context(peers.running(line_buffered, self._logs[-1]))
        self.wait_for("Subscribed (mid")

    def wait_for(self, words: str, seconds: float = 15) -> None:
        """Until these have come since the start."""
        deadline = time.monotonic() + seconds
        while words not in (text := self._logs[-1].read_text(errors="replace")):
            assert time.monotonic() < deadline, f"no {words!r} in:\n{text}"
            time.sleep(0.02)

    def messages(self) -> list[str]:
        """Topic and message each, of all times."""
        lines = [line for log in self._logs for line in log.read_text().splitlines()]
        return [line for line in lines if not line.startswith(("Client ", "Subscribed (mid"))]

    def stop(self) -> None:
        self._stack.close()


class Postgres:
    """A cluster of its own, which asks for a password by SCRAM."""

    user, password = "tester", "a secret"

    def __init__(self, folder: Path) -> None:
        self.port = peers.free_port()
        self._folder = folder
        self._data = folder / "data"
        # It does not run as root, and its user may not be let into our folder.
        self._as = [peers.program("env"), "--chdir=/"]
        if os.geteuid() == 0:
            self._as += [peers.program("setpriv"), "--reuid=nobody", "--regid=nogroup"]
            self._as.append("--clear-groups")
            folder.chmod(0o777)
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        words = self._folder / "words"
        words.write_text(self.password)
        words.chmod(0o644)
        self._do("initdb", "-D", str(self._data), "-U", self.user, f"--pwfile={words}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "fsync": "off",
        }
        argv = [postgres("postgres"), "-D", str(self._data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        log = self._folder / "postgres.log"
        process = self._stack.enter_context(peers.running([*self._as, *argv], log))
        # At once, whoever is connected.
        self._stack.callback(process.send_signal, signal.SIGQUIT)
        there = ["-h", str(self._folder), "-p", str(self.port)]
        deadline = time.monotonic() + peers.START_SECONDS
        while subprocess.run([*self._as, postgres("pg_isready"), "-q", *there]).returncode:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        self._do("createdb", *there, "-U", self.user, "test")

    def _do(self, program: str, *args: str) -> None:
        argv = [*self._as, postgres(program), *args]
        if program == "initdb":
            # Those on this machine by the file system, all others by a password.
            argv += ["--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--no-sync"]
            argv.append("--locale=C")
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def stop(self) -> None:
        self._stack.close()


def postgres(name: str) -> str:
    """Debian keeps the programs of PostgreSQL by version, out of the way."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else peers.program(name)
