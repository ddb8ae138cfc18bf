"""LLAMBO's candidate sampler: configurations drawn from p(h | s', D), the model shown a value to reach.

    sampler = CandidateSampler(door, space, words, PRESETS["llambo-paper"], emit=emit)
    proposals = sampler.propose(history, 20)

One prompt for each template, the examples in another order; several completions of each. What comes back is
read, taken back to the real space, and kept where it is legal and new, until half of what was wanted is
there or the attempts are used: then it is what there is. Where the model has stopped exploring, a share of
the candidates is drawn far from everything tried, and that is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tunesmith.agent.methods.llambo.asking import How, ask
from tunesmith.agent.methods.llambo.collapse import collapse
from tunesmith.agent.methods.llambo.context import TaskWords, facts
from tunesmith.agent.methods.llambo.examples import running
from tunesmith.agent.methods.llambo.formats import format_score, view
from tunesmith.agent.methods.llambo.history_rows import permuted, rows
from tunesmith.agent.methods.llambo.legalise import Settler, left_over, shared_out
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.methods.llambo.target import target
from tunesmith.agent.models import LanguageModel
from tunesmith.data_card import DataCard
from tunesmith.errors import ModelError
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt, render
from tunesmith.seeds import rng_for
from tunesmith.space import Space
from tunesmith.text.cleaning import error_line
from tunesmith.trial import Configuration, Origin, Proposal

WHERE = "llambo.sampler"
EXPLORING = 0.3
"""Share of the candidates that is drawn elsewhere once the model's have collapsed."""
DRAWN = 64
"""Random configurations among which the ones farthest from all trials are looked for."""
LOOKED_AT = 1000
"""Latest trials whose distance counts; bounds the time."""


class CandidateSampler:
    """Proposes candidates that should reach a target. Keeps no state.

    Args:
        model: Asked by `sample`.
        space: What may be proposed; must be the space of the histories given.
        words: The task in words, told as far as the protocol's context allows.
        protocol: Number of candidates, templates, format and the rest.
        data: Facts about the data, or None.
        emit: Gets every repair, rejection and collapse.
        seed: Of the orders of examples and of what is drawn elsewhere.
        bounds: Least and largest value the metric can take, where known.
    """

    def __init__(
        self,
        model: LanguageModel,
        space: Space,
        words: TaskWords | str,
        protocol: LlamboSettings,
        data: DataCard | None = None,
        emit: Emit = lambda event: event,
        *,
        seed: int = 0,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        self._model, self._words, self._protocol = model, words, protocol
        self._data, self._emit, self._seed, self._bounds = data, emit, seed, bounds
        self._view = view(space, protocol)

    def propose(self, history: History, n: int) -> list[Proposal]:
        """Up to `n` new, legal candidates, in the order the model gave them; those drawn elsewhere first.

        A space of which no more than `n` configurations are left gives those, and the model is not asked.

        Raises:
            ModelError: The model failed before it gave a single one.
        """
        rest = left_over(history, n)
        if rest is not None:
            reason = "One of the last configurations of this space that were not tried yet."
            return [Proposal(configuration=c, origin=Origin.RANDOM, reason=reason) for c in rest]
        wanted = target(history, self._protocol, self._bounds)
        settler = Settler(self._view, self._protocol, history.taken)
        tokens = self._ask_until(history, wanted, settler, n)
        settler.tell(self._emit, WHERE)
        found = self._proposals(history, settler.found[:n], wanted)
        return self._mixed(history, shared_out(found, tokens), n)

    def prompts(self, history: History) -> list[Prompt]:
        """The questions as they would be asked now, one for each template."""
        wanted = target(history, self._protocol, self._bounds)
        return [self._prompt(history, wanted, template) for template in range(self._protocol.templates)]

    def _ask_until(self, history: History, wanted: float | None, settler: Settler, n: int) -> int:
        """Asks until there is half of `n`, as upstream does, or the attempts are used; tokens spent."""
        protocol, tokens, enough = self._protocol, 0, math.ceil(n / 2)
        portion = min(protocol.completions, math.ceil(n / protocol.templates))
        how = How(
            n=portion,
            temperature=protocol.sampler_temperature,
            top_p=protocol.top_p,
            max_tokens=protocol.sampler_max_tokens,
            where=WHERE,
        )
        for _ in range(protocol.attempts):
            for template in range(protocol.templates):
                try:
                    prompt = self._prompt(history, wanted, template)
                    answers = ask(self._model, prompt, self._view.space, how, self._emit)
                except ModelError as error:
                    if not settler.found:
                        raise
                    self._stopped_short(error, len(settler.found), n)
                    return tokens
                tokens += answers.tokens
                settler.take(answers.found)
            if len(settler.found) >= enough:
                return tokens
        self._few(len(settler.found), n)
        return tokens

    def _prompt(self, history: History, wanted: float | None, template: int) -> Prompt:
        protocol = self._protocol
        return render(
            "llambo/faithful_candidates",
            facts=facts(
                self._words, self._data, protocol, metric=history.metric, direction=history.direction
            ),
            space=self._view.describe(),
            metric="score" if protocol.blinded else history.metric,
            target="" if wanted is None else format_score(wanted, protocol),
            precise=protocol.context != "none",
            examples=permuted(rows(history, protocol), protocol, self._seed, template),
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
        how = f"{len(elsewhere)} of the {n} candidates were drawn far from all trials"
        self._emit(Degraded(what="warning", where=WHERE, cause="; ".join(reasons), continuation=how))
        return [*elsewhere, *found[: n - len(elsewhere)]]

    def _elsewhere(self, history: History, found: Sequence[Proposal], count: int) -> list[Proposal]:
        space = history.space
        drawn = space.sample(rng_for(self._seed, "llambo exploration", len(history)), DRAWN)
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

    def _stopped_short(self, error: ModelError, have: int, n: int) -> None:
        cause = error_line(error)
        how = f"the {have} candidates of {n} that had come are used"
        self._emit(Degraded(what="fallback", where=WHERE, cause=cause, continuation=how))

    def _few(self, have: int, n: int) -> None:
        attempts = self._protocol.attempts
        cause = f"{attempts} rounds of questions gave {have} usable candidates of {n}"
        how = "these are used" if have else "the model proposes nothing this time"
        self._emit(Degraded(what="warning", where=WHERE, cause=cause, continuation=how))
