"""The priors in force, in words: which source believes what of which hyperparameter, and its share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.trial import Frozen

TRUST = "trust "
"""Before a source's name in `Proposal.details`: how far it was trusted when the proposal was made, 0 to 1."""
LABELS = {
    "default": "the default",
    "name": "the name",
    "data": "the data",
    "model": "the language model",
    "person": "a person",
}


class StatedPrior(Frozen):
    """What one source believes of one hyperparameter."""

    parameter: str
    source: str
    """`default`, `name`, `data` (figures of it), `model`, `person`, or `word W` for a word of the task."""
    share: float
    """Of the hyperparameter's prior at the start, in (0, 1]; what is missing to 1 is uniform."""
    text: str
    """Such as `near 0.003 (0.001 to 0.01)`: the likeliest place and the central 68 %."""

    @property
    def label(self) -> str:
        """The source in words."""
        return label_of(self.source)


def label_of(source: str) -> str:
    """A source in words: `the default`, `the word 'svc'`."""
    return LABELS.get(source, f"the word {source.removeprefix('word ')!r}")


def prior_lines(priors: Sequence[StatedPrior]) -> list[str]:
    """A line per hyperparameter."""
    by_parameter: dict[str, list[str]] = {}
    for prior in priors:
        said = f"{prior.text} by {prior.label} ({prior.share:.0%})"
        by_parameter.setdefault(prior.parameter, []).append(said)
    return [f"{parameter}: {'; '.join(said)}" for parameter, said in by_parameter.items()]


def trusts_of(details: Mapping[str, float]) -> dict[str, float]:
    """How far each source was trusted when a proposal was made, from its `details`."""
    return {key.removeprefix(TRUST): value for key, value in details.items() if key.startswith(TRUST)}
