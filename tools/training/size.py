"""How large a network is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def count_parameters(model: nn.Module, *, trainable: bool = False) -> int:
    """The number of a network's parameters; one that several layers share counts once.

    Args:
        trainable: Only those that training changes.
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad or not trainable)
