"""A run on disk: where everything lies, and the few files that are its truth.

    runs/<name>/  task.yaml (as run)  run.json  study.journal  run.db  lock  report.*
                  exchanges.jsonl  calls.jsonl
                  trials/00017/  config.json  curve.jsonl  log.txt  result.json  checkpoints/

`config.json` says that a trial was started and with what, `result.json` how it ended. Everything else
about trials can be rebuilt from these two (see `reconcile.py`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field, ValidationError

from tunesmith.errors import RunError
from tunesmith.task import Task, load_task
from tunesmith.tools.records.atomic_write import TEMPORARY, sync_folder, write_atomic
from tunesmith.tools.records.lock import Holder, hold
from tunesmith.tools.records.trial_folder import CONFIG, damaged, read_outcome, record_outcome
from tunesmith.trial import Frozen, Outcome, Proposal, Trial

EXCHANGES = "exchanges.jsonl"
"""Name of the recorded conversation with a language model."""


class TrialConfig(Frozen):
    """What `config.json` holds: a trial as it was started."""

    number: int = Field(ge=0)
    seed: int
    proposal: Proposal
    started_at: float
    """Unix time."""

    def trial(self) -> Trial:
        """The trial as running."""
        return Trial(number=self.number, proposal=self.proposal, seed=self.seed, started_at=self.started_at)


class RunFolder:
    """Paths and records of one run. Made by `create` or `open`; writing needs `lock()`.

    Attributes:
        path: The folder, absolute.
        task: The task as run.
    """

    def __init__(self, path: Path, task: Task) -> None:
        self.path, self.task = path.absolute(), task

    @classmethod
    def create(cls, runs: Path, task: Task) -> RunFolder:
        """The folder of `task` under `runs`, new or to be continued.

        Budget, seeds, workers and description may differ from those of the run so far; what a trial's value
        means (metric, direction, search space, objective) may not.

        Raises:
            RunError: The folder holds another task's run or something that is no run, or cannot be made.
        """
        folder = cls(Path(runs) / task.name, task)
        if not _is_run(folder.path):
            if folder.path.is_dir() and any(folder.path.iterdir()) and not folder._only_lock_files():
                raise RunError(
                    f"{folder.path} exists and is not a run. Give the task another `name`, or move it."
                )
            try:
                (folder.path / "trials").mkdir(parents=True, exist_ok=True)
                folder._write_task()
            except OSError as error:
                raise RunError(
                    f"{folder.path} cannot be made ({error.strerror or error}). Name another place for runs."
                ) from error
        else:
            differences = _differences(cls.open(folder.path).task, task)
            if differences:
                raise RunError(
                    f"{folder.path} holds the run of another task: {'; '.join(differences)}. Give this task "
                    f"another `name`, change it back, or move that folder away."
                )
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run.

        Raises:
            RunError: There is no run at `path`.
        """
        path = Path(path).absolute()
        if not _is_run(path):
            raise RunError(
                f"{path} is not a run folder: no run has begun there. Name a folder such as runs/<task>."
            )
        return cls(path, _read_task(path))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "study.journal"

    @property
    def db(self) -> Path:
        return self.path / "run.db"

    @property
    def exchanges(self) -> Path:
        return self.path / EXCHANGES

    @property
    def _task_file(self) -> Path:
        return self.path / "task.yaml"

    @contextmanager
    def lock(self) -> Iterator[Holder]:
        """Be the one writer of this run for the length of the block.

        Raises:
            RunError: Another process is; names it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with hold(self.path / "lock") as holder:
            self._write_task()  # budget or description may have changed since the last session
            yield holder

    # -- trials ---------------------------------------------------------------------------------

    def trial_folder(self, number: int) -> Path:
        return self.path / "trials" / f"{number:05d}"

    def trial_numbers(self) -> list[int]:
        """Numbers of all trials with a folder, ascending; the folder may be empty."""
        trials = self.path / "trials"
        names = (entry.name for entry in trials.iterdir() if entry.is_dir()) if trials.is_dir() else ()
        return sorted(int(name) for name in names if re.fullmatch(r"\d{5,}", name))

    def write_config(self, trial: Trial) -> Path:
        """Make a trial's folder and record what is about to run; returns the folder.

        The folder is durable; the record becomes so with the study's write, which comes next and from
        which it is rebuilt after a power cut. Each sync saved is 1-4 ms a trial.
        """
        folder = self.trial_folder(trial.number)
        folder.mkdir(parents=True, exist_ok=True)
        config = TrialConfig(
            number=trial.number, seed=trial.seed, proposal=trial.proposal, started_at=trial.started_at
        )
        write_atomic(folder / CONFIG, config.model_dump_json(indent=1).encode(), durable=False)
        sync_folder(folder.parent)
        return folder

    def read_config(self, number: int) -> TrialConfig | None:
        """What trial `number` was started with; None when it never got as far as being recorded.

        Raises:
            RunError: The file is there and cannot be read.
        """
        path = self.trial_folder(number) / CONFIG
        try:
            config = TrialConfig.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise damaged(path, error) from error
        if config.number != number:
            raise RunError(
                f"{path} is of trial {config.number}: folders must not be renamed. Rename it back."
            )
        return config

    def record_outcome(self, number: int, outcome: Outcome) -> Outcome:
        """Record durably how a trial ended; the first record is kept, and is returned."""
        return record_outcome(self.trial_folder(number), outcome)

    def read_outcome(self, number: int) -> Outcome | None:
        """How trial `number` ended; None while it has not. Raises RunError as `trial_folder.read_outcome`."""
        return read_outcome(self.trial_folder(number))

    def sweep(self, number: int) -> None:
        """Delete what interrupted writers left in a trial's folder."""
        for left in self.trial_folder(number).glob(f".*{TEMPORARY}"):
            left.unlink(missing_ok=True)

    # -- the task -------------------------------------------------------------------------------

    def _write_task(self) -> None:
        text = self.task.to_yaml().encode()
        if not self._task_file.exists() or self._task_file.read_bytes() != text:
            write_atomic(self._task_file, text)
        source = None if self.task.path is None else str(self.task.path.absolute())
        about = self.path / "run.json"
        try:
            known = json.loads(about.read_bytes())
        except (OSError, ValueError):
            known = {}  # not written yet, or cut: nothing in it is needed to go on
        if known.get("task_file") != source or "created_at" not in known:
            created = known.get("created_at", time.time())
            write_atomic(about, json.dumps({"task_file": source, "created_at": created}).encode())

    def _only_lock_files(self) -> bool:
        return all(entry.name.startswith("lock") or entry.name == "trials" for entry in self.path.iterdir())


def _is_run(path: Path) -> bool:
    """Whether a run has begun in a folder; a task file alone may be its author's own."""
    return (path / "task.yaml").is_file() and ((path / "trials").is_dir() or (path / "run.json").exists())


def _read_task(path: Path) -> Task:
    """The task as run, with its paths relative to the file it first came from, not to the copy."""
    task = load_task(path / "task.yaml")
    try:
        source = json.loads((path / "run.json").read_bytes()).get("task_file")
    except (OSError, ValueError, AttributeError):
        source = None
    return task.model_copy(update={"path": None if source is None else Path(source)})


def _differences(before: Task, now: Task) -> list[str]:
    """What changed among the things that give a trial's value its meaning, as clauses."""
    found = [
        f"{key} was {getattr(before, key)!r} and is now {getattr(now, key)!r}"
        for key in ("metric", "direction")
        if getattr(before, key) != getattr(now, key)
    ]
    if _objective(before, now) != _objective(now, before):
        found.append(f"the objective was {_objective(before, now)} and is now {_objective(now, before)}")
    old, new = before.space.to_dict(), now.space.to_dict()
    if old != new:
        found.append(f"the search space differs (was: {before.space.describe()} now: {now.space.describe()})")
    return found


def _objective(task: Task, other: Task) -> str:
    """The training code as far as it tells tasks apart.

    A project that was moved is still the same; two task files that exist side by side are not.
    """
    files = [t.path for t in (task, other) if t.path is not None and t.path.exists()]
    if len(files) == 2 and not files[0].samefile(files[1]):
        return f"{task.objective_text()} in {task.folder}"
    return task.objective_text()
