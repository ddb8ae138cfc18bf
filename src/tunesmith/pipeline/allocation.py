"""Which model each stage of a pipeline calls, how often and how: a configuration, read stage by stage.

Workers import this file in whatever Python trains: standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

FIELDS = ("model", "samples", "temperature", "prompt", "aggregator", "agree", "rounds")
"""What is chosen for a stage; `<stage>.<field>` is its parameter in the search space."""

BY_SAMPLE = "sample"
"""In place of a stage's verifier: its callable returns a score with every sample."""


@dataclass(frozen=True)
class StageChoice:
    """What one stage of a pipeline does for one item."""

    stage: str
    model: str
    samples: int = 1
    """Independent samples for each input, at least 1."""
    temperature: Optional[float] = None  # noqa: UP045 - read at run time by Python 3.9
    """None: the callable's own."""
    prompt: Optional[str] = None  # noqa: UP045
    """Name of the prompt variant; None where the stage has none."""
    aggregator: str = "majority"
    """How the samples become one output; see `AGGREGATORS`."""
    agree: Optional[int] = None  # noqa: UP045
    """Sampling stops as soon as so many samples agree; None: never, which is 0 in a search space."""
    rounds: int = 1
    """How often a gated stage may run on an item whose gate still asks for it; 0: the stage is left out."""


AGGREGATORS = ("majority", "weighted", "best_of_n", "fusion", "check_then_vote")
"""majority: the most frequent output, the earliest of equals. weighted: the same by the samples' own weights.
best_of_n: the output that the verifier scores highest. fusion: one more call of the stage's model, given all
samples. check_then_vote: the vote among those that pass the check, of all where none passes."""


def allocation(
    fixed: Mapping[str, Mapping[str, Any]], configuration: Mapping[str, Any]
) -> tuple[StageChoice, ...]:
    """The stages of a configuration, in order.

    Args:
        fixed: For each stage in order, the fields that are not tuned, and what one that is tuned counts as
            where it is inactive.
        configuration: The tuned ones, by parameter name. A field that neither states has its default.
    """
    return tuple(
        StageChoice(
            stage,
            **{
                field: value
                for field in FIELDS
                if (value := configuration.get(f"{stage}.{field}", given.get(field))) is not None
                and not (field == "agree" and value == 0)
            },
        )
        for stage, given in fixed.items()
    )
