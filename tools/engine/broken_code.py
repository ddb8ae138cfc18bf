"""When crashes mean that the training code is broken, rather than that a part of the space does not work.

Half a space that crashes is no reason to end a run: strategies keep away from failures and go on elsewhere.
The code is broken where none of this session's trials ended in any other way, and

    BEFORE_TRAINING trials crashed by one error before training began (import, call, data, no metric), or
    FAR_APART configurations that are far from each other crashed by one error, or
    AT_MOST trials crashed, by whatever errors.

Errors are the same when they agree without their numbers, paths and values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from tunesmith.history import Array, History
from tunesmith.tools.analysis.crashes import before_training, by_person, signature
from tunesmith.trial import Trial, TrialState

BEFORE_TRAINING = 3
FAR_APART = 5
"""Where half of the space works, five points at random all miss it once in 32 times; strategies that keep
away from failures do so less often."""
AT_MOST = 10
"""Where a fifth of the space works, ten points at random all miss it once in nine times."""
LOST_IN_ROW = 3
"""For each worker: lost trials cost no budget, so nothing else would end such a run. A configuration that
takes its process down again and again counts once; it is given up."""
GO_ON = "mend it and run the same command again"


def why_broken(history: History, first: int, workers: int) -> str | None:
    """Why no further trial of this session would succeed, or None.

    Args:
        first: Number of the session's first trial. Earlier sessions may have run other code.
    """
    ends = [t for t in history.finished if t.number >= first]
    lost = list(takewhile(lambda t: t.state is TrialState.LOST, reversed(ends)))
    if len({t.configuration if t.loss == "process" else t.number for t in lost}) >= LOST_IN_ROW * workers:
        return f"the last {len(lost)} trials were lost, the latest because {lost[0].message}"
    crashed = [t for t in ends if t.state is TrialState.CRASHED and not by_person(t)]
    if any(t.state not in (TrialState.CRASHED, TrialState.LOST) for t in ends) or not crashed:
        return None
    for error in dict.fromkeys(signature(t) for t in crashed):
        alike = [t for t in crashed if signature(t) == error]
        what = _short(alike[-1].message)
        early = [t for t in alike if before_training(t)]
        if len(early) >= BEFORE_TRAINING:
            return (
                f"{len(early)} trials crashed before their training began, each by the same error ({what}), "
                f"so the training code is broken: {GO_ON}"
            )
        far = _far_apart(history, alike)
        if far >= FAR_APART:
            return (
                f"{far} configurations far apart all crashed by the same error ({what}), and nothing worked, "
                f"so the training code is probably broken: {GO_ON}"
            )
    if len(crashed) >= AT_MOST:
        kinds = Counter(signature(t) for t in crashed)
        most, times = kinds.most_common(1)[0]
        what = _short(next(t.message for t in reversed(crashed) if signature(t) == most))
        return (
            f"all {len(crashed)} trials crashed, in different places of the space, by {len(kinds)} different "
            f"errors ({times} times: {what}): mend the training code, or narrow the space to what can work; "
            "the same command goes on with new points"
        )
    return None


def _far_apart(history: History, trials: Sequence[Trial]) -> int:
    """How many of the trials, taken in order, differ from those before by `far` in some parameter."""
    kept: list[Array] = []
    free = sum(parameter.size != 1 for parameter in history.space.parameters.values())
    far = 0.5 * FAR_APART ** (-1 / max(free, 1))  # half the spacing of a grid of so many points
    for row in history.encoded(tuple(trials))[0]:
        if all(np.abs(row - other).max() >= far for other in kept):
            kept.append(row)
    return len(kept)


def _short(message: str) -> str:
    return message if len(message) <= 160 else f"{message[:157]}..."
