"""What a run does again when it is continued."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.inline_engine import DEFAULT, SPACE, proposal
from tunesmith.history import History
from tunesmith.tools.engine.requeue import requeue
from tunesmith.trial import Origin, Trial, TrialState

C, L, X, D = TrialState.COMPLETED, TrialState.LOST, TrialState.CRASHED, TrialState.DIVERGED


def past(*trials: tuple[float, TrialState]) -> History:
    made = [
        Trial(number=n, proposal=proposal(x), state=state, value=x if state is C else None)
        for n, (x, state) in enumerate(trials)
    ]
    return History(SPACE, "score", "maximize", default=DEFAULT, trials=tuple(made))


@pytest.mark.parametrize(
    ("trials", "again", "given_up"),
    [
        ([(0.1, C), (0.2, L), (0.3, D), (0.4, L)], [0.2, 0.4], []),
        ([(0.1, C), (0.2, L), (0.2, C)], [], []),
        ([(0.1, C), (0.2, L), (0.2, D)], [], []),
        ([(0.1, C), (0.2, L), (0.2, L)], [0.2], []),
        ([(0.1, C), (0.2, L), (0.2, L), (0.2, L)], [], [1]),
        ([(0.1, C), (0.2, X)], [], []),
        ([(0.1, X), (0.2, X), (0.3, L)], [0.3], []),
        ([(0.1, X), (0.2, D)], [], []),
        ([], [], []),
    ],
    ids=[
        "the lost, in order",
        "not what has ended since",
        "nor what has failed since",
        "lost twice",
        "lost three times",
        "not a crash among others",
        "nor crashes, even where nothing else has ended",
        "a divergence is an end",
        "nothing",
    ],
)
def test_what_is_run_again(
    trials: list[tuple[float, TrialState]], again: list[float], given_up: list[int]
) -> None:
    chances = requeue(past(*trials))
    assert [retry.configuration["x"] for retry in chances.again] == again
    assert [trial.number for trial in chances.given_up] == given_up
    assert {retry.origin for retry in chances.again} <= {Origin.RETRY}


@pytest.mark.parametrize("edited", [True, False])
@pytest.mark.parametrize("early", [True, False], ids=["before training", "while training"])
def test_where_every_trial_crashed_what_says_nothing_of_its_configuration_is_run_again(
    early: bool, edited: bool
) -> None:
    message = "ModuleNotFoundError: No module named 'x'" if early else "ZeroDivisionError: no layers"
    crashed = past((0.1, X), (0.2, X))
    crashed = replace(crashed, trials=tuple(t.model_copy(update={"message": message}) for t in crashed))
    again = [retry.configuration["x"] for retry in requeue(crashed, edited=edited).again]
    assert again == ([0.1, 0.2] if early or edited else [])


def test_a_second_try_says_what_it_repeats_and_keeps_its_first_reason() -> None:
    (retry,) = requeue(past((0.1, C), (0.2, L))).again
    assert retry.reason == "Trial 1 was lost to an interruption. A thought."


def test_what_is_given_up_is_not_to_be_proposed_either() -> None:
    lost = past((0.2, L), (0.2, L), (0.2, L), (0.3, L))
    given_up, may_come_again = (proposal(x).configuration.digest for x in (0.2, 0.3))
    assert given_up in lost.taken and may_come_again not in lost.taken
