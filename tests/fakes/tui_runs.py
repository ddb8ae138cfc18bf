"""Runs to look at: real folders with a real event log, filled by the test instead of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tunesmith.events import Event, RunStarted, TrialFinished, TrialReported, TrialStarted
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.lock import hold
from tunesmith.trial import Configuration, Origin, Outcome, Proposal, TrialState

TASK = """
name: digits
metric: val_accuracy
direction: maximize
objective: {function: "train.py:train"}
space:
  learning_rate: {type: float, low: 1.0e-5, high: 0.1, scale: log}
  optimizer: {type: categorical, choices: [adamw, sgd]}
budget: {trials: 16, wall_time: 10m}
"""


class Run:
    """One run folder, written to as the engine would."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.store = EventStore(folder / "run.db")
        self._held = ExitStack()

    def hold(self) -> None:
        """Be the process that runs it."""
        self._held.enter_context(hold(self.folder / "lock"))

    def let_go(self) -> None:
        self._held.close()

    def tell(self, *events: Event) -> None:
        self.store.append_many(events)

    def commands(self) -> list[Any]:
        return [command for _, command in self.store.take_commands()]


def begun(**changes: Any) -> RunStarted:
    given: dict[str, Any] = dict(
        name="digits", folder="/r", strategy="gp", policy="rules", model=None, workers=2, resumed=False
    )
    return RunStarted(**(given | changes))


def started(number: int, **changes: Any) -> TrialStarted:
    values = changes.pop("values", {"learning_rate": 0.003, "optimizer": "adamw"})
    given: dict[str, Any] = dict(
        configuration=Configuration(values, f"{number:016x}"),
        origin=Origin.SURROGATE,
        reason=f"because of {number}",
    )
    return TrialStarted(number=number, seed=number, proposal=Proposal(**(given | changes)))


def ended(
    number: int,
    value: float | None,
    *,
    improved: bool = False,
    state: TrialState | None = None,
    surprise: float | None = None,
    **outcome: Any,
) -> TrialFinished:
    state = state or (TrialState.CRASHED if value is None else TrialState.COMPLETED)
    return TrialFinished(
        number=number,
        value=value,
        improved=improved,
        surprise=surprise,
        outcome=Outcome(state=state, seconds=2.0, **outcome),
    )


def trials(values: Sequence[float], first: int = 0) -> list[Event]:
    """Completed trials with these values, of which larger is better, one report each."""
    events: list[Event] = []
    best = float("-inf")
    for number, value in enumerate(values, first):
        events += [
            started(number),
            TrialReported(number=number, step=1, value=value / 2),
            ended(number, value, improved=value > best),
        ]
        best = max(best, value)
    return events
