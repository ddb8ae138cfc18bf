"""A steered run that is stopped in the middle goes on as if it had not been: same seed, same trials."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tunesmith.commands import (
    AddChoice,
    ChangeBudget,
    Command,
    Freeze,
    Narrow,
    Pause,
    SetPrior,
    Stop,
    Try,
    Undo,
)
from tunesmith.events import CommandDone, Event, TrialFinished, TrialStarted
from tunesmith.space import Categorical, Float, Int
from tunesmith.tools.records.event_store import EventStore
from tunesmith.trial import Trial

SPACE = {"x": Float(-5.0, 5.0), "k": Int(1, 8), "kind": Categorical(["a", "b"])}
STEERED: Mapping[int, Sequence[Command]] = {
    2: [Narrow(parameter="x", low=-2.0, high=4.0)],
    4: [SetPrior(parameter="x", best=1.0), Try(values={"x": 0.5}, fill=True)],
    6: [Freeze(parameter="k", value=3)],
    9: [ChangeBudget(more_trials=2), AddChoice(parameter="kind", choices=("c",))],
    11: [Undo()],
}
"""Commands by the trial during which each is carried out."""


def session(
    runs: Path, at: Mapping[int, Sequence[Command]], stop_after: int | None = None
) -> tuple[Trial, ...]:
    """One session; every trial ends after the commands of its number have been followed.

    Args:
        stop_after: The trial after which the run is stopped, with none running.
    """
    folder, waiting = runs / "job", dict[int, int]()  # command id -> trial
    runs.mkdir(exist_ok=True)

    def train(config: Any, trial: Any) -> float:
        wanted = runs / f"followed {trial.number}"
        while trial.number in at and not wanted.exists():
            time.sleep(0.005)
        kinds = {"a": 0.0, "b": 0.5, "c": -0.3}
        return (config["x"] - 1.3) ** 2 + abs(config.get("k", 3) - 4) / 4 + kinds[config["kind"]]

    def post(*commands: Command) -> list[int]:
        with closing(EventStore(folder / "run.db")) as log:
            return [log.post(command) for command in commands]

    def listen(event: Event) -> None:
        match event:
            case TrialStarted(number=number) if number in at:
                waiting.update(dict.fromkeys(post(*at[number]), number))
            case CommandDone() if event.command_id in waiting:
                number = waiting.pop(event.command_id)
                assert event.ok, event.reply
                if number not in waiting.values():
                    (runs / f"followed {number}").touch()
            case TrialFinished(number=number) if number == stop_after:
                post(Stop())

    result = tunesmith.tune(
        train,
        SPACE,
        metric="loss",
        direction="minimize",
        trials=12,
        default={"x": 3.0, "k": 2, "kind": "a"},
        name="job",
        runs=runs,
        model=None,
        tuner="numeric",
        seed=5,
        workers=1,
        confirm_seeds=0,
        listen=listen,
    )
    return result.history.every


@pytest.mark.long
def test_a_steered_run_that_was_stopped_makes_the_trials_of_one_that_was_not(tmp_path: Path) -> None:
    stop_after = 7
    whole = session(tmp_path / "whole", STEERED)
    assert len(whole) == 14
    stopped = {**STEERED, stop_after: [*STEERED.get(stop_after, ()), Pause()]}
    half = session(tmp_path / "stopped", stopped, stop_after)
    assert len(half) == stop_after + 1 and all(t.finished for t in half)
    resumed = session(tmp_path / "stopped", {n: c for n, c in STEERED.items() if n > stop_after})
    shown = [
        [(t.number, dict(t.configuration), t.proposal.origin, t.seed, t.value) for t in trials]
        for trials in (whole, resumed)
    ]
    assert shown[0] == shown[1]
