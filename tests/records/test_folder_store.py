"""The run folder as a run store: what the next engine finds of what one recorded."""

import pytest

from tunesmith.errors import RunError
from tunesmith.tools.records.folder_store import FolderStore
from tunesmith.tools.records.outcomes import finished_trial
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
