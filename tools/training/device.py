"""Choosing where to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.extras import require

if TYPE_CHECKING:
    import torch


def best_device() -> torch.device:
    """CUDA where there is a usable GPU, else Apple's MPS, else the CPU.

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    require("torch", "best_device")
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
