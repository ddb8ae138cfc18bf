"""The preset `agenttts-paper` with a scripted model in the place of o3-mini: the loop as published.

The script answers as a model would that follows the guidelines of the prompt and no more: each batch varies
the three best trials so far, one or two fields at a time (a sample count by a step or two in its list, a
model by one size, another field at will), within the budget, and repeats none. It says nothing of its own
about where the optimum is. A stronger model may do better, and costs money; this shows what the loop brings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from tunesmith.bench.pipelines.contenders.strategies import completed
from tunesmith.bench.pipelines.landscape import active_of, listed_of
from tunesmith.bench.pipelines.search import Search
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.space import Categorical, Space
from tunesmith.trial import Configuration, Value

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel

PARENTS, FARTHEST, ATTEMPTS = 3, 2, 400


class Said(NamedTuple):
    """An answer of the scripted model."""

    value: Any
    tokens: int = 0


class ScriptedModel:
    """Answers the two questions of the loop; `history` is kept up to date by the search."""

    def __init__(self, history: History, rng: np.random.Generator, batch: int) -> None:
        self.history, self._rng, self._batch = history, rng, batch
        self.calls = 0

    def complete(
        self,
        messages: Any,
        schema: type[Any],
        *,
        purpose: str,
        check: Callable[[Any], list[str]] | None = None,
    ) -> Said:
        """A valid answer to a question; the prompt's history is the one that is known here."""
        self.calls += 1
        if "guidelines" in schema.model_fields:
            text = "Vary the best trials: samples in both directions, a model one size up or down."
            one: dict[str, Any] = {"about": "exploration", "text": text, "claim": None, "evidence": []}
            return Said(schema.model_validate({"guidelines": [one]}))
        reason = "A variation of one of the best trials."
        candidates: list[dict[str, Any]] = [
            {"configuration": dict(c), "reason": reason, "expected": None, "spread": None, "evidence": []}
            for c in self._batch_of_variations()
        ]
        return Said(schema.model_validate({"candidates": candidates}))

    def _batch_of_variations(self) -> list[Configuration]:
        space, found = self.history.space, dict[str, Configuration]()
        parents = [trial.configuration for trial in self.history.ranked[:PARENTS]]
        for _ in range(ATTEMPTS):
            if len(found) == self._batch:
                break
            values = varied(space, parents[self._rng.integers(len(parents))], self._rng)
            if space.problems(values):
                continue
            configuration = space.validate(values)
            if configuration.digest not in self.history.taken:
                found[configuration.digest] = configuration
        return list(found.values())


def varied(space: Space, parent: Configuration, rng: np.random.Generator) -> dict[str, Value]:
    """One or two fields changed; those that become active with them are drawn."""
    values = {name: listed_of(p)[rng.integers(len(listed_of(p)))] for name, p in space.parameters.items()}
    values |= parent
    for _ in range(int(rng.integers(1, 3))):
        names = list(active_of(space, values))
        name = names[rng.integers(len(names))]
        parameter = space.parameters[name]
        choices = listed_of(parameter)
        at = choices.index(values[name])
        if name.endswith(".model"):
            at += int(rng.choice([-1, 1]))
        elif isinstance(parameter, Categorical):
            at = int(rng.integers(len(choices)))
        else:
            at += int(rng.integers(1, FARTHEST + 1)) * int(rng.choice([-1, 1]))
        values[name] = choices[min(max(at, 0), len(choices) - 1)]
    return active_of(space, values)


def paper(search: Search, seed: int) -> None:
    """The initial design, then rounds of guidelines and ten trials, until the budget is spent."""
    from tunesmith.agent.methods.agenttts.paper_method import paper_strategy
    from tunesmith.agent.methods.agenttts.paper_settings import PaperSettings
    from tunesmith.agent.methods.base import MethodContext

    task, settings = search.landscape.task, PaperSettings()
    history = task.empty_history()
    model = ScriptedModel(history, rng_for(seed, "scripted model"), settings.batch_size)
    context = MethodContext(task, lambda event: event, name="agenttts-paper", settings=settings)
    strategy = paper_strategy(replace(context, model=cast("LanguageModel", model)))
    assert strategy is not None
    while not search.over:
        proposals = strategy.propose(history, settings.batch_size)
        if not proposals:  # five rounds are over
            break
        for proposal in proposals:
            if search.over:
                break
            search.proposals += 1
            seen = search.evaluate(proposal.configuration)
            trial = completed(history, task, proposal, seen.values, seen.scores.tolist())
            history = model.history = history.with_trial(trial)
    search.calls = model.calls
