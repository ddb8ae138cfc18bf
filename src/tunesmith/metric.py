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
    items: bool = False
    """Whether a list of numbers is the scores of single items, whose mean is the value; else it is a history,
    one value after another."""

    @property
    def own_source(self) -> bool:
        """Whether it says where the value is, beside its name."""
        return self.regex is not None or self.file is not None
