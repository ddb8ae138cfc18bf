"""The loop over real records: what ends a run, what is promised, what an odd part cannot break."""

from __future__ import annotations

import itertools
import os
import threading
import time
from pathlib import Path

import pytest

from fakes.inline_engine import (
    DEFAULT,
    SPACE,
    EngineMaker,
    Follow,
    InlineExecutor,
    completed,
    proposal,
    sequence,
)
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.budget import Budget
from tunesmith.commands import Try
from tunesmith.events import CommandDone, Degraded, TrialWaits
from tunesmith.history import History
from tunesmith.interfaces import Briefing, Decision, Toolbox
from tunesmith.objective import Objective
from tunesmith.space import Categorical, Space
from tunesmith.testing.executors import wait_for
from tunesmith.tools.execution.base import Job, Waits, WorkerEvent
from tunesmith.trial import Origin, Outcome, Proposal, TrialState

LOST, CRASHED, COMPLETED = TrialState.LOST, TrialState.CRASHED, TrialState.COMPLETED


def test_the_same_seed_gives_the_same_trials(tmp_path) -> None:
    runs = []
    for name in ("a", "b"):
        maker = EngineMaker(tmp_path / name)
        runs.append([(t.configuration, t.seed, t.value) for t in maker.engine(seed=7).run().history])
        maker.close()
    assert runs[0] == runs[1]


class Slow(RandomStrategy):
    """Thinks until somebody has queued something."""

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.thinking, self.go_on = threading.Event(), threading.Event()

    def propose(self, history: History, n: int, candidates=()) -> list[Proposal]:
        if len(history) == 1:
            self.thinking.set()
            assert self.go_on.wait(600)
        return super().propose(history, n, candidates)


def test_a_number_promised_while_the_strategy_thinks_is_kept(maker: EngineMaker) -> None:
    strategy = Slow(maker.task().space, 0)
    engine = maker.engine(strategy=strategy, in_step=False)
    promised: list[int] = []

    def launch() -> None:
        assert strategy.thinking.wait(600)
        promised.extend(engine.launch([proposal(0.9), proposal(0.8)]))
        strategy.go_on.set()

    thread = threading.Thread(target=launch)
    thread.start()
    history = engine.run().history
    thread.join()
    assert promised == [1, 2]
    assert [history.trials[number].configuration["x"] for number in promised] == [0.9, 0.8]


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_that_always_vanish_end_the_run(maker: EngineMaker, workers: int) -> None:
    executor = InlineExecutor(workers, sequence([LOST]))
    ended = maker.engine(executor=executor, workers=workers).run()
    assert ended.status == "failed"
    assert "lost" in ended.reason and "so it was" in ended.reason
    assert len(executor.jobs) < 12


def test_workers_that_begin_to_vanish_stop_the_run_resumably(maker: EngineMaker) -> None:
    executor = InlineExecutor(1, sequence([COMPLETED, COMPLETED, LOST]))
    ended = maker.engine(executor=executor, budget=Budget(trials=10)).run()
    assert ended.status == "stopped" and "lost" in ended.reason
    assert len(ended.history.completed) == 2
    resumed = maker.engine(budget=Budget(trials=10)).run()
    assert resumed.status == "finished" and resumed.spend.trials == 10


def test_when_no_process_can_be_started_the_budget_is_not_burnt(maker: EngineMaker) -> None:
    executor = InlineExecutor(2)
    executor.refuses = True
    ended = maker.engine(executor=executor, workers=2, budget=Budget(trials=200)).run()
    assert ended.status == "failed" and "out of processes" in ended.reason
    assert len(ended.history) < 12
    assert ended.spend.trials == 0, "nothing was trained, so nothing is known of any configuration"


def test_code_that_always_crashes_ends_the_run_early(maker: EngineMaker) -> None:
    executor = InlineExecutor(1, sequence([CRASHED]))
    ended = maker.engine(executor=executor, budget=Budget(trials=30)).run()
    assert ended.status == "failed" and 5 <= len(ended.history) <= 10
    assert "5 configurations far apart" in ended.reason and "so it was" in ended.reason


@pytest.mark.parametrize(
    ("message", "trials", "said"),
    [
        ("ModuleNotFoundError: No module named 'torchh'", 3, "before their training began"),
        ("TypeError: train() takes 1 positional argument but 2 were given", 3, "before their training began"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/data/{n}.csv'", 3, "before"),
        ("ValueError: at x={x}: no layers", None, "5 configurations far apart"),
        ("Error{n}a: a new one every time", 10, "by 10 different errors"),
    ],
    ids=["import", "signature", "data", "the same but for values", "ever new ones"],
)
def test_how_soon_a_run_ends_depends_on_the_error(
    maker: EngineMaker, message: str, trials: int | None, said: str
) -> None:
    def crash(job: Job) -> Outcome:
        text = message.replace("{x}", f"{job.configuration['x']:.3g}").replace(
            "{n}", "abcdefghijkl"[job.number]
        )
        return Outcome(state=CRASHED, message=text)

    ended = maker.engine(executor=InlineExecutor(1, crash), budget=Budget(trials=30)).run()
    assert ended.status == "failed" and said in ended.reason
    assert len(ended.history) == trials or trials is None and 5 <= len(ended.history) <= 10


def test_crashes_close_together_are_no_reason_to_end_a_run(maker: EngineMaker) -> None:
    def crash(job: Job) -> Outcome:
        return Outcome(state=CRASHED, message="no") if job.number < 8 else completed(job)

    class Near(RandomStrategy):
        def propose(self, history: History, n: int, candidates=()) -> list[Proposal]:
            return [proposal(0.9 + 0.01 * len(history))] if len(history) < 8 else super().propose(history, n)

    engine = maker.engine(
        executor=InlineExecutor(1, crash), strategy=Near(SPACE, 0), default=None, budget=Budget(trials=12)
    )
    ended = engine.run()
    assert ended.status == "finished" and len(ended.history.completed) == 4


def test_edited_code_gets_its_crashed_configurations_back(maker: EngineMaker, tmp_path: Path) -> None:
    code = tmp_path / "train.py"
    code.write_text("...")
    os.utime(code, (1, 1))
    objective = Objective(function=f"{code}:train")
    first = maker.engine(executor=InlineExecutor(1, sequence([CRASHED])), objective_ref=objective)
    n = len(first.run().history)
    later = time.time() + 60
    os.utime(code, (later, later))
    history = maker.engine(budget=Budget(trials=n + 9), objective_ref=objective).run().history
    assert history.trials[n].configuration == DEFAULT
    assert history.trials[n].proposal.origin is Origin.RETRY and history.trials[n].state is COMPLETED


def test_with_the_same_code_a_run_goes_on_with_new_points(maker: EngineMaker) -> None:
    n = len(maker.engine(executor=InlineExecutor(1, sequence([CRASHED]))).run().history)
    history = maker.engine(budget=Budget(trials=n + 4)).run().history
    assert len({t.configuration for t in history}) == len(history) == n + 4


def test_a_default_that_was_lost_too_often_is_not_proposed_for_ever(maker: EngineMaker) -> None:
    def kills_the_machine(job: Job) -> Outcome:
        lost = Outcome(state=LOST, loss="process")
        return lost if job.configuration == dict(DEFAULT) else completed(job)

    for _ in range(4):
        ended = maker.engine(executor=InlineExecutor(1, kills_the_machine), budget=Budget(trials=12)).run()
    tries = sum(trial.configuration == DEFAULT for trial in ended.history)
    assert tries == 3
    assert ended.spend.trials == 12


def test_a_finite_space_ends_the_run_and_is_not_searched_while_others_run(maker: EngineMaker) -> None:
    space = Space({"c": Categorical(["a", "b"])})
    asked: list[int] = []

    class Counting(RandomStrategy):
        def propose(self, history: History, n: int, candidates=()) -> list[Proposal]:
            asked.append(len(history))
            return super().propose(history, n, candidates)

    looks = itertools.count()

    def train(job: Job) -> Outcome | None:
        if job.number == 1 and next(looks) < 30:
            return None
        return Outcome(state=COMPLETED, values={"score": 1.0})

    ended = maker.engine(
        executor=InlineExecutor(2, train), strategy=Counting(space, 0), space=space, default=None, workers=2
    ).run()
    assert ended.status == "finished" and "every configuration" in ended.reason
    assert not ended.by_budget
    assert len(asked) <= 5, "asked again although nothing had changed"


def test_a_broken_strategy_costs_random_proposals_and_is_shown(maker: EngineMaker) -> None:
    class Broken(RandomStrategy):
        def propose(self, history: History, n: int, candidates=()) -> list[Proposal]:
            raise ZeroDivisionError("no surrogate")

    ended = maker.engine(strategy=Broken(maker.task().space, 0)).run()
    assert ended.status == "finished" and len(ended.history.completed) == 5
    shown = [event for event in maker.events(Degraded) if "no surrogate" in event.cause]
    assert len(shown) == 5


def test_a_decision_to_stop_lets_running_trials_end_and_starts_no_queued_ones(maker: EngineMaker) -> None:
    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        if "trials_finished" not in briefing.triggers:
            return Decision(reason="Look.", wake_after=2)
        toolbox.launch_trials([proposal(0.9)])
        return Decision(reason="Enough.", stop="It is good enough.")

    ended = maker.engine(policy=Follow(decide), budget=Budget(trials=10)).run()
    assert (ended.status, ended.reason, ended.by_budget) == ("finished", "It is good enough.", False)
    assert len(ended.history) == 2 and not ended.history.pending


def test_trials_running_when_the_time_is_up_are_lost_and_run_again_with_more_time(maker: EngineMaker) -> None:
    slow = InlineExecutor(1, lambda job: completed(job) if job.number < 2 else None)
    ended = maker.engine(executor=slow, budget=Budget(trials=5, wall_time_s=2)).run()
    assert (ended.status, ended.by_budget) == ("finished", True)
    assert [trial.state for trial in ended.history] == [COMPLETED, COMPLETED, LOST]
    more = maker.engine(budget=Budget(trials=5, wall_time_s=60)).run().history
    assert more.trials[3].proposal.origin is Origin.RETRY
    assert more.trials[3].configuration == more.trials[2].configuration
    assert len(more.completed) == 5


def test_a_broken_part_takes_no_worker_with_it(maker: EngineMaker) -> None:
    killed: list[int] = []

    class Noticing(InlineExecutor):
        def kill(self, number: int, outcome: Outcome) -> None:
            killed.append(number)
            super().kill(number, outcome)

    engine = maker.engine(executor=Noticing(1, lambda job: None))

    def broken(*args: object) -> None:
        raise OSError(28, "No space left on device")

    threading.Timer(0.3, lambda: setattr(maker.executor, "events", broken)).start()
    with pytest.raises(OSError, match="No space"):
        engine.run()
    assert killed == [0]


def test_a_bug_in_a_policy_costs_a_fallback_that_is_shown(
    maker: EngineMaker,
) -> None:
    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        raise RuntimeError("a bug")

    engine = maker.engine(policy=Follow(decide), fallback=Follow())
    assert engine.run().status == "finished"
    assert any("a bug" in event.cause for event in maker.events(Degraded))


def tried(maker: EngineMaker, **values) -> int:
    assert maker.store is not None
    return maker.store.events.post(Try(values={"x": 0.75, "k": 1, **values}))


def replies(maker: EngineMaker) -> dict[int, CommandDone]:
    return {event.command_id: event for event in maker.events(CommandDone)}


def test_a_configuration_that_was_tried_or_is_queued_is_refused_at_once(maker: EngineMaker) -> None:
    engine = maker.engine()
    first, again, known = tried(maker), tried(maker), tried(maker, x=0.5, k=2)
    engine.launch([Proposal(configuration=DEFAULT, origin=Origin.DEFAULT, reason="First.")])
    engine.run()
    answers = replies(maker)
    assert answers[first].ok and answers[first].reply == "Queued as trial 1."
    assert not answers[again].ok and "queued" in answers[again].reply
    assert not answers[known].ok and "queued" in answers[known].reply
    late = tried(maker, k=3)
    assert maker.store is not None and maker.store.events.command_status(late).status == "pending"
    assert not [event for event in maker.events(Degraded) if event.what == "rejected"]


def test_a_configuration_that_the_budget_has_no_room_for_is_refused(maker: EngineMaker) -> None:
    posted: list[int] = []

    def train(job: Job) -> Outcome | None:
        if job.number < 4:
            return completed(job)
        if not posted:
            posted.append(tried(maker))
        return completed(job) if replies(maker) else None

    ended = maker.engine(executor=InlineExecutor(1, train)).run()
    assert len(ended.history) == 5
    (reply,) = replies(maker).values()
    assert not reply.ok and "budget" in reply.reply


@pytest.mark.parametrize("stops", [False, True], ids=["the run goes on", "the policy ends it meanwhile"])
def test_a_trial_that_waits_although_a_worker_is_free_is_shown_once_and_still_runs(
    maker: EngineMaker, stops: bool
) -> None:
    executor = InlineExecutor(1)
    executor.waits = Waits("resources", "9 MiB of memory are needed and 3 MiB are free")

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        wait_for(lambda: executor.offers > 0)
        return Decision(reason="So.", stop="enough" if stops else None)

    engine = maker.engine(executor=executor, policy=Follow(decide), in_step=False)

    def free_memory_after_some_offers(timeout_s: float) -> list[WorkerEvent]:
        if executor.waits is not None:  # how much is free is no other reason
            free = f"9 MiB of memory are needed and {executor.offers + 3:,} MiB are free"
            executor.waits = Waits("resources", free) if executor.offers else executor.waits
        if executor.offers > 5 and not (stops and engine._plan.decision.stop is None):
            executor.waits = None
        return InlineExecutor.events(executor, timeout_s)

    executor.events = free_memory_after_some_offers  # type: ignore[method-assign]
    assert engine.run().status == "finished"
    told = maker.events(TrialWaits)
    first = "The next trial waits although a worker is free: 9 MiB of memory are needed and 3 MiB are free."
    assert [event.sentence for event in told] == [first, ""]
    assert told[0].why == "resources"
    assert [job.number for job in executor.jobs] == ([0] if stops else [0, 1, 2, 3, 4]), "each started once"


def test_a_single_lost_trial_costs_the_budget_nothing(maker: EngineMaker) -> None:
    executor = InlineExecutor(1, sequence([COMPLETED, LOST, COMPLETED]))
    ended = maker.engine(executor=executor).run()
    assert ended.status == "finished"
    assert ended.spend.trials == 5 and len(ended.history) == 6


def test_a_trial_with_a_parent_starts_from_its_checkpoint_and_one_that_is_run_again_starts_anew(
    maker: EngineMaker,
) -> None:
    children = (
        proposal(0.7).with_provenance(parent=0),
        proposal(0.8, origin=Origin.RETRY).with_provenance(parent=0),
    )

    def decide(briefing: Briefing, toolbox: Toolbox) -> Decision:
        launch = children if len(briefing.history.finished) == 1 else ()
        return Decision(reason="Go on from it.", launch=launch, wake_after=1)

    executor = InlineExecutor()
    maker.engine(executor=executor, policy=Follow(decide), budget=Budget(trials=3)).run()
    starts = {job.configuration["x"]: (job.parent, job.checkpoint) for job in executor.jobs}
    assert maker.store is not None
    assert starts[0.7] == (0, maker.store.trial_folder(0) / "checkpoints")
    assert starts[0.8] == (0, None)
