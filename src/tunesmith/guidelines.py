"""Guidelines: what a search has concluded so far, as claims that later trials can bear out or refute.

A claim is about one hyperparameter. It sets two groups of configurations against each other:

    better            parameter == value    scores higher than    parameter == than (None: any other value)
    gain_up_to        parameter >= value    scores higher than    parameter < value
    no_gain_beyond    parameter > value     scores no higher than parameter <= value

among configurations that have the values of `where`. A condition on another part of the configuration makes
it a claim about an interaction. `tools/analysis/guidelines.py` says what became of each.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tunesmith.trial import Frozen, Value

Relation = Literal["better", "gain_up_to", "no_gain_beyond"]
About = Literal["capability", "saturation", "interaction", "exploration"]
"""capability: which choice deserves the budget. saturation: how much of an amount is of use. interaction:
what one part of a configuration changes about another. exploration: how to go on."""


class Claim(Frozen):
    """What a guideline says, in a form that a program can check."""

    parameter: str
    relation: Relation
    value: Value
    than: Value | None = None
    """For `better`: the value that is compared with; None: any other one."""
    where: dict[str, Value] = Field(default_factory=dict)
    """Values of other hyperparameters for which it is claimed; empty: whatever they are."""

    @property
    def text(self) -> str:
        """`answer.samples > 8 brings no gain where answer.model=small`; not cleaned."""
        held = ", ".join(f"{name}={value}" for name, value in self.where.items())
        said = {
            "better": f"{self.parameter}={self.value} scores higher than "
            + ("any other value" if self.than is None else f"{self.parameter}={self.than}"),
            "gain_up_to": f"{self.parameter} >= {self.value} scores higher than less of it",
            "no_gain_beyond": f"{self.parameter} > {self.value} brings no gain",
        }[self.relation]
        return f"{said} where {held}" if held else said


class Guideline(Frozen):
    """One conclusion of one round."""

    text: str
    """In words, for people and for the next prompt."""
    about: About
    claim: Claim | None = None
    """None where the words claim nothing that can be checked."""
    evidence: tuple[int, ...] = ()
    """Numbers of the trials that it rests on; checked to exist."""
