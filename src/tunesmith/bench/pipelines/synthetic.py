"""Made-up pipelines with items: landscapes to develop a method on, and to break its beliefs.

A landscape is drawn from a seed. Each stage has two to six models; a model has a capability, an item a
difficulty, and a sample is right with a probability that rises with their difference. Samples are drawn once
into a bank and aggregated by prefix, as a recorded bank of a real pipeline is, so every allocation has one
exact result. A later stage does worse on items that the stages before it got wrong.

| kind | what is true |
|---|---|
| `usual` | larger models are better, samples saturate or peak, a stage needs the ones before it |
| `repair` | the same with a last stage that runs only where an imperfect check fails, `rounds` times |
| `bigger_is_worse` | the order of capability is reversed in every stage |
| `no_saturation` | every doubling of samples brings as much as the one before, up to the most |
| `no_interaction` | stages solve parts of an item that do not depend on each other; the score is their mean |

Nothing here comes from a real pipeline, so what is tuned on it stays honest on one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.pipeline.stages import StageSettings
from tunesmith.seeds import rng_for

Array = NDArray[np.float64]
Right = NDArray[np.bool_]
KINDS = ("usual", "repair", "bigger_is_worse", "no_saturation", "no_interaction")
SAMPLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
REPAIR_SAMPLES = (1, 2, 4, 8)
ROUNDS = (0, 1, 2, 3)
WRONG = 6
"""Different wrong answers that samples may agree on."""


class Measured(NamedTuple):
    """What running an allocation shows.

    Attributes:
        scores: (n,) of the items, in [0, 1].
        stages: Mean of what each stage got right by itself, by name.
        cost: Of one item, units of the cost model.
    """

    scores: Array
    stages: dict[str, float]
    cost: float


@dataclass(frozen=True)
class _Stage:
    """A stage's bank: for each model whether the first n samples, aggregated, are right, n by SAMPLES.

    Attributes:
        good, bad: model -> (items, len(samples)); where the stages before were right, and where not.
    """

    good: Mapping[str, Right]
    bad: Mapping[str, Right]


class Landscape:
    """A made-up pipeline, drawn from a seed.

    Args:
        kind: One of KINDS.
        seed: The same seed gives the same landscape on every machine.
        items: How many items a configuration is judged on.
        stages: How many stages there are, beside that of repair; None: two or three.
        tightness: Where the budget lies between the cheapest and the dearest allocation, on a logarithmic
            scale; None: drawn, lower where the best models are the cheap ones.
    """

    def __init__(
        self,
        kind: str = "usual",
        seed: int = 0,
        *,
        items: int = 200,
        stages: int | None = 2,
        tightness: float | None = None,
    ) -> None:
        self.kind, self.seed, self.items = kind, seed, items
        rng = rng_for(seed, "synthetic pipeline", kind, items)
        count = int(rng.integers(2, 4)) if stages is None else stages
        names = [f"s{k}" for k in rng.permutation(10)[:count]]
        self.gated = "repair" if kind == "repair" else None
        if self.gated:
            names.append(self.gated)
        self._difficulty = rng.standard_normal(items)
        self._check = rng.uniform(0.02, 0.12), rng.uniform(0.05, 0.35)
        self._passed = rng.random(items)
        self._bank: dict[str, _Stage] = {}
        described = {name: self._drawn(name, rng) for name in names}
        self._weights = rng.dirichlet(np.full(len(names), 4.0))
        range_ = (0.1, 0.45) if kind == "bigger_is_worse" else (0.3, 0.75)
        where = float(rng.uniform(*range_)) if tightness is None else tightness
        free = PipelineSettings.model_validate({"stages": described})
        self.settings = free.model_copy(update={"item_budget": _budget(free, where)})

    @property
    def problem(self) -> dict[str, Any]:
        """The key `problem` of a task with this landscape."""
        return {"name": "pipeline", **self.settings.model_dump(mode="json", exclude_defaults=True)}

    def evaluate(self, configuration: Mapping[str, Any]) -> Measured:
        """What a configuration of `settings.space` shows; the same each time."""
        return self.run(self.settings.allocation(configuration))

    def run(self, choices: tuple[StageChoice, ...]) -> Measured:
        """The same for an allocation."""
        right: Right | None = None
        shown: dict[str, float] = {}
        parts: list[Right] = []
        for choice in choices:
            if choice.stage == self.gated:
                assert right is not None
                right = self._repaired(choice, right, parts[-2] if len(parts) > 1 else None)
            else:
                upstream = None if self.kind == "no_interaction" else right
                right = self._aggregated(choice, upstream)
            parts.append(right)
            shown[choice.stage] = float(right.mean())
        assert right is not None
        scores = right.astype(float)
        if self.kind == "no_interaction":
            scores = self._weights @ np.array(parts, dtype=float)
        return Measured(scores, shown, sum(stage_cost(self.settings, choice) for choice in choices))

    @cached_property
    def feasible(self) -> tuple[tuple[StageChoice, ...], ...]:
        """Every allocation within the budget, in a fixed order."""
        budget = self.settings.item_budget or np.inf
        options = [
            [(choice, stage_cost(self.settings, choice)) for choice in _options(name, stage)]
            for name, stage in self.settings.stages.items()
        ]
        return tuple(
            tuple(choice for choice, _ in chosen)
            for chosen in product(*options)
            if sum(cost for _, cost in chosen) <= budget
        )

    @cached_property
    def values(self) -> Array:
        """Quality of every allocation of `feasible`."""
        return np.array([self.run(choices).scores.mean() for choices in self.feasible])

    @property
    def optimum(self) -> float:
        """The best quality within the budget."""
        return float(self.values.max())

    def _aggregated(self, choice: StageChoice, upstream: Right | None) -> Right:
        bank = self._bank[choice.stage]
        place = SAMPLES.index(choice.samples)
        good = bank.good[choice.model][:, place]
        return good if upstream is None else np.where(upstream, good, bank.bad[choice.model][:, place])

    def _repaired(self, choice: StageChoice, right: Right, upstream: Right | None) -> Right:
        """Runs again what the check refuses; it refuses some right ones and passes some wrong ones.

        What the stages before the one that is repaired got wrong is hardly mended.
        """
        refuses_right, passes_wrong = self._check
        for k in range(choice.rounds):
            noise = (self._passed + 0.37 * k) % 1.0
            refused = np.where(right, noise < refuses_right, noise >= passes_wrong)
            place = min(SAMPLES.index(choice.samples) + k, len(SAMPLES) - 1)
            again = self._bank[choice.stage].good[choice.model][:, place]
            if upstream is not None:
                again = np.where(upstream, again, self._bank[choice.stage].bad[choice.model][:, place])
            right = np.where(refused, again, right)
        return right

    def _drawn(self, name: str, rng: np.random.Generator) -> dict[str, Any]:
        """Settings of a stage; its bank is kept beside."""
        count = int(rng.integers(2, 7))
        sizes = np.cumprod(np.exp(rng.uniform(np.log(1.5), np.log(8), count))) * 1e8
        # Capability grows with the logarithm of size, unevenly: some steps bring nothing, some a lot.
        steps = rng.gamma(0.8, 1.0, count)
        capability = np.cumsum(steps) / steps.sum() * rng.uniform(0.8, 4.0) + rng.uniform(-1.5, 0.5)
        capability += rng.normal(0, 0.15, count)
        if self.kind == "bigger_is_worse":
            capability = capability[::-1] - 1.0
        sharpness = float(
            np.exp(rng.uniform(np.log(0.7), np.log(6)))
        )  # large: errors that samples cannot mend
        penalty = rng.uniform(1.0, 4.0)
        voting = rng.random() < 0.6
        names = [f"m{j}" for j in range(count)]
        difficulty = 0.5 * self._difficulty + np.sqrt(0.75) * rng.standard_normal(self.items)
        good, bad = {}, {}
        for model, level in zip(names, capability, strict=True):
            chance = expit(sharpness * (level - difficulty))
            good[model] = self._prefixes(0.98 * chance, voting, rng)
            bad[model] = self._prefixes(0.5 * expit(sharpness * (level - penalty - difficulty)), voting, rng)
        self._bank[name] = _Stage(good, bad)
        stage: dict[str, Any] = {
            "models": {m: {"parameters": float(s)} for m, s in zip(names, sizes, strict=True)},
            "samples": SAMPLES,
            "aggregator": "majority" if voting else "best_of_n",
            "verify": None if voting else "made_up.py:verify",
            "tokens": {"prompt": float(rng.integers(16, 512)), "completion": float(rng.integers(8, 256))},
        }
        if name == self.gated:
            stage |= {"samples": REPAIR_SAMPLES, "rounds": ROUNDS, "when": "made_up.py:refused", "share": 0.4}
        return stage

    def _prefixes(self, chance: Array, voting: bool, rng: np.random.Generator) -> Right:
        """Whether the first n samples, aggregated, are right: (items, len(SAMPLES))."""
        most = SAMPLES[-1]
        right = rng.random((self.items, most)) < chance[:, None]
        if self.kind == "no_saturation":
            # A share of the items in proportion to log n is solved, in an order of its own.
            order = rng.permutation(self.items) / self.items
            low, high = 0.75 * chance.mean(), min(0.75 * chance.mean() + 0.25, 1.0)
            share = low + (high - low) * np.log(SAMPLES) / np.log(most)
            return np.asarray(order[:, None] < share[None, :])
        if voting:
            answers = np.where(right, 0, 1 + rng.geometric(0.35, right.shape) % WRONG)
            counts = np.cumsum(answers[:, :, None] == np.arange(WRONG + 1), axis=1)
            first = np.argmax(answers[:, :, None] == np.arange(WRONG + 1), axis=1)  # earliest of equals
            return np.asarray(np.argmax(counts - 1e-3 * first[:, None, :], axis=2) == 0)[:, _at()]
        # A verifier that some wrong answers deceive: more samples find them.
        deceives = rng.random(right.shape) < 0.01
        score = 2.5 * right + 5.0 * (deceives & ~right) + rng.standard_normal(right.shape)
        best = np.maximum.accumulate(score, axis=1)
        latest = np.maximum.accumulate(np.where(score == best, np.arange(most), 0), axis=1)
        return np.asarray(np.take_along_axis(right, latest, axis=1))[:, _at()]


def _at() -> list[int]:
    return [n - 1 for n in SAMPLES]


def _options(name: str, stage: StageSettings) -> list[StageChoice]:
    """Every choice of a stage; those that leave it out are one."""
    assert isinstance(stage.samples, tuple) and isinstance(stage.rounds, tuple)
    aggregator = stage.aggregator[0]
    every = [
        StageChoice(name, model, n, aggregator=aggregator, rounds=rounds)
        for model, n, rounds in product(stage.models, stage.samples, stage.rounds)
    ]
    return [c for i, c in enumerate(every) if c.rounds or i == 0]


def _budget(settings: PipelineSettings, where: float) -> float:
    """Between the costs of the cheapest and the dearest allocation, on a logarithmic scale."""
    costs = [
        [stage_cost(settings, choice) for choice in _options(name, stage)]
        for name, stage in settings.stages.items()
    ]
    low, high = sum(map(min, costs)), sum(map(max, costs))
    return float(np.exp((1 - where) * np.log(low) + where * np.log(high)))
