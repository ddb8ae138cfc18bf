"""What a run does again when it is continued."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.inline_engine import DEFAULT, SPACE, EngineMaker, InlineExecutor, completed, proposal
from tunesmith.budget import Budget
from tunesmith.events import Noted
from tunesmith.history import History
from tunesmith.objective import Objective
from tunesmith.tools.engine.broken_code import why_broken
from tunesmith.tools.engine.requeue import changed_since, requeue
from tunesmith.tools.execution.base import Job
from tunesmith.trial import Origin, Outcome, Trial, TrialState

C, L, X, D = TrialState.COMPLETED, TrialState.LOST, TrialState.CRASHED, TrialState.DIVERGED
P = "lost by its own process's death"
End = TrialState | str


def past(*trials: tuple[float, End]) -> History:
    made = [
        Trial(
            number=n,
            proposal=proposal(x),
            state=L if state == P else state,
            value=x if state is C else None,
            loss="process" if state == P else "interrupted" if state is L else None,
        )
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
        ([(0.1, C), *[(0.2, L)] * 9], [0.2], []),
        ([(0.1, C), (0.2, P), (0.2, P)], [0.2], []),
        ([(0.1, C), (0.2, P), (0.2, L), (0.2, P), (0.2, L)], [0.2], []),
        ([(0.1, C), (0.2, P), (0.2, L), (0.2, P), (0.2, P)], [], [1]),
        ([*[(0.5, L)] * 4, (0.2, P), *[(0.5, L)] * 4], [0.5, 0.2], []),
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
        "interrupted from outside nine times",
        "took its process down twice",
        "took its process down twice and was interrupted twice",
        "took its process down three times",
        "the default, interrupted again and again",
        "not a crash among others",
        "nor crashes, even where nothing else has ended",
        "a divergence is an end",
        "nothing",
    ],
)
def test_what_is_run_again(trials: list[tuple[float, End]], again: list[float], given_up: list[int]) -> None:
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


@pytest.mark.parametrize("edited", [True, False])
def test_what_a_person_ended_is_not_run_again_nor_taken_for_broken_code(edited: bool) -> None:
    ended = past(*((x / 12, X) for x in range(11)))
    text = "ended by a person before its first report: FileNotFoundError: no data"
    ended = replace(ended, trials=tuple(t.model_copy(update={"message": text}) for t in ended))
    assert requeue(ended, edited=edited).again == []
    assert why_broken(ended, 0, 1) is None


def test_a_second_try_says_what_it_repeats_and_keeps_its_first_reason() -> None:
    (retry,) = requeue(past((0.1, C), (0.2, L))).again
    assert retry.reason == "Trial 1 was lost to an interruption. A thought."


def test_what_is_given_up_is_not_to_be_proposed_either() -> None:
    lost = past((0.2, P), (0.2, P), (0.2, P), (0.3, P), (0.4, L), (0.4, L), (0.4, L))
    given_up, *may_come_again = (proposal(x).configuration.digest for x in (0.2, 0.3, 0.4))
    assert given_up in lost.taken and lost.taken.isdisjoint(may_come_again)


def dies(*poison: float, workers: int = 1) -> tuple[InlineExecutor, list[float]]:
    """An executor in which some configurations take their process down, and what runs beside them with it;
    and what it was given to train."""
    tried: list[float] = []
    dying: set[int] = set()

    def train(job: Job) -> Outcome:
        x = float(job.configuration["x"])
        tried.append(x)
        if x in poison:
            dying.update(executor.running)
        if job.number in dying:
            return Outcome(state=L, message="the process that watched over it died", loss="process")
        return completed(job)

    executor = InlineExecutor(workers, train)
    return executor, tried


def test_a_trial_that_took_its_process_down_is_run_again_in_the_same_session_and_given_up_after_three(
    maker: EngineMaker,
) -> None:
    executor, tried = dies(0.5)
    ended = maker.engine(executor=executor, budget=Budget(trials=4)).run()
    assert ended.status == "finished"
    assert tried.count(0.5) == 3  # the default: it comes first
    assert [t.state for t in ended.history] == [L, L, L, C, C, C, C]
    assert [t.proposal.provenance.attempt for t in ended.history.trials[:3]] == [1, 2, 3]
    assert any("is left out" in event.text for event in maker.events(Noted))
    again = maker.engine(executor=executor, budget=Budget(trials=5)).run()
    assert tried.count(0.5) == 3 and len(again.history.completed) == 5


def test_what_died_beside_another_gets_its_last_try_alone(maker: EngineMaker) -> None:
    executor, tried = dies(0.5, workers=3)
    ended = maker.engine(executor=executor, budget=Budget(trials=6), workers=3).run()
    assert ended.status == "finished" and len(ended.history.completed) == 6
    lost = {t.configuration["x"] for t in ended.history if t.state is L}
    assert len(lost) > 1 and tried.count(0.5) == 3
    assert lost - {t.configuration["x"] for t in ended.history.completed} == {0.5}


def test_where_every_trial_takes_its_process_down_the_run_ends(maker: EngineMaker) -> None:
    def train(job: Job) -> Outcome:
        return Outcome(state=L, message="the process that watched over it died", loss="process")

    ended = maker.engine(executor=InlineExecutor(1, train), budget=Budget(trials=20)).run()
    assert ended.status == "failed"
    assert "trials were lost, the latest because the process that watched over it died" in ended.reason
    assert len({t.configuration for t in ended.history}) == 3


def test_code_is_edited_since_the_runs_own_trials_and_not_since_those_taken_over(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    objective = Objective(function="train.py:train", workdir=tmp_path)
    written = (tmp_path / "train.py").stat().st_mtime
    for last, edited in ((written - 1, True), (written + 1, False)):
        for origin in (Origin.SURROGATE, Origin.PREVIOUS):
            made = proposal(0.1).model_copy(update={"origin": origin})
            trial = Trial(number=0, proposal=made, state=C, value=0.1, started_at=last)
            history = History(SPACE, "score", "maximize", default=DEFAULT, trials=(trial,))
            assert changed_since(objective, history) == (edited and origin is not Origin.PREVIOUS)
