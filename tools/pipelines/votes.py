"""How the samples of many states become one output each: the rules of `aggregation.py` on arrays.

Symbols: R states, S samples of each. Sums run over samples in their order, so that they round as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import UsageError
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.tools.pipelines.aggregation import PASSES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SampleArrays:
    """All samples of a stage with one model, temperature and prompt; row i is of `states[i]`."""

    states: Ints
    """Shape (R,), rising: the states that have samples."""
    leads: Ints
    """Shape (R, S): the state that a sample's output leads to. Samples agree where it is the same."""
    weights: Floats | None = None
    """Shape (R, S), for the aggregator `weighted`; None: all are 1."""
    checks: Floats | None = None
    """Shape (R, S): the verifier's scores, for best_of_n and check_then_vote."""
    fused: Mapping[int, Ints] = field(default_factory=dict)
    """Shape (R,) by the number of samples: the state that their fusion leads to."""


class Aggregated(NamedTuple):
    """Arrays of shape (R,)."""

    leads: Ints
    drawn: Ints
    """Samples that were needed; fewer than were allowed where they agreed before."""
    fused: NDArray[np.bool_]
    """Whether one more call joined them."""


def aggregated(arrays: SampleArrays, choice: StageChoice, states: Ints) -> Aggregated:
    """What a stage's choice makes of the samples of some states.

    Raises:
        UsageError: There are no samples of a state, too few of them, or none of the verifier's scores.
    """
    rows = np.searchsorted(arrays.states, states)
    rows = np.minimum(rows, len(arrays.states) - 1)
    if not np.array_equal(arrays.states[rows], states):
        missing = states[arrays.states[rows] != states]
        raise UsageError(f"{choice.stage}: no samples of {choice.model} for state {missing[0]}")
    allowed = choice.samples
    if arrays.leads.shape[1] < allowed:
        raise UsageError(
            f"{choice.stage}: {allowed} samples of {choice.model} are asked for, and there are "
            f"{arrays.leads.shape[1]}"
        )
    leads = arrays.leads[rows, :allowed]
    needs_check = choice.aggregator in ("best_of_n", "check_then_vote")
    if needs_check and arrays.checks is None:
        raise UsageError(f"{choice.stage}: {choice.aggregator} needs the verifier's scores (`checks`)")
    checks = arrays.checks[rows, :allowed] if needs_check and arrays.checks is not None else None
    counts: Floats = np.ones(leads.shape)
    if choice.aggregator == "check_then_vote" and checks is not None:
        counts = (checks >= PASSES).astype(float)
    drawn, agreed = _drawn(leads, counts, choice.agree)
    seen = np.arange(allowed) < drawn[:, None]
    fused: NDArray[np.bool_] = np.zeros(len(states), dtype=bool)
    if choice.aggregator == "best_of_n" and checks is not None:
        winner = np.argmax(np.where(seen, checks, -np.inf), axis=1)
    else:
        if choice.aggregator == "weighted" and arrays.weights is not None:
            counts = arrays.weights[rows, :allowed]
        elif choice.aggregator == "check_then_vote":
            none = ~np.asarray((seen & (counts > 0)).any(axis=1))
            counts = np.where(none[:, None], 1.0, counts)
        able = seen & (counts > 0) if choice.aggregator == "check_then_vote" else seen
        winner = _most(leads, counts, able)
    ended = leads[np.arange(len(states)), winner]
    if choice.aggregator == "fusion":
        fused = (drawn > 1) & ~agreed
        for n in np.unique(drawn[fused]):
            if int(n) not in arrays.fused:
                raise UsageError(f"{choice.stage}: no fusion of {n} samples of {choice.model}")
            of_n = fused & (drawn == n)
            ended[of_n] = arrays.fused[int(n)][rows[of_n]]
    return Aggregated(ended, drawn, fused)


def _drawn(leads: Ints, counts: Floats, agree: int | None) -> tuple[Ints, NDArray[np.bool_]]:
    """How many samples are drawn until `agree` of those that count lead to the same, and whether they do."""
    rows, allowed = leads.shape
    if agree is None:
        return np.full(rows, allowed), np.zeros(rows, dtype=bool)
    drawn, agreed = np.full(rows, allowed), np.zeros(rows, dtype=bool)
    for j in range(allowed):
        same: Floats = ((leads[:, : j + 1] == leads[:, j : j + 1]) * counts[:, : j + 1]).sum(axis=1)
        now = ~agreed & (counts[:, j] > 0) & (same >= agree)
        drawn[now] = j + 1
        agreed |= now
    return drawn, agreed


def _most(leads: Ints, counts: Floats, able: NDArray[np.bool_]) -> Ints:
    """The place of the first sample whose output has the most, of those able to win; shape (R,)."""
    totals = np.zeros(leads.shape)
    for j in range(leads.shape[1]):
        totals += (leads == leads[:, j : j + 1]) * np.where(able[:, j], counts[:, j], 0.0)[:, None]
    first: Ints = np.argmax(np.where(able, totals, -np.inf), axis=1)
    return first
