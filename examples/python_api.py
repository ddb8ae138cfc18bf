"""Tune a function from Python: softmax regression on digits, written out in numpy.

    python examples/python_api.py

`train` may be a closure or a notebook cell; it runs in processes of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import tunesmith
from tunesmith import Float, Int

pixels, labels = load_digits(return_X_y=True)  # (1797, 64) in 0..16, (1797,)
order = np.random.default_rng(0).permutation(len(labels))  # fixed: the split is part of the problem
fit, held = order[:300], order[300:900]


def train(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    rng = np.random.default_rng(trial.seed)
    x, y = pixels[fit] / 16.0, np.eye(10)[labels[fit]]  # (300, 64), (300, 10) one-hot
    weights, velocity = np.zeros((64, 10)), np.zeros((64, 10))
    accuracy = 0.0
    for epoch in range(30):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // config["batch_size"]):
            logits = x[rows] @ weights  # (b, 10)
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            gradient = x[rows].T @ (p - y[rows]) / len(rows) + config["weight_decay"] * weights  # (64, 10)
            velocity = config["momentum"] * velocity - config["learning_rate"] * gradient
            weights = weights + velocity
        accuracy = float(np.mean((pixels[held] @ weights).argmax(axis=1) == labels[held]))
        trial.report(accuracy, epoch)
        if trial.should_prune():
            break
    return {"val_accuracy": accuracy}


def main(trials: int = 16) -> tunesmith.Result:
    result = tunesmith.tune(
        train,
        {
            "learning_rate": Float(1e-3, 10.0, scale="log"),
            "momentum": Float(0.0, 0.98),
            "weight_decay": Float(1e-6, 1e-1, scale="log"),
            "batch_size": Int(4, 100, scale="log"),
        },
        metric="val_accuracy",
        direction="maximize",
        trials=trials,
        default={"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-4, "batch_size": 32},
        description="Softmax regression by SGD on 300 images of digits.",
        workers=2,
    )
    print(f"best {result.best_value:.4f} with {dict(result.best or {})}")
    print(f"report: {result.report}")
    return result


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
