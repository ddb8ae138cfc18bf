"""A method in a package of its own: a Halton sequence, spread evenly over the space.

After `pip install .` here a task file may say `tuner: halton`, or `tuner: {method: halton, scramble: false}`.
"""

from collections.abc import Sequence

from scipy.stats.qmc import Halton

from tunesmith.agent.methods.base import Method, MethodContext, MethodParts
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.trial import Frozen, Origin, Proposal


class Settings(Frozen):
    scramble: bool = True


class HaltonStrategy(Strategy):
    """The default, then points of the sequence; uniform draws once the sequence gives nothing new."""

    name = "halton"

    def __init__(self, context: MethodContext) -> None:
        space, seed = context.task.space, context.task.seed
        sequence = Halton(space.dimensions, scramble=context.settings.scramble, rng=seed)
        rows = space.round(sequence.random(200))
        self.points = [space.decode(row) for row in rows[space.feasible(rows)]]
        self.last = RandomStrategy(space, seed)

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        points = self.points if history.default is None else [history.default, *self.points]
        new = {c.digest: c for c in points if c.digest not in history.taken}
        reason = "The next point of a Halton sequence."
        found = [Proposal(configuration=c, origin=Origin.RANDOM, reason=reason) for c in new.values()]
        return found[:n] or self.last.propose(history, n)


METHOD = Method(
    summary="a Halton sequence, spread evenly over the space",
    build=lambda context: MethodParts(HaltonStrategy(context)),
    settings=Settings,
)
