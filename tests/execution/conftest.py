"""Real processes: a script on disk, an executor, and what came of it."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tunesmith.objective import Objective
from tunesmith.tools.execution.base import Continue, Finished, Job, Reported, Stop
from tunesmith.tools.execution.local import LocalExecutor
from tunesmith.trial import Outcome

LIMIT_S = 20.0
_numbers = count()


@dataclass
class Bench:
    """An executor, and a folder to run things in."""

    executor: LocalExecutor
    root: Path
    reports: list[Reported] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)

    def script(self, text: str, name: str = "train.py") -> Path:
        path = self.root / name
        path.write_text(textwrap.dedent(text))
        return path

    def job(self, objective: Objective | Path, **options: Any) -> Job:
        number = next(_numbers)
        if isinstance(objective, Path):
            objective = Objective(function=f"{objective}:train", workdir=self.root)
        options = {"configuration": {"x": 1.5}, "seed": 7, "metric": "accuracy", **options}
        folder = self.root / "trials" / f"{number:05d}"
        return Job(number=number, folder=folder, objective=objective, **options)

    def start(self, objective: Objective | Path, **options: Any) -> Job:
        job = self.job(objective, **options)
        assert self.executor.offer(job) is None, "it was accepted"
        return job

    def wait(
        self, until: Callable[[], bool], *, prune: Callable[[Reported], bool] = lambda report: False
    ) -> None:
        """Handle events until a condition holds; every report is answered by `prune`."""
        deadline = time.monotonic() + LIMIT_S
        while not until():
            assert time.monotonic() < deadline, f"nothing more came; so far {self.reports} {self.finished}"
            for event in self.executor.events(0.2):
                if isinstance(event, Reported):
                    self.reports.append(event)
                    self.executor.answer(event.number, event.step, Stop() if prune(event) else Continue())
                else:
                    self.finished.append(event)

    def outcome(self, job: Job, **options: Any) -> Outcome:
        self.wait(lambda: any(end.number == job.number for end in self.finished), **options)
        (end,) = [end for end in self.finished if end.number == job.number]
        stored = Outcome.model_validate_json((job.folder / "result.json").read_bytes())
        assert stored == end.outcome, "what is told is what is on disk"
        return end.outcome

    def run(self, text: str, *, prune: Callable[[Reported], bool] | None = None, **options: Any) -> Outcome:
        job = self.start(self.script(text), **options)
        return self.outcome(job) if prune is None else self.outcome(job, prune=prune)

    def log(self, number: int | None = None) -> str:
        folder = sorted((self.root / "trials").iterdir())[-1 if number is None else number]
        return (folder / "log.txt").read_text(errors="replace")


@pytest.fixture(scope="session")
def shared_executor() -> Iterator[LocalExecutor]:
    executor = LocalExecutor(4)
    yield executor
    executor.close()


@pytest.fixture
def bench(shared_executor: LocalExecutor, tmp_path: Path) -> Iterator[Bench]:
    """A bench over an executor that all tests share: none of them may harm it."""
    bench = Bench(shared_executor, tmp_path)
    yield bench
    assert not shared_executor._running, "a test left something running"


@pytest.fixture
def own_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes benches with executors of their own."""
    made: list[LocalExecutor] = []

    def make(workers: int = 2, *args: Any, **options: Any) -> Bench:
        made.append(LocalExecutor(workers, *args, **options))
        return Bench(made[-1], tmp_path)

    yield make
    for executor in made:
        executor.close()
