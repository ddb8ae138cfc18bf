"""What a report asks before it praises its run, and that it asks nothing of a run that is fine."""

import pytest

from tunesmith.budget import ModelSpend
from tunesmith.events import ModelCalled, Recommended, RunStarted
from tunesmith.history import History
from tunesmith.recommendation import Recommendation
from tunesmith.space import Float, Space
from tunesmith.task import Task
from tunesmith.tools.analysis.health import health
from tunesmith.trial import Origin, Proposal, Provenance, Trial, TrialState

SPACE = Space({"x": Float(0, 1), "y": Float(0, 1)})
C, P, F, L = TrialState.COMPLETED, TrialState.PRUNED, TrialState.CRASHED, TrialState.LOST
CALL = {"purpose": "p", "model": "m", "seconds": 1, "prompt_tokens": 0, "completion_tokens": 0, "dollars": 0}


def asked(ends, *, default=None, noise=None, events=(), **proposal):
    """What is asked of trials that ended as told: (state, value, expected) each, spread 0.1."""
    trials = []
    for number, (state, value, expected) in enumerate(ends):
        values = SPACE.validate({"x": number / 100, "y": 0.5})
        made = Proposal(
            configuration=values,
            origin=Origin.SURROGATE,
            reason="",
            expected=expected,
            spread=None if expected is None else 0.1,
            **proposal,
        )
        trials.append(Trial(number=number, proposal=made, state=state, value=value))
    start = None if default is None else trials[default].configuration
    fields = {"metric": "acc", "direction": "maximize", "space": SPACE, "objective": "t.py:train"}
    task = Task.model_validate({**fields, "noise": noise})
    return health(History(SPACE, "acc", "maximize", start, tuple(trials)), task, events)


def completed(*values, expected=None):
    return [(C, value, expected) for value in values]


GOOD = completed(0.1, 0.2, 0.5, 0.4, 0.6, 0.7, 0.3, 0.8, 0.9, 0.85)


@pytest.mark.parametrize(
    ("ends", "more", "words"),
    [
        ([(F, None, None)] * 4 + GOOD[:4], {}, "4 of 8 trials (50%) failed: 4 crashed"),
        ([(L, None, None)] * 4 + GOOD[:6], {}, "4 of 10 trials (40%) were lost"),
        ([(P, None, None)] * 6 + GOOD[:4], {}, "6 of 10 trials (60%) were stopped early"),
        (completed(*[0.5] * 9), {}, "All 9 completed trials have the same acc"),
        ([(C, v, v + 0.3) for _, v, _ in GOOD], {}, "10 of 10 results lay outside the band"),
        ([(C, v, 0.1) for v in (0.5, 0.6, 0.55, 0.5, 0.6, 0.55, 0.5, 0.61)], {}, "predictions are all alike"),
        (GOOD, {"default": 8}, "Nothing better than the default"),
        (GOOD, {"default": 9, "noise": 0.1}, "within what two seeds differ by"),
        (GOOD[:3], {}, "3 trials with a value for 2 hyperparameters"),
    ],
)
def test_what_is_bad_is_said(ends, more, words):
    assert any(words in line for line in asked(ends, **more))


def test_repeated_configurations_are_told_with_what_to_do():
    made = [
        Proposal(
            configuration=SPACE.validate({"x": n % 3 / 10, "y": 0.5}), origin=Origin.SURROGATE, reason=""
        )
        for n in range(9)
    ]
    trials = [Trial(number=n, proposal=p, state=C, value=n / 10) for n, p in enumerate(made)]
    fields = {"metric": "acc", "direction": "maximize", "space": SPACE, "objective": "t.py:train"}
    history = History(SPACE, "acc", "maximize", None, tuple(trials))
    said = health(history, Task.model_validate(fields), ())
    assert any("6 of 9 trials (67%) repeated" in line and "Widen the space" in line for line in said)


def test_a_model_that_hardly_took_part_is_told():
    begun = RunStarted(name="", folder="", strategy="", policy="", model="m", workers=1, resumed=False)
    calls = [ModelCalled(**CALL, ok=ok, spend=ModelSpend()) for ok in (True, False, False)]
    (line,) = asked(GOOD, events=[begun, *calls], provenance=Provenance(fallback=True))
    assert "2 of 3 calls to the language model failed" in line and "10 trials in its place" in line


@pytest.mark.parametrize(
    "ends",
    [[], GOOD, [*GOOD, (F, None, None)], [(C, v, v + 0.05) for _, v, _ in GOOD], [(P, None, None), *GOOD]],
)
def test_a_run_that_is_fine_is_asked_nothing(ends):
    assert asked(ends, default=0 if ends else None, noise=0.01) == ()


@pytest.mark.parametrize(("expected", "doubted"), [(0.85, False), (0.68, False), (0.55, True)])
def test_a_best_value_that_is_mostly_luck_is_told(expected, doubted):
    found = Recommendation(
        trial=8, configuration=SPACE.validate({"x": 0.08, "y": 0.5}), expected=expected, spread=0.05,
        best_trial=8, best_value=0.9,
    )  # fmt: skip
    said = asked(GOOD, events=[Recommended(recommendation=found, text="")])
    assert any("was probably luck" in line for line in said) == doubted
