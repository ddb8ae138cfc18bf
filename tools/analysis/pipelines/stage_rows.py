"""An allocation stage by stage: what is chosen, what it costs, and what a trial measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_costs
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text.numbers import plain_value
from tunesmith.trial import Trial


@dataclass(frozen=True)
class StageRow:
    """One stage of one allocation."""

    choice: StageChoice
    known_cost: float
    """For one item, units of the cost model, known before the run."""
    cost: float | None
    """The same as measured; None where no trial measured it."""
    calls: float | None
    """Calls of the model for one item, mean."""
    share: float | None
    """Share of the items that the stage ran on, in [0, 1]."""
    score: float | None
    """The stage's own score, in [0, 1]; None where the stage has none."""

    @property
    def spent(self) -> float:
        """Measured cost, else the known one."""
        return self.known_cost if self.cost is None else self.cost

    @property
    def text(self) -> str:
        """`large x 4, vote`, with what differs from a single plain sample only."""
        return choice_text(self.choice)


def stage_rows(options: PipelineSettings, trial: Trial) -> tuple[StageRow, ...]:
    """The stages of a trial's allocation, in order."""
    return rows_of(options, trial.configuration, trial.values)


def rows_of(
    options: PipelineSettings, configuration: Mapping[str, object], values: Mapping[str, float]
) -> tuple[StageRow, ...]:
    """As `stage_rows`.

    Args:
        values: What the trial measured, by metric; empty: nothing.
    """
    known = stage_costs(options, configuration)
    return tuple(
        StageRow(
            choice,
            known[choice.stage],
            *(values.get(f"{choice.stage}.{name}") for name in ("cost", "calls", "share", "score")),
        )
        for choice in options.allocation(configuration)
    )


def choice_text(choice: StageChoice) -> str:
    """What a stage does, in few words."""
    if choice.rounds == 0:
        return "left out"
    text = f"{choice.model} x {choice.samples}"
    if choice.samples > 1:
        text += f", {choice.aggregator.replace('_', ' ')}"
    if choice.agree is not None and choice.samples > 1:
        text += f", stops at {choice.agree} alike"
    if choice.rounds > 1:
        text += f", {choice.rounds} rounds"
    if choice.temperature is not None:
        text += f", temperature {plain_value(choice.temperature)}"
    return text + (f", prompt {choice.prompt}" if choice.prompt is not None else "")
