"""Our tuner started from a recorded opening, or from a part of it.

    first      the model's first configuration is run after the default, nothing else of it is used
    beliefs    its beliefs alone, as priors
    full       both, with its other configurations competing, as in a run (`hybrid/suggester.py`)

The gate decides as in a run when the beliefs and the competing configurations have a part. The model is
not asked again later: what is scored is the opening.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.bench.contenders.base import Contender
from tunesmith.bench.openings.recorded import RecordedOpening, read_openings
from tunesmith.bench.task import BenchTask
from tunesmith.bench.trace import Evaluator, Trace, optimise
from tunesmith.errors import UsageError
from tunesmith.history import History
from tunesmith.interfaces import Strategy
from tunesmith.space import Space
from tunesmith.trial import WARM_START, Proposal

if TYPE_CHECKING:
    from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
    from tunesmith.agent.methods.hybrid.proposer import Opening

PREFIX = "openings:"
PARTS = ("first", "beliefs", "full")
LABEL = "opening"
START = "tunesmith.agent.methods.hybrid.suggester"
"""The module whose code, with all it imports, makes a build of these contenders."""


def spec_name(part: str, suite: str, path: Path) -> str:
    """The name by which a worker process finds the contender: part, suite and file."""
    return f"{PREFIX}{part}:{suite}:{path}"


def contender(name: str) -> Contender:
    """The contender that `spec_name` names; its own name, in stored runs, holds no path.

    Raises:
        UsageError: The file cannot be read, or the name is malformed.
    """
    part, _, rest = name.removeprefix(PREFIX).partition(":")
    suite, _, path = rest.partition(":")
    if part not in PARTS or not path:
        raise UsageError(f"{name!r} is no part of an opening; there are {', '.join(PARTS)}.")
    openings = _openings(path)

    def run(task: BenchTask, seed: int, evaluations: int, evaluate: Evaluator) -> Trace:
        from tunesmith.bench.contenders.ours import StrategySteps

        known = openings.get((suite, task.name))
        strategy = opened(task, seed, known, part)
        shared = len(task.initial(seed)) + (task.default is not None)
        return optimise(StrategySteps(task, seed, strategy), shared, evaluations, evaluate)

    return Contender(f"{LABEL}:{part}", version_of(), True, run)


def for_task(optimiser: Contender, opening: RecordedOpening) -> Contender:
    """The contender with the task's opening in its version, so that another answer makes other runs."""
    return replace(optimiser, version=f"{optimiser.version}, opening {opening.digest}")


@cache
def version_of() -> str:
    """Package version and a digest of the code that decides with an opening."""
    from tunesmith.bench.contenders.build import our_version

    return our_version(START)


@cache
def _openings(path: str) -> dict[tuple[str, str], RecordedOpening]:
    return read_openings(Path(path))


def opened(task: BenchTask, seed: int, known: RecordedOpening | None, part: str) -> Strategy:
    """The strategy of a run of the method `hybrid` whose model answered `known`; numeric without it."""
    from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
    from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
    from tunesmith.agent.methods.hybrid.suggester import WARM_LAUNCHED
    from tunesmith.bench.contenders.ours import numeric

    alone = numeric(task, seed)
    if known is None:
        return alone
    opening = as_opening(task, known)
    warm = () if part == "beliefs" else tuple(opening.proposals[:WARM_LAUNCHED])
    if part == "first":
        return StartedStrategy(alone, alone, warm, ())
    elicited = ElicitedPriors(task.space)
    elicited.record(opening.priors)
    others = [p.with_provenance(stage=None) for p in opening.proposals[WARM_LAUNCHED:]]
    return StartedStrategy(alone, HybridStrategy(alone, elicited), warm, others if part == "full" else ())


class StartedStrategy(Strategy):
    """Default, then the warm start unjudged, then a strategy with the candidates that are left."""

    name = "opened"

    def __init__(
        self,
        alone: GaussianProcessStrategy,
        after: Strategy,
        warm: Sequence[Proposal],
        competing: Sequence[Proposal],
    ) -> None:
        self._alone, self._after = alone, after
        self._warm, self._competing = tuple(warm), tuple(competing)

    @property
    def space(self) -> Space:
        return self._alone.space

    def propose(self, history: History, n: int, candidates: Sequence[Proposal] = ()) -> list[Proposal]:
        started = [t for t in history if t.proposal.provenance.stage == WARM_START]
        queue = [*history.default_first, *history.new(self._warm[len(started) :])]
        return queue[:n] or self._after.propose(history, n, [*history.new(self._competing), *candidates])


def as_opening(task: BenchTask, known: RecordedOpening) -> Opening:
    """The opening as a run would have read it: asked by the same code, answered from the recording.

    Raises:
        ModelError: The answer cannot be used at all.
    """
    from tunesmith.agent.methods.hybrid.proposer import ModelProposer
    from tunesmith.agent.methods.hybrid.suggester import WARM_ASKED
    from tunesmith.agent.models import open_model
    from tunesmith.bench.contenders.ours import as_task, empty_history
    from tunesmith.budget import ModelCaps

    text = json.dumps(known.answer)
    model = open_model(lambda messages: text, ModelCaps(), lambda event: event, mode="live")
    try:
        proposer = ModelProposer(model, as_task(task, 0), lambda event: event)
        return proposer.opening(empty_history(task), WARM_ASKED)
    finally:
        model.close()
