"""How a trial's value is read. Workers import this file in whatever Python trains: standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """Where the value is, and which one counts where there are several."""

    take: str | None = None
    """`best` or `last` of all values of a trial; None: the result, or without one the last report."""
    regex: str | None = None
    """For printed lines; has a group `value`, or one group only. None: values are in JSON, or in dicts."""
    file: str | None = None
    """What the training code writes; `{checkpoint_dir}` and `{number}` stand in it. None: nothing is read."""
    maximize: bool = True
    """Whether larger values are better."""
