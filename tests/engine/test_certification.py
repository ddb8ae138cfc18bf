"""A certification that is interrupted goes on; a run that fails certifies nothing."""

from fakes.inline_engine import DEFAULT, SPACE, InlineExecutor
from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.objective import Objective
from tunesmith.task import Task
from tunesmith.tools.engine.certification import Certification
from tunesmith.tools.records.certificate_file import certificate_due, certificate_now
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState


def bits(right, n=100):
    return Items(tuple([1.0] * right + [0.0] * (n - right)))


def searched():
    """Three trials, each cheaper and less sure than the one before."""
    made = []
    for number, (x, right) in enumerate([(0.9, 99), (0.6, 95), (0.3, 90)]):
        proposal = Proposal(configuration=SPACE.validate({"x": x, "k": 1}), origin=Origin.RANDOM, reason="")
        values = {"cost": x, "acc": right / 100}
        trial = Trial(
            number=number,
            proposal=proposal,
            state=TrialState.COMPLETED,
            value=x,
            values=values,
            items={"acc": bits(right).pack()},
        )
        made.append(trial)
    limits = (Limit.read("acc", ">= 0.8"),)
    return History(SPACE, "cost", "minimize", default=DEFAULT, trials=tuple(made), limits=limits)


def good(job):
    return Outcome(
        state=TrialState.COMPLETED,
        values={"cost": job.configuration["x"], "acc": 0.95},
        items={"acc": bits(190, 200).pack()},
    )


def certify(path, executor, stop_after=None, **changes):
    task = Task.model_validate(
        {
            "name": "job",
            "metric": "cost",
            "direction": "minimize",
            "limits": {"acc": ">= 0.8"},
            "space": SPACE,
            "objective": {"function": "train.py:train"},
            "confirm": {"seeds": 1, "function": "train.py:test"},
            "certify": {"metric": "acc", "at_least": 0.8, **changes},
        }
    )
    store = FolderStore.create(path, task)
    told = []
    objective = Objective(function="/train.py:train")

    def stop():
        return stop_after is not None and len(executor.jobs) >= stop_after

    found = Certification(task, store, executor, told.append, objective, stop).run(searched())
    return found, store.path, task, told


def test_what_was_scored_before_an_interruption_is_not_scored_again(tmp_path):
    first = InlineExecutor(1, good)
    found, path, task, told = certify(tmp_path, first, stop_after=2)
    assert found is None and certificate_due(path, task) and "interrupted" in told[-1].text
    second = InlineExecutor(1, good)
    found, path, task, told = certify(tmp_path, second)
    assert not {job.folder for job in first.jobs} & {job.folder for job in second.jobs}
    assert (found.planned, found.certified, found.times) == ((0, 1, 2), 2, 1)
    assert certificate_now(path, task) == found and not certificate_due(path, task)
    assert all(job.number < 0 and job.objective.function.endswith(":test") for job in second.jobs)
    again, *_ = certify(tmp_path, InlineExecutor(1, good))
    assert again == found
    # Other tests on the same items are counted; a damaged file is none.
    fewer, *_ = certify(tmp_path, InlineExecutor(1, good), most=1)
    assert fewer.planned == (0,) and fewer.times == 2 and "2 times" in fewer.sentence
    (path / "certify.json").write_text('{"limit": 3')
    assert certificate_now(path, task) is None


def test_a_run_that_fails_or_gives_no_items_certifies_nothing(tmp_path):
    def broken(job):
        return Outcome(state=TrialState.CRASHED, message="out of tea")

    found, *_ = certify(tmp_path, InlineExecutor(1, broken))
    assert found.certified is None and found.safest == 0 and len(found.tested) == 1
    assert "its run failed: out of tea" in found.sentence

    def without(job):
        return Outcome(state=TrialState.COMPLETED, values={"cost": 0.1, "acc": 1.0})

    found, *_ = certify(tmp_path / "other", InlineExecutor(1, without))
    assert found.certified is None and "no scores by item of acc" in found.sentence
