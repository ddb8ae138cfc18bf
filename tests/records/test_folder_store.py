"""The run folder as a run store: what the next engine finds of what one recorded."""

import math

import pytest

from tunesmith.errors import RunError
from tunesmith.events import TrialFinished
from tunesmith.items import Items
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.outcomes import finished_trial, outcome_of
from tunesmith.tools.records.trial_folder import read_outcome
from tunesmith.trial import TrialState


def test_the_next_engine_finds_every_trial_and_one_without_an_outcome_lost(
    tmp_path, task, make_trial, outcome
):
    store = FolderStore.create(tmp_path, task)
    with store.lease():
        assert len(store.load(store.events.append)) == 0 and store.next_number == 0
        assert store.begin(make_trial(0)) == store.trial_folder(0)
        standing = store.record_outcome(0, outcome(0))
        store.finish(finished_trial(make_trial(0), standing, task.metric))
        store.begin(make_trial(1))
        with pytest.raises(RunError, match="in use by process"), FolderStore.create(tmp_path, task).lease():
            pass
    store.close()
    again = FolderStore.create(tmp_path, task)
    with again.lease():
        history = again.load(again.events.append)
    assert [trial.state for trial in history] == [TrialState.COMPLETED, TrialState.LOST]
    assert again.next_number == 2
    kinds = [event.kind for event in again.events.events()]
    assert (kinds.count("trial_started"), kinds.count("trial_finished"), kinds.count("degraded")) == (2, 2, 1)
    again.close()


def test_scores_per_item_are_in_the_trials_record_alone_and_outlive_it(tmp_path, task, make_trial, outcome):
    items = {"accuracy": Items(tuple(math.sin(i) for i in range(2_000))).pack(), "other": "of no metric"}
    store = FolderStore.create(tmp_path, task)
    with store.lease():
        store.load(store.events.append)
        store.begin(make_trial(0))
        standing = store.record_outcome(0, outcome(0).changed(items=items))
        trial = finished_trial(make_trial(0), standing, task.metric)
        store.finish(trial)
        event = TrialFinished(number=0, outcome=outcome_of(trial), value=trial.value, improved=True)
        store.events.append(event)
        (store.trial_folder(0) / "result.json").unlink()  # as training code may do
        store.mend()
    store.close()
    kept = items["accuracy"]
    assert trial.items == {"accuracy": kept}
    assert kept in (store.trial_folder(0) / "result.json").read_text()
    others = [store.folder.db, store.folder.journal]
    assert not [path for path in others if kept[:200].encode() in path.read_bytes()]
    store.folder.journal.unlink()
    again = FolderStore.create(tmp_path, task)
    with again.lease():
        (found,) = again.load(again.events.append)
    assert found.items == {"accuracy": kept}
    again.close()


@pytest.mark.parametrize(
    "change",
    [{"values": {"accuracy": 0.5, "latency_ms": 1.0}}, {"items": {}}],
    ids=["a further metric", "the items"],
)
def test_a_record_that_was_changed_is_written_again_with_all_metrics_and_items(
    tmp_path, task, make_trial, outcome, change
):
    store = FolderStore.create(tmp_path, task)
    with store.lease():
        store.load(store.events.append)
        store.begin(make_trial(0))
        values = {"accuracy": 0.5, "latency_ms": 20.0}
        first = outcome(0).changed(values=values, items={"accuracy": Items((1.0, 0.0)).pack()})
        trial = finished_trial(make_trial(0), store.record_outcome(0, first), task.metric)
        store.finish(trial)
        (store.trial_folder(0) / "result.json").unlink()
        store.record_outcome(0, first.changed(**change))
        store.mend()
        found = read_outcome(store.trial_folder(0))
    store.close()
    assert found is not None and (found.values, found.items) == (values, first.items)
