"""Seeding the global random generators that training code uses."""

from __future__ import annotations

import importlib.util
import random
import sys


def seed_everything(seed: int, *, only_loaded: bool = False) -> None:
    """Seed the global generators of `random`, NumPy and, where it is installed, PyTorch (every device).

    A trial is seeded so with its own seed before `train` is called; call it again to start a part of the
    training from a seed of its own. It makes no GPU kernel deterministic: see
    `torch.use_deterministic_algorithms`.

    Args:
        seed: An integer >= 0; taken modulo 2**32 for NumPy.
        only_loaded: Leave out libraries that have not been imported, instead of importing them.
    """
    random.seed(seed)
    if not only_loaded or "numpy" in sys.modules:
        import numpy as np

        np.random.seed(seed % 2**32)
    if "torch" in sys.modules or (not only_loaded and importlib.util.find_spec("torch") is not None):
        import torch

        torch.manual_seed(seed)
