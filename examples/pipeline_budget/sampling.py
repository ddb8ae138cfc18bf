"""Drawing answers: random numbers that depend on a key alone, and categories by logits at a temperature.

A sample is the same whether it is drawn alone, live, or among a million for a bank, because its random
numbers are a hash of what it is: item, stage, model, input, number of the sample
(SplitMix; Steele et al., 2014).
"""

from __future__ import annotations

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def key_of(*parts: np.ndarray | int) -> np.ndarray:
    """One 64-bit key for whole numbers or arrays of them, which are broadcast."""
    key = np.zeros((), np.uint64)
    for part in parts:
        key = _scrambled(key ^ np.asarray(part, np.int64).astype(np.uint64))
    return key


def uniforms(key: np.ndarray, samples: np.ndarray, columns: int) -> np.ndarray:
    """In [0, 1), shape (*key.shape, len(samples), columns)."""
    of_sample = _scrambled(np.asarray(key)[..., None] ^ np.asarray(samples).astype(np.uint64))
    of_column = _scrambled(of_sample[..., None] ^ np.arange(columns, dtype=np.uint64))
    random: np.ndarray = (of_column >> np.uint64(11)) * 2.0**-53
    return random


def cumulative(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Cumulative probabilities over the last axis, the last one exactly 1."""
    scaled = logits.astype(np.float64) / temperature
    weight = np.exp(scaled - scaled.max(-1, keepdims=True)).cumsum(-1)
    probability: np.ndarray = weight / weight[..., -1:]
    return probability


def draw(cumulated: np.ndarray, random: np.ndarray) -> np.ndarray:
    """Categories for numbers in [0, 1), (n, samples, columns); `cumulated` is (n, columns, categories)."""
    drawn = np.zeros(random.shape, np.int8)
    for category in range(
        cumulated.shape[-1] - 1
    ):  # one pass a category: no (n, samples, columns, categories)
        drawn += random >= cumulated[:, None, :, category]
    return drawn


def _scrambled(key: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        z = key + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX[0]
        z = (z ^ (z >> np.uint64(27))) * _MIX[1]
        return np.asarray(z ^ (z >> np.uint64(31)))
