"""Random streams by name: every stream derives from the task's seed and its purpose.

Nothing in Tunesmith draws from a global generator, so a stream's numbers depend on what it is for
and on how far the run has come, not on the order of threads. A resumed run therefore continues
with the very numbers an uninterrupted one would have used.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A seed in [0, 2**31) for one purpose, such as `derive_seed(7, "trial", 12)`."""
    text = "\x1f".join([str(seed), *(str(part) for part in purpose)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") & 0x7FFFFFFF


def rng_for(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator of its own for one purpose."""
    return np.random.default_rng(derive_seed(seed, *purpose))
