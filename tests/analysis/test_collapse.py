"""A run says when its trials tell it nothing."""

import pytest

from fakes.histories import configured, history, trial
from tunesmith.tools.analysis.collapse import collapse_texts, flat_predictions, stopped_often
from tunesmith.trial import TrialState


def ended(number, stopped, expected=None, value=0.8):
    spread = None if expected is None else 0.01
    about = {"expected": expected, "spread": spread, "curve": [(1, 0.5)]}
    if stopped:
        return trial(number, configured(), state=TrialState.PRUNED, **about)
    return trial(number, configured(), value, **about)


@pytest.mark.parametrize(("stopped", "said"), [(4, False), (5, True), (8, True)])
def test_more_than_half_of_the_last_eight_stopped_is_said(stopped, said):
    trials = [ended(n, False) for n in range(3)] + [ended(3 + n, n < stopped) for n in range(8)]
    past = history(*trials)
    assert (stopped_often(past) is not None) == said == bool(collapse_texts(past, "forecast"))
    if said:
        text = collapse_texts(past, "forecast")["stopped"]
        assert f"{stopped} of the last 8 trials were stopped early" in text
        assert "pruner: forecast" in collapse_texts(past, "median")["stopped"]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_flat_predictions_worse_than_the_usual_result_are_said(direction):
    sign = 1 if direction == "maximize" else -1
    done = [ended(n, False, value=sign * (0.84 + 0.002 * n)) for n in range(6)]
    flat = [ended(6 + n, True, sign * (0.75 + 0.001 * (n % 5))) for n in range(8)]
    past = history(*done, *flat, direction=direction)
    assert sorted(abs(v) for v in flat_predictions(past)) == [0.75, 0.754]
    assert "flat" in collapse_texts(past, "none")["flat"]
    near = [ended(6 + n, False, sign * (0.845 + 0.001 * (n % 5)), sign * 0.85) for n in range(8)]
    assert flat_predictions(history(*done, *near, direction=direction)) is None
    assert flat_predictions(history(*done, *flat[:5], direction=direction)) is None  # too few to tell
