"""What one trial costs beside its training, by length of history. Goal: at most 20 ms without the surrogate.

.venv/bin/python benchmarks/control_cost.py      # prints, and writes benchmarks/results/control_cost.json

Everything the engine does on disk and in memory for a trial of 10 reports, on real files: config.json,
study (running), events, verdicts, result.json, study (ended), history, triggers. Not in it: choosing the
configuration, the worker process, the language model.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tunesmith.events import TrialFinished, TrialReported, TrialStarted
from tunesmith.history import History
from tunesmith.seeds import rng_for
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.task import Task
from tunesmith.tools.engine.pruning import Pruner
from tunesmith.tools.engine.triggers import Triggers
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.reconcile import reconcile
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.study import StudyStore
from tunesmith.trial import Origin, Outcome, Proposal, Trial, TrialState

HISTORIES = (10, 100, 1000)
REPORTS = 10
TRIALS = 20  # measured at each length of history
STEPS = ("config", "study start", "reports", "result", "study end", "event", "bookkeeping")
SPACE = Space(
    {
        "lr": Float(1e-5, 1e-1, scale="log"),
        "layers": Int(1, 6),
        "dropout": Float(0.0, 0.6),
        "optimizer": Categorical(["sgd", "adam"]),
        "momentum": Float(0.0, 0.99, when={"optimizer": "sgd"}),
    }
)


class Session:
    """The engine's part of a run, with a worker that needs no time."""

    def __init__(self, folder: RunFolder, storage: str | None) -> None:
        self.folder, self.task = folder, folder.task
        self.events = EventStore(folder.db)
        self.study = StudyStore.open(folder, folder.task, storage)
        self.history: History = reconcile(folder, self.study)
        self.pruner = Pruner(folder.task.pruner, folder.task.direction)
        self.triggers = Triggers()

    def trial(self, number: int) -> dict[str, float]:
        """Seconds of each step of one trial."""
        (configuration,) = SPACE.sample(rng_for(0, number), 1)
        proposal = Proposal(
            configuration=configuration, origin=Origin.SURROGATE, reason="It looks promising."
        )
        trial = Trial(number=number, proposal=proposal, seed=number, started_at=time.time())
        level = float(rng_for(1, number).normal())
        curve = tuple((step, level + step / REPORTS) for step in range(REPORTS))
        outcome = Outcome(state=TrialState.COMPLETED, values={"accuracy": level}, curve=curve)
        marks = [time.perf_counter()]

        def mark() -> None:
            marks.append(time.perf_counter())

        self.folder.write_config(trial)
        mark()
        self.study.started(trial)
        self.history = self.history.with_trial(trial)
        self.events.append(TrialStarted(number=number, proposal=proposal, seed=number))
        mark()
        for length, (step, value) in enumerate(curve, start=1):
            self.pruner.should_stop(number, curve[:length])
            self.events.append(TrialReported(number=number, step=step, value=value))
        mark()
        trial = finished_trial(trial, self.folder.record_outcome(number, outcome), *self.task.goals.names)
        mark()
        self.study.finished(trial)
        mark()
        self.events.append(TrialFinished(number=number, outcome=outcome, value=trial.value, improved=False))
        mark()
        self.pruner.observe(trial)
        self.history = self.history.with_trial(trial)
        self.triggers.finished(trial, None)
        self.triggers.due(self.history, 5)
        _ = self.history.incumbent
        mark()
        return {step: end - start for step, start, end in zip(STEPS, marks, marks[1:], strict=False)}


def measure(storage_kind: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(dir=".") as root:  # on the disk that runs are on, not on tmpfs
        task = Task(name="cost", metric="accuracy", direction="maximize", space=SPACE)
        url = None if storage_kind == "journal" else f"sqlite:///{root}/study.db"
        session, number = Session(RunFolder.create(Path(root), task), url), 0
        for length in HISTORIES:
            while number < length:
                session.trial(number)
                number += 1
            trials = [session.trial(number + index) for index in range(TRIALS)]
            number += TRIALS
            totals = sorted(1000 * sum(trial.values()) for trial in trials)
            row: dict[str, object] = {"storage": storage_kind, "history": length}
            row |= {"median_ms": round(statistics.median(totals), 1)}
            row |= {"min_ms": round(totals[0], 1), "max_ms": round(totals[-1], 1)}
            row |= {
                "steps_ms": {
                    step: round(1000 * statistics.median(trial[step] for trial in trials), 2)
                    for step in STEPS
                }
            }
            rows.append(row)
            print(
                f"{storage_kind:<8} {length:>5} trials: median {row['median_ms']} ms "
                f"({row['min_ms']}-{row['max_ms']})  {row['steps_ms']}"
            )
        began = time.perf_counter()
        Session(RunFolder.open(Path(root) / "cost"), url)
        reopen = round(time.perf_counter() - began, 2)
        print(f"{storage_kind:<8} reopened and reconciled {number} trials in {reopen} s")
        rows.append({"storage": storage_kind, "history": number, "reopen_s": reopen})
    return rows


def main() -> None:
    result = {
        "command": "python benchmarks/control_cost.py",
        "goal": "median of the journal at most 20 ms at every length of history",
        "trials_per_row": TRIALS,
        "reports_per_trial": REPORTS,
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
            "load": round(os.getloadavg()[0], 1),
        },
        "rows": [row for kind in ("journal", "sqlite") for row in measure(kind)],
    }
    path = Path(__file__).parent / "results" / "control_cost.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
