"""MQTT clients of the package index with a real broker, which is killed and comes back."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest
from places import DROP_IN, Place, Program, expect, finished
from servers import Heard, Mosquitto


@pytest.fixture
def broker(tmp_path: Path):
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def heard(broker: Mosquitto):
    heard = Heard(broker, "from/#")
    yield heard
    heard.stop()


def first(place: Place) -> str:
    return "first" if place.kind == DROP_IN else ""


def restart(broker: Mosquitto, program: Program, heard: Heard, *more: str) -> None:
    heard.stop()
    broker.kill()
    expect(program, "lost")
    broker.start()
    heard.start()
    expect(program, *more, "back")


def test_umqtt_simple(place: Place, broker: Mosquitto, heard: Heard) -> None:
    use = ["micropython-umqtt-simple"]
    program = place.run("mqtt_simple", place.host, broker.port, first(place), use=use)
    expect(program, "checked None", "ready")
    broker.publish("to/simple", "hello")
    broker.publish("to/simple", "acknowledged", qos=1)
    expect(program, "to/simple hello", "to/simple acknowledged", "ping None")
    restart(broker, program, heard)
    broker.publish("to/simple", "welcome", qos=1)
    assert finished(program) == ["to/simple welcome", "done"]
    heard.wait_for("from/simple again")
    sent = ["zero", "one", "x" * 3000, "again"]
    assert heard.messages() == [f"from/simple {each}" for each in sent]


def test_shape_of_umqtt(place: Place, broker: Mosquitto, heard: Heard) -> None:
    """What boards have frozen is no package: a client of the same shape."""
    program = place.run("mqtt_shape", place.host, broker.port)
    timed_out = 116 if place.board else errno.ETIMEDOUT
    expect(program, "granted 1", "checked None", f"waited {timed_out}", "ready")
    broker.publish("to/shape", "hello")
    broker.publish("to/shape", "acknowledged", qos=1)
    broker.publish("to/shape", "looked for")
    expect(program, "to/shape hello", "to/shape acknowledged", "to/shape looked for")
    expect(program, "ping (208, b'')")
    restart(broker, program, heard, "granted 1")
    broker.publish("to/shape", "welcome", qos=1)
    assert finished(program) == ["to/shape welcome", "done"]
    heard.wait_for("from/shape again")
    sent = ["zero", "one", "x" * 3000, "again"]
    assert heard.messages() == [f"from/shape {each}" for each in sent]


@pytest.mark.parametrize("library", ["simple2", "robust2"])
def test_umqtt_that_waits_in_poll(
    place: Place, broker: Mosquitto, heard: Heard, library: str
) -> None:
    use = ["micropython-umqtt-simple2", "micropython-umqtt-robust2"]
    name, topic = f"mqtt_{library}", f"to/{library}"
    program = place.run(name, place.host, broker.port, first(place), use=use)
    if library == "simple2":
        expect(program, "checked None")
    expect(program, "ready")
    broker.publish(topic, "hello")
    broker.publish(topic, "acknowledged", qos=1)
    expect(program, f"{topic} hello", f"{topic} acknowledged")
    if library == "simple2":
        expect(program, "ping None")
    restart(broker, program, heard)
    broker.publish(topic, "welcome", qos=1)
    assert finished(program) == [f"{topic} welcome", "done"]
    heard.wait_for(f"from/{library} again")
    sent = ["zero", "one", "x" * 3000, "again"] if library == "simple2" else ["zero", "one"]
    assert heard.messages()[: len(sent)] == [f"from/{library} {each}" for each in sent]


def test_aiomqttc(place: Place, broker: Mosquitto, heard: Heard) -> None:
    program = place.run("mqtt_aiomqttc", place.host, broker.port, use=["aiomqttc"])
    expect(program, "True", "zero True", "one True", "long True", "ready")
    broker.publish("to/aio", "hello")
    broker.publish("to/aio", "acknowledged", qos=1)
    expect(program, "to/aio hello", "to/aio acknowledged")
    restart(broker, program, heard)
    broker.publish("to/aio", "welcome", qos=1)
    expect(program, "to/aio welcome", "again True")
    sent = ["zero", "one", "x" * 3000, "again"]
    if place.board:
        expect(program, "cut it")
        place.control("link down")
        expect(program, "away None")
        place.control("link up")
        expect(program, "over")
        sent.append("over")
    assert finished(program) == ["done"]
    heard.wait_for(f"from/aio {sent[-1]}")
    told = [line for line in heard.messages() if line != "from/aio ping"]
    # What it could not say more of may have gone out after all.
    assert list(dict.fromkeys(told)) == [f"from/aio {each}" for each in sent]


@pytest.mark.places("vboard", "vboard-32bit")
def test_mqtt_async(place: Place, broker: Mosquitto, heard: Heard) -> None:
    use = ["micropython-mqtt-async"]
    program = place.run("mqtt_async_client", place.host, broker.port, use=use)
    expect(program, "back", "ready")
    broker.publish("to/async", "hello")
    broker.publish("to/async", "acknowledged", qos=1)
    expect(program, "to/async hello", "to/async acknowledged")
    restart(broker, program, heard)
    broker.publish("to/async", "welcome", qos=1)
    expect(program, "to/async welcome", "cut it")
    place.control("link down")
    expect(program, "lost")
    time.sleep(1)
    place.control("link up")
    expect(program, "back")
    broker.publish("to/async", "hello again", qos=1)
    assert finished(program) == ["to/async hello again", "done"]
    heard.wait_for("from/async at last")
    told = heard.messages()
    sent = ["zero", "one", "x" * 3000, "again"]
    assert told[:4] == [f"from/async {each}" for each in sent]
    # Of QoS 1 it may come more than once.
    assert set(told[4:]) == {"from/async at last"}
