"""The stages of the pipeline as Python functions; task.yaml names them.

The three take lists (`batch`): the samples that a trial needs of some items come in one call, so that arrays
are worked on, not numbers. A sample has its own seed, and would be the same if it were asked for alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from adders import Adder, train_adder
from items import NAMES, digits, draw_candidates, draw_items
from link_models import LinkModel, train_link
from sampling import cumulative, draw, key_of, uniforms

SLOTS = {"memory-300": 300, "memory-800": 800, "memory-2000": 2000, "memory-4500": 4500}
UNITS = {"gru-5": 5, "gru-8": 8, "gru-14": 14, "gru-32": 32}
WEIGHTS = Path(__file__).with_name("models.pt")
SEARCH, CONFIRM = 120, 240
"""Items that trials are judged by, and that only the final choice meets."""
Item = Mapping[str, Any]


def items() -> list[Item]:
    """Questions: three aliases, twelve candidates for each with a number, and the total modulo 9."""
    drawn = draw_items(SEARCH + CONFIRM, seed=0)
    right = np.take_along_axis(drawn.numbers, drawn.place[..., None], 2)[..., 0]
    return [
        {
            "id": f"q{i}",
            "split": "search" if i < SEARCH else "confirm",
            "asked": drawn.asked[i].tolist(),
            "shown": drawn.shown[i].tolist(),
            "numbers": drawn.numbers[i].tolist(),
            "check": int(drawn.check[i]),
            "right": right[i].tolist(),  # only scores look at this
        }
        for i in range(len(drawn))
    ]


def link(
    item: Sequence[Item], model: str, seed: Sequence[int], temperature: float | None = None
) -> list[list[int]]:
    """Stage 1: the numbers of the three candidates that the model takes for those asked for."""
    asked, shown, numbers = (np.array([one[key] for one in item]) for key in ("asked", "shown", "numbers"))
    logits = links()[model].logits(asked, shown)
    place = _sampled(logits, seed, temperature)
    picked: list[list[int]] = np.take_along_axis(numbers, place[..., None], 2)[..., 0].tolist()
    return picked


def add(
    previous: Sequence[Sequence[int]], model: str, seed: Sequence[int], temperature: float | None = None
) -> list[int]:
    """Stage 2: the total of three numbers."""
    logits = adders()[model].logits(digits(np.array(previous)))
    totals: list[int] = (_sampled(logits, seed, temperature) @ 10 ** np.arange(7)).tolist()
    return totals


def repair(
    outputs: Sequence[Mapping[str, Any]], model: str, seed: Sequence[int], temperature: float | None = None
) -> list[int]:
    """Stage 3, only where `failed`: the same numbers once more."""
    return add([one["link"] for one in outputs], model, seed, temperature)


for stage in (link, add, repair):
    setattr(stage, "batch", 512)  # noqa: B010 - a function's own attribute, which type checkers do not know


def verify(item: Item, output: int) -> bool:
    """The public check: casting out nines. A wrong total passes about once in nine times."""
    return output % 9 == int(item["check"])


def failed(item: Item, output: int) -> bool:
    """Whether the stage `repair` is to run."""
    return not verify(item, output)


def score(item: Item, output: int) -> float:
    """Of the pipeline: whether the total is right."""
    return float(output == sum(item["right"]))


def link_score(item: Item, output: Sequence[int]) -> float:
    """Of stage 1 alone: whether all three numbers are right."""
    return float(list(output) == item["right"])


def add_score(outputs: Mapping[str, Any], output: int) -> float:
    """Of stages 2 and 3 alone: whether the total is that of the numbers given, right ones or not."""
    return float(output == sum(outputs["link"]))


@cache
def links() -> dict[str, LinkModel]:
    """The models of stage 1."""
    return {name: LinkModel(memory.numpy(), NAMES) for name, memory in _weights()["link"].items()}


@cache
def adders() -> dict[str, Adder]:
    """The models of stages 2 and 3."""
    models = {}
    for name, state in _weights()["add"].items():
        models[name] = Adder(UNITS[name])
        models[name].load_state_dict(state)
    return models


def train(effort: float = 1.0) -> None:
    """Train the eight models, in a quarter of a minute on one core, and keep them in models.pt.

    Args:
        effort: Share of the usual training steps.
    """
    torch.set_num_threads(1)
    trained = {
        "link": {
            name: torch.from_numpy(
                train_link(slots, NAMES, 1, draw_candidates, steps=int(500 * effort)).memory
            )
            for name, slots in SLOTS.items()
        },
        "add": {
            name: train_adder(hidden, 1, steps=int(1200 * effort)).state_dict()
            for name, hidden in UNITS.items()
        },
    }
    being_written = WEIGHTS.with_suffix(f".{os.getpid()}")
    torch.save(trained, being_written)
    being_written.replace(WEIGHTS)


@cache
def _weights() -> dict[str, Any]:
    if not WEIGHTS.exists():
        train()
    weights: dict[str, Any] = torch.load(WEIGHTS, weights_only=True)
    return weights


def _sampled(logits: np.ndarray, seed: Sequence[int], temperature: float | None) -> np.ndarray:
    """One category a column, (n, columns), for logits (n, columns, categories)."""
    keys = key_of(np.array([one % 2**63 for one in seed]))
    random = uniforms(keys, np.zeros(1, np.int64), logits.shape[1])
    drawn: np.ndarray = draw(cumulative(logits, temperature or 1.0), random)[:, 0].astype(np.int64)
    return drawn
