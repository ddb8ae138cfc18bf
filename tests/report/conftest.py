"""Runs on real disk, written by the code that writes them in a real run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.histories import DEFAULT, SPACE, proposal
from tunesmith.events import Event, RunFinished, RunStarted, TrialFinished, TrialStarted
from tunesmith.task import Task
from tunesmith.tools.analysis.compare import compare_paired
from tunesmith.tools.analysis.compare_goals import FurtherComparison
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Origin, Outcome, Trial, TrialState


class RunOnDisk:
    """A run folder that a test fills step by step."""

    def __init__(self, runs: Path, **changes: Any) -> None:
        fields: dict[str, Any] = {
            "name": "digits",
            "description": "Digits with few labels.",
            **({} if "metrics" in changes else {"metric": "accuracy", "direction": "maximize"}),
            "space": SPACE,
            "default": DEFAULT,
            "confirm": {"seeds": 3},
            "budget": {"trials": 10, "wall_time": "5m"},
        }
        self.task = Task.model_validate({**fields, **changes})
        self.folder = RunFolder.create(runs, self.task)
        self.path = self.folder.path
        self.at = 1_700_000_000.0

    def tell(self, *events: Event) -> None:
        store = EventStore(self.folder.db)
        for event in events:
            self.at += 1.0
            store.append(event.model_copy(update={"at": self.at}))
        store.close()

    def start(self, *, model: str | None = None, workers: int = 1, resumed: bool = False) -> None:
        self.tell(
            RunStarted(
                name="digits",
                folder=str(self.path),
                strategy="gaussian process",
                policy="rules" if model is None else "agent",
                model=model,
                workers=workers,
                resumed=resumed,
            )
        )

    def trial(
        self,
        number: int,
        value: float | None = None,
        *,
        values: dict[str, Any] | None = None,
        state: TrialState | None = None,
        outcome: dict[str, Any] | None = None,
        measured: dict[str, float] | None = None,
        cost: float | None = None,
        **more: Any,
    ) -> None:
        """A trial: completed where a value is given, else ended as `state`, else left running."""
        filled = {"origin": Origin.SURROGATE, "reason": "It looked good.", **more}
        made = proposal(values or DEFAULT | {"lr": 1e-3 * (1 + number)}, **filled)
        trial = Trial(number=number, proposal=made, seed=40 + number, started_at=self.at, cost=cost)
        self.folder.write_config(trial)
        self.tell(TrialStarted(number=number, proposal=made, seed=40 + number))
        if value is None and state is None:
            return
        ended = Outcome(
            state=state or TrialState.COMPLETED,
            values={} if value is None else {self.task.metric: value, **(measured or {})},
            seconds=2.5,
            **(outcome or {}),
        )
        self.folder.record_outcome(number, ended)
        self.tell(TrialFinished(number=number, outcome=ended, value=value, improved=False))

    def finish(self) -> None:
        self.tell(RunFinished(reason="the budget of 10 trials is used", status="finished"))

    def checkpoint(self, number: int) -> Path:
        folder = self.folder.trial_folder(number) / "checkpoints"
        folder.mkdir(parents=True)
        (folder / "model.pt").write_bytes(b"weights")
        return folder / "model.pt"

    def confirm(
        self,
        best: list[float | None],
        default: list[float | None],
        *,
        trial: int,
        direction: Any = "maximize",
        further: FurtherComparison | None = None,
    ) -> None:
        pairs = [(b, d) for b, d in zip(best, default, strict=True) if b is not None and d is not None]
        compared = compare_paired(
            [b for b, _ in pairs], [d for _, d in pairs], direction=direction, metric="test_accuracy"
        )
        record = {
            "metric": "test_accuracy",
            "direction": direction,
            "trial": trial,
            "seeds": [901 + index for index in range(len(best))],
            "best": best,
            "default": default,
            "comparison": compared.model_dump(mode="json"),
            **({} if further is None else {"further": further.model_dump(mode="json")}),
            "note": "",
            "best_checkpoint": None,
            "at": 1.0,
        }
        (self.path / "confirm.json").write_text(json.dumps(record))


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunOnDisk]:
    def make(**changes: Any) -> RunOnDisk:
        return RunOnDisk(tmp_path / "runs", **changes)

    return make


@pytest.fixture
def whole_run(make_run: Callable[..., RunOnDisk]) -> RunOnDisk:
    """Default, a better one, one stopped early, one crashed, the best, and a comparison."""
    run = make_run()
    run.start()
    run.trial(0, 0.91, values=DEFAULT, origin=Origin.DEFAULT, reason="The configuration to beat.")
    run.trial(1, 0.93, expected=0.92, spread=0.015, evidence=(0,))
    run.trial(2, state=TrialState.PRUNED, outcome={"curve": ((0, 0.3), (1, 0.45))})
    run.trial(
        3,
        state=TrialState.CRASHED,
        outcome={"message": "ValueError: width must be even", "traceback": "line 1\nline 2"},
    )
    run.trial(4, 0.97, values=DEFAULT | {"lr": 0.012345678901234567}, origin=Origin.PRIOR)
    run.checkpoint(4)
    run.confirm([0.95, 0.96, 0.955], [0.90, 0.92, 0.91], trial=4)
    run.finish()
    return run
