"""LLAMBO's zero-shot warm start: a design for the first trials from knowledge of model and data alone.

    starter = WarmStarter(door, space, words, PRESETS["llambo"], data=card, emit=emit)
    proposals = starter.propose(history, 5)
    designs = starter.designs(history, 5, 30)       # upstream's experiment: one design for each of 30 seeds

It feeds any optimiser: in upstream's own end-to-end runs the first trials were random.
"""

from __future__ import annotations

from tunesmith.agent.methods.llambo.asking import Answers, How, ask
from tunesmith.agent.methods.llambo.context import TaskWords, facts
from tunesmith.agent.methods.llambo.examples import running
from tunesmith.agent.methods.llambo.formats import format_configuration, view
from tunesmith.agent.methods.llambo.legalise import Settler, left_over, shared_out
from tunesmith.agent.methods.llambo.settings import LlamboSettings
from tunesmith.agent.models import LanguageModel
from tunesmith.data_card import DataCard
from tunesmith.errors import ModelError
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.prompts import Prompt, render
from tunesmith.space import Space
from tunesmith.text.cleaning import error_line
from tunesmith.trial import WARM_START, Configuration, Origin, Proposal, Provenance

WHERE = "llambo.warm_start"
MOST_TAKEN = 12
"""Configurations tried already that are shown, the latest ones."""


class WarmStarter:
    """Proposes a design zero-shot. Keeps no state.

    Args:
        model: Asked by `sample`.
        space: What may be proposed; must be the space of the histories given.
        words: The task in words, told as far as the protocol's context allows.
        protocol: Context level, format, temperature and the rest.
        data: Facts about the data, or None: then sentences about data are left out.
        emit: Gets every repair and rejection.
    """

    def __init__(
        self,
        model: LanguageModel,
        space: Space,
        words: TaskWords | str,
        protocol: LlamboSettings,
        data: DataCard | None = None,
        emit: Emit = lambda event: event,
    ) -> None:
        self._model, self._words, self._protocol = model, words, protocol
        self._data, self._emit = data, emit
        self._view = view(space, protocol)

    def propose(self, history: History, n: int) -> list[Proposal]:
        """Up to `n` configurations to start from, none tried or running; the model's order.

        Asks again for what is missing, at most `protocol.attempts` times in all.

        Raises:
            ModelError: The model failed before it gave a single one.
        """
        rest = left_over(history, n)
        if rest is not None:
            reason = "One of the last configurations of this space that were not tried yet."
            return [Proposal(configuration=c, origin=Origin.RANDOM, reason=reason) for c in rest]
        settler = Settler(self._view, self._protocol, history.taken)
        tokens = 0
        for _ in range(self._protocol.attempts):
            missing = n - len(settler.found)
            if missing <= 0:
                break
            try:
                answers = self._ask(self.prompt(history, missing, settler.found), 1)
            except ModelError as error:
                if not settler.found:
                    raise
                cause = error_line(error)
                how = f"the {len(settler.found)} configurations of {n} that had come are used"
                self._emit(Degraded(what="fallback", where=WHERE, cause=cause, continuation=how))
                break
            tokens += answers.tokens
            settler.take(answers.found)
        settler.tell(self._emit, WHERE)
        if len(settler.found) < n:
            cause = f"{len(settler.found)} usable configurations came of {n}"
            how = "these are used" if settler.found else "the model proposes nothing to start from"
            self._emit(Degraded(what="warning", where=WHERE, cause=cause, continuation=how))
        return shared_out(self._proposals(settler.found[:n]), tokens)

    def designs(self, history: History, n: int, count: int) -> list[list[Proposal]]:
        """`count` designs of up to `n` configurations each, from one question; unreadable ones are left out.

        Raises:
            ModelError: The model failed.
        """
        answers = self._ask(self.prompt(history, n), count)
        found = []
        for answer in answers.found:
            settler = Settler(self._view, self._protocol, history.taken)
            settler.take([answer])
            settler.tell(self._emit, WHERE)
            if settler.found:
                found.append(self._proposals(settler.found[:n]))
        share = answers.tokens // max(len(found), 1)
        return [shared_out(design, share) for design in found]

    def prompt(self, history: History, n: int, also: list[Configuration] | None = None) -> Prompt:
        """The question as it would be asked now; `also` is not to be proposed either."""
        protocol, space = self._protocol, history.space
        tried = [trial.configuration for trial in history.finished[-MOST_TAKEN:]]
        taken = [format_configuration(space, c, protocol) for c in (*tried, *(also or ()))]
        return render(
            "llambo/faithful_warm_start",
            facts=facts(
                self._words,
                self._data,
                protocol,
                metric=history.metric,
                direction=history.direction,
                stage="start",
            ),
            space=self._view.describe(),
            n=n,
            fitted=protocol.context == "full" and self._data is not None and not protocol.blinded,
            taken=[*taken, *running(history, protocol, joint=": ")],
        )

    def _ask(self, prompt: Prompt, n: int) -> Answers:
        protocol = self._protocol
        how = How(
            n=n,
            temperature=protocol.warm_start_temperature,
            top_p=protocol.top_p,
            max_tokens=protocol.warm_start_max_tokens,
            where=WHERE,
            several=True,
        )
        return ask(self._model, prompt, self._view.space, how, self._emit)

    def _proposals(self, found: list[Configuration]) -> list[Proposal]:
        return [
            Proposal(
                configuration=configuration,
                origin=Origin.MODEL,
                reason="The model's design to start from, made before any trial was looked at.",
                prompt_id="llambo/faithful_warm_start.v1",
                provenance=Provenance(stage=WARM_START),
            )
            for configuration in found
        ]
