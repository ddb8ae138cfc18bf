"""Which stages, settings and samples a bank holds, and which values of a space it lacks."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.stages import FloatRange, Range
from tunesmith.tools.pipelines.bank import open_bank
from tunesmith.tools.pipelines.running import CONFIRMED_FROM


class Held(NamedTuple):
    """The samples of one stage with one setting."""

    stage: str
    model: str
    temperature: float | None
    prompt: str | None
    rounds: int
    """Of which there are samples; 1 but for a stage that repeats."""
    items: int
    inputs: int
    samples: int
    """Of every input at least, fusions left out."""
    fusions: int

    def __str__(self) -> str:
        setting = [self.model]
        if self.temperature is not None:
            setting.append(f"temperature {self.temperature:g}")
        if self.prompt is not None:
            setting.append(f"prompt {self.prompt}")
        more = f", {self.fusions:,} fusions" if self.fusions else ""
        rounds = f", {self.rounds} rounds" if self.rounds > 1 else ""
        return (
            f"{self.stage}  {', '.join(setting)}: {self.items:,} items, {self.inputs:,} inputs, "
            f"{self.samples:,} samples each{more}{rounds}"
        )


def coverage(path: Path) -> list[Held]:
    """What a bank holds, by stage and setting, of the items of the search.

    Raises:
        PipelineError: It cannot be read.
    """
    bank = open_bank(path)
    counts: dict[tuple[str, str, float | None, str | None], dict[tuple[str, str, int], list[int]]] = {}
    for key, _ in bank.everything():
        if abs(key.sample) < CONFIRMED_FROM:
            inputs = counts.setdefault((key.stage, key.model, key.temperature, key.prompt), {})
            inputs.setdefault((key.item, key.input, key.turn), []).append(key.sample)
    bank.close()
    held = []
    for setting, inputs in counts.items():
        drawn = [sum(number >= 0 for number in numbers) for numbers in inputs.values()]
        held.append(
            Held(
                *setting,
                rounds=1 + max(turn for _, _, turn in inputs),
                items=len({item for item, _, _ in inputs}),
                inputs=sum(count > 0 for count in drawn),
                samples=min((count for count in drawn if count), default=0),
                fusions=sum(number < 0 for numbers in inputs.values() for number in numbers),
            )
        )
    return held


def lacking(held: list[Held], settings: PipelineSettings) -> list[str]:
    """The values of a pipeline's space of which a bank has no samples, or too few, a line for each.

    Of a stage that is there, outputs of earlier stages may still be lacking; a replay says which.
    """
    missing = []
    known = {row[:4]: row for row in held}
    for name, stage in settings.stages.items():
        offered = [_values(stage.offered(field)) for field in ("model", "temperature", "prompt")]
        counts = stage.offered("samples")
        most = counts.high if isinstance(counts, (Range, FloatRange)) else max(counts)
        for model, temperature, prompt in itertools.product(*offered):
            told = stage.models[str(model)].id or str(model)
            row = known.get((name, told, None if temperature is None else float(temperature), prompt))
            setting = f"{name}.model = {model}"
            setting += "" if temperature is None else f" with {name}.temperature = {temperature:g}"
            setting += "" if prompt is None else f" with {name}.prompt = {prompt}"
            if row is None:
                missing.append(setting)
            elif row.samples < most and stage.offered("agree") == (0,):
                missing.append(f"{name}.samples above {row.samples} for {setting}")
    return missing


def _values(offered: Any) -> tuple[Any, ...]:
    if isinstance(offered, (Range, FloatRange)):
        return (offered.low, offered.high)
    assert isinstance(offered, tuple)
    return offered or (None,)
