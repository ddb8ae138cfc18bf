"""Models that look facts up: a memory of hashed aliases, 8 numbers a slot, trained on which go together.

A memory with fewer slots than there are aliases lets several share one: it is wrong where they are confused,
however often it is asked.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

DIMENSIONS = 8
TOKENS = (36, 3)
"""Prompt: 3 x 12 candidates; answer: 3 places."""


class LinkModel:
    """Scores candidates for an alias by the inner product of the slots of the two."""

    def __init__(self, memory: np.ndarray, names: int) -> None:
        self.memory = memory
        """(slots, 8)"""
        self._slot = np.random.default_rng(0).permutation(names) % len(memory)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return int(self.memory.size)

    def logits(self, asked: np.ndarray, shown: np.ndarray) -> np.ndarray:
        """(..., 12) for aliases asked for, (...), and candidates, (..., 12)."""
        query = self.memory[self._slot[asked]]
        logits: np.ndarray = np.einsum("...d,...cd->...c", query, self.memory[self._slot[shown]])
        return logits


def train_link(
    slots: int,
    names: int,
    seed: int,
    draw_candidates: Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]],
    *,
    steps: int = 500,
    batch: int = 1024,
) -> LinkModel:
    """Train a memory on random questions; deterministic on one machine.

    Args:
        draw_candidates: From aliases (batch,) and a generator to candidates (batch, 12) and the right places.
    """
    rng = np.random.default_rng([seed, slots])
    random = torch.Generator().manual_seed(seed)
    memory = (0.3 * torch.randn(slots, DIMENSIONS, generator=random)).requires_grad_()
    model = LinkModel(memory.detach().numpy(), names)
    slot = torch.from_numpy(model._slot)
    optimiser = torch.optim.Adam([memory], lr=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=steps)
    for _ in range(steps):
        asked = rng.integers(0, names, batch)
        shown, place = draw_candidates(asked, rng)
        query = memory[slot[torch.from_numpy(asked)]]
        keys = memory[slot[torch.from_numpy(shown)]]
        loss = F.cross_entropy((keys * query[:, None]).sum(-1), torch.from_numpy(place))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return LinkModel(memory.detach().numpy().copy(), names)
