"""LLAMBO's discriminative surrogate: the model predicts values, permutations of the examples give the spread.

    p(s | h, D): for each of a few orders of the observed trials D, K answers to 'what will h reach?'

Mean and standard deviation over all answers are the prediction (Liu et al., 2024, section 4; the released
code's protocol with `batch` = 1). What differs: several candidates share one question unless `batch` is 1,
answers are matched to candidates by number, a candidate without any usable answer has no prediction instead
of the others' mean, and the spread is recalibrated by leaving trials out (`recalibration.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from tunesmith.agent.methods.llambo.examples import Example, result
from tunesmith.agent.methods.llambo.numbered import read_numbered
from tunesmith.agent.methods.llambo.part import AskedSurrogate
from tunesmith.agent.methods.llambo.recalibration import (
    UNCHANGED,
    Recalibration,
    left_out,
    prefix,
    recalibration,
)
from tunesmith.agent.models.replies import ParsedNumber, ParseTally, Refused, parse_number
from tunesmith.errors import ModelError
from tunesmith.events import Noted
from tunesmith.history import Array, History
from tunesmith.seeds import rng_for
from tunesmith.text.cleaning import error_line
from tunesmith.trial import Configuration

SPREAD_FLOOR = 0.01
"""Least spread, as a share of the observed range: equal answers are no certainty."""
REACH = 10.0
"""Predictions are not believed further outside of the observed values than this many times their range, or
their size where that is more: before anything has been learned all are alike."""
LEFT_OUT_CALLS = 16
"""Most questions of one recalibration, which happens each time the number of trials has doubled."""
DECIMALS = 6
"""Of the values in the prompts; an answer with as many is whole even where it was cut."""


class DiscriminativeSurrogate(AskedSurrogate):
    """Implements `interfaces.Surrogate`, and may be used alone. Constructor arguments: see the base.

    `predict` asks the model: templates x ceil(candidates / batch) questions of K answers each, and once more
    about what none of them answered. Its ModelErrors pass through.
    """

    where = "llambo.discriminative"
    prompt_id = "llambo/discriminative.v1"

    @cached_property
    def _recalibrations(self) -> dict[str, Recalibration]:
        """By the trials that they were made from."""
        return {}

    def predict(self, configurations: Sequence[Configuration]) -> tuple[Array, Array]:
        """Mean and standard deviation in metric units, each (m,); NaN where no answer could be used.

        Raises:
            UsageError: nothing was fitted.
            ModelError: the model could not be asked.
        """
        history = self.history
        drawn = self.samples(configurations)
        mean, std = moments(drawn, bounds(history)[2])
        factor = self.recalibration().factor
        self._unpredicted(int(np.isnan(mean).sum()), len(mean), "prediction", "there is no prediction")
        return mean, factor * std

    def samples(self, configurations: Sequence[Configuration]) -> Array:
        """Every answer, metric units, shape (m, answers a candidate); NaN where one could not be used."""
        with ParseTally(self._emit, self.where) as tally:
            return self._draw(self.history, configurations, tally)

    def recalibration(self) -> Recalibration:
        """What leaving trials out says of the spreads; the identity with fewer than 4, or switched off.

        Asks at most LEFT_OUT_CALLS questions each time the number of completed trials has doubled. A model
        that fails costs the recalibration only.
        """
        trials = prefix(self.history) if self.protocol.recalibrate else ()
        if not trials:
            return UNCHANGED
        known = self._recalibrations
        key = hashlib.blake2b(repr([t.configuration.digest for t in trials]).encode()).hexdigest()
        if key not in known:
            try:
                known[key] = self._recalibrated(replace(self.history, trials=trials))
            except ModelError as error:
                self._degraded(
                    "fallback", error_line(error), "spreads are used as they are, not recalibrated"
                )
                return UNCHANGED
        return known[key]

    def _recalibrated(self, history: History) -> Recalibration:
        most = max(LEFT_OUT_CALLS // self.protocol.templates, 4)
        errors, spreads = [], []
        with ParseTally(self._emit, f"{self.where}.leave_one_out") as tally:
            for trial in left_out(history.completed, most, history.sign):
                rest = replace(history, trials=tuple(t for t in history.trials if t.number != trial.number))
                drawn = self._draw(rest, [trial.configuration], tally, ask_again=False)
                mean, std = moments(drawn, bounds(rest)[2])
                assert trial.value is not None
                errors.append(trial.value - mean[0])
                spreads.append(std[0])
        found = recalibration(np.array(errors), np.array(spreads))
        if found.trials:
            self._emit(
                Noted(
                    text=f"The model's predictions of {found.trials} trials it was not shown held within "
                    f"their spread {found.covered:.0%} of the time (68 % would be honest): "
                    f"spreads are taken times {found.factor:.2g}."
                )
            )
        return found

    def _draw(
        self,
        history: History,
        configurations: Sequence[Configuration],
        tally: ParseTally,
        *,
        ask_again: bool = True,
    ) -> Array:
        protocol, m = self.protocol, len(configurations)
        if not m:
            return np.empty((0, 0))
        columns = [
            self._template(history, configurations, template, tally) for template in range(protocol.templates)
        ]
        drawn = np.concatenate(columns, axis=1)
        missing = np.flatnonzero(np.isnan(drawn).all(axis=1))
        if ask_again and missing.size:
            unanswered = [configurations[int(i)] for i in missing]
            again = np.full((m, protocol.samples), np.nan)
            again[missing] = self._template(history, unanswered, protocol.templates, tally)
            drawn = np.concatenate([drawn, again], axis=1)
        return drawn

    def _template(
        self, history: History, configurations: Sequence[Configuration], template: int, tally: ParseTally
    ) -> Array:
        """Answers under one order of the examples, shape (m, samples)."""
        protocol = self.protocol
        rng = rng_for(self.seed, self.where, len(history), template)
        trials = self._shown(history, rng)
        examples = [
            Example(self._text(t.configuration, " is "), result(t, protocol, history.limits)) for t in trials
        ]
        # The order of the candidates in a question matters too: it is varied along with the examples'.
        order = rng.permutation(len(configurations)) if protocol.permute else np.arange(len(configurations))
        drawn = np.full((len(configurations), protocol.samples), np.nan)
        low, high, _ = bounds(history)
        for start in range(0, len(order), protocol.batch):
            chunk = order[start : start + protocol.batch]
            queries = [self._text(configurations[int(i)], " is ") for i in chunk]
            prompt = self._prompt(history, examples, joint=" is ", queries=queries)
            # Beside its value a line of a longer answer has a number of its own.
            limit = protocol.surrogate_max_tokens * len(chunk) + (4 * len(chunk) if len(chunk) > 1 else 0)
            samples = self._sample(prompt, protocol.samples, limit)
            for k, (text, finished) in enumerate(zip(samples.texts, samples.finished, strict=True)):
                for i, outcome in zip(chunk, _read(text, len(chunk), finished), strict=True):
                    if isinstance(outcome, ParsedNumber) and not low <= outcome.value <= high:
                        outcome = Refused("garbage", f"a prediction more than {REACH:g} ranges off")
                    tally.count(outcome)
                    if isinstance(outcome, ParsedNumber):
                        drawn[i, k] = outcome.value
        return drawn


def bounds(history: History) -> tuple[float, float, float]:
    """Lowest and highest value that a prediction is believed to be, and the observed range, > 0."""
    low, high = float(history.scores.min()), float(history.scores.max())
    low, high = sorted((history.sign * low, history.sign * high))
    with np.errstate(over="ignore"):
        span = min(high - low, float(np.finfo(float).max) / 100) or 0.1 * max(abs(low), 1e-12)
    # One diverged value must not make every prediction believable, nor the floor a mountain.
    usual = float(np.subtract(*np.percentile(history.scores, [90, 10]))) if len(history.scores) > 9 else 0.0
    reach = REACH * max(span, min(max(abs(low), abs(high)), float(np.finfo(float).max) / 100))
    return low - reach, high + reach, usual or span


def moments(drawn: Array, span: float) -> tuple[Array, Array]:
    """Mean and spread of the answers that could be used, each (m,); NaN for a candidate without any.

    Args:
        drawn: (m, answers), NaN where refused.
        span: The observed range; its share SPREAD_FLOOR is the least spread.
    """
    count = np.sum(~np.isnan(drawn), axis=1)
    known = count > 0
    mean, std = np.full(len(drawn), np.nan), np.full(len(drawn), np.nan)
    if known.any():
        mean[known], std[known] = np.nanmean(drawn[known], axis=1), np.nanstd(drawn[known], axis=1)
        # One answer has no spread of its own: it gets what is usual here.
        alone = count == 1
        if alone.any() and (count > 1).any():
            std[alone] = np.median(std[count > 1])
    return mean, np.where(known, np.maximum(std, SPREAD_FLOOR * span), np.nan)


def _read(text: str, count: int, finished: bool | None) -> list[ParsedNumber | Refused]:
    if count == 1:
        return [parse_number(text, finished=finished, decimals=DECIMALS)]
    return read_numbered(text, count, finished=finished, decimals=DECIMALS)
