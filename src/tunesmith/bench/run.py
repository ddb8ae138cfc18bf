"""The bench from its beginning to its end: plan, missing runs, summary, pages."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from tunesmith.bench.contenders import contender
from tunesmith.bench.plan import Plan, make_plan
from tunesmith.bench.pool import Failure, Pool, RunSpec
from tunesmith.bench.store import Run, Store
from tunesmith.bench.suites import open_suite
from tunesmith.bench.summary import Summary, summarise
from tunesmith.bench.task import SuiteOptions
from tunesmith.extras import require
from tunesmith.text.literal import literal
from tunesmith.text.terminal import REWRITE

EVERY_S = 10.0
"""Between two lines of progress where stderr is no terminal."""


@dataclass(frozen=True)
class Outcome:
    """What a call of the bench leaves.

    Attributes:
        failures: Runs that could not be made.
        files: The page, the pictures and the JSON document, as written.
    """

    summary: Summary
    failures: tuple[Failure, ...]
    files: tuple[Path, ...]


class Ended(Protocol):
    """What is told of a run that has ended."""

    @property
    def task(self) -> str: ...
    @property
    def contender(self) -> str: ...
    @property
    def seed(self) -> int: ...


@dataclass
class Progress:
    """One line on stderr, rewritten on a terminal, and now and then elsewhere."""

    total: int
    out: TextIO = field(default_factory=lambda: sys.stderr)
    done: int = 0
    _shown: float = 0.0
    _running: list[RunSpec] = field(default_factory=list)

    def started(self, spec: RunSpec) -> None:
        self._running.append(spec)
        self._show()

    def ended(self, run: Ended) -> None:
        key = (run.task, run.contender, run.seed)
        self._running = [o for o in self._running if (o.task, o.contender, o.seed) != key]
        self.done += 1
        self._show(run.task if self.done == self.total else "")

    def close(self) -> None:
        if self.out.isatty() and self._shown:
            print(REWRITE, end="", file=self.out, flush=True)

    def _show(self, last: str = "") -> None:
        now = time.monotonic()
        terminal = self.out.isatty()
        if not terminal and not last and now - self._shown < EVERY_S:
            return
        self._shown = now
        running = ", ".join(f"{o.contender} on {o.task}, seed {o.seed}" for o in self._running[-2:])
        text = literal(f"{self.done} of {self.total} runs" + (f"; {running}" if running else ""))
        text = text.replace("\n", " ")
        if terminal:
            width = os.get_terminal_size(self.out.fileno()).columns
            print(f"{REWRITE}{text[: max(width - 1, 20)]}", end="", file=self.out, flush=True)
        else:
            print(text, file=self.out, flush=True)


def bench(
    what: Sequence[str],
    *,
    contenders: Sequence[str] = (),
    tasks: Sequence[str] = (),
    seeds: int | None = None,
    evaluations: int | None = None,
    jobs: int | None = None,
    seconds: float = float("inf"),
    quick: bool = False,
    report: bool = False,
    fresh: Sequence[str] = (),
    results: Path = Path("benchmarks"),
    options: SuiteOptions | None = None,
) -> Outcome:
    """Make the runs that are missing, and write what all stored runs say.

    Ctrl-C keeps every run that has ended; so does a kill. The same call goes on.

    Args:
        what: A suite's name, or task files.
        contenders: The optimisers to run; with `report`, those to show beside the reference.
        tasks: Shell patterns of task names.
        jobs: Processes at a time; None means one a core.
        seconds: No run is started after so many.
        quick: A few tasks, contenders and seeds.
        report: Run nothing.
        fresh: Contenders whose stored runs are forgotten first.
        results: Folder of the suites' folders.
        options: For a suite that is made for its data.
    Raises:
        UsageError: Something named does not exist or cannot be used.
        MissingExtra: The suite needs a package that is not installed.
        KeyboardInterrupt: Passed on once the processes have ended.
    """
    options = options or SuiteOptions()
    suite = open_suite(what, options)
    plan = make_plan(
        suite, contenders=contenders, tasks=tasks, seeds=seeds, evaluations=evaluations, quick=quick
    )
    folder = results / suite.name
    store = Store(folder)
    for name in fresh:
        if not store.drop(name):
            contender(name)  # an unknown name should not pass for a contender without runs
    failures: list[Failure] = []
    if not report:
        failures = _make(plan, store, what, options, jobs or os.cpu_count() or 1, seconds)
    runs = store.load()
    summary = summarise(plan, runs, only=contenders if report else (), damaged=store.damaged)
    partial = bool(plan.narrowed) or (report and bool(contenders))
    files: tuple[Path, ...] = ()
    if summary.rows:
        from tunesmith.bench.pages import write_pages

        files = write_pages(summary, folder / "partial" if partial else folder)
    return Outcome(summary, tuple(failures), files)


def _make(
    plan: Plan, store: Store, what: Sequence[str], options: SuiteOptions, jobs: int, seconds: float
) -> list[Failure]:
    missing = plan.missing(store.load())
    if not missing:
        return []
    for module in plan.suite.needs:
        require(module, f"the suite {plan.suite.name}")
    progress = Progress(len(missing))

    def done(run: Run) -> None:
        store.append([run])
        progress.ended(run)

    try:
        with Pool(what, options, min(jobs, len(missing))) as pool:
            return pool.run(missing, done, started=progress.started, seconds=seconds)
    finally:
        progress.close()
