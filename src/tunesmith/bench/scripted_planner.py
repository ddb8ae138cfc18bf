"""A scripted model, no LLM: it reads a prompt of `agenttts-paper` as a model would, and answers it.

For the benchmark, where no language model is at hand: the contender's rows say what the published loop does
with a planner of this kind, and nothing of what a good language model would do in its place. All it knows is
the text of the prompt. It is deterministic: one text, one answer.

    guidelines    the better model of each stage by its best trial, and the samples of the best trial
    trials        steps from the best trials by their order: another model of one stage that spends what the
                  budget leaves, half or twice the samples of one stage, one stage from another good trial
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

NAME = "scripted-planner"
LABEL = "scripted-planner (a scripted model, no LLM)"
_COST = re.compile(
    r"^- (?P<stage>.+?) with (?P<model>.+?)(?: by (?P<by>\w+))?: (?P<table>\d+ samples? .*)$", re.M
)
_POINT = re.compile(r"(\d+) samples? ([-+.\de]+)")
_TRIAL = re.compile(
    r"^#(?P<number>\d+) \| (?P<score>[^|\n]*) \| [^|\n]* \| [^|\n]* \| (?P<values>[^|\n]*)", re.M
)
_SPACE = re.compile(r"^- (?P<name>[^:\n]+): (?P<legal>(?:one of|a whole number) .*)$", re.M)
_BUDGET = re.compile(r"^Budget: all stages together may cost (\S+) for one item", re.M)
_HELD = re.compile(r"scores higher than ([^\s=]+)\.model=([^\s:]+): held")
_WANTED = re.compile(r"Propose (?:exactly|up to) (\d+) allocations")
FACTORS = (2.0, 0.5, 1.5, 0.7, 4.0, 0.25)
"""Steps of a number of samples, tried in this order."""
PARENTS = 6

Values = dict[str, Any]


def scripted_planner(messages: Sequence[dict[str, Any]]) -> str:
    """The answer to one conversation: JSON as the prompt asks for it."""
    text = next(str(m["content"]) for m in messages if m["role"] == "user")
    prompt = _Prompt.read(text)
    if "allocations to try next" in text:
        return json.dumps({"candidates": list(_trials(prompt))})
    return json.dumps({"guidelines": _guidelines(prompt)})


@dataclass
class _Prompt:
    """What a prompt says."""

    budget: float
    wanted: int
    larger: bool
    stages: list[str]
    models: dict[str, list[str]]
    """By stage, as listed."""
    costs: dict[tuple[str, str, str], list[tuple[int, float]]]
    """(samples, cost) by stage, model and aggregator (empty: whichever)."""
    trials: list[tuple[int, float | None, Values]]
    """(number, score, values), as listed."""
    choices: dict[str, list[Any]] = field(default_factory=dict)
    """Legal values of every parameter that has few."""
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)
    conditions: dict[str, tuple[str, list[Any]]] = field(default_factory=dict)
    """(other parameter, its values) for which a parameter applies."""
    worse: set[tuple[str, str]] = field(default_factory=set)
    """(stage, model) that a guideline which held says to be worse than another one."""

    @classmethod
    def read(cls, text: str) -> _Prompt:
        budget, wanted = _BUDGET.search(text), _WANTED.search(text)
        costs: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
        models: dict[str, list[str]] = {}
        for found in _COST.finditer(text):
            points = [(int(s), float(c)) for s, c in _POINT.findall(found["table"])]
            costs[found["stage"], found["model"], found["by"] or ""] = points
            if found["model"] not in models.setdefault(found["stage"], []):
                models[found["stage"]].append(found["model"])
        trials = [
            (int(t["number"]), _number(t["score"].rpartition(" ")[2]), _values(t["values"]))
            for t in _TRIAL.finditer(text)
        ]
        made = cls(
            budget=float(budget[1]) if budget else float("inf"),
            wanted=int(wanted[1]) if wanted else 0,
            larger="larger is better" in text,
            stages=list(models),
            models=models,
            costs=costs,
            trials=trials,
            worse={(stage, model) for stage, model in _HELD.findall(text)},
        )
        for found in _SPACE.finditer(text):
            _add_parameter(made, found["name"], found["legal"])
        return made

    @property
    def ranked(self) -> list[tuple[int, float, Values]]:
        """Trials with a score, the best first."""
        known = [(n, score, values) for n, score, values in self.trials if score is not None]
        return sorted(known, key=lambda t: (-t[1] if self.larger else t[1], t[0]))

    def active(self, values: Values) -> Values:
        """Without the parameters that do not apply, and with the others' first value where they have none."""
        first = {name: legal[0] for name, legal in self.choices.items()}
        whole = {**first, **{name: low for name, (low, _) in self.ranges.items()}, **values}
        for _ in self.conditions:  # a condition may hang on another
            whole = {
                name: value
                for name, value in whole.items()
                if name not in self.conditions
                or whole.get(self.conditions[name][0]) in self.conditions[name][1]
            }
        return {name: whole[name] for name in self.order if name in whole}

    @property
    def order(self) -> list[str]:
        """The names of all parameters."""
        return [*self.choices, *self.ranges]

    def model(self, values: Values, stage: str) -> str:
        return str(values.get(f"{stage}.model", self.models[stage][0]))

    def cost(self, values: Values) -> float:
        """Of an allocation, by the table, evenly between its points; infinite where it says nothing."""
        return sum(self._stage_cost(values, stage) for stage in self.stages)

    def _stage_cost(self, values: Values, stage: str) -> float:
        by = str(values.get(f"{stage}.aggregator", ""))
        key = (stage, self.model(values, stage), by)
        points = (
            self.costs.get(key)
            or self.costs.get((*key[:2], ""))
            or next((p for (s, m, _), p in self.costs.items() if (s, m) == key[:2]), [])
        )
        samples = float(values.get(f"{stage}.samples", points[0][0] if points else 1))
        for (low, a), (high, b) in zip(points, points[1:], strict=False):
            if samples <= high:
                return a + (b - a) * (samples - low) / (high - low)
        return points[-1][1] if points else float("inf")


def _trials(prompt: _Prompt) -> Iterator[dict[str, Any]]:
    """Exactly as many as are wanted where there are so many new ones, the promising ones first."""
    tried = {_key(prompt.active(values)) for _, _, values in prompt.trials}
    left = prompt.wanted
    for reason, evidence, proposed in _proposals(prompt):
        values = prompt.active(proposed)
        if left and _key(values) not in tried and prompt.cost(values) <= prompt.budget * (1 - 1e-6):
            tried.add(_key(values))
            left -= 1
            yield {
                "configuration": values,
                "reason": reason,
                "expected": None,
                "spread": None,
                "evidence": evidence,
            }


def _proposals(prompt: _Prompt) -> Iterator[tuple[str, list[int], Values]]:
    """A round-robin over the best trials, so that one of them does not take all."""
    ranked = prompt.ranked[:PARENTS]
    waiting = [_steps(prompt, number, values, ranked) for number, _, values in ranked]
    while waiting:
        for steps in list(waiting):
            found = next(steps, None)
            if found is None:
                waiting.remove(steps)
            else:
                yield found
    yield from _grid(prompt)


def _steps(
    prompt: _Prompt, number: int, values: Values, ranked: list[tuple[int, float, Values]]
) -> Iterator[tuple[str, list[int], Values]]:
    for stage in reversed(prompt.stages):
        for model in prompt.models[stage]:
            if values.get(f"{stage}.model", model) != model and (stage, model) not in prompt.worse:
                changed = _filled(prompt, {**values, f"{stage}.model": model}, stage)
                yield (
                    f"#{number} with {model} at {stage}, and the samples that the budget leaves.",
                    [number],
                    changed,
                )
    for factor, stage in product(FACTORS, prompt.stages):
        name = f"{stage}.samples"
        if name in values:
            changed = {**values, name: _nearest(prompt, name, values[name] * factor)}
            yield f"#{number} with {changed[name]} samples at {stage}.", [number], changed
    for other, _, theirs in ranked:
        for stage in prompt.stages:
            crossed = {**values, **{k: v for k, v in theirs.items() if k.rpartition(".")[0] == stage}}
            yield f"#{number} with the stage {stage} of #{other}.", [number, other], crossed
    for name, legal in prompt.choices.items():
        if name.rpartition(".")[2] not in ("model", "samples"):
            for value in legal:
                yield f"#{number} with {name} = {value}.", [number], {**values, name: value}


def _filled(prompt: _Prompt, values: Values, stage: str) -> Values:
    """With as many samples at a stage as the budget leaves, by halving until it fits."""
    name = f"{stage}.samples"
    if name not in values:
        return values
    samples = prompt.ranges[name][1] if name in prompt.ranges else max(prompt.choices.get(name, [1]))
    while samples > 1 and prompt.cost({**values, name: samples}) > prompt.budget:
        smaller = _nearest(prompt, name, samples // 2)
        samples = smaller if smaller < samples else 1
    return {**values, name: _nearest(prompt, name, samples)}


def _grid(prompt: _Prompt) -> Iterator[tuple[str, list[int], Values]]:
    """What is left: a coarse grid of the space."""
    listed = {name: legal for name, legal in prompt.choices.items()}
    for name, (low, high) in prompt.ranges.items():
        listed[name] = sorted(
            {low, high, *(s for s in (1, 2, 3, 5, 8, 12, 20, 32, 50, 80) if low <= s <= high)}
        )
    for count, chosen in enumerate(product(*listed.values())):
        if count > 20_000:
            return
        yield "What has not been tried yet.", [], dict(zip(listed, chosen, strict=True))


def _guidelines(prompt: _Prompt) -> list[dict[str, Any]]:
    ranked = prompt.ranked
    if not ranked:
        return [_guideline("exploration", "No trial has a score yet: try one of each model.", None, [])]
    number, _, best = ranked[0]
    found = []
    for stage in prompt.stages:
        name, samples = f"{stage}.model", f"{stage}.samples"
        other = next((t for t in ranked if t[2].get(name) != best.get(name)), None)
        if name in best and other is not None:
            text = f"At {stage}, {best[name]} does better than {other[2][name]}."
            claim = _claim(name, "better", best[name], other[2][name])
            found.append(_guideline("capability", text, claim, [number, other[0]]))
        if samples in best:
            where = [{"parameter": name, "value": best[name]}] if name in best else []
            text = f"At {stage}, more than {best[samples]} samples bring no gain."
            claim = _claim(samples, "no_gain_beyond", best[samples], where=where)
            found.append(_guideline("saturation", text, claim, [number]))
    if (
        len(prompt.stages) > 1
        and f"{prompt.stages[0]}.model" in best
        and f"{prompt.stages[-1]}.model" in best
    ):
        first, last = f"{prompt.stages[0]}.model", f"{prompt.stages[-1]}.model"
        text = f"After {best[first]} at {prompt.stages[0]}, {best[last]} is right for {prompt.stages[-1]}."
        claim = _claim(last, "better", best[last], where=[{"parameter": first, "value": best[first]}])
        found.append(_guideline("interaction", text, claim, [number]))
    return found or [_guideline("exploration", f"Go on near #{number}.", None, [number])]


def _guideline(about: str, text: str, claim: dict[str, Any] | None, evidence: list[int]) -> dict[str, Any]:
    return {"about": about, "text": text, "claim": claim, "evidence": evidence}


def _claim(
    parameter: str, relation: str, value: Any, than: Any = None, where: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {"parameter": parameter, "relation": relation, "value": value, "than": than, "where": where or []}


def _add_parameter(prompt: _Prompt, name: str, legal: str) -> None:
    legal, _, only = legal.partition("; only when ")
    if found := re.match(r"(.+?) is (.+)", only):
        allowed = [_value(word) for word in re.split(r", | or ", found[2])]
        prompt.conditions[name] = (found[1], allowed)
    span = re.match(r"a whole number from (-?\d+) to (-?\d+)", legal)
    if span:
        prompt.ranges[name] = (int(span[1]), int(span[2]))
    elif legal.startswith("one of "):
        words = re.sub(r"^one of | \(in this order\)$", "", legal).split(", ")
        prompt.choices[name] = [_value(word) for word in words]


def _nearest(prompt: _Prompt, name: str, wanted: float) -> int:
    """The legal number of samples nearest to a wanted one."""
    if name in prompt.ranges:
        low, high = prompt.ranges[name]
        return int(min(max(round(wanted), low), high))
    return int(min(prompt.choices.get(name, [1]), key=lambda s: abs(s - wanted)))


def _values(text: str) -> Values:
    pairs = (part.partition("=") for part in text.strip().split(", "))
    return {name: _value(word) for name, _, word in pairs}


def _value(word: str) -> Any:
    number = _number(word)
    if number is None:
        return {"true": True, "false": False}.get(word, word)
    return int(number) if re.fullmatch(r"[-+]?\d+", word) else number


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _key(values: Values) -> str:
    return json.dumps(values, sort_keys=True)
