"""A small learned verifier of totals: how likely it is that a total is right, by a GRU over the columns.

It is imperfect, and the best of many samples by its score is more and more often one that it is wrong about.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Verifier(nn.Module):
    """Digits of three numbers and of a total to how likely it is right."""

    def __init__(self, hidden: int = 8) -> None:
        super().__init__()
        self.gru = nn.GRU(20, hidden, batch_first=True)
        self.right = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, 1))

    def forward(self, columns: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
        """Log probability that all columns are right, (n,), for digits (n, 3, 7) and (n, 7)."""
        seen = torch.cat([F.one_hot(columns, 10).sum(1), F.one_hot(total, 10)], 2).float()
        return F.logsigmoid(self.right(self.gru(seen)[0])[..., 0]).sum(1)

    def scores(self, columns: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Probability of being right, (n,)."""
        with torch.inference_mode():
            pieces = [torch.split(torch.from_numpy(digits), 8192) for digits in (columns, total)]
            return torch.cat([torch.exp(self(*piece)) for piece in zip(*pieces, strict=True)]).numpy()


def train_verifier(
    propose: Callable[[np.ndarray, np.random.Generator], np.ndarray],
    seed: int,
    *,
    hidden: int = 8,
    steps: int = 2500,
    batch: int = 128,
) -> Verifier:
    """Train on right totals and on a model's wrong ones; deterministic on one machine.

    Args:
        propose: From digits (n, 3, 7) and a generator to the digits of sampled totals (n, 7).
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, hidden, 1])
    powers = 10 ** np.arange(7)
    numbers = rng.integers(0, 1_000_000, (40_000, 3))
    columns, right = numbers[..., None] // powers % 10, numbers.sum(1)[:, None] // powers % 10
    wrong = propose(columns, rng).astype(np.int64)
    mistaken = np.flatnonzero((wrong != right).any(1))
    verifier = Verifier(hidden)
    optimiser = torch.optim.Adam(verifier.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.03, total_steps=steps)
    for _ in range(steps):
        good, bad = rng.integers(0, len(numbers), batch // 2), rng.choice(mistaken, batch // 2)
        rows = np.concatenate([good, bad])
        total = np.concatenate([right[good], wrong[bad]])
        is_right = torch.arange(batch) < batch // 2
        right_by = verifier(torch.from_numpy(columns[rows]), torch.from_numpy(total)).exp()
        loss = F.binary_cross_entropy(right_by, is_right.float())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return verifier.eval()
