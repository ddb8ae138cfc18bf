"""The share of trials that fills the space, whatever the priors and the surrogate say.

A search that only follows its model can stay where the model was wrong from the start: on a plateau nothing
contradicts a prior, and a surrogate that has explained everything as noise sees no reason to leave. So a
share of the trials is taken from a scrambled Sobol sequence, which depends on nothing but the seed:

    no contrast       all results so far are equal: every trial from the third on
    no improvement    s trials since the best value was last improved: of those beyond PATIENCE every third,
                      beyond LONG every second
    a wide space      every second one of the first WIDE_START trials
    nothing feasible  every second one of the trials from FEASIBLE_BY[0] to FEASIBLE_BY[1]

These are the sequence's points in their order. Where improvement can be predicted, every second one is the
best of the next LOOKAHEAD points by expected improvement without any prior. Where nothing can be predicted,
and there are two parameters, every second one is a corner of the space until all four are run: a range often
ends where the good region does. Where a language model's candidates compete, such a trial waits
for the next one without them, so at least every fourth is one.

**Bound.** The projections of a scrambled Sobol sequence on a few coordinates are as even as independent
uniform points or more so: m points of it miss a box of volume v, in any coordinates, with a probability of at
most about (1 - v)^m. So with a probability of 99.9 % at least a trial has landed in any given box of volume v
within k(v) = PATIENCE + 4 (2 ceil(ln(1000) / v)) trials without improvement, whatever the number of
dimensions; without contrast within 6 + ceil(ln(1000) / v).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from functools import cached_property
from itertools import islice

import numpy as np
from scipy.spatial.distance import cdist

from tunesmith.agent.methods.gp.length_scales import is_wide
from tunesmith.history import Array, History
from tunesmith.progress import Progress
from tunesmith.seeds import derive_seed
from tunesmith.space import Space
from tunesmith.trial import Configuration, Trial, TrialState

FILLING = "space_filling"
"""`Provenance.stage` of these trials."""
PATIENCE, LONG = 7, 22
"""Trials without improvement after which every third, and every second, fills the space."""
WIDE_START = 10
"""Of so many first trials in a wide space every second one is taken from the sequence: no surrogate can tell
from two or three trials which of many parameters matter."""
FEASIBLE_BY = (4, 12)
"""While no trial keeps the limits, a model of a metric that has not come near its bound says little of where
it does: on Gardner's function, 1.8 % of which is feasible, half of the searches were too late without."""
MATERIAL = 0.02
EQUAL = 1e-12
"""Scores that differ by less than this share of the largest are equal: the rest is rounding."""
LOOKAHEAD = 8
LIKELY = 0.5
"""P(the trial works) of a point that is not passed over."""
BLOCK = 64
MOST_POINTS = 1 << 12
"""Points of the sequence that are looked at before the space counts as filled."""


Score = Callable[[Array], Array]


class SpaceFilling:
    """A scrambled Sobol sequence over the legal configurations of a space; the same seed gives the same one.

    Which points have been run is read off the history, so a resumed run goes on alike. Points are generated
    when first needed and kept, which changes nothing that is returned.

    Args:
        space: What to fill.
        seed: Decides the scrambling.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._space, self._seed = space, seed
        self._points: list[Configuration] = []
        self._place: dict[str, int] = {}
        self._generated = 0

    def due(self, history: History) -> bool:
        """Whether the next trial is one that fills the space."""
        trials = history.not_lost
        if self.early(history):
            return len(trials) % 2 == 1
        since = stagnation(history)
        if since is None:
            return len(trials) >= 2
        if (wanted := quota(since)) == 0:
            return False
        latest = trials[-since - len(history.pending) :]
        return wanted > sum(self._is_point(trial, len(trials)) for trial in latest)

    def early(self, history: History) -> bool:
        """Whether this is the start of a search in a wide space, or of one without a feasible trial."""
        started = len(history.not_lost)
        if is_wide(len(self._space.names)) and started < WIDE_START:
            return True
        low, high = FEASIBLE_BY
        return bool(history.limits) and low <= started < high and not history.feasible

    def next(
        self,
        history: History,
        taken: Set[str],
        *,
        log_works: Score | None = None,
        improvement: Score | None = None,
    ) -> Configuration | None:
        """A configuration that is not in `taken`; None where the sequence has nothing new.

        Args:
            log_works: log P(the trial works) at rows (m, c), shape (m,); None while none has failed. Points
                that rather fail are passed over, as long as there is another among the next LOOKAHEAD.
            improvement: Log expected improvement, as above; None while nothing can be predicted.
        """
        if improvement is None and len(history.not_lost) % 2 == 1:
            corner = self._farthest_corner(history, taken, log_works)
            if corner is not None:
                return corner
        points = list(islice(self._open(taken), LOOKAHEAD))
        if not points:
            return None
        rows = np.stack([self._space.encode(c)[0] for c in points])
        works = np.zeros(len(rows)) if log_works is None else log_works(rows)
        open_ = np.flatnonzero(works >= min(float(np.log(LIKELY)), float(works.max())))
        run = sum(self._is_point(t, len(history)) for t in history.not_lost)
        best = 0 if run % 2 == 0 or improvement is None else int(np.argmax(improvement(rows[open_])))
        return points[int(open_[best])]

    def _farthest_corner(
        self, history: History, taken: Set[str], log_works: Score | None
    ) -> Configuration | None:
        """Of the corners that have not been run and do not rather fail, the farthest from all trials."""
        corners = [corner for corner in self._corners if corner.digest not in taken]
        if not corners:
            return None
        rows = np.stack([self._space.encode(c)[0] for c in corners])
        distance = cdist(rows, history.encoded(history.not_lost)[0]).min(axis=1)
        if log_works is not None:
            distance = np.where(log_works(rows) >= np.log(LIKELY), distance, -1.0)
        return None if distance.max() < 0 else corners[int(np.argmax(distance))]

    @cached_property
    def _corners(self) -> list[Configuration]:
        """The legal corners of a space of two numbers; none of any other."""
        if self._space.dimensions != 2 or len(self._space.names) != 2:
            return []
        rows = self._space.round(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
        corners = [self._space.decode(row) for row in rows[self._space.feasible(rows)]]
        return list({corner.digest: corner for corner in corners}.values())

    def _is_point(self, trial: Trial, trials: int) -> bool:
        """Whether a trial of a history so long is one of the points that may have been run by then."""
        while len(self._points) < trials + LOOKAHEAD and self._extend():
            pass
        place = self._place.get(trial.configuration.digest)
        return place is not None and place < trials + LOOKAHEAD

    def _open(self, taken: Set[str]) -> Iterator[Configuration]:
        place = 0
        while place < len(self._points) or self._extend():
            if self._points[place].digest not in taken:
                yield self._points[place]
            place += 1

    def _extend(self) -> bool:
        """Append the legal, new ones among the next points; False where there are no more."""
        from scipy.stats import qmc  # half a second to import, and most runs never stagnate

        before = len(self._points)
        everything = self._space.cardinality
        while len(self._points) == before and self._generated < MOST_POINTS and before != everything:
            engine = qmc.Sobol(len(self._space.names), rng=derive_seed(self._seed, "space filling"))
            if self._generated:
                engine.fast_forward(self._generated)
            rows = self._space.round(self._rows(engine.random(BLOCK)))
            self._generated += BLOCK
            for row in rows[self._space.feasible(rows)]:
                point = self._space.decode(row)
                if point.digest not in self._place:
                    self._place[point.digest] = len(self._points)
                    self._points.append(point)
        return len(self._points) > before

    def _rows(self, points: Array) -> Array:
        """Unit-cube rows (n, c) of points (n, p) with one coordinate for each parameter."""
        columns: list[Array] = []
        for place, name in enumerate(self._space.names):
            k = sum(column.parameter == name for column in self._space.columns)
            u = points[:, place]
            columns.append(u[:, None] if k == 1 else np.eye(k)[np.minimum((u * k).astype(int), k - 1)])
        return np.concatenate(columns, axis=1)


def quota(since: int) -> int:
    """How many of the latest `since` trials, none of which improved on the best, are to fill the space."""
    if since <= LONG:
        return max(0, -(-(since - PATIENCE) // 3))
    return -(-(LONG - PATIENCE) // 3) + (since - LONG + 1) // 2


def stagnation(history: History) -> int | None:
    """Finished trials since the best value was last improved materially; None while all results are equal.

    Failed trials count: they brought no improvement. Material is more than MATERIAL of the interquartile
    range of the scores, so that polishing a poor optimum is no improvement. With limits or several metrics
    any step forward (`tunesmith.progress`) counts that is material in one of the metrics.
    """
    scores = history.scores
    if scores.size == 0 or float(np.ptp(scores)) <= EQUAL * float(np.max(np.abs(scores))):
        return None
    low, high = np.percentile(scores, (25, 75))
    material = MATERIAL * float(high - low)
    if not history.goals.plain:
        return _without_step(history, material)
    best, since = -np.inf, 0
    for trial in history.informative:
        since += 1
        score = -np.inf if trial.state is not TrialState.COMPLETED else history.sign * (trial.value or 0.0)
        if score > best + material:
            best, since = score, 0
    return since


def _without_step(history: History, material: float) -> int:
    """The same where the goals are limits or several metrics."""
    margins = {history.metric: material}
    for goal in history.others:
        low, high = np.percentile([t.values[goal.metric] for t in history.completed], (25, 75))
        margins[goal.metric] = MATERIAL * float(high - low)
    steps, since = Progress(history.goals, margins), 0
    for trial in history.informative:
        since += 1
        if trial.state is TrialState.COMPLETED and steps.add(trial):
            since = 0
    return since
