"""What a call of the bench is about: which tasks, seeds and contenders, and which runs are missing."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.bench.contenders import contender
from tunesmith.bench.contenders.base import Contender
from tunesmith.bench.pool import RunSpec
from tunesmith.bench.store import Run
from tunesmith.bench.tails import OURS
from tunesmith.bench.task import BenchTask, Suite
from tunesmith.errors import MissingExtra, UsageError

QUICK_SEEDS = 2


@dataclass(frozen=True)
class Plan:
    """The runs that a call is about.

    Attributes:
        contenders: Who is to run; the table shows stored runs of others as well.
        left_out: Contenders that cannot take part here, with the reason.
        narrowed: What was left out of a full run on purpose, in words; empty for a full run.
    """

    suite: Suite
    tasks: tuple[BenchTask, ...]
    contenders: tuple[Contender, ...]
    seeds: int
    evaluations: int
    left_out: tuple[str, ...] = ()
    narrowed: tuple[str, ...] = ()

    @property
    def window(self) -> tuple[int, int]:
        """First and last evaluation, from 1, of the window that regret is averaged over."""
        return min(self.suite.window_from, self.evaluations), self.evaluations

    def missing(self, runs: Sequence[Run]) -> list[RunSpec]:
        """The runs that are not stored yet: task by task, cheap ones first."""
        done = {run.key for run in runs if len(run.values) >= self.evaluations}
        return [
            RunSpec(task.name, optimiser.name, seed, self.evaluations)
            for task in self.tasks
            for optimiser in self.contenders
            if takes_part(optimiser, task)
            for seed in range(self.seeds)
            if Run.key_of(task, optimiser, seed) not in done
        ]


def takes_part(optimiser: Contender, task: BenchTask) -> bool:
    """Whether a contender can run on a task."""
    return not optimiser.needs_fidelities or task.fidelities is not None


def make_plan(
    suite: Suite,
    *,
    contenders: Sequence[str] = (),
    tasks: Sequence[str] = (),
    seeds: int | None = None,
    evaluations: int | None = None,
    quick: bool = False,
) -> Plan:
    """The plan for what was asked.

    Args:
        contenders: Names; empty means the suite's own (or a few, if `quick`).
        tasks: Shell patterns of task names; empty means all.
        quick: A few cheap tasks, contenders and seeds.

    Raises:
        UsageError: No task or contender has such a name, or a named contender cannot run here.
    """
    every = tuple(suite.tasks())
    chosen, narrowed = every, list[str]()
    if tasks:
        for pattern in tasks:
            if not any(fnmatch.fnmatchcase(task.name, pattern) for task in every):
                there = ", ".join(task.name for task in every)
                raise UsageError(f"no task of {suite.name} fits {pattern!r}; there are {there}.")
        chosen = tuple(t for t in every if any(fnmatch.fnmatchcase(t.name, p) for p in tasks))
    elif quick:
        chosen = tuple(task for task in every if task.name in suite.quick)
    if len(chosen) < len(every):
        narrowed.append(f"{len(chosen)} of {len(every)} tasks")
    wanted_seeds = seeds if seeds is not None else min(QUICK_SEEDS, suite.seeds) if quick else suite.seeds
    if wanted_seeds < suite.seeds:
        narrowed.append(f"{wanted_seeds} of {suite.seeds} seeds")
    names = list(dict.fromkeys(contenders)) or list(
        (OURS, suite.reference, "random") if quick else suite.contenders
    )
    taking_part, left_out = list[Contender](), list[str]()
    for name in names:
        optimiser = contender(name)
        reason = optimiser.missing
        if not reason and not any(takes_part(optimiser, task) for task in chosen):
            reason = f"the contender {name} needs tasks that can be evaluated in part; {suite.name} has none"
        if reason and contenders:
            raise (MissingExtra if optimiser.missing else UsageError)(reason)
        if reason:
            left_out.append(reason)
        else:
            taking_part.append(optimiser)
    if quick and not contenders and len(taking_part) < len(suite.contenders):
        narrowed.append(f"{len(taking_part)} of {len(suite.contenders)} contenders")
    steps = evaluations if evaluations is not None else suite.evaluations
    if steps < suite.evaluations:
        narrowed.append(f"{steps} of {suite.evaluations} evaluations")
    return Plan(suite, chosen, tuple(taking_part), wanted_seeds, steps, tuple(left_out), tuple(narrowed))
