"""When a configuration is trained again on another seed: to measure the noise, and to choose among leaders.

Only where the task states a noise above 0 or asks for it to be measured, and only from a budget of FEWEST
trials on. A replicate is a trial of the same configuration; its seed differs because its number does.

    noise: measure    the default (else the best so far) is trained MEASURED more times at the beginning
    then, or stated   in the second half, while a rival of the leading configuration is within the noise
                      of it: the one of both that was trained least; at most a SHARE of the trials
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from tunesmith.agent.methods.gp.posterior import Posterior
from tunesmith.agent.methods.gp.recommending import leaders
from tunesmith.history import History
from tunesmith.noise import Noise, known_noise
from tunesmith.trial import Origin, Proposal, Provenance, Trial, TrialState

FEWEST = 15
"""A smaller budget has no trial to spare."""
SHARE = 0.1
"""Of the budget, for replicates of leaders."""
MEASURED = 2
"""Further trials that measure the noise: with the first, a standard deviation of two degrees of freedom."""
MEASURED_AFTER = 2
"""Trials started before the noise is measured: the default and the uniform point."""
BEST_AFTER = 4
"""Completed trials after which the best stands in for a default that is not there, or failed."""
SECOND_HALF = 0.5
APART = 3
"""Trials between two replicates, but for the last ones: what one shows may change what is next."""
RIVALS = 3
"""Leaders that are looked at."""
WITHIN = 2.0
"""A rival's gap counts as noise below so many standard errors of the difference."""
MEASURING = "noise"
"""`Provenance.stage` of the trials that measure the noise."""


@dataclass(frozen=True)
class Replicates:
    """Whether to repeat a trial, by the history alone.

    Attributes:
        noise: What the task says of it; None and `none` mean that nothing is ever repeated.
        trials: The budget.
    """

    noise: Noise | None = None
    trials: int = 0

    def due(self, history: History, posterior: Posterior | None) -> list[Proposal]:
        """The one configuration to train again now; empty for none."""
        if self.noise in (None, "none") or self.trials < FEWEST:
            return []
        again = self._measuring(history) if self.noise == "measure" else None
        if again is None and posterior is not None:
            again = self._deciding(history, posterior)
        return [] if again is None or _too_dear(again, history) else [again]

    def _measuring(self, history: History) -> Proposal | None:
        if len(history.not_lost) < MEASURED_AFTER:
            return None
        repeats = [t for t in _repeats(history) if t.proposal.provenance.stage == MEASURING]
        if len(repeats) >= MEASURED:
            return None
        subject = self._subject(history, repeats)
        if subject is None:
            return None
        reason = f"Trial {subject.number} again on another seed, to measure the noise between seeds."
        return _again(subject, reason, stage=MEASURING)

    def _subject(self, history: History, repeats: list[Trial]) -> Trial | None:
        """The trial that is repeated to measure the noise."""
        if repeats:
            number = repeats[0].proposal.provenance.replicate_of
            return None if number is None else history.get(number)
        first = next((t for t in history.completed if t.configuration == history.default), None)
        if first is not None:
            return first
        waits = any(t.configuration == history.default for t in history.pending)
        return None if waits or len(history.completed) < BEST_AFTER else history.incumbent

    def _deciding(self, history: History, posterior: Posterior) -> Proposal | None:
        started, allowed = len(history.not_lost), int(SHARE * self.trials)
        repeats = [t for t in _repeats(history) if t.proposal.provenance.stage != MEASURING]
        left = self.trials - started
        if started < SECOND_HALF * self.trials or len(repeats) >= allowed or left <= 0:
            return None
        if any(not t.finished for t in repeats):
            return None  # what it shows comes first
        if left > allowed - len(repeats) and repeats and started - repeats[-1].number <= APART:
            return None
        known = known_noise(self.noise, history)
        if known is None or known.sd <= 0:
            return None
        found = leaders(history, posterior)
        if not found.trials:
            return None
        values, _ = posterior.fitted.metric(found.mean, found.std)
        within = [
            i
            for i in range(1, min(RIVALS, len(found.trials)))
            if abs(values[0] - values[i]) < WITHIN * known.sd * sqrt(1 / found.runs[0] + 1 / found.runs[i])
        ]
        if not within:
            return None
        least = min((0, *within), key=lambda i: found.runs[i])
        other = found.trials[within[0] if least == 0 else 0]
        gap = abs(float(values[0] - values[within[0] if least == 0 else least]))
        reason = (
            f"Trial {found.trials[least].number} again on another seed: it and trial {other.number} are "
            f"expected {gap:.2g} apart, which is within the noise ({known.text})."
        )
        return _again(found.trials[least], reason, evidence=(found.trials[least].number, other.number))


def _repeats(history: History) -> list[Trial]:
    return [t for t in history if t.proposal.origin is Origin.REPLICATE and t.state is not TrialState.LOST]


def _too_dear(again: Proposal, history: History) -> bool:
    """Whether a second run costs more than is left of a budget of costs."""
    number, left = again.provenance.replicate_of, history.affordable
    before = None if number is None else history.get(number)
    return left is not None and before is not None and before.cost is not None and before.cost > left


def _again(
    trial: Trial, reason: str, *, stage: str | None = None, evidence: tuple[int, ...] = ()
) -> Proposal:
    return Proposal(
        configuration=trial.configuration,
        origin=Origin.REPLICATE,
        reason=reason,
        evidence=evidence or (trial.number,),
        provenance=Provenance(replicate_of=trial.number, stage=stage),
    )
