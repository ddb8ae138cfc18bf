"""The hand-written rule: AgentTTS's three insights as fixed steps, without any model of what was seen.

1. A stage at a time, every model with as many samples as the largest model's one sample would cost; the other
   stages have their largest model once where that is affordable, else the smallest. Of a stage's models the
   smallest one stays of which no larger one is significantly better on the same items.
2. First stage first, samples grow step by step as long as the score rises; a stage ends where it saturates.
3. What an earlier stage has changed, the later ones are adapted to: from the best so far, neighbours in a
   fixed order (more samples downstream first, a shift between two stages, a model one size up or down at the
   same cost, fewer samples, the other fields), and again from every improvement. Then at random.

Written once, from the description of the insights, before any result on these tasks was seen. Its weak place
showed in the first result: where samples are voted on, two are no better than one, so that growth by single
steps ends at once. `rule_ahead` is the same rule with steps of two as well, and knows that result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tunesmith.bench.pipelines.contenders.optuna_samplers import fill
from tunesmith.bench.pipelines.landscape import active_of, listed_of
from tunesmith.bench.pipelines.search import Search, Seen
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.costs import stage_cost
from tunesmith.trial import Configuration, Value

SIGNIFICANT = 1.645
"""Standard errors of the paired difference above which a larger model counts as better."""
Values = dict[str, Value]


class Rule:
    """One run of the rule.

    Args:
        ahead: Steps in a list of sample counts that are looked ahead.
    """

    def __init__(self, search: Search, ahead: int = 1) -> None:
        self.ahead = ahead
        self.search, self.settings = search, search.landscape.settings
        self.space = search.landscape.task.space
        self.seen: dict[str, Seen] = {}
        self.stages = list(self.settings.stages)
        assert search.landscape.task.default is not None
        # A stage that may be left out takes part at first, once.
        self.base: Values = {
            name: next(
                (v for v in listed_of(p) if not name.endswith(".rounds") or int(v) > 0), listed_of(p)[0]
            )
            for name, p in self.space.parameters.items()
        }
        default = dict(search.landscape.task.default)
        self.base |= {name: v for name, v in default.items() if not name.endswith(".rounds")}
        self.models = {
            s: sorted(self._offered(s, "model"), key=lambda m: self._once(s, m)) for s in self.stages
        }
        self.samples = {s: sorted(self._offered(s, "samples")) for s in self.stages}

    def run(self, seed: int) -> None:
        models = self._opening()
        best = self._grown(models)
        tried_all = False
        while not (tried_all or self.search.over):
            tried_all = True
            for values in self._neighbours(best):
                if self.search.over:
                    return
                was_new = self._key(values) not in self.seen
                if was_new and self._score(values) > self._score(best):
                    best, tried_all = values, False
                    break
        fill(self.search, seed)

    def _opening(self) -> dict[str, Any]:
        """Step 1: the model that each stage keeps."""
        kept = {}
        for stage in self.stages:
            rivals = [s for s in self.stages if s != stage]
            large = self._with({s: (self.models[s][-1], self.samples[s][0]) for s in rivals})
            small = self._with({s: (self.models[s][0], self.samples[s][0]) for s in rivals})
            seen: dict[Any, Seen] = {}
            most = self._once(stage, self.models[stage][-1])
            for model in reversed(self.models[stage]):
                for others in (large, small):
                    values = self._most_samples(others, stage, model, most)
                    if values is not None and not self.search.over:
                        seen[model] = self._evaluate(values)
                        break
            kept[stage] = self._smallest_good(stage, seen)
        return kept

    def _smallest_good(self, stage: str, seen: dict[Any, Seen]) -> Any:
        there = [model for model in self.models[stage] if model in seen]
        for i, model in enumerate(there):
            if not any(_better(seen[larger], seen[model]) for larger in there[i + 1 :]):
                return model
        return there[-1] if there else self.models[stage][0]

    def _grown(self, models: dict[str, Any]) -> Values:
        """Step 2: samples from the fewest on, first stage first."""
        values = self._with({s: (models[s], self.samples[s][0]) for s in self.stages})
        while not self._fits(values):  # the kept models together are beyond the budget
            larger = [s for s in self.stages if self.models[s].index(models[s]) > 0]
            if not larger:
                return self.base
            costly = max(larger, key=lambda s: self._once(s, models[s]))
            models[costly] = self.models[costly][self.models[costly].index(models[costly]) - 1]
            values = self._with({s: (models[s], self.samples[s][0]) for s in self.stages})
        if self.search.over:
            return values
        best = values
        for stage in self.stages:
            in_vain = 0
            for samples in self.samples[stage][1:]:
                more = {**best, **self._named(stage, models[stage], samples)}
                if self.search.over or not self._fits(more):
                    break
                if self._score(more) > self._score(best):
                    best, in_vain = more, 0
                else:
                    in_vain += 1
                if in_vain == self.ahead:
                    break
        return max((best, self._best()), key=self._score)

    def _neighbours(self, values: Values) -> Iterator[Values]:
        """Step 3, in the order in which they are tried; only what fits the budget."""
        for neighbour in self._moves(values):
            if self._fits(neighbour):
                yield neighbour

    def _moves(self, values: Values) -> Iterator[Values]:
        for stage in reversed(self.stages):
            yield from self._steps(values, stage, 1)
        for stage in reversed(self.stages):
            for other in self.stages:
                if other != stage:
                    for more in self._steps(values, stage, 1):
                        yield from self._steps(more, other, -1)
        for stage in self.stages:
            now = self._choice(values, stage)
            cost = stage_cost(self.settings, now)
            place = self.models[stage].index(now.model)
            for model in self.models[stage][max(0, place - 1) : place + 2]:
                if model == now.model:
                    continue
                if (same := self._most_samples(values, stage, model, cost)) is not None:
                    yield same
                yield {**values, **self._named(stage, model, self.samples[stage][0])}
                for other in self.stages:
                    if other != stage:
                        changed = {**values, **self._named(stage, model, self.samples[stage][0])}
                        yield from self._steps(changed, other, -1)
        for stage in self.stages:
            yield from self._steps(values, stage, -1)
        for name, parameter in self.space.parameters.items():
            if not name.endswith((".model", ".samples")):
                yield from (
                    {**values, name: value} for value in listed_of(parameter) if value != values[name]
                )

    def _steps(self, values: Values, stage: str, by: int) -> list[Values]:
        """The neighbours with more or fewer samples in a stage: one step, then up to `ahead`."""
        now, every = self._choice(values, stage), self.samples[stage]
        places = [every.index(now.samples) + by * step for step in range(1, self.ahead + 1)]
        return [
            {**values, **self._named(stage, now.model, every[place])}
            for place in places
            if 0 <= place < len(every)
        ]

    def _most_samples(self, values: Values, stage: str, model: Any, cost: float) -> Values | None:
        """The stage with a model and as many samples as `cost` and the budget allow; None: not even one."""
        for samples in reversed(self.samples[stage]):
            changed = {**values, **self._named(stage, model, samples)}
            if stage_cost(self.settings, self._choice(changed, stage)) <= cost * (1 + 1e-9) and self._fits(
                changed
            ):
                return changed
        return None

    def _evaluate(self, values: Values) -> Seen:
        key = self._key(values)
        if key not in self.seen:
            self.search.proposals += 1
            self.seen[key] = self.search.evaluate(self._valid(values))
        return self.seen[key]

    def _score(self, values: Values) -> float:
        return self._evaluate(values).quality

    def _best(self) -> Values:
        assert self.search.chosen is not None
        return {**self.base, **self.search.chosen}

    def _valid(self, values: Values) -> Configuration:
        return self.space.validate(active_of(self.space, values))

    def _key(self, values: Values) -> str:
        return self._valid(values).digest

    def _fits(self, values: Values) -> bool:
        return not self.space.problems(active_of(self.space, values))

    def _choice(self, values: Values, stage: str) -> StageChoice:
        choices = self.settings.allocation(self.space.originals(active_of(self.space, values)))
        return next(choice for choice in choices if choice.stage == stage)

    def _once(self, stage: str, model: Any) -> float:
        values = {**self.base, **self._named(stage, model, min(self._offered(stage, "samples")))}
        return stage_cost(self.settings, self._choice(values, stage))

    def _offered(self, stage: str, field: str) -> list[Any]:
        parameter = self.space.parameters.get(f"{stage}.{field}")
        if parameter is not None:
            return list(listed_of(parameter))
        return [getattr(self._choice(self.base, stage), field)]

    def _with(self, chosen: dict[str, tuple[Any, int]]) -> Values:
        values = dict(self.base)
        for stage, (model, samples) in chosen.items():
            values |= self._named(stage, model, samples)
        return values

    def _named(self, stage: str, model: Any, samples: int) -> Values:
        named = {f"{stage}.model": model, f"{stage}.samples": samples}
        return {name: value for name, value in named.items() if name in self.space.parameters}


def _better(one: Seen, other: Seen) -> bool:
    """Whether the mean paired difference is SIGNIFICANT standard errors above 0."""
    n = min(len(one.scores), len(other.scores))
    difference = one.scores[:n] - other.scores[:n]
    error = difference.std(ddof=1) / np.sqrt(n) if n > 1 else 0.0
    return bool(difference.mean() > SIGNIFICANT * error) and bool(difference.mean() > 0)


def rule(search: Search, seed: int) -> None:
    """See the module."""
    Rule(search).run(seed)


def rule_ahead(search: Search, seed: int) -> None:
    """The same with two steps ahead; written after the first result of `rule`."""
    Rule(search, ahead=2).run(seed)
