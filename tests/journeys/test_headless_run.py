"""`tunesmith run` from the outside: processes, files and exit codes."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from fakes.tiny_job import TRAIN, started, tunesmith, tunesmith_process, wait_for, write_job
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.trial import Outcome, Proposal, TrialState


def outcomes(folder: Path) -> dict[int, Outcome]:
    run = RunFolder.open(folder)
    found = {number: run.read_outcome(number) for number in run.trial_numbers()}
    return {number: outcome for number, outcome in found.items() if outcome is not None}


def finished(folder: Path) -> dict[int, Outcome]:
    if not (folder / "task.yaml").is_file():
        return {}
    return {n: o for n, o in outcomes(folder).items() if o.state is not TrialState.LOST}


def proposals(folder: Path) -> list[tuple[Proposal, int]]:
    """What was tried and with which seed, in order."""
    run = RunFolder.open(folder)
    return [(c.proposal, c.seed) for n in run.trial_numbers() if (c := run.read_config(n)) is not None]


def recorded(folder: Path) -> list[tuple[int, str]]:
    """(number, state) of each trial as Optuna has it, read by Optuna alone."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder / "study.journal")))
    study = optuna.load_study(study_name=folder.name, storage=storage)
    return [(trial.number, trial.state.name) for trial in study.trials]


@pytest.mark.long
def test_a_run_leaves_everything_on_disk_is_not_run_again_and_more_trials_continue_it(tmp_path: Path) -> None:
    write_job(tmp_path, trials=5, seed=3)
    done = tunesmith_process("run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no language model in use" in done.stdout
    assert "#0" in done.stdout and "default" in done.stdout
    assert "Best configuration (trial" in done.stdout
    assert "tunesmith chat runs/tiny" in done.stdout
    folder = tmp_path / "runs" / "tiny"
    stored = "task.yaml study.journal run.db report.md report.html report.json confirm.json"
    assert [name for name in stored.split() if not (folder / name).is_file()] == []
    assert len(outcomes(folder)) == 5
    assert [number for number, _ in recorded(folder)] == list(range(5))
    checkpoint = next(line for line in done.stdout.splitlines() if line.startswith("Checkpoint")).split()[1]
    assert (tmp_path / checkpoint).is_file()

    before = (folder / "study.journal").read_bytes()
    again = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert again.returncode == 0
    assert "Best configuration" in again.stdout
    assert (folder / "study.journal").read_bytes() == before
    assert "Report      runs/tiny/report.md" in again.stdout
    (folder / "report.json").unlink()  # as after a kill just before it was written
    documents = tunesmith("run", "task.yaml", "--json", cwd=tmp_path)
    assert len(json.loads(documents.stdout)["trials"]) == 5, documents.stderr

    # A fresh run stands beside it, and has the same trials: there is one worker and one seed.
    assert tunesmith("run", "task.yaml", "--fresh", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["tiny", "tiny-2"]
    assert proposals(tmp_path / "runs" / "tiny-2") == proposals(folder)

    more = tunesmith("run", "task.yaml", "--runs", "runs", "--trials", 7, cwd=tmp_path)
    assert more.returncode == 0, more.stderr
    newest = tmp_path / "runs" / "tiny-2"  # a name means its newest run
    assert [number for number, _ in recorded(newest)] == list(range(7))
    assert len(recorded(folder)) == 5


@pytest.mark.long
def test_a_reader_that_leaves_early_does_not_end_the_run(tmp_path: Path) -> None:
    write_job(tmp_path, trials=4)
    run = started("run", "task.yaml", cwd=tmp_path)
    assert run.stdout is not None
    run.stdout.readline()
    run.stdout.close()
    assert run.wait() == 0
    assert len(outcomes(tmp_path / "runs" / "tiny")) == 4
    assert (tmp_path / "runs" / "tiny" / "report.md").is_file()


@pytest.mark.long
def test_json_is_one_document_on_stdout_whatever_the_terminal_can_show(tmp_path: Path) -> None:
    write_job(tmp_path, trials=4)
    done = tunesmith_process(
        "run", "task.yaml", "--json", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema_version"] == 1 and len(report["trials"]) == 4
    assert "#0" in done.stderr


@pytest.mark.long
def test_a_run_in_progress_cannot_be_started_twice_ctrl_c_stops_it_and_the_same_command_continues(
    tmp_path: Path,
) -> None:
    write_job(tmp_path, trials=8, pause=0.3)
    folder = tmp_path / "runs" / "tiny"
    run = started("run", "task.yaml", cwd=tmp_path)
    try:
        wait_for(lambda: len(finished(folder)) >= 1, run)
        second = tunesmith("run", "task.yaml", cwd=tmp_path)
        assert second.returncode == 2
        assert str(run.pid) in second.stderr
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate()
    finally:
        run.kill()
    assert run.returncode == 130, output
    assert "Continue    tunesmith run task.yaml" in output
    kept = {n: o for n, o in outcomes(folder).items() if o.state is not TrialState.LOST}
    (tmp_path / "train.py").write_text(TRAIN.format(pause=0))
    done = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Continuing" in done.stdout
    after = outcomes(folder)
    assert {n: after[n] for n in kept} == kept
    assert sum(outcome.state is not TrialState.LOST for outcome in after.values()) == 8


@pytest.mark.long
def test_killed_again_and_again_a_run_finishes_with_nothing_lost_or_recorded_twice(tmp_path: Path) -> None:
    write_job(tmp_path, trials=10, workers=2, pause=0.05)
    folder = tmp_path / "runs" / "tiny"
    moments = random.Random(20261121)
    known: dict[int, Outcome] = {}
    for _ in range(3):
        run = started("run", "task.yaml", cwd=tmp_path)
        wait_for(lambda: len(finished(folder)) > len(known), run)  # noqa: B023  called at once
        time.sleep(moments.uniform(0.0, 0.2))
        run.kill()
        run.communicate()
        found = finished(folder)
        assert {n: found.get(n) for n in known} == known, "a finished trial changed or went missing"
        known = found
    done = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    final = outcomes(folder)
    assert {n: final[n] for n in known} == known
    assert sum(outcome.state is not TrialState.LOST for outcome in final.values()) == 10
    states = dict(recorded(folder))
    assert len(states) == len(recorded(folder)) and sorted(states) == sorted(final)
    for number, outcome in final.items():
        wanted = {TrialState.COMPLETED: "COMPLETE", TrialState.PRUNED: "PRUNED"}.get(outcome.state, "FAIL")
        assert states[number] == wanted


BROKEN = """
def train(config, trial):
    raise ZeroDivisionError("the model has no layers")

test = train
"""


def test_a_broken_training_function_ends_the_run_with_its_own_traceback(tmp_path: Path) -> None:
    write_job(tmp_path, trials=10, train=BROKEN)
    done = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "the model has no layers" in done.stdout and "train.py" in done.stdout
    assert 5 <= len(outcomes(tmp_path / "runs" / "tiny")) < 10


HALF = """
def train(config, trial):
    if config["lr"] > 3e-4:
        raise FloatingPointError(f"loss scale collapsed at lr={config['lr']:.3g}")
    return 0.9 - abs(config["lr"] - 1e-4) * 100

def test(config, trial):
    return train(config, trial)
"""


@pytest.mark.long
def test_where_half_of_the_space_crashes_the_run_goes_on_away_from_it(tmp_path: Path) -> None:
    task = write_job(tmp_path, trials=12, train=HALF)
    task.write_text(task.read_text().replace("lr: 1e-4,", "lr: 1e-2,"))
    done = tunesmith("run", "task.yaml", "--no-model", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    states = [outcome.state.value for _, outcome in sorted(outcomes(tmp_path / "runs" / "tiny").items())]
    assert states[0] == "crashed" and states.count("crashed") <= 4 and len(states) == 12


SOMETIMES = """
import os, signal

def train(config, trial):
    kind = trial.number % 5
    if kind == 1:
        return float("nan")
    if kind == 2:
        raise RuntimeError("a bad batch")
    if kind == 3:
        raise MemoryError
    if kind == 4:
        os.kill(os.getpid(), signal.SIGSEGV)
    return {"score": config["lr"]}

def test(config, trial):
    return {"score": config["lr"]}
"""


@pytest.mark.long
def test_bad_trials_are_typed_and_do_not_take_the_run_down(tmp_path: Path) -> None:
    write_job(tmp_path, trials=10, workers=2, train=SOMETIMES)
    done = tunesmith("run", "task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    states = [outcome.state.value for _, outcome in sorted(outcomes(tmp_path / "runs" / "tiny").items())]
    assert states == ["completed", "diverged", "crashed", "out_of_memory", "crashed"] * 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("metric: score", "metrik: score", ["task.yaml:4", "metrik", "metric"]),
        ("low: 1e-5", "low: 10", ["space.lr", "task.yaml:9"]),
        ("lr: 1e-4,", "lr: 7,", ["default", "lr", "7"]),
        ("train.py:train", "trian.py:train", ["trian.py"]),
        ("seed: 0", "seed: 0\nseed: 1", ["seed", "task.yaml"]),
    ],
    ids=["unknown key", "empty range", "default outside", "no such script", "duplicate key"],
)
def test_a_wrong_task_file_is_refused_by_name_and_line_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    task = write_job(tmp_path)
    text = task.read_text()
    assert old in text
    task.write_text(text.replace(old, new))
    for verb in ("check", "run"):
        done = tunesmith(verb, "task.yaml", cwd=tmp_path)
        assert done.returncode == 2, done.stdout
        assert all(part in done.stderr for part in expected), done.stderr
        assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "task.yaml", "--runs", "train.py"], "train.py/tiny cannot be made"),
        (["run", "task.yaml", "--replay", "gone.jsonl"], "gone.jsonl"),
        (["run", "task.yaml", "--trials", "many"], "--trials"),
        (["init", "train.py", "-o", "train.py/task.yaml"], "train.py/task.yaml"),
        (["report", "."], "is not a run folder"),
        (["chat", "task.yaml"], "terminal"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_sentence_and_writes_nothing(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    write_job(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = tunesmith(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr and not done.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_check_says_what_a_task_means_without_training(tmp_path: Path) -> None:
    write_job(tmp_path)
    done = tunesmith("check", "task.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "maximize score" in done.stdout and "without a language model" in done.stdout
    assert "by the name (75%)" in done.stdout and "by the default (25%)" in done.stdout
    asked = tunesmith("check", "task.yaml", "--json", cwd=tmp_path)
    priors = json.loads(asked.stdout)["priors"]
    assert {("lr", "name", 0.75), ("lr", "default", 0.25)} <= {
        (prior["parameter"], prior["source"], prior["share"]) for prior in priors
    }
    assert not (tmp_path / "runs").exists()


def test_check_shows_the_traceback_of_training_code_that_cannot_be_loaded(tmp_path: Path) -> None:
    write_job(
        tmp_path,
        train="import no_such_library\n\ndef train(config, trial):\n    return 1.0\n\ntest = train\n",
    )
    done = tunesmith("check", "task.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "no_such_library" in done.stderr and "train.py" in done.stderr


def test_init_writes_a_task_that_check_accepts(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("def train(config, trial):\n    return {'val_loss': config['lr']}\n")
    made = tunesmith("init", "train.py", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert tunesmith("check", "task.yaml", cwd=tmp_path).returncode == 0
    again = tunesmith("init", "train.py", cwd=tmp_path)
    assert again.returncode == 2 and "--force" in again.stderr
