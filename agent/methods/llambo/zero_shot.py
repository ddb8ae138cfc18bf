"""LLAMBO's zero-shot warm start: a design for the first trials from knowledge of model and data alone.

    starter = WarmStarter(model, space, words, PRESETS["llambo"], data=card, emit=emit)
    proposals = starter.propose(history, 5)
    designs = starter.designs(history, 5, 30)       # upstream's experiment: one design for each of 30 seeds

It feeds any optimiser: in upstream's own end-to-end runs the first trials were random.
"""

from __future__ import annotations

from tunesmith.agent.methods.llambo.asking import Answers
from tunesmith.agent.methods.llambo.examples import running
from tunesmith.agent.methods.llambo.legalise import Legaliser, last_ones, shared_out
from tunesmith.agent.methods.llambo.part import ProposingPart
from tunesmith.errors import ModelError
from tunesmith.history import History
from tunesmith.prompts import Prompt, render
from tunesmith.trial import WARM_START, Configuration, Origin, Proposal, Provenance

MOST_TAKEN = 12
"""Configurations tried already that are shown, the latest ones."""


class WarmStarter(ProposingPart):
    """Proposes a design zero-shot. Keeps no state. Arguments: see `ModelPart`."""

    where = "llambo.warm_start"

    def propose(self, history: History, n: int) -> list[Proposal]:
        """Up to `n` configurations to start from, none tried or running; the model's order.

        Asks again for what is missing, at most `protocol.attempts` times in all.

        Raises:
            ModelError: The model failed before it gave a single one.
        """
        rest = last_ones(history, n)
        if rest is not None:
            return rest
        legaliser = Legaliser(self._view, self.protocol, history.taken)
        tokens = 0
        for _ in range(self.protocol.attempts):
            missing = n - len(legaliser.found)
            if missing <= 0:
                break
            try:
                answers = self._design(self.prompt(history, missing, legaliser.found), 1)
            except ModelError as error:
                self._stopped(error, legaliser.found, n, "configurations")
                break
            tokens += answers.tokens
            legaliser.take(answers.found)
        legaliser.report(self._emit, self.where)
        if len(legaliser.found) < n:
            cause = f"{len(legaliser.found)} usable configurations came of {n}"
            used = "these are used" if legaliser.found else "the model proposes nothing to start from"
            self._degraded("warning", cause, used)
        return shared_out(self._proposals(legaliser.found[:n]), tokens)

    def designs(self, history: History, n: int, count: int) -> list[list[Proposal]]:
        """`count` designs of up to `n` configurations each, from one question; unreadable ones are left out.

        Raises:
            ModelError: The model failed.
        """
        answers = self._design(self.prompt(history, n), count)
        found = []
        for answer in answers.found:
            legaliser = Legaliser(self._view, self.protocol, history.taken)
            legaliser.take([answer])
            legaliser.report(self._emit, self.where)
            if legaliser.found:
                found.append(self._proposals(legaliser.found[:n]))
        share = answers.tokens // max(len(found), 1)
        return [shared_out(design, share) for design in found]

    def prompt(self, history: History, n: int, also: list[Configuration] | None = None) -> Prompt:
        """The question as it would be asked now; `also` is not to be proposed either."""
        protocol = self.protocol
        tried = [trial.configuration for trial in history.finished[-MOST_TAKEN:]]
        taken = [self._text(c) for c in (*tried, *(also or ()))]
        return render(
            "llambo/faithful_warm_start",
            facts=self._facts(history, "start"),
            space=self._view.describe(),
            n=n,
            fitted=protocol.context == "full" and self._data is not None and not protocol.blinded,
            taken=[*taken, *running(history, protocol, joint=": ")],
        )

    def _design(self, prompt: Prompt, n: int) -> Answers:
        protocol = self.protocol
        temperature, tokens = protocol.warm_start_temperature, protocol.warm_start_max_tokens
        return self._ask(prompt, n, temperature, tokens, several=True)

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
