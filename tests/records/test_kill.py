"""kill -9 at random moments, over and over, on the real files: no finished trial lost or recorded twice."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tunesmith.events import TrialFinished, TrialStarted
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.reconcile import reconcile, restore_events
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import TrialState

# What the engine does for a trial, in its order, with a worker that needs no time.
RUN = """
import sys, time
from pathlib import Path
from tunesmith.events import TrialFinished, TrialStarted
from tunesmith.seeds import rng_for
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.reconcile import reconcile, restore_events
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

folder = RunFolder.open(Path(sys.argv[1]))
with folder.lock():
    events = EventStore(folder.db)
    study = StudyStore.open(folder, folder.task, sys.argv[2] or None, emit=events.append)
    restore_events(reconcile(folder, study, emit=events.append), events)
    print("ready", flush=True)
    for number in range(study.next_number, int(sys.argv[3])):
        (configuration,) = folder.task.space.sample(rng_for(7, number), 1)
        proposal = Proposal(configuration=configuration, origin=Origin.RANDOM, reason="why not")
        trial = Trial(number=number, proposal=proposal, seed=number, started_at=time.time())
        folder.write_config(trial)
        study.started(trial)
        events.append(TrialStarted(number=number, proposal=proposal, seed=number))
        curve = tuple((step, number + step / 10) for step in range(20))
        outcome = Outcome(state=TrialState.COMPLETED, values={"accuracy": float(number)}, curve=curve)
        trial = finished_trial(trial, folder.record_outcome(number, outcome), "accuracy")
        print("settled", number, flush=True)
        study.finished(trial)
        events.append(TrialFinished(number=number, outcome=outcome, value=trial.value, improved=True))
"""


@pytest.mark.long
@pytest.mark.timeout(900)  # every kill costs a start of Python with Optuna
@pytest.mark.parametrize(("storage", "kills"), [("journal", 6), ("sqlite", 2)])
def test_a_run_killed_again_and_again_loses_nothing_and_tells_nothing_twice(
    request, tmp_path, task, storage, kills
):
    folder = RunFolder.create(tmp_path, task)
    url = "" if storage == "journal" else request.getfixturevalue("database_url")
    moments, settled = random.Random(5), set()
    for kill in range(kills):
        run = subprocess.Popen(
            [sys.executable, "-P", "-c", RUN, str(folder.path), url, "100000"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout.readline() == "ready\n", f"the run did not start again after kill {kill}"
        for _ in range(kill % 4):  # so that some kills hit the first trial, and every run gets somewhere
            settled.add(int(run.stdout.readline().split()[1]))
        time.sleep(moments.uniform(0.0, 0.03))
        run.send_signal(signal.SIGKILL)
        rest, _ = run.communicate()
        settled |= {int(line.split()[1]) for line in rest.split("\n")[:-1]}  # the last line may be torn
    assert len(settled) >= kills - 1

    study = StudyStore.open(folder, task, url or None)
    history = reconcile(folder, study)
    completed = {t.number: t.value for t in history.completed}
    assert settled <= set(completed)
    assert all(value == number for number, value in completed.items())
    assert [t.number for t in history] == list(range(len(history)))
    assert all(t.state in (TrialState.COMPLETED, TrialState.LOST) for t in history)
    assert len(history) - len(completed) <= kills  # each kill costs at most the one trial that ran

    own = url or JournalStorage(JournalFileBackend(str(folder.journal)))
    stored = optuna.load_study(study_name=folder.name, storage=own).trials
    assert {t.number: t.value for t in stored if t.state is optuna.trial.TrialState.COMPLETE} == completed
    assert all(len(t.intermediate_values) == 20 for t in stored if t.number in completed)
    assert len(stored) == len(history)

    events = EventStore(folder.db)
    restore_events(history, events)
    for kind in (TrialStarted, TrialFinished):
        counts = Counter(e.number for e in events.events() if isinstance(e, kind))
        assert counts == dict.fromkeys(range(len(history)), 1)
