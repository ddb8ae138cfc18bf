"""The models that stages are put together from: six sizes of each kind, and a verifier of totals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from tunesmith.bench.pipelines.link_and_add.adders import Adder, train_adder, weights_of
from tunesmith.bench.pipelines.link_and_add.items import NAMES, draw_candidates
from tunesmith.bench.pipelines.link_and_add.link_models import LinkModel, train_link
from tunesmith.bench.pipelines.link_and_add.sampling import cumulative, draw
from tunesmith.bench.pipelines.link_and_add.verifier import Verifier, train_verifier

LINKS = (300, 800, 1200, 2000, 3000, 4500)
"""Slots of memory."""
ADDERS = (5, 8, 11, 14, 20, 32)
"""Hidden units."""


@dataclass(frozen=True)
class Pool:
    """Trained models by size."""

    links: dict[int, LinkModel]
    adders: dict[int, Adder]
    verifier: Verifier

    @property
    def parameters(self) -> dict[str, dict[int, int]]:
        """Number of weights, by stage and size."""
        return {
            "link": {size: model.parameters for size, model in self.links.items()},
            "add": {size: weights_of(model) for size, model in self.adders.items()},
        }


def train_pool(
    seed: int, links: tuple[int, ...] = LINKS, adders: tuple[int, ...] = ADDERS, *, effort: float = 1.0
) -> Pool:
    """Train every model; the same on one machine whenever it is done.

    Args:
        effort: Share of the usual training steps.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        trained = {size: train_adder(size, seed, steps=int(1200 * effort)) for size in adders}
        weakest = trained[min(adders)]

        def propose(columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            return draw(cumulative(weakest.logits(columns)), rng.random((len(columns), 1, 7)))[:, 0]

        return Pool(
            {size: train_link(size, NAMES, seed, draw_candidates, steps=int(500 * effort)) for size in links},
            trained,
            train_verifier(propose, seed, steps=int(2500 * effort)),
        )
    finally:
        torch.set_num_threads(threads)
