"""Which stages, settings and samples a bank holds, and which values of a space it lacks. Python 3.9."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.errors import BankMiss
from tunesmith.tools.pipelines.bank import open_bank
from tunesmith.tools.pipelines.running import CONFIRMED_FROM

MOST_SHOWN = 4
"""Values that a message names."""


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
    most: int
    """Samples of the input that has most; in later rounds an exact recording needs fewer of some inputs."""

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


def coverage(path: Path, beside: Path | None = None) -> list[Held]:
    """What a bank holds, by stage and setting, of the items of the search.

    Args:
        beside: As of `open_bank`.
    Raises:
        PipelineError: It cannot be read.
    """
    bank = open_bank(path, beside)
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
                most=max(drawn, default=0),
            )
        )
    return held


def lacking(held: Sequence[Held], asked: Mapping[str, Any]) -> list[str]:
    """The values of a pipeline's space of which a bank has no samples, or too few, a line for each.

    Of a stage that is there, single outputs of earlier stages may still be lacking; a replay says which.

    Args:
        asked: What the space can ask for (`tunesmith.pipeline.asked.asked_of_bank`).
    """
    missing = []
    known = {row[:4]: row for row in held}
    for name, of_stage in asked.items():
        fields = (of_stage["models"].items(), of_stage["temperatures"], of_stage["prompts"])
        for (model, told), temperature, prompt in itertools.product(*fields):
            row = known.get((name, told, temperature, prompt))
            setting = f"{name}.model = {model}"
            setting += "" if temperature is None else f" with {name}.temperature = {temperature:g}"
            setting += "" if prompt is None else f" with {name}.prompt = {prompt}"
            if row is None:
                missing.append(setting)
            elif row.most < of_stage["samples"]:
                missing.append(f"{name}.samples above {row.most} for {setting}")
    return missing


def check_coverage(bank: Path, asked: Mapping[str, Any], beside: Path | None = None) -> None:
    """Make sure that a bank has samples for every value of a space.

    Raises:
        BankMiss: It lacks some; the message names them.
        PipelineError: It cannot be read.
    """
    missing = lacking(coverage(bank, beside), asked)
    if missing:
        more = f", and {len(missing) - MOST_SHOWN:,} values more" if len(missing) > MOST_SHOWN else ""
        raise BankMiss(
            f"{bank.name} lacks {', '.join(missing[:MOST_SHOWN])}{more}; leave them out of the space, record "
            "them, or set `replay: false`"
        )
