"""A search that is over before its budget: `target` and `patience`, with the noise in mind."""

import pytest

from tunesmith import Float, Int, tune
from tunesmith.api.earlier import nothing_left
from tunesmith.budget import Budget, Spend
from tunesmith.history import History
from tunesmith.space import Space
from tunesmith.stopping import doubtful, why_over
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SPACE = Space({"x": Int(0, 1000)})


def history(*values, direction="maximize", first=0, repeats=()):
    """Trials with these values (None: failed), a repeat `(of, value)` each after them."""
    trials = []
    for number, value in enumerate((*values, *(value for _, value in repeats))):
        x = number if number < len(values) else repeats[number - len(values)][0]
        state = TrialState.CRASHED if value is None else TrialState.COMPLETED
        proposal = Proposal(configuration=SPACE.validate({"x": x}), origin=Origin.SURROGATE, reason="")
        trials.append(Trial(number=number, proposal=proposal, state=state, value=value))
    return History(SPACE, "acc", direction, trials=tuple(trials), first=first)


@pytest.mark.parametrize(
    ("values", "repeats", "noise", "over", "again"),
    [
        ((0.5, 0.8), (), "none", False, None),
        ((0.5, 0.9), (), "none", True, None),
        ((0.5, 0.91), (), None, True, None),
        ((0.5, 0.91), (), 0.02, False, 1),  # within the noise: one lucky seed could have done it
        ((0.5, 0.95), (), 0.02, True, None),
        ((0.5, 0.91), ((1, 0.95),), 0.02, True, None),
        ((0.5, 0.91), ((1, 0.85),), 0.02, False, None),
        ((0.5, 0.91), ((1, 0.91),), 0.02, False, 1),
        ((0.5, 0.91), ((1, 0.91), (1, 0.91)), 0.02, False, None),  # three times, and still in doubt
        ((0.5, 0.91), (), "measure", False, 1),
        ((0.5, 0.91), ((1, 0.91),), "measure", True, None),
    ],
)
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_target_counts_when_the_noise_allows_it(values, repeats, noise, over, again, direction):
    sign = 1 if direction == "maximize" else -1
    seen = history(
        *(sign * v for v in values), repeats=[(of, sign * v) for of, v in repeats], direction=direction
    )
    budget = Budget(target=sign * 0.9)
    why = why_over(seen, budget, noise)
    assert (why is not None) is over and (why is None or f"target acc {sign * 0.9:g} is reached" in why)
    found = doubtful(seen, budget, noise) if why is None else None
    assert (None if found is None else found.provenance.replicate_of) == again
    assert (noise is None and over) is ("not known" in (why or ""))


@pytest.mark.parametrize(
    ("values", "noise", "over"),
    [
        ((0.5, 0.4, 0.4), None, False),
        ((0.5, 0.4, 0.4, None), None, True),
        ((0.5, 0.4, 0.4, 0.51), None, False),
        ((0.5, 0.4, 0.4, 0.51), 0.05, True),
        ((0.5, 0.54, 0.54, 0.56, 0.4), 0.05, False),  # gains that are each within the noise add up
        ((None, None, None, None), None, False),  # nothing worked: that is another end
    ],
)
def test_patience_counts_trials_without_an_improvement_beyond_the_noise(values, noise, over):
    why = why_over(history(*values), Budget(patience=3), noise)
    assert (why is not None) is over and (why is None or "(`patience` is 3)" in why)
    assert why_over(history(*values), Budget(patience=3), noise) == why
    assert why_over(history(*values, first=3), Budget(patience=3), noise) is None  # a new space begins anew
    assert why_over(history(*values), Budget(), noise) is None


@pytest.mark.long
def test_a_run_ends_at_its_target_and_goes_on_when_that_is_raised(tmp_path):
    def go(**budget):
        return tune(
            lambda config, trial: config["x"],
            {"x": Float(0, 1)},
            metric="v",
            direction="maximize",
            trials=12,
            name="job",
            runs=tmp_path,
            model=None,
            tuner="random",
            **budget,
        )

    first = go(target=0.3)
    assert first.status == "finished" and "target v 0.3 is reached" in first.reason
    assert len(first.history) < 12 and first.best_value >= 0.3
    assert go(target=0.3).reason == first.reason  # nothing is left to do
    second = go(target=2.0)
    assert second.reason == "the budget of 12 trials is used" and len(second.history) == 12
    assert go(target=2.0, patience=1).reason.endswith("(`patience` is 1)")


def test_nothing_is_left_while_the_rule_holds_however_many_trials_are_allowed():
    from tunesmith.events import RunFinished
    from tunesmith.task import Task

    fields = {"metric": "acc", "direction": "maximize", "space": SPACE, "objective": "t.py:train"}
    ended = [RunFinished(reason="over", status="finished", by_budget=True, budget_trials=5)]
    for budget, left in (({"patience": 2}, False), ({"patience": 4}, True), ({}, True)):
        task = Task.model_validate({**fields, "budget": {"trials": 50, **budget}})
        why = nothing_left(ended, Spend(trials=4), task, history(0.5, 0.4, 0.3, 0.2))
        assert (why is None) is left
