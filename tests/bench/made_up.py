"""A suite small enough for tests, and runs made up for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tunesmith.bench.contenders import contender
from tunesmith.bench.store import Run, setting
from tunesmith.bench.task import BenchTask, Fidelities, Given, Suite, Values
from tunesmith.space import Categorical, Float, Int, Space

SPACE = Space(
    {
        "kind": Categorical(["round", "flat"]),
        "x": Float(0, 1),
        "n": Int(1, 8),
        "slope": Float(0.01, 1, scale="log", when={"kind": "flat"}),
    }
)
DEFAULT: Values = {"kind": "round", "x": 0.1, "n": 2}


def score(c: Values) -> float:
    """At most 1; NaN in a corner."""
    if float(c["x"]) > 0.95:
        return math.nan
    extra = 0.0 if c["kind"] == "round" else float(c["slope"]) / 10
    return 1 - (float(c["x"]) - 0.6) ** 2 - abs(int(c["n"]) - 5) / 20 - extra


def curve(c: Values) -> Iterator[float]:
    """Comes up to the score within 9 steps."""
    for step in range(1, 10):
        yield score(c) - (9 - step) / 20


def make_task(name: str = "hill", family: str = "") -> BenchTask:
    return BenchTask(
        name=name,
        space=SPACE,
        direction="maximize",
        metric="score",
        default=DEFAULT,
        words="a hill",
        evaluate=score,
        fidelities=Fidelities(9, curve),
        family=family,
    )


def make_suite(names: Sequence[str], *, given: tuple[Given, ...] = (), evaluations: int = 4) -> Suite:
    made = tuple(make_task(name, "even" if i % 2 else "odd") for i, name in enumerate(names))
    return Suite(
        name="made-up",
        about="made up for a test",
        tasks=lambda: made,
        contenders=("tunesmith", "gp+default", "random"),
        evaluations=evaluations,
        seeds=2,
        window_from=3,
        quick=tuple(names[:1]),
        shown_family="even",
        given=given,
    )


def make_run(
    task: BenchTask, name: str, seed: int, values: Sequence[float | None], version: str | None = None
) -> Run:
    optimiser = contender(name)
    return Run(
        task=task.name,
        contender=name,
        version=optimiser.version if version is None else version,
        setting=setting(task, optimiser.reads_words),
        seed=seed,
        values=tuple(values),
        cpu_s=2.0,
        proposal_s=0.5,
        proposals=len(values),
        versions={"optuna": "5.0.0"},
    )
