"""The callables of a pipeline's stages, loaded from what a task says. Python 3.9, standard library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import PipelineError
from tunesmith.pipeline.allocation import BY_SAMPLE
from tunesmith.pipeline.rates import Rates, read_rates
from tunesmith.tools.pipelines.calling import Called

OFFERED = ("model", "temperature", "prompt", "seed", "outputs", "candidates", "sample", "round", "stage")
"""What a stage's callable is given beside `item` and `previous`, where it has a parameter of that name."""


@dataclass(frozen=True)
class StageCode:
    """One stage, ready to run."""

    name: str
    answer: Called | None
    """(item, previous, ...) -> output, or `tunesmith.pipeline.Sample`; None: a bank has all its samples."""
    models: Mapping[str, str]
    """What the callable is told of a model: the provider's id, or its name in the task."""
    rates: Mapping[str, Rates]
    """What calls of a model cost."""
    gate: Called | None = None
    """(item, output, outputs) -> whether the stage runs."""
    verify: Called | None = None
    """(item, output, outputs) -> score; larger is better."""
    score: Called | None = None
    """(item, output, outputs) -> score of the stage's own output, in [0, 1]."""

    @property
    def takes_outputs(self) -> bool:
        """Whether the callable takes the outputs of all earlier stages; they are part of its input then."""
        return self.answer is not None and "outputs" in self.answer.takes


def load_stages(given: Mapping[str, Any], folder: Path) -> tuple[StageCode, ...]:
    """The stages of `trial.given`, in order. In a replay a stage needs no callable.

    Raises:
        ObjectiveError: A callable is not there, or wants something that it cannot be given.
        PipelineError: A stage has no callable.
        Exception: Whatever a file raises while it is imported.
    """
    return tuple(
        _stage(name, stage, given["rates"][name], folder, given["pipeline"]["replay"])
        for name, stage in given["pipeline"]["stages"].items()
    )


def load_judge(reference: str | None, folder: Path) -> Called | None:
    """A callable that is given (item, output, outputs); None for None.

    Raises:
        ObjectiveError: As `load_stages`.
    """
    return None if reference is None else Called(reference, folder, ("item", "output"), ("outputs",))


def _stage(
    name: str, stage: Mapping[str, Any], rates: Mapping[str, Any], folder: Path, replay: bool
) -> StageCode:
    called = stage["call"]
    if called is None and not replay:
        raise PipelineError(
            f"stages.{name}: no `call` names its callable; write `call: stages.py:{name}`, or a command that "
            "runs an item"
        )
    return StageCode(
        name,
        None if called is None else Called(called, folder, ("item", "previous"), OFFERED),
        {model: known.get("id") or model for model, known in stage["models"].items()},
        {model: read_rates(known) for model, known in rates.items()},
        gate=load_judge(stage["when"], folder),
        verify=None if stage["verify"] == BY_SAMPLE else load_judge(stage["verify"], folder),
        score=load_judge(stage["score"], folder),
    )
