"""Candidates by crossover, mutation and random exploration, for when the scores have become flat.

AgentTTS (arXiv 2508.00890) suggests them in words where the recent scores hardly differ; its code has them,
and never calls them. Here they are candidates like any other, drawn from the history and a seed alone:

    a child     parents by rank among the best; with probability CROSSED each stage is that of either parent,
                else it is the better parent; with probability MUTATED one of its stages is changed: another
                choice of one of its categories, or up to STEP more or fewer samples
    exploring   every fourth candidate is uniform over the space
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.agent.methods.random import draw
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.tools.analysis.guidelines import judged_by
from tunesmith.trial import Configuration, Origin, Proposal, Provenance, Trial, Value

CROSSED, MUTATED, STEP = 0.8, 0.5, 10
"""As in AgentTTS's code."""
CANDIDATES, EXPLORING = 8, 4
PARENTS = 8
ATTEMPTS = 12
FLAT_TRIALS = 5
"""Scores that are looked at when it is said that they hardly differ."""
FLAT = 0.01
"""Spread up to which they do: standard deviation, as a share of 1 or of the largest score."""
EVOLVED = "evolved"
"""`Provenance.stage` of a candidate."""


def scores_are_flat(history: History) -> bool:
    """Whether the latest scores hardly differ, so that they say nothing of where to go on."""
    metric, _ = judged_by(history)
    latest = [_score(t, metric) for t in history.completed[-FLAT_TRIALS:]]
    known = np.array([value for value in latest if value is not None])
    if len(known) < FLAT_TRIALS:
        return False
    return bool(known.std() <= FLAT * max(1.0, float(np.abs(known).max())))


def evolved(history: History, seed: int, n: int = CANDIDATES) -> list[Proposal]:
    """Up to `n` new, legal candidates; none while the scores are not flat. Pure: history and seed decide."""
    if not scores_are_flat(history):
        return []
    rng = rng_for(seed, EVOLVED, len(history), len(history.pending))
    metric, sign = judged_by(history)
    ranked = sorted(
        (t for t in history.feasible or history.completed if _score(t, metric) is not None),
        key=lambda t: (-sign * (_score(t, metric) or 0.0), t.number),
    )[:PARENTS]
    found: dict[str, Proposal] = {}
    for place in range(n):
        taken = history.taken | found.keys()
        made = None if place % EXPLORING == EXPLORING - 1 else _child(history.space, ranked, rng, taken)
        if made is None and (drawn := draw(history.space, rng, taken)) is not None:
            reason = "Uniform over the space: the recent scores hardly differ."
            made = Proposal(configuration=drawn, origin=Origin.RANDOM, reason=reason)
        if made is not None:
            found[made.configuration.digest] = made.with_provenance(stage=EVOLVED)
    return list(found.values())


def _child(
    space: Space, ranked: Sequence[Trial], rng: np.random.Generator, taken: frozenset[str]
) -> Proposal | None:
    """A new configuration of two of the best trials; None where none was found."""
    weights = np.arange(len(ranked), 0, -1) / (len(ranked) * (len(ranked) + 1) / 2)
    for _ in range(ATTEMPTS):
        first, second = sorted(rng.choice(len(ranked), 2, p=weights))
        one, other = ranked[first], ranked[second]
        crossed, mutated = bool(rng.random() < CROSSED), bool(rng.random() < MUTATED)
        values = _crossed(space, one, other, rng) if crossed else dict(one.configuration)
        if mutated or not crossed:
            _mutate(space, values, rng)
        configuration = _legal(space, values, one.configuration)
        if configuration is None or configuration.digest in taken:
            continue
        parents = (one.number, other.number) if crossed and one is not other else (one.number,)
        named = " and ".join(f"#{number}" for number in parents)
        how = "crossed" if len(parents) == 2 else "changed"
        reason = f"{named} {how}{' and changed' if mutated and len(parents) == 2 else ''}: "
        return Proposal(
            configuration=configuration,
            origin=Origin.LOCAL,
            reason=f"{reason}the recent scores hardly differ.",
            evidence=parents,
            provenance=Provenance(stage=EVOLVED),
        )
    return None


def _crossed(space: Space, one: Trial, other: Trial, rng: np.random.Generator) -> dict[str, Value]:
    """Each part (what a name has before its last dot) from either parent."""
    parts = dict.fromkeys(_part(name) for name in space.names)
    parent = {part: one if rng.random() < 0.5 else other for part in parts}
    return {
        name: value
        for name in space.names
        if (value := parent[_part(name)].configuration.get(name)) is not None
    }


def _mutate(space: Space, values: dict[str, Value], rng: np.random.Generator) -> None:
    """Change one parameter of `values`, in place."""
    name = str(rng.choice(sorted(values)))
    parameter = space.parameters[name]
    size = parameter.size
    if size is None or (parameter.numeric and size > 2 * STEP):
        step = int(rng.integers(1, STEP + 1)) * (1 if rng.random() < 0.5 else -1)
        number = float(values[name]) + step
        values[name] = number if size is None else round(number)
    elif size > 1:
        others = [parameter.value_at(i) for i in range(size) if parameter.value_at(i) != values[name]]
        values[name] = others[int(rng.integers(len(others)))]


def _legal(space: Space, values: dict[str, Value], base: Configuration) -> Configuration | None:
    """The configuration with ranges kept and inactive parameters left out; None where it cannot be run."""
    legal: dict[str, Value] = {}
    for name in space.order:
        if not space.is_active(name, legal):
            continue
        value = values.get(name, base.get(name))
        fault = None if value is None else space.parameters[name].check(name, value)
        if fault is not None:
            value = fault.nearest if isinstance(fault.nearest, int | float | str) else None
        if value is None:
            value = space.parameters[name].from_unit(0.0)
        legal[name] = value
    return None if space.problems(legal) else space.validate(legal)


def _part(name: str) -> str:
    return name.rpartition(".")[0]


def _score(trial: Trial, metric: str) -> float | None:
    return trial.values.get(metric, trial.value)
