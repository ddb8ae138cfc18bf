"""Models that add three numbers: a GRU that reads a column of digits at a time, the last one first.

Small ones forget a carry now and then: what a second sample may put right.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

TOKENS = (21, 7)
"""Prompt: 3 numbers of 7 digits; answer: 7 digits."""


class Adder(nn.Module):
    """Digits of three numbers to the logits of the digits of their total."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gru = nn.GRU(10, hidden, batch_first=True)
        self.digit = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, 10))

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """(n, 7, 10) for digits (n, 3, 7), the last one first."""
        seen = F.one_hot(columns, 10).sum(1).float()  # (n, 7, 10): how often each digit stands in a column
        logits: torch.Tensor = self.digit(self.gru(seen)[0])
        return logits

    def logits(self, columns: np.ndarray) -> np.ndarray:
        """As `forward`, in pieces that fit a cache."""
        with torch.inference_mode():
            pieces = torch.split(torch.from_numpy(columns), 8192)
            return torch.cat([self(piece) for piece in pieces]).numpy()


def weights_of(model: nn.Module) -> int:
    """Number of weights."""
    return sum(weights.numel() for weights in model.parameters())


def train_adder(hidden: int, seed: int, *, steps: int = 1200, batch: int = 128) -> Adder:
    """Train on random triples of numbers below a million; deterministic on one machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, hidden])
    adder = Adder(hidden)
    optimiser = torch.optim.Adam(adder.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.03, total_steps=steps)
    powers = 10 ** np.arange(7)
    for _ in range(steps):
        numbers = rng.integers(0, 1_000_000, (batch, 3))
        columns = torch.from_numpy(numbers[..., None] // powers % 10)
        total = torch.from_numpy(numbers.sum(1)[:, None] // powers % 10)
        loss = F.cross_entropy(adder(columns).flatten(0, 1), total.flatten())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return adder.eval()
