"""LLAMBO's candidate sampler: configurations drawn from p(h | s', D), the model shown a value to reach.

    sampler = CandidateSampler(model, space, words, PRESETS["llambo-paper"], emit=emit)
    proposals = sampler.propose(history, 20)

One prompt for each template, the examples in another order; several completions of each. What comes back is
read, taken back to the real space, and kept where it is legal and new, until half of what was wanted is
there or the attempts are used. Where the model has stopped exploring, a share of
the candidates is drawn far from everything tried, and that is reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tunesmith.agent.methods.llambo.collapse import collapse
from tunesmith.agent.methods.llambo.examples import performances, running
from tunesmith.agent.methods.llambo.formats import format_score
from tunesmith.agent.methods.llambo.goals import weights_of, with_one_metric
from tunesmith.agent.methods.llambo.legalise import Legaliser, last_ones, shared_out
from tunesmith.agent.methods.llambo.part import ProposingPart
from tunesmith.agent.methods.llambo.target import target
from tunesmith.errors import ModelError
from tunesmith.history import History
from tunesmith.prompts import Prompt, render
from tunesmith.seeds import rng_for
from tunesmith.trial import Configuration, Origin, Proposal

EXPLORING = 0.3
"""Share of the candidates that is drawn elsewhere once the model's have collapsed."""
DRAWN = 64
"""Random configurations among which the ones farthest from all trials are looked for."""
LOOKED_AT = 1000
"""Latest trials whose distance counts; bounds the time."""


class CandidateSampler(ProposingPart):
    """Proposes candidates that should reach a target. Keeps no state.

    Args:
        bounds: Least and largest value the metric can take, where known.
        arguments, options: See `ModelPart`.
    """

    where = "llambo.sampler"

    def __init__(self, *arguments: Any, bounds: tuple[float, float] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._bounds = bounds

    def propose(self, history: History, n: int) -> list[Proposal]:
        """Up to `n` new, legal candidates, in the order the model gave them; those drawn elsewhere first.

        A space of which no more than `n` configurations are left gives those, and the model is not asked.

        Raises:
            ModelError: The model failed before it gave a single one.
        """
        rest = last_ones(history, n)
        if rest is not None:
            return rest
        history = with_one_metric(history, weights_of(history, self.seed))
        wanted = target(history, self.protocol, self._bounds)
        legaliser = Legaliser(self._view, self.protocol, history.taken)
        tokens = self._ask_until(history, wanted, legaliser, n)
        legaliser.report(self._emit, self.where)
        found = self._proposals(history, legaliser.found[:n], wanted)
        return self._mixed(history, shared_out(found, tokens), n)

    def prompts(self, history: History) -> list[Prompt]:
        """The questions as they would be asked now, one for each template."""
        history = with_one_metric(history, weights_of(history, self.seed))
        wanted = target(history, self.protocol, self._bounds)
        return [self._prompt(history, wanted, template) for template in range(self.protocol.templates)]

    def _ask_until(self, history: History, wanted: float | None, legaliser: Legaliser, n: int) -> int:
        """Asks until there is half of `n`, as upstream does, or the attempts are used; tokens spent."""
        protocol, tokens, enough = self.protocol, 0, math.ceil(n / 2)
        portion = min(protocol.completions, math.ceil(n / protocol.templates))
        for _ in range(protocol.attempts):
            for template in range(protocol.templates):
                prompt = self._prompt(history, wanted, template)
                try:
                    answers = self._ask(
                        prompt, portion, protocol.sampler_temperature, protocol.sampler_max_tokens
                    )
                except ModelError as error:
                    self._stopped(error, legaliser.found, n, "candidates")
                    return tokens
                tokens += answers.tokens
                legaliser.take(answers.found)
            if len(legaliser.found) >= enough:
                return tokens
        have = len(legaliser.found)
        cause = f"{protocol.attempts} rounds of questions gave {have} usable candidates of {n}"
        used = "these are used" if have else "the model proposes nothing this time"
        self._degraded("warning", cause, used)
        return tokens

    def _prompt(self, history: History, wanted: float | None, template: int) -> Prompt:
        protocol = self.protocol
        return render(
            "llambo/faithful_candidates",
            facts=self._facts(history),
            space=self._view.describe(),
            metric=self._metric(history),
            target="" if wanted is None else format_score(wanted, protocol),
            precise=protocol.context != "none",
            examples=performances(history, protocol, self.seed, template),
            running=running(history, protocol, joint=": "),
        )

    def _proposals(
        self, history: History, found: Sequence[Configuration], wanted: float | None
    ) -> list[Proposal]:
        metric = history.metric
        best = history.incumbent
        goal = "do well" if wanted is None else f"reach a {metric} of {format_score(wanted)}"
        seen = len(history.finished)
        return [
            Proposal(
                configuration=configuration,
                origin=Origin.MODEL,
                reason=f"The model's answer to what could {goal}, after {seen} trials.",
                evidence=() if best is None else (best.number,),
                prompt_id="llambo/faithful_candidates.v1",
                details={} if wanted is None else {"target": wanted},
            )
            for configuration in found
        ]

    def _mixed(self, history: History, found: list[Proposal], n: int) -> list[Proposal]:
        """With candidates from elsewhere in place of the last ones, where the model has collapsed.

        They stand first: a judge that finds all alike, as a stuck model does, takes the first.
        """
        reasons = collapse(history).reasons
        if not reasons:
            return found
        count = max(1, round(EXPLORING * n))
        elsewhere = self._elsewhere(history, found, count)
        if not elsewhere:
            return found
        drawn = f"{len(elsewhere)} of the {n} candidates were drawn far from all trials"
        self._degraded("warning", "; ".join(reasons), drawn)
        return [*elsewhere, *found[: n - len(elsewhere)]]

    def _elsewhere(self, history: History, found: Sequence[Proposal], count: int) -> list[Proposal]:
        space = history.space
        drawn = space.sample(rng_for(self.seed, "llambo exploration", len(history)), DRAWN)
        known = history.taken | {proposal.configuration.digest for proposal in found}
        fresh = list({c.digest: c for c in drawn if c.digest not in known}.values())
        if not fresh:
            return []
        points = np.stack([space.encode(configuration)[0] for configuration in fresh])
        near, _ = history.encoded(history.trials[-LOOKED_AT:])
        chosen: list[Proposal] = []
        reason = "Drawn far from all trials because the model had stopped exploring."
        for _ in range(min(count, len(fresh))):
            index = int(np.argmax(np.abs(points[:, None, :] - near[None, :, :]).sum(axis=2).min(axis=1)))
            chosen.append(Proposal(configuration=fresh[index], origin=Origin.RANDOM, reason=reason))
            near = np.concatenate([near, points[index : index + 1]])
        return chosen
