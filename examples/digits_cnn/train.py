"""A small CNN on scikit-learn's digits, with few labels: what Tunesmith tunes in this example.

`train` is called once a trial, `test` once a seed for the comparison at the end. Each call runs in a
process of its own; nothing has to be imported from Tunesmith.

The 1,797 real 8x8 images are split once and for all:

    train        300   all that the network ever learns from
    validation   600   what the search looks at
    test         897   never looked at by the search; only `test` reads it
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

EPOCHS = 40  # by then a good configuration has levelled off; more would only cost time
DECAY = 10  # the last epochs lower the learning rate to 0: it halves the noise between seeds, at no cost
BATCH = 32  # ten steps an epoch; the learning rate is tuned, and the two trade off against each other
SPLIT_SEED = 0  # the split is part of the problem, so it never changes with the trial's seed
TRAIN, VALIDATION = 300, 600  # few labels: regularisation and augmentation matter, as they do in practice


def load(part: str) -> tuple[Tensor, Tensor]:
    """Images in [0, 1], shape (n, 1, 8, 8), and labels, shape (n,), of "train", "validation" or "test"."""
    pixels, labels = load_digits(return_X_y=True)  # (1797, 64) in 0..16, (1797,); ships with scikit-learn
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    rows = {
        "train": order[:TRAIN],
        "validation": order[TRAIN : TRAIN + VALIDATION],
        "test": order[TRAIN + VALIDATION :],
    }[part]
    images = torch.tensor(pixels[rows] / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)  # (n, 1, 8, 8)
    return images, torch.tensor(labels[rows])


def build(config: Mapping[str, Any]) -> nn.Module:
    width = config["width"]
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),  # (b, width, 8, 8)
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1),  # (b, 2 width, 8, 8)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (b, 2 width, 4, 4)
        nn.Dropout(config["dropout"]),
        nn.Flatten(),  # (b, 32 width)
        nn.Linear(32 * width, 10),  # (b, 10)
    )


def augment(images: Tensor, shift: float, rotation: float) -> Tensor:
    """Each image moved by up to `shift` pixels and turned by up to `rotation` degrees, at random."""
    if shift == 0 and rotation == 0:
        return images
    n = len(images)
    angle = (2 * torch.rand(n) - 1) * math.radians(rotation)  # (n,)
    move = (2 * torch.rand(n, 2) - 1) * shift / 4  # (n, 2); the image is 8 pixels = 2 units wide
    affine = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1)  # (n, 4)
    affine = torch.cat([affine.view(n, 2, 2), move.view(n, 2, 1)], dim=2)  # (n, 2, 3)
    grid = F.affine_grid(affine, list(images.shape), align_corners=False)  # (n, 8, 8, 2)
    return F.grid_sample(images, grid, align_corners=False)  # (n, 1, 8, 8)


def fit(config: Mapping[str, Any], seed: int, each_epoch: Callable[[int, nn.Module], bool]) -> nn.Module:
    """Train on the 300 images; `each_epoch(epoch, net)` may return True to stop early."""
    torch.manual_seed(seed)  # initial weights, dropout, order of batches, augmentation: all follow from it
    torch.set_num_threads(1)  # the tensors are tiny, and trials run side by side
    images, labels = load("train")
    net = build(config)
    optimizer: torch.optim.Optimizer
    if config["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(
            net.parameters(),
            lr=config["learning_rate"],
            momentum=config["momentum"],
            weight_decay=config["weight_decay"],
        )
    else:
        optimizer = torch.optim.AdamW(
            net.parameters(), lr=config["learning_rate"], weight_decay=config["weight_decay"]
        )
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, (EPOCHS - epoch) / DECAY))
    for epoch in range(EPOCHS):
        net.train()
        for rows in torch.split(torch.randperm(len(labels)), BATCH):
            batch = augment(images[rows], config["shift"], config["rotation"])  # (b, 1, 8, 8)
            loss = F.cross_entropy(net(batch), labels[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        decay.step()
        if each_epoch(epoch, net):
            break
    return net


@torch.no_grad()
def score(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Accuracy and mean negative log-likelihood."""
    net.eval()
    logits = net(images)  # (n, 10)
    accuracy = (logits.argmax(dim=1) == labels).double().mean()
    return accuracy.item(), F.cross_entropy(logits, labels).item()


def train(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    """One trial of the search: learn from the 300, report on the validation images."""
    images, labels = load("validation")

    def report(epoch: int, net: nn.Module) -> bool:
        trial.report(score(net, images, labels)[0], epoch)  # value, then step: Optuna's order
        return bool(trial.should_prune())

    net = fit(config, trial.seed, report)
    accuracy, loss = score(net, images, labels)  # of the last epoch: taking the best one would flatter it
    torch.save({"config": dict(config), "model": net.state_dict()}, trial.checkpoint_dir / "model.pt")
    return {"val_accuracy": accuracy, "val_loss": loss}


def test(config: Mapping[str, Any], trial: Any) -> dict[str, float]:
    """One run of the comparison: the same training with a fresh seed, judged on the untouched test images."""
    net = fit(config, trial.seed, lambda epoch, net: False)
    accuracy, loss = score(net, *load("test"))
    return {"test_accuracy": accuracy, "test_loss": loss}
