"""The demo does what it says, and says so when it does not."""

from __future__ import annotations

import pytest

from usocket_tools.make import demo


def test_demo(capsys):
    assert demo.main() == 0
    output = capsys.readouterr().out
    assert output.count("20 of 20 downloads") == 3
    assert "PASS" in output.splitlines()[-1]


def test_the_example_is_short():
    assert len((demo._TOP / demo._SERVER).read_text().splitlines()) < 100


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("import time\nprint('on port 1')\ntime.sleep(60)\n", "FAIL: curl exits with"),
        ("raise ValueError('it broke')\n", "it broke"),
        (
            (demo._TOP / demo._SERVER).read_text().replace(".read(CHUNK)", ".read(CHUNK).upper()"),
            "FAIL: 20 downloads differ",
        ),
    ],
    ids=["nobody-listens", "broken", "wrong-bytes"],
)
def test_a_failure_is_told(tmp_path, monkeypatch, capsys, server, message):
    (tmp_path / "server.py").write_text(server)
    monkeypatch.setattr(demo, "_SERVER", tmp_path / "server.py")
    assert demo.main() == 1
    output = capsys.readouterr().out
    assert message in output
    assert "PASS" not in output
