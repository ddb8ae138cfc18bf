"""A small network on 400 digits: a real training of six epochs whose first one tells little of the last."""

from __future__ import annotations

from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import nn

from tunesmith.space import Float, Int, Space
from tunesmith.trial import Configuration

SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "batch": Int(8, 64, scale="log"),
        "weight_decay": Float(0.0, 0.1),
        "clip": Float(0.1, 5.0, scale="log"),
    }
)
DEFAULT = SPACE.validate({"lr": 0.012, "batch": 16, "weight_decay": 0.0, "clip": 1.0})
EPOCHS = 6


@cache
def data() -> tuple[torch.Tensor, torch.Tensor]:
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)


def train(configuration: Configuration, seed: int) -> list[tuple[int, float]]:
    """Validation accuracy on 600 digits after each epoch; the step size falls to 0 within them."""
    torch.manual_seed(seed % 2**31)
    (x, y), batch = data(), int(configuration["batch"])
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=float(configuration["lr"]), weight_decay=float(configuration["weight_decay"])
    )
    per_epoch = 400 // batch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 1 - s / (EPOCHS * per_epoch))
    curve = []
    for epoch in range(1, EPOCHS + 1):
        for rows in torch.randperm(400).split(batch)[:per_epoch]:
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), float(configuration["clip"]))
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            hits = model(x[400:1000]).argmax(1) == y[400:1000]
        curve.append((epoch, float(hits.float().mean())))
    return curve
