"""Two spirals, told apart by a network of one hidden layer: the data is generated, numpy does the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

EPOCHS = 60


def spirals(points: int, seed: int) -> tuple[Any, Any]:
    """Noisy points of two spirals, shape (points, 2), and which of the two each belongs to."""
    random = np.random.default_rng(seed)
    along = np.sqrt(random.random(points)) * 3 * np.pi
    label = random.integers(0, 2, points)
    angle = along + np.pi * label
    x = np.stack([along * np.cos(angle), along * np.sin(angle)], 1) / 8
    return x + random.normal(0, 0.04, x.shape), label


def hidden(x: Any, net: list[Any]) -> Any:
    return np.tanh(x @ net[0] + net[1])


def accuracy(x: Any, label: Any, net: list[Any]) -> float:
    return float((((hidden(x, net) @ net[2] + net[3]) > 0) == label).mean())


def fit(config: dict[str, Any], seed: int, trial: Any) -> list[Any]:
    """Weights after training by momentum; reports accuracy on held-out points after every epoch."""
    random = np.random.default_rng(seed)
    x, label = spirals(600, 1)
    held_x, held_label = spirals(600, 2)
    width = config["width"]
    net = [
        random.normal(0, config["init_scale"], (2, width)),
        random.normal(0, config["init_scale"], width),
        random.normal(0, 1 / np.sqrt(width), width),
        np.zeros(()),
    ]
    speed = [np.zeros_like(part) for part in net]
    for epoch in range(EPOCHS):
        for rows in np.split(random.permutation(600), range(config["batch_size"], 600, config["batch_size"])):
            h = hidden(x[rows], net)
            error = (1 / (1 + np.exp(-np.clip(h @ net[2] + net[3], -30, 30))) - label[rows]) / len(rows)
            back = error[:, None] * net[2] * (1 - h * h)
            slopes = [x[rows].T @ back, back.sum(0), h.T @ error, error.sum()]
            for i, slope in enumerate(slopes):
                speed[i] = config["momentum"] * speed[i] - config["learning_rate"] * slope
                net[i] = np.nan_to_num(
                    net[i] * (1 - config["learning_rate"] * config["weight_decay"]) + speed[i]
                )
        trial.report(accuracy(held_x, held_label, net), epoch + 1)
        if trial.should_prune():
            break
    return net


def train(config: dict[str, Any], trial: Any) -> dict[str, float]:
    """One trial: accuracy on the points that training does not see."""
    held_x, held_label = spirals(600, 2)
    return {"accuracy": accuracy(held_x, held_label, fit(config, trial.seed, trial))}


def test(config: dict[str, Any], trial: Any) -> dict[str, float]:
    """For the comparison at the end: accuracy on points that the search has never seen."""
    test_x, test_label = spirals(2000, 3)
    return {"accuracy": accuracy(test_x, test_label, fit(config, trial.seed, trial))}
