"""Reports never wait for the engine, and a verdict is waited for only so long."""

import json
import socket

import pytest

from tunesmith.tools.execution import channel
from tunesmith.tools.execution.channel import MOST_UNSENT, EngineChannel
from tunesmith.tools.execution.messages import Lines, encode


@pytest.fixture
def ends():
    """The two ends of a line."""
    ours, theirs = socket.socketpair()
    yield ours, theirs
    theirs.close()


def open_line(worker, **options):
    """A channel that does not end this process's session, which is its way, when the engine is gone."""
    return EngineChannel(worker, on_gone=lambda: None, **options)


def read_until(engine, step):
    lines, steps = Lines(), []
    while not steps or steps[-1] != step:
        steps += [message["step"] for message in lines.feed(engine.recv(1 << 16))]
    return steps


def test_an_engine_that_does_not_read_holds_no_training_up_and_gets_the_latest_report(ends):
    worker, engine = ends
    line = open_line(worker, judged=True)
    last = 50_000
    for step in range(last + 1):
        line.report(step, 0.5)  # would never return if it waited for the engine
    steps = read_until(engine, last)
    assert steps == sorted(set(steps)) and steps[0] == 0
    assert len(steps) + line.left_out == last + 1 and line.left_out > 0
    line.close()
    assert len(line._unsent) <= MOST_UNSENT
    line.report(last + 1, 0.5)
    assert read_until(engine, last + 1) == [last + 1], "and then goes on as before"


def test_a_verdict_is_that_on_the_latest_report_and_is_waited_for_only_so_long(ends, monkeypatch):
    worker, engine = ends
    line = open_line(worker)
    line.report(0, 0.5)
    engine.sendall(encode({"step": 0, "stop": True}))
    assert line.verdict(0) is True
    line.report(1, 0.5)
    engine.sendall(encode({"step": 1, "stop": False}))
    assert line.verdict(1) is False
    monkeypatch.setattr(channel, "VERDICT_S", 0.01)
    line.report(2, 0.5)
    assert line.verdict(2) is True, "the engine is silent, and has said stop before"


def test_a_silent_engine_means_go_on_and_without_a_pruner_nothing_is_waited_for(ends, monkeypatch):
    worker, _ = ends
    free = open_line(worker, judged=False)
    free.report(0, 0.5)
    assert free.verdict(0) is False  # with the ordinary limit: it would wait ten seconds
    monkeypatch.setattr(channel, "VERDICT_S", 0.01)
    assert open_line(worker).verdict(0) is False


def test_a_stop_is_told_once(ends):
    worker, engine = ends
    told = []
    line = open_line(worker, on_stop=lambda: told.append(1))
    for step in range(3):
        line.report(step, 0.5)
    engine.sendall(b"".join(json.dumps({"step": step, "stop": True}).encode() + b"\n" for step in range(3)))
    assert line.verdict(2) and told == [1]
