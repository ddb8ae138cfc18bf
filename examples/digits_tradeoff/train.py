"""A small network on scikit-learn's digits: as accurate as possible with as few parameters as possible.

`train` is called once a trial, `test` once a seed for the comparison at the end. Both return every metric
that the task names. The 1,797 real 8x8 images are split once and for all into 600 for training, 500 for
validation (what the search looks at) and 697 for the test (never looked at by the search).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

BATCH = 50
SPLIT_SEED = 0  # the split is part of the problem, so it never changes with the trial's seed
TRAIN, VALIDATION = 600, 500


def load(part: str) -> tuple[Tensor, Tensor]:
    """Images in [0, 1], shape (n, 64), and labels, shape (n,), of "train", "validation" or "test"."""
    pixels, labels = load_digits(return_X_y=True)  # (1797, 64) in 0..16, (1797,); ships with scikit-learn
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    rows = {
        "train": order[:TRAIN],
        "validation": order[TRAIN : TRAIN + VALIDATION],
        "test": order[TRAIN + VALIDATION :],
    }[part]
    return torch.tensor(pixels[rows] / 16.0, dtype=torch.float32), torch.tensor(labels[rows])


def build(config: Mapping[str, Any]) -> nn.Sequential:
    """Layers of `width` units, `depth` of them, between the 64 pixels and the 10 classes."""
    sizes = [64] + [config["width"]] * config["depth"]
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(config["dropout"])]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 10))


def fit(config: Mapping[str, Any], seed: int, each_epoch: Callable[[int, nn.Module], bool]) -> nn.Module:
    """Train for `epochs`; `each_epoch(epoch, net)` may return True to stop early."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the tensors are tiny, and trials run side by side
    images, labels = load("train")
    net = build(config)
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
    )
    for epoch in range(1, config["epochs"] + 1):
        net.train()
        for rows in torch.split(torch.randperm(TRAIN), BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(images[rows]), labels[rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if each_epoch(epoch, net):
            break
    return net


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@torch.no_grad()
def correct(net: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which images are classified correctly, as 0 or 1, shape (n,)."""
    net.eval()
    right: Tensor = net(images).argmax(dim=1) == labels
    return right.float()


def train(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    images, labels = load("validation")

    def report(epoch: int, net: nn.Module) -> bool:
        trial.report(float(correct(net, images, labels).mean()), epoch)
        return bool(trial.should_prune())

    net = fit(config, trial.seed, report)
    scores = correct(net, images, labels)
    trial.report_items(scores.tolist())  # right or wrong for each image: compares two trials image by image
    return {"val_accuracy": float(scores.mean()), "parameters": parameters(net)}


def test(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    net = fit(config, trial.seed, lambda epoch, net: False)
    accuracy = float(correct(net, *load("test")).mean())
    return {"val_accuracy": accuracy, "parameters": parameters(net)}
