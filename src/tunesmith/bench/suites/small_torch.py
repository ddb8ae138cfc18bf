"""Small real PyTorch trainings: a second or less an evaluation, with learning curves as fidelities.

Data: scikit-learn's digits, and data generated here from a fixed seed. Every training is seeded and runs on
one thread, so that a configuration always gives the same value on one machine. Defaults are PyTorch's own
for the optimiser and a plain size for the rest. Nine epochs, so that Hyperband's rungs are 1, 3 and 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from tunesmith.bench.suites.spaces import read_spaces
from tunesmith.bench.task import BenchTask, Fidelities, Suite, Values
from tunesmith.history import Direction

EPOCHS = 9
Split = tuple[Any, Any, Any, Any]
"""Training inputs and targets, validation inputs and targets; tensors."""


@cache
def digits(images: bool) -> Split:
    """600 training and 600 validation digits, pixels in [0, 1]; (n, 64), or (n, 1, 8, 8) as images."""
    import torch
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))[:1200]
    inputs = torch.tensor(X[order] / 16.0, dtype=torch.float32)
    inputs = inputs.reshape(-1, 1, 8, 8) if images else inputs
    targets = torch.tensor(y[order], dtype=torch.long)
    return inputs[:600], targets[:600], inputs[600:], targets[600:]


@cache
def friedman() -> Split:
    """Friedman's first regression function, 10 inputs of which 5 matter; 500 + 500 rows, standardised."""
    import torch

    rng = np.random.default_rng(1)
    X = rng.random((1000, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    y = y + rng.normal(size=1000)
    inputs = torch.tensor((X - 0.5) * np.sqrt(12), dtype=torch.float32)
    targets = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)[:, None]
    return inputs[:500], targets[:500], inputs[500:], targets[500:]


@cache
def sequences() -> Split:
    """Twelve noisy steps (n, 12, 2) of an oscillation; which of three periods is it? 500 + 500 rows."""
    import torch

    rng = np.random.default_rng(2)
    label = rng.integers(3, size=1000)
    period = np.array([4.0, 5.0, 6.5])[label][:, None]
    time = np.arange(12)[None, :] + rng.random((1000, 1)) * 6.5
    wave = np.stack([np.sin(2 * np.pi * time / period), np.cos(2 * np.pi * time / period)], axis=2)
    inputs = torch.tensor(wave + rng.normal(scale=0.6, size=wave.shape), dtype=torch.float32)
    targets = torch.tensor(label, dtype=torch.long)
    return inputs[:500], targets[:500], inputs[500:], targets[500:]


def train(
    network: Any, optimiser: Any, split: Split, batch: int, clip: float | None = None
) -> Iterator[float]:
    """Validation accuracy (classes) or mean squared error (numbers) by epoch; NaN ends a diverged one."""
    import torch
    from torch.nn import functional as F

    X, y, X_val, y_val = split
    loss: Any
    classes = y.dtype == torch.long
    order = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        network.train()
        shuffled: Any = torch.randperm(len(X), generator=order)
        for rows in shuffled.split(batch):
            out = network(X[rows])
            loss = F.cross_entropy(out, y[rows]) if classes else F.mse_loss(out, y[rows])
            optimiser.zero_grad()
            loss.backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimiser.step()
        network.eval()
        with torch.no_grad():
            out = network(X_val)
            good = (out.argmax(1) == y_val).float().mean() if classes else F.mse_loss(out, y_val)
        if not (math.isfinite(float(good)) and bool(torch.isfinite(out).all())):
            yield math.nan
            return
        yield float(good)


def mlp_adamw(c: Values) -> Iterator[float]:
    """A perceptron with one hidden layer on digits, AdamW."""
    import torch
    from torch import nn

    width = int(c["hidden_units"])
    network = nn.Sequential(
        nn.Linear(64, width), nn.ReLU(), nn.Dropout(float(c["dropout"])), nn.Linear(width, 10)
    )
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=float(c["learning_rate"]), weight_decay=float(c["weight_decay"])
    )
    return train(network, optimiser, digits(False), int(c["batch_size"]))


def cnn_sgd(c: Values) -> Iterator[float]:
    """A small convolutional network on digits, SGD."""
    import torch
    from torch import nn

    channels = int(c["channels"])
    network = nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(channels * 16, 10),
    )
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=float(c["learning_rate"]),
        momentum=float(c["momentum"]),
        weight_decay=float(c["weight_decay"]),
    )
    return train(network, optimiser, digits(True), 32)


def regression(c: Values) -> Iterator[float]:
    """A deeper perceptron for numbers; the momentum exists for SGD only."""
    import torch
    from torch import nn

    width, activation = int(c["width"]), {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
    sizes = [10] + [width] * int(c["layers"])
    parts: list[Any] = []
    for before, after in zip(sizes, sizes[1:], strict=False):
        parts += [nn.Linear(before, after), activation[str(c["activation"])]()]
    network = nn.Sequential(*parts, nn.Linear(width, 1))
    rate = float(c["learning_rate"])
    if c["optimizer"] == "sgd":
        optimiser: Any = torch.optim.SGD(network.parameters(), lr=rate, momentum=float(c["momentum"]))
    else:
        optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    return train(network, optimiser, friedman(), 32)


def recurrent(c: Values) -> Iterator[float]:
    """A GRU over short sequences, Adam with clipped gradients."""
    import torch
    from torch import nn

    class Last(nn.Module):
        def __init__(self, hidden: int) -> None:
            super().__init__()
            self.gru = nn.GRU(2, hidden, batch_first=True)
            self.head = nn.Linear(hidden, 3)

        def forward(self, x: Any) -> Any:
            return self.head(self.gru(x)[0][:, -1])

    network = Last(int(c["hidden_size"]))
    optimiser = torch.optim.Adam(network.parameters(), lr=float(c["learning_rate"]))
    return train(network, optimiser, sequences(), int(c["batch_size"]), clip=float(c["gradient_clip"]))


def _task(curve: Callable[[Values], Iterator[float]]) -> BenchTask:
    entry = read_spaces("small_torch.yaml")[curve.__name__]
    direction: Direction = entry.more["direction"]

    def seeded(configuration: Values) -> Iterator[float]:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        return curve(configuration)

    def evaluate(configuration: Values) -> float:
        *_, last = seeded(configuration)
        return last

    return BenchTask(
        name=curve.__name__,
        space=entry.space,
        direction=direction,
        metric="accuracy" if direction == "maximize" else "mean squared error",
        default=entry.default,
        words=entry.more["words"],
        evaluate=evaluate,
        fidelities=Fidelities(EPOCHS, seeded),
    )


@cache
def tasks() -> tuple[BenchTask, ...]:
    return tuple(map(_task, (regression, mlp_adamw, recurrent, cnn_sgd)))


SUITE = Suite(
    name="torch",
    about=(
        "4 small PyTorch trainings of 9 epochs; regret (best - y) / (best - median of random) against the "
        "best of all stored runs, clipped to [0, 1]; Hyperband is given as many epochs as the others and "
        "judged by its whole trainings"
    ),
    tasks=tasks,
    contenders=(
        "tunesmith",
        "tunesmith-no-priors",
        "gp+default",
        "tpe+default",
        "cmaes+default",
        "hyperband+default",
        "gp",
        "tpe",
        "cmaes",
        "hyperband",
        "random",
    ),
    quick=("regression", "mlp_adamw"),
    needs=("torch", "sklearn"),
    prepare=lambda: (digits(False), digits(True), friedman(), sequences()),
)
