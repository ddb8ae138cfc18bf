"""`ReplayTable` of a recorded bank: its turns are those that a trial takes, each taken once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.kind import Pipeline
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.bank import open_samples
from tunesmith.tools.pipelines.items import Item, load_items, split_items
from tunesmith.tools.pipelines.plain import plain
from tunesmith.tools.pipelines.running import CONFIRMED_FROM, Runner, State, is_the_trials
from tunesmith.tools.pipelines.samples import Samples
from tunesmith.tools.pipelines.stage_code import load_judge, load_stages
from tunesmith.tools.pipelines.store import SampleKey, Spend
from tunesmith.tools.pipelines.table import Floats, Ints, ReplayTable, Taken

_NO, _YES, _FAILED = 0, 1, 2


def replay_table(settings: PipelineSettings, folder: Path, *, part: str = "search") -> ReplayTable:
    """A table of the bank that a pipeline names; what the bank lacks is refused, whatever `replay` says.

    Args:
        folder: The task's; its files are relative to it.
        part: `search` or `confirm`: whose items it has.
    Raises:
        PipelineError, ObjectiveError: Items, callables or the bank cannot be used.
    """
    given = Pipeline().given(settings.model_copy(update={"replay": True}))
    pipeline = given["pipeline"]
    split = split_items(load_items(pipeline["items"], folder), seed=settings.split_seed, **pipeline["split"])
    stages = load_stages(given, folder)
    runner = Runner(
        stages,
        load_judge(settings.score, folder),
        _Kept(open_samples(pipeline, stages, folder, None)),
        seed=settings.split_seed,
        first=CONFIRMED_FROM if part == "confirm" else 0,
    )
    return ReplayTable(BankSource(runner, split.confirm if part == "confirm" else split.search), settings)


class BankSource:
    """States of a pipeline as they come up, by number."""

    def __init__(self, runner: Runner, items: Sequence[Item]) -> None:
        self._runner, self._sees_outputs = runner, runner.sees_outputs
        self.items = tuple(item.id for item in items)
        self.stages = tuple(stage.name for stage in runner.stages)
        self._states: list[State] = []
        self._numbers: dict[tuple[str, str, str, bool], int] = {}
        self._scores = _Known()
        self._own = [_Known() for _ in self.stages]
        self._asked = [_Known() for _ in self.stages]
        for item in items:
            self._number(runner.start(item))

    def take(self, stage: int, turn: int, choice: StageChoice, states: Ints) -> Taken:
        taken = self._runner.take(stage, turn, choice, [self._states[i] for i in states])
        return Taken(
            np.array([self._number(one.state) for one in taken]),
            np.array([one.cost for one in taken]),
            np.array([one.calls for one in taken]),
        )

    def asked(self, stage: int, states: Ints) -> tuple[NDArray[np.bool_], Ints]:
        said = self._asked[stage].of(states, lambda state: self._gate(stage, state))
        failed = said == _FAILED
        if failed.any():
            states = states.copy()
            states[failed] = [self._failed(int(state)) for state in states[failed]]
        return said == _YES, states

    def scores(self, states: Ints) -> Floats:
        return self._scores.of(states, self._score)

    def stage_scores(self, stage: int, states: Ints) -> Floats | None:
        if self._runner.stages[stage].score is None:
            return None
        return self._own[stage].of(states, lambda state: self._own_score(stage, state))

    def first_fault(self) -> Exception | None:
        """What the task's code raised for an item."""
        return next((state.fault for state in self._states if state.fault is not None), None)

    def _number(self, state: State) -> int:
        outputs = plain(dict(state.outputs), "outputs")[1] if self._sees_outputs else ""
        key = (state.item.id, state.text, outputs, state.fault is not None)
        if key not in self._numbers:
            self._numbers[key] = len(self._states)
            self._states.append(state)
        return self._numbers[key]

    def _failed(self, state: int) -> int:
        whole = self._states[state]
        return self._number(replace(whole, fault=whole.fault or RuntimeError("a gate failed")))

    def _gate(self, stage: int, state: int) -> float:
        try:
            return _YES if self._runner.asked(stage, self._states[state]) else _NO
        except Exception as error:
            if is_the_trials(error):
                raise
            return _FAILED

    def _score(self, state: int) -> float:
        try:
            return self._runner.score(self._states[state])
        except Exception as error:
            if is_the_trials(error):
                raise
            return 0.0

    def _own_score(self, stage: int, state: int) -> float:
        score = self._runner.stage_score(stage, self._states[state])
        return np.nan if score is None else score


class _Known:
    """A number for each state, worked out once."""

    def __init__(self) -> None:
        self._values = np.empty(0)
        self._known = np.empty(0, dtype=bool)

    def of(self, states: Ints, work: Callable[[int], float]) -> Floats:
        if len(states) and (highest := int(states.max())) >= len(self._values):
            more = highest + 1  # doubles it at least
            self._values = np.concatenate([self._values, np.zeros(more)])
            self._known = np.concatenate([self._known, np.zeros(more, dtype=bool)])
        for state in np.unique(states[~self._known[states]]):
            self._values[state] = work(int(state))
            self._known[state] = True
        return self._values[states]


class _Kept(Samples):
    """Samples that are looked up once and then kept in memory."""

    def __init__(self, samples: Samples) -> None:
        super().__init__(None, samples.bank, bank_name=samples.bank_name, only_recorded=True)
        self.notes = samples.notes
        self._kept: dict[SampleKey, Drawn] = {}

    def get(self, keys: Sequence[SampleKey]) -> dict[SampleKey, Drawn]:
        self._kept.update(super().get([key for key in keys if key not in self._kept]))
        return {key: self._kept[key] for key in keys if key in self._kept}

    def put(self, samples: Mapping[SampleKey, Drawn], spent: Iterable[Spend] = ()) -> dict[SampleKey, Drawn]:
        return {}
