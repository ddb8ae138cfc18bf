"""LLAMBO's generative surrogate: the model classifies, the probability of 'good' is the acquisition.

    p(s better than the top_share quantile | h, D)

Expected improvement is proportional to it (Bergstra et al., 2011; Liu et al., 2024, section 4). It is read
from the log-probabilities of the label's token where the server gives them; elsewhere the answers vote,
smoothed after Laplace, and the labels of the nearest trials break ties among candidates with equal votes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from tunesmith.agent.methods.llambo.examples import DELIMITER, Example
from tunesmith.agent.methods.llambo.part import AskedSurrogate
from tunesmith.agent.models import Token
from tunesmith.agent.models.replies import ParseTally, Refused, parse_label
from tunesmith.history import Array, History
from tunesmith.seeds import rng_for
from tunesmith.trial import Configuration, Trial, TrialState

TOP_LOGPROBS = 5
"""Alternatives asked for at each place, as the released code does."""
TIE_BREAK = 0.5
"""Votes that the nearest trials' labels may move a candidate by, end to end: never past a real vote."""


class GenerativeSurrogate(AskedSurrogate):
    """Usable alone; constructor arguments: see the base.

    `probabilities` asks one question for each candidate and template. The first answer shows whether
    the server gives log-probabilities: then one answer a question is enough, otherwise K of them vote.
    """

    where = "llambo.generative"
    prompt_id = "llambo/generative.v1"
    _gives_logprobs: bool | None = None

    def probabilities(self, configurations: Sequence[Configuration]) -> Array:
        """The probability of being among the best, shape (m,), in [0, 1]; NaN where no answer could be used.

        Raises:
            UsageError: nothing was fitted.
            ModelError: the model could not be asked.
        """
        history = self.history
        good = labels(history, self.protocol.top_share)
        near = nearness(history, good, configurations)
        with ParseTally(self._emit, self.where) as tally:
            found = np.array(
                [
                    self._probability(history, good, configuration, float(near[i]), tally)
                    for i, configuration in enumerate(configurations)
                ]
            )
        self._unpredicted(int(np.isnan(found).sum()), len(found), "label", "there is no judgement")
        return found

    def _probability(
        self,
        history: History,
        good: dict[int, bool],
        configuration: Configuration,
        near: float,
        tally: ParseTally,
    ) -> float:
        """Log-probabilities, averaged over templates, as far as there are any; else the votes of all."""
        known: list[float] = []
        votes: list[int] = []
        for template in range(self.protocol.templates):
            rng = rng_for(self.seed, self.where, len(history), template)
            examples = [
                Example(
                    self._text(trial.configuration),
                    f"{DELIMITER} {int(good.get(trial.number, False))} {DELIMITER}",
                )
                for trial in self._shown(history, rng)
            ]
            share = f"{100 * self.protocol.top_share:g}"
            prompt = self._prompt(history, examples, joint=": ", share=share, query=self._text(configuration))
            n = 1 if self._gives_logprobs else self.protocol.samples
            asked_logprobs = 0 if self._gives_logprobs is False else TOP_LOGPROBS
            samples = self._sample(prompt, n, self.protocol.surrogate_max_tokens, logprobs=asked_logprobs)
            if self._gives_logprobs is None:
                self._gives_logprobs = samples.logprobs is not None
                if not self._gives_logprobs:
                    vote = f"{self.protocol.samples} answers to each question vote instead"
                    self._degraded("fallback", "the server gives no log-probabilities", vote)
            for k, (text, finished) in enumerate(zip(samples.texts, samples.finished, strict=True)):
                label = parse_label(text, finished=finished)
                tally.count(label)
                if isinstance(label, Refused):
                    continue
                votes.append(label)
                p = None if samples.logprobs is None else label_probability(samples.logprobs[k], label)
                if p is not None:
                    known.append(p)
        if known:
            return float(np.mean(known))
        return voted(votes, near) if votes else math.nan


def labels(history: History, top_share: float) -> dict[int, bool]:
    """Whether each finished trial is good, by number: among the best `top_share` of the completed ones.

    By rank, so any direction and scale will do. At least one is good, and where two scores differ at
    least one is not; equal scores have equal labels unless all are equal. A trial that failed or was
    pruned is not good.
    """
    ranked = sorted(history.completed, key=lambda t: (-history.sign * _value(t), t.number))
    found = {t.number: False for t in history.finished if t.state is not TrialState.LOST}
    if not ranked:
        return found
    count = max(1, int(top_share * len(ranked)))
    last = _value(ranked[count - 1])
    good = [t for t in ranked if history.sign * (_value(t) - last) >= 0]
    if len(good) == len(ranked):  # a tie down to the worst: only what is truly better, or just the first
        better = [t for t in ranked if history.sign * (_value(t) - last) > 0]
        good = better or ranked[:count]
    return found | {t.number: True for t in good}


def label_probability(tokens: Sequence[Token], label: int) -> float | None:
    """p(1) at the token that decides the label, over 0 and 1 alone; None where no token does.

    The deciding token is the first that is a digit but for spaces and delimiters. A label that is not
    among the listed alternatives has at most what the listed ones leave over.
    """
    for token in tokens:
        digits = _bare(token.text)
        if not any(c.isdigit() for c in digits):
            continue
        if digits != str(label):
            return None  # another number than what the answer was read as
        mass = {"0": 0.0, "1": 0.0}
        listed = {token.text: token.logprob, **token.top}
        for text, logprob in listed.items():
            if _bare(text) in mass:
                mass[_bare(text)] += math.exp(logprob)
        left = max(1.0 - sum(map(math.exp, listed.values())), 0.0)
        most = min(left, min(map(math.exp, listed.values())))
        for name, value in mass.items():
            if value == 0.0:
                mass[name] = most
        total = mass["0"] + mass["1"]
        return mass["1"] / total if total > 0 else None
    return None


def voted(votes: Sequence[int], near: float = 0.5) -> float:
    """The share of votes for 1, smoothed after Laplace: (good + 1) / (votes + 2), ties broken by `near`.

    Args:
        near: In [0, 1], how good the trials around are; moves the share by less than half a vote.
    """
    return (sum(votes) + 1 + TIE_BREAK * (near - 0.5)) / (len(votes) + 2)


def nearness(history: History, good: dict[int, bool], configurations: Sequence[Configuration]) -> Array:
    """How good the labelled trials around each configuration are: a kernel mean of labels, (m,) in [0, 1]."""
    trials = tuple(t for t in history.finished if t.number in good)
    if not trials or not configurations:
        return np.full(len(configurations), 0.5)
    rows, _ = history.encoded(trials)
    points = np.stack([history.space.encode(c)[0] for c in configurations])
    weight = np.exp(-4.0 * cdist(points, rows) / math.sqrt(max(rows.shape[1], 1)))
    values = np.array([good[t.number] for t in trials], dtype=float)
    return np.asarray((weight @ values + 0.5) / (weight.sum(axis=1) + 1.0), dtype=float)


def _bare(text: str) -> str:
    return text.strip(" \t\r\n#*`'\"▁Ġ")


def _value(trial: Trial) -> float:
    assert trial.value is not None, "a completed trial has a value"
    return trial.value
