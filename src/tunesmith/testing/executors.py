"""What every executor passes. Inherit `ExecutorCases` and give it the fixture `member`.

class TestMine(ExecutorCases):
    @pytest.fixture
    def member(self):
        return my_package.MEMBER

Training code is written into files of this machine and run as a task's would be.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from tunesmith.errors import ExecutorError, UnsupportedVerdict
from tunesmith.items import Items
from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.tools.execution.base import (
    Continue,
    Executor,
    ExecutorContext,
    ExecutorMember,
    Finished,
    GoOnFrom,
    Job,
    Pause,
    Reported,
    Resources,
    Stop,
)
from tunesmith.tools.records.trial_folder import CHECKPOINTS, LOG, RESULT, read_curve, read_outcome
from tunesmith.trial import Outcome, TrialState

LIMIT_S = 100.0
"""How long a case waits for something that happens at once on an idle machine."""
SLEEP = "import time\ndef train(config, trial): trial.report(0.1, 0); time.sleep(600)"
ENDS = {
    "returned": ("return 0.5", TrialState.COMPLETED),
    "returned in a dict": ("return {'accuracy': 0.5, 'loss': 2}", TrialState.COMPLETED),
    "an exception": ("raise ValueError('too large')", TrialState.CRASHED),
    "without the metric": ("return {'loss': 2}", TrialState.CRASHED),
    "an exit status": ("os._exit(4)", TrialState.CRASHED),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", TrialState.CRASHED),
    "NaN returned": ("return math.nan", TrialState.DIVERGED),
    "NaN reported": ("trial.report(math.nan, 3); return 0.5", TrialState.DIVERGED),
    "out of memory": ("raise MemoryError()", TrialState.OUT_OF_MEMORY),
}
_numbers = count()


def wait_for(condition: Callable[[], Any], failure: str = "it did not happen") -> None:
    """Look until a condition holds."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.01)


@dataclass
class Bench:
    """Starts jobs on an executor and handles what comes back."""

    executor: Executor
    root: Path
    reports: list[Reported] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)

    def script(self, text: str, name: str = "train.py") -> Path:
        path = self.root / name
        path.write_text(textwrap.dedent(text))
        return path

    def job(self, objective: Objective | Path, **options: Any) -> Job:
        number = next(_numbers)
        if isinstance(objective, Path):
            objective = Objective(function=f"{objective}:train", workdir=self.root)
        options = {"configuration": {"x": 1.5}, "seed": 7, "metric": "accuracy", **options}
        folder = self.root / "trials" / f"{number:05d}"
        return Job(number=number, folder=folder, objective=objective, **options)

    def start(self, objective: Objective | Path | str, **options: Any) -> Job:
        """Start a job; text is written into a script first."""
        job = self.job(self.script(objective) if isinstance(objective, str) else objective, **options)
        assert self.executor.offer(job) is None, "an executor with room accepts the job"
        return job

    def wait(
        self, until: Callable[[], bool], *, prune: Callable[[Reported], bool] = lambda report: False
    ) -> None:
        """Handle events until a condition holds; every report is answered, by Stop where `prune` is true."""
        deadline = time.monotonic() + LIMIT_S
        while not until():
            assert time.monotonic() < deadline, f"nothing more came; so far {self.reports} {self.finished}"
            for event in self.executor.events(0.2):
                if isinstance(event, Reported):
                    self.reports.append(event)
                    self.executor.answer(event.number, event.step, Stop() if prune(event) else Continue())
                else:
                    self.finished.append(event)

    def outcome(self, job: Job, **options: Any) -> Outcome:
        """How a job ended; what is reported must be what is on disk."""
        self.wait(lambda: any(end.number == job.number for end in self.finished), **options)
        (end,) = [end for end in self.finished if end.number == job.number]
        assert read_outcome(job.folder) == end.outcome
        return end.outcome

    def run(self, text: str, *, prune: Callable[[Reported], bool] | None = None, **options: Any) -> Outcome:
        job = self.start(text, **options)
        return self.outcome(job) if prune is None else self.outcome(job, prune=prune)

    def log(self) -> str:
        """What the latest job printed."""
        return (sorted((self.root / "trials").iterdir())[-1] / LOG).read_text(errors="replace")


class ExecutorCases:
    """Cases for an executor that starts processes on this machine or elsewhere."""

    workers = 2
    """Jobs that the executor can run at the same time; 1 leaves out what needs two."""
    bounded_log = True
    """Whether a trial's log has a limit however much the trial prints."""

    @pytest.fixture
    def bench(self, member: ExecutorMember, tmp_path: Path) -> Iterator[Bench]:
        executor = member.build(ExecutorContext(settings=member.settings(), workers=self.workers))
        yield Bench(executor, tmp_path)
        executor.close()

    def test_it_says_in_one_line_where_jobs_run(self, member: ExecutorMember) -> None:
        assert 0 < len(member.summary) <= 110 and "\n" not in member.summary

    @pytest.mark.parametrize(("body", "state"), ENDS.values(), ids=ENDS)
    def test_every_end_has_its_state_and_a_message_where_it_failed(
        self, bench: Bench, body: str, state: TrialState
    ) -> None:
        outcome = bench.run(f"import math, os, signal\ndef train(config, trial): {body}")
        assert outcome.state is state, outcome
        assert bool(outcome.message) == state.failed
        assert (outcome.values.get("accuracy") == 0.5) == (state is TrialState.COMPLETED)

    def test_all_that_a_trial_leaves_is_in_its_folder(self, bench: Bench) -> None:
        job = bench.start(
            """
            def train(config, trial):
                print("config", config["x"], "seed", trial.seed)
                trial.report(0.25, 3)
                (trial.checkpoint_dir / "weights").write_text("w")
                return config["x"]
            """
        )
        outcome = bench.outcome(job)
        assert (outcome.values, outcome.curve) == ({"accuracy": 1.5}, ((3, 0.25),))
        assert read_curve(job.folder) == ((3, 0.25),)
        assert "config 1.5 seed 7" in (job.folder / LOG).read_text()
        assert (job.folder / CHECKPOINTS / "weights").read_text() == "w"

    def test_further_metrics_and_scores_per_item_come_home(self, bench: Bench) -> None:
        text = """
        def train(config, trial):
            trial.report_items([1, 0, 1, 1])
            return {"latency_ms": config["x"] * 2}
        """
        outcome = bench.run(text, further=(("latency_ms", Reading(maximize=False)),))
        assert outcome.values == {"accuracy": 0.75, "latency_ms": 3.0}, outcome.message
        assert Items.unpack(outcome.items["accuracy"]).scores == (1.0, 0.0, 1.0, 1.0)
        outcome = bench.run(text, further=(("params_m", Reading(maximize=False)),))
        assert outcome.state is TrialState.CRASHED and "params_m" in outcome.message

    def test_a_command_runs_with_the_values_in_its_arguments(self, bench: Bench) -> None:
        script = bench.script('import sys\nprint(\'{"accuracy": \' + sys.argv[1] + "}")')
        assert bench.outcome(
            bench.start(Objective(command=("python", str(script), "{x}"), workdir=bench.root))
        ).values == {"accuracy": 1.5}

    def test_reports_come_in_order_before_the_end_and_each_gets_its_verdict(self, bench: Bench) -> None:
        loop = """
            def train(config, trial):
                for step in range(10):
                    trial.report(step / 10, step)
                    if trial.should_prune():
                        return None
                return 0.9
            """
        outcome = bench.run(loop)
        assert outcome.state is TrialState.COMPLETED
        assert [(report.step, report.value) for report in bench.reports] == list(outcome.curve)
        assert len(outcome.curve) == 10
        stopped = bench.run(loop, prune=lambda report: report.step == 3)
        assert (stopped.state, stopped.curve[-1], stopped.values) == (TrialState.PRUNED, (3, 0.3), {})

    def test_a_verdict_that_it_does_not_state_is_an_error_and_the_trial_goes_on(self, bench: Bench) -> None:
        assert {Continue, Stop} <= bench.executor.verdicts
        job = bench.start("def train(c, t): t.report(0.5, 0); return float(t.should_prune())")
        bench.wait(lambda: bool(bench.reports), prune=lambda report: False)
        for verdict in (Pause(), GoOnFrom(parent=0, configuration={})):
            if type(verdict) not in bench.executor.verdicts:
                with pytest.raises(UnsupportedVerdict, match=type(verdict).__name__):
                    bench.executor.answer(job.number, 0, verdict)
        assert bench.outcome(job).state is TrialState.COMPLETED

    def test_training_goes_on_from_the_checkpoint_that_the_job_names(self, bench: Bench) -> None:
        earlier = bench.root / "earlier"
        earlier.mkdir()
        (earlier / "weights").write_text("0.75")
        text = "def train(c, t): return float((t.checkpoint_dir / 'weights').read_text())"
        job = bench.start(text, parent=0, checkpoint=earlier, attempt=2)
        assert bench.outcome(job).values == {"accuracy": 0.75}
        assert (earlier / "weights").read_text() == "0.75"

    def test_a_job_waits_for_a_free_worker_and_is_told_why(self, bench: Bench) -> None:
        running = [bench.start(SLEEP) for _ in range(self.workers)]
        waits = bench.executor.room(Resources())
        assert waits is not None and waits.kind == "busy" and waits.text
        waiting = bench.job(bench.script("def train(config, trial): return 0.5"))
        assert bench.executor.offer(waiting) == waits
        for job in running:
            bench.executor.kill(job.number, Outcome(state=TrialState.LOST))
            bench.outcome(job)
        assert not (waiting.folder / RESULT).exists()
        assert bench.executor.room(waiting.resources) is None and bench.executor.offer(waiting) is None
        assert bench.outcome(waiting).state is TrialState.COMPLETED

    def test_jobs_run_at_the_same_time_and_each_end_is_reported_once(self, bench: Bench) -> None:
        if self.workers < 2:
            pytest.skip("it runs one job at a time")
        script = bench.script(
            """
            import time
            from pathlib import Path
            def train(config, trial):
                Path(f"{config['x']}").touch()
                while not (Path("1").exists() and Path("2").exists()):
                    time.sleep(0.01)
                return 0.5
            """
        )
        jobs = [bench.start(script, configuration={"x": x}, time_limit_s=LIMIT_S) for x in (1, 2)]
        assert [bench.outcome(job).state for job in jobs] == [TrialState.COMPLETED] * 2
        assert bench.executor.events(0.05) == [] and len(bench.finished) == 2

    def test_a_time_limit_ends_the_trial_and_keeps_its_curve(self, bench: Bench) -> None:
        outcome = bench.run(SLEEP, time_limit_s=5.0)
        assert outcome.state is TrialState.TIMED_OUT and "5 s" in outcome.message
        assert outcome.curve in ((), ((0, 0.1),))  # a slow machine may not have come as far

    def test_a_kill_ends_what_the_trial_started_and_its_outcome_is_the_one_given(self, bench: Bench) -> None:
        job = bench.start(
            """
            import subprocess, sys, time
            def train(config, trial):
                sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
                trial.report(sleeper.pid, 0)
                time.sleep(600)
            """
        )
        bench.wait(lambda: bool(bench.reports))
        bench.executor.kill(job.number, Outcome(state=TrialState.LOST, message="a person stopped it"))
        outcome = bench.outcome(job)
        assert (outcome.state, outcome.message) == (TrialState.LOST, "a person stopped it")
        sleeper = int(bench.reports[0].value)
        wait_for(lambda: has_ended(sleeper), "what the trial had started still runs")

    def test_closing_kills_what_runs_and_records_it_as_lost(self, bench: Bench) -> None:
        job = bench.start("import os, time\ndef train(c, t): t.report(os.getpid(), 0); time.sleep(600)")
        bench.wait(lambda: bool(bench.reports))
        bench.executor.close()
        bench.executor.close()
        outcome = read_outcome(job.folder)
        assert outcome is not None and outcome.state is TrialState.LOST
        wait_for(lambda: has_ended(int(bench.reports[0].value)), "the worker still runs")
        with pytest.raises(ExecutorError):
            bench.executor.offer(bench.job(job.objective))

    def test_a_folder_with_an_outcome_is_not_run_again(self, bench: Bench) -> None:
        job = bench.start("def train(config, trial): return 0.5")
        bench.outcome(job)
        with pytest.raises(ExecutorError):
            bench.executor.offer(job)

    def test_output_without_end_is_bounded_and_no_escape_reaches_the_message(self, bench: Bench) -> None:
        job = bench.start(
            r"""
            def train(config, trial):
                for _ in range(400):
                    print("\x1b[2J" + "x" * 10_000, end="\x00")
                raise ValueError("learning rate \x1b[31mtoo\x1b[0m large\x07" + "\n" * 9)
            """
        )
        outcome = bench.outcome(job)
        assert outcome.message == "ValueError: learning rate too large"
        assert "\x1b" not in outcome.traceback and len(outcome.traceback) <= 4000
        assert (job.folder / LOG).stat().st_size < 3 << 20 or not self.bounded_log

    def test_keys_of_language_models_are_not_in_the_workers_environment(
        self, member: ExecutorMember, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("TUNESMITH_API_KEY", "sk-secret")
        executor = member.build(ExecutorContext(settings=member.settings(), workers=1))
        try:
            text = "import os\ndef train(c, t): return sum('sk-secret' in v for v in os.environ.values())"
            assert Bench(executor, tmp_path).run(text).values == {"accuracy": 0.0}
        finally:
            executor.close()


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or waits only to be waited for."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
