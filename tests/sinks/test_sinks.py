"""Sinks of a run: each gets every event once and in order, and none harms the run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fakes.plugins import PLUGINS, make_findable
from tunesmith.api import Result, run_task
from tunesmith.cli.run import adjusted
from tunesmith.errors import UsageError
from tunesmith.events import Degraded, Event
from tunesmith.registry import SINKS
from tunesmith.space import Float, Space
from tunesmith.task import Task, load_task
from tunesmith.testing.sinks import SinkCases
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.sinks.base import Sink
from tunesmith.tools.sinks.jsonl import JsonLines


def run(runs: Path, *sinks: Any, trials: int = 2, **more: Any) -> Result:
    task = Task(
        name="run",
        metric="score",
        direction="maximize",
        space=Space({"x": Float(0, 1)}),
        budget={"trials": trials},
        sinks=sinks,
    )
    return run_task(
        task, runs=runs, model=None, train=lambda config, trial: -((config["x"] - 0.3) ** 2), **more
    )


def stored(result: Result) -> list[Event]:
    store = EventStore(result.folder / "run.db", create=False)
    try:
        return store.events()
    finally:
        store.close()


@pytest.mark.long
def test_the_jsonl_sink_has_every_event_once_in_order_over_two_sessions_and_a_line_cut_short(tmp_path: Path):
    result = run(tmp_path, "jsonl")
    file = result.folder / "events.jsonl"
    file.write_bytes(file.read_bytes()[:-20])  # as a kill -9 leaves it
    result = run(tmp_path, "jsonl", trials=3)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [event.model_dump(mode="json") for event in stored(result)]
    assert sum(line["kind"] == "run_finished" for line in lines) == 2


def test_a_task_file_and_the_command_line_name_sinks_and_the_runs_own_task_file_keeps_them(tmp_path: Path):
    path = tmp_path / "task.yaml"
    path.write_text(
        "metric: m\ndirection: maximize\nspace: {x: {type: float, low: 0, high: 1}}\n"
        "objective: {command: 'python t.py --x {x}'}\nsinks: [{name: jsonl, file: e.jsonl}]\n"
    )
    named = ["jsonl", "report", "report"]
    task = adjusted(path, name=None, trials=None, workers=None, seed=None, sinks=named)
    assert [sink.name for sink in task.sinks] == ["jsonl", "report"]
    assert task.sinks[0].settings.file == "e.jsonl"
    path.write_text(task.to_yaml())
    assert load_task(path).sinks == task.sinks


class TestJsonLines(SinkCases):
    @pytest.fixture
    def make_sink(self):
        return lambda: JsonLines(JsonLines.settings())

    @pytest.fixture
    def handled(self):
        return lambda folder: [
            json.loads(line)["seq"] for line in (folder / "events.jsonl").read_text().split("\n") if line
        ]


class TestWebhook(SinkCases):
    """The example of a package: only its answers to `open` matter here, and the server's to its requests."""

    @pytest.fixture
    def server(self) -> Iterator[tuple[str, list[int], threading.Event]]:
        with slow_server() as served:
            served[2].set()
            yield served

    @pytest.fixture
    def make_sink(self, server, tmp_path, monkeypatch):
        make_findable(PLUGINS / "sinks", tmp_path / "package", monkeypatch)
        kind = SINKS.get("webhook")
        (tmp_path / "sinks").mkdir()
        return lambda: kind(kind.settings(url=server[0]))

    @pytest.fixture
    def handled(self, server):
        return lambda folder: server[1]


class Failing(Sink):
    """Fails where its settings say."""

    where: str

    def open(self, folder, task):
        return self._maybe("open") or 0

    def handle(self, event):
        self._maybe("handle")

    def close(self):
        self._maybe("close")

    def _maybe(self, where):
        if where == self.where:
            raise OSError("disk full")


@pytest.mark.parametrize("where", ["open", "handle", "close"])
def test_a_sink_that_fails_ends_alone_and_is_in_the_log_and_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    kind = type("Kind", (Failing,), {"where": where})
    registered = SINKS.get
    monkeypatch.setattr(SINKS, "get", lambda name: kind if name == "failing" else registered(name))
    heard: list[Event] = []
    result = run(tmp_path, "failing", "jsonl", listen=heard.append)
    assert result.status == "finished" and len(result.history.completed) == 2
    failures = [event for event in stored(result) if isinstance(event, Degraded)]
    assert [(event.where, event.cause) for event in failures] == [("sink.failing", "OSError: disk full")]
    assert "sink.failing" in result.report.read_text() and failures[0] in heard
    lines = (result.folder / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [event.seq for event in stored(result)]


def test_a_report_that_cannot_be_written_is_in_the_log_and_no_part_of_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def failing(folder: Path, believe: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("tunesmith.tools.sinks.report.write_report", failing)
    result = run(tmp_path)
    assert result.status == "finished" and result.report is None
    assert stored(result)[-1].where == "sink.report"


def test_the_report_of_a_run_says_what_it_believes_and_a_fault_of_that_costs_that_part_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    result = run(tmp_path, trials=6)
    told = json.loads((result.folder / "report.json").read_text())["pictures"]["beliefs"]
    assert told["finished"] == 6 and told["progress"]["text"] in result.report.read_text()
    assert "What the run believes" in (result.folder / "report.html").read_text()

    def failing(*_: Any) -> None:
        raise ArithmeticError("singular")

    monkeypatch.setattr("tunesmith.agent.beliefs.beliefs_at", failing)
    result = run(tmp_path / "faulty", trials=6)
    assert result.status == "finished" and "beliefs" not in result.report.read_text()
    assert "beliefs" not in json.loads((result.folder / "report.json").read_text())["pictures"]
    (fault,) = [event for event in stored(result) if isinstance(event, Degraded)]
    assert (fault.where, fault.cause) == ("sink.report", "ArithmeticError: singular")


@pytest.mark.parametrize(
    ("sinks", "message"),
    [
        (["jsnol"], r"'jsnol' is no sink; did you mean 'jsonl'\?"),
        ([{"name": "jsonl", "flie": "x"}], "jsonl has no setting 'flie'; did you mean 'file'"),
        (["jsonl", "jsonl"], "should name every sink once"),
    ],
    ids=["unknown name", "unknown setting", "named twice"],
)
def test_a_wrong_sink_is_refused_before_anything_is_made(tmp_path: Path, sinks: list[Any], message: str):
    with pytest.raises(UsageError, match=message):
        run(tmp_path / "runs", *sinks)
    assert not (tmp_path / "runs").exists()


@contextmanager
def slow_server() -> Iterator[tuple[str, list[int], threading.Event]]:
    """A server that answers nothing until it is released: its URL, the seqs it got, and the release."""
    received: list[int] = []
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["seq"])
            released.wait()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", received, released
        released.set()
        server.shutdown()


@pytest.mark.long
def test_a_sink_of_another_package_that_blocks_delays_no_run_and_gets_every_event_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_findable(PLUGINS / "sinks", tmp_path / "package", monkeypatch)
    with slow_server() as (url, received, released):
        webhook = {"name": "webhook", "url": url, "timeout_s": 600.0}
        run(tmp_path, webhook)
        result = run(tmp_path, webhook, trials=3)  # a second session, and the first one's sink still waits
        assert len(received) <= 1
        released.set()
        expected = [event.seq for event in stored(result)]
        while received != expected:  # ended by the limit of the test
            assert received == expected[: len(received)]
            time.sleep(0.05)
