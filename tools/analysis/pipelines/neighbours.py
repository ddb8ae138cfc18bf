"""Why an allocation was chosen: trials that differ from it at one stage alone, compared on the same items."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.errors import ItemsError
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.pipeline.kind import QUALITY
from tunesmith.pipeline.settings import PipelineSettings
from tunesmith.text.numbers import readable
from tunesmith.tools.analysis.paired import PairedDifference, paired
from tunesmith.tools.analysis.pipelines.cost_front import cost_of
from tunesmith.tools.analysis.pipelines.stage_rows import choice_text
from tunesmith.trial import Trial, TrialState

MOST = 4
"""Neighbours of one stage that are told."""


@dataclass(frozen=True)
class Neighbour:
    """A trial that differs from the best one at one stage."""

    stage: str
    trial: int
    own: str
    """What the stage does in the best allocation."""
    other: str
    """What it does in that trial."""
    difference: float | None
    """Quality of the best minus that of the other, over the items that both have; None without such."""
    low: float | None
    high: float | None
    """Ends of its 95 % interval."""
    n: int
    """Items that both were run on."""
    verdict: str
    """better, worse or not distinguishable; empty without items."""
    cost_difference: float
    """Cost of the best minus that of the other, for one item."""

    @property
    def sentence(self) -> str:
        head = f"{self.stage}: {self.own} rather than {self.other} (trial {self.trial})"
        cost = f"cost {readable(self.cost_difference, 4, sign='+')}"
        if self.difference is None:
            return f"{head}: {cost}; they have no items in common"
        gain = f"quality {readable(self.difference, 3, sign='+')}"
        if self.low is not None and self.high is not None:
            gain += f" ({readable(self.low, 2, sign='+')} to {readable(self.high, 2, sign='+')})"
        return f"{head}: {gain} on the same {self.n} items, {self.verdict}; {cost}"


def neighbours(options: PipelineSettings, history: History, best: Trial) -> tuple[Neighbour, ...]:
    """Finished trials that differ from `best` at one stage, stage by stage, the closest in quality first."""
    own = options.allocation(best.configuration)
    found: dict[str, list[Neighbour]] = {choice.stage: [] for choice in own}
    for trial in history.trials:
        if trial.state not in (TrialState.COMPLETED, TrialState.PRUNED) or trial.number == best.number:
            continue
        pairs = zip(own, options.allocation(trial.configuration), strict=True)
        differing = [(a, b) for a, b in pairs if a != b]
        if len(differing) != 1:
            continue
        mine, other = differing[0]
        apart = shared_items(best, trial)
        found[mine.stage].append(
            Neighbour(
                mine.stage,
                trial.number,
                choice_text(mine),
                choice_text(other),
                None if apart is None else apart.difference,
                None if apart is None else apart.low,
                None if apart is None else apart.high,
                0 if apart is None else apart.n,
                "" if apart is None else apart.verdict,
                cost_of(options, best) - cost_of(options, trial),
            )
        )
    return tuple(
        one
        for stage in found.values()
        for one in sorted(stage, key=lambda n: abs(n.difference) if n.difference is not None else 9.0)[:MOST]
    )


def cheaper_alike(options: PipelineSettings, history: History, best: Trial) -> str:
    """The cheapest trial that the items do not tell from `best`, in a sentence; empty without one."""
    own = cost_of(options, best)
    for trial in sorted(history.feasible, key=lambda t: cost_of(options, t)):
        cost, apart = cost_of(options, trial), shared_items(best, trial)
        if not cost < own:
            break
        if apart is not None and apart.verdict == "not distinguishable":
            return (
                f"Trial {trial.number} costs {1 - cost / own:.0%} less and is not distinguishable in quality "
                f"on the same {apart.n} items."
            )
    return ""


def shared_items(best: Trial, other: Trial) -> PairedDifference | None:
    """The quality of `best` against that of another trial on the items of both; None without."""
    first, second = best.items.get(QUALITY), other.items.get(QUALITY)
    if first is None or second is None:
        return None
    try:
        one, two = Items.unpack(first), Items.unpack(second)
        if one.ids is None and two.ids is None:  # a trial that was stopped has the first of the same items
            n = min(len(one), len(two))
            one, two = Items(one.scores[:n]), Items(two.scores[:n])
        return paired(one, two)
    except ItemsError:
        return None
