"""Which runs each row of the table shows. Runs of another build are rows of their own, never mixed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tunesmith.bench.contenders import contender
from tunesmith.bench.contenders.base import Contender
from tunesmith.bench.plan import Plan
from tunesmith.bench.store import Run
from tunesmith.errors import UsageError
from tunesmith.history import Array


@dataclass(frozen=True)
class Source:
    """The runs behind one row.

    Attributes:
        kind: `live`, `earlier` or `recorded`.
        values: Metric after each evaluation, by task and seed; None where there is no such run.
    """

    label: str
    kind: str
    values: Callable[[str, int], Array | None]
    runs: tuple[Run, ...] = field(default=(), repr=False)


def sources_of(plan: Plan, runs: Sequence[Run], only: Sequence[str] = ()) -> list[Source]:
    """Recorded rows first, then the contenders in the suite's order, each followed by its earlier build.

    An earlier build is shown while the present one has not finished as many tasks; of several, the
    one with most runs.
    """
    listed = [] if only else [Source(label, "recorded", get) for label, get in plan.suite.recorded.items()]
    planned = [optimiser.name for optimiser in plan.contenders]
    order = list(dict.fromkeys([*plan.suite.contenders, *planned, *sorted({run.contender for run in runs})]))
    for name in order:
        if only and name not in (*only, plan.suite.reference):
            continue
        mine = [r for r in runs if r.contender == name and r.seed < plan.seeds]
        if not mine:
            continue
        now = [run for run in mine if _is_current(run, _known(name), plan)]
        if now:
            listed.append(_source(name, "live", now, plan.evaluations))
        other = [run for run in mine if run not in now]
        builds = {run.version for run in other}
        if builds and len(now) < len(plan.tasks) * plan.seeds:
            most = max(sorted(builds), key=lambda build: sum(run.version == build for run in other))
            chosen = [run for run in other if run.version == most]
            if len(chosen) > len(now):
                listed.append(_source(f"{name}, earlier build {most}", "earlier", chosen, plan.evaluations))
    return listed


def _known(name: str) -> Contender | None:
    try:
        return contender(name)
    except UsageError:
        return None  # its module is gone, its stored runs are not


def _is_current(run: Run, optimiser: Contender | None, plan: Plan) -> bool:
    task = next(task for task in plan.tasks if task.name == run.task)
    return optimiser is not None and run.key == Run.key_of(task, optimiser, run.seed)


def _source(label: str, kind: str, runs: list[Run], evaluations: int) -> Source:
    table = {(run.task, run.seed): run.array(evaluations) for run in runs}  # the newest of a pair comes last
    return Source(label, kind, lambda task, seed: table.get((task, seed)), tuple(runs))
