"""What a search over allocations did not try."""

from __future__ import annotations

from tunesmith.history import History
from tunesmith.pipeline.allocation import FIELDS
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.stages import FloatRange, Range
from tunesmith.text.numbers import counted, plain_value
from tunesmith.trial import TrialState


def untried(options: PipelineSettings, history: History) -> tuple[str, ...]:
    """Sentences without full stops: how much of the space was run, and what no trial of a stage ever used."""
    ran = [t for t in history.trials if t.state in (TrialState.COMPLETED, TrialState.PRUNED)]
    told = []
    different = len({trial.configuration.digest for trial in ran})
    size = options.space.cardinality
    if size is not None:
        budget = "" if options.item_budget is None else ", those beyond the item budget counted,"
        told.append(f"{different} of {counted(size, 'allocation')}{budget} were run")
    used: dict[tuple[str, str], set[object]] = {}
    for trial in ran:
        for choice in options.allocation(trial.configuration):
            for field in FIELDS:
                value = getattr(choice, field)
                used.setdefault((choice.stage, field), set()).add(
                    0 if field == "agree" and not value else value
                )
    for name, stage in options.stages.items():
        for field in FIELDS:
            if stage.parameter(field) is None:
                continue
            offered, seen = stage.offered(field), used.get((name, field), set())
            if isinstance(offered, Range | FloatRange):
                numbers = [value for value in seen if isinstance(value, int | float)]
                if numbers and (min(numbers) > offered.low or max(numbers) < offered.high):
                    ran_from, ran_to, low, high = map(
                        plain_value, (min(numbers), max(numbers), offered.low, offered.high)
                    )
                    told.append(f"{name}.{field}: {ran_from} to {ran_to} was run, of {low} to {high}")
                continue
            left = [value for value in offered if value not in seen]
            if left:
                shown = ", ".join("none" if value in (None, 0) else plain_value(value) for value in left)
                told.append(f"{name}.{field}: never {shown}")
    return tuple(told)
