"""A run on disk: where everything lies, and the few files that are its truth.

    runs/<name>/  task.yaml (as run)  run.json  study.journal  run.db  lock  report.*
                  exchanges.jsonl  calls.jsonl  lineage.json (once the search space was changed)
                  steering.json  task-given.yaml (once a command changed the task)
                  trials/00017/  config.json  curve.jsonl  log.txt  result.json  checkpoints/

`config.json` says that a trial was started and with what, `result.json` how it ended. Everything else
about trials can be rebuilt from these two (see `reconcile.py`).
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from tunesmith.errors import InvalidConfiguration, RunError
from tunesmith.outcome import Stamp
from tunesmith.steering.record import Record, without_changes
from tunesmith.task import Task, load_task
from tunesmith.task.changes import changes
from tunesmith.task.lineage import Lineage
from tunesmith.text.numbers import numbered
from tunesmith.tools.records.atomic_write import TEMPORARY, sync_folder, write_atomic
from tunesmith.tools.records.background import NAME as BACKGROUND
from tunesmith.tools.records.background import forget_ended
from tunesmith.tools.records.folder_check import check_run_folder
from tunesmith.tools.records.lineage_file import NAME as LINEAGE
from tunesmith.tools.records.lineage_file import read_lineage, write_lineage
from tunesmith.tools.records.lock import Holder, hold
from tunesmith.tools.records.plain_files import clear, free_name, kind, make_folder, read_plain
from tunesmith.tools.records.run_names import ABOUT, read_about
from tunesmith.tools.records.steering_file import GIVEN, read_given, read_record, write_record
from tunesmith.tools.records.steering_file import NAME as STEERING
from tunesmith.tools.records.trial_folder import (
    CONFIG,
    LARGEST_RECORD,
    damaged,
    make_trial_folder,
    read_outcome,
    record_outcome,
)
from tunesmith.trial import Configuration, Frozen, Outcome, Proposal, Trial, TrialState

TRIALS, LOCK = "trials", "lock"
LATEST = 253402300000
"""The last second that a date can be of, in Unix time: the year 9999."""
OWN_FILES = ("task.yaml", "run.json", LINEAGE, STEERING, GIVEN)
"""Small files that are written when a session begins."""
EXCHANGES = "exchanges.jsonl"
"""Name of the recorded conversation with a language model."""


class OfAnotherTrial(RunError):
    """A trial's folder has another trial's name.

    Attributes:
        cause: What is wrong, without the fix.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.cause = f"{path} is of trial {number}"
        super().__init__(f"{self.cause}: folders must not be renamed. Rename it back.")


class TrialConfig(Frozen):
    """What `config.json` holds: a trial as it was started."""

    number: int = Field(ge=0)
    seed: int
    proposal: Proposal
    started_at: Annotated[float, AfterValidator(lambda at: at if 0 <= at <= LATEST else 0.0)]
    """Unix time; 0.0 where the record has a time that cannot be."""
    cost: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """As in `Trial`."""

    @classmethod
    def of(cls, trial: Trial) -> TrialConfig:
        """What is recorded of a trial that starts."""
        return cls(
            number=trial.number,
            seed=trial.seed,
            proposal=trial.proposal,
            started_at=trial.started_at,
            cost=trial.cost,
        )

    @property
    def stamp(self) -> Stamp:
        """What the trial's result is marked with."""
        provenance, digest = self.proposal.provenance, self.proposal.configuration.digest
        return Stamp(self.number, provenance.attempt, digest)

    def trial(self) -> Trial:
        """The trial as running."""
        return Trial(
            number=self.number,
            proposal=self.proposal,
            seed=self.seed,
            started_at=self.started_at,
            cost=self.cost,
        )

    def to_json(self) -> bytes:
        """As `config.json` has it; without a cost where there is none, as before there were any."""
        left_out = {"cost"} if self.cost is None else None
        return self.model_dump_json(indent=1, exclude=left_out).encode()


class RunFolder:
    """Paths and records of one run. Made by `create` or `open`; writing needs `lock()`.

    Attributes:
        path: The folder, absolute.
        task: The task as run, with what people changed by commands.
        given: The task as its author's file says it; the same object where nothing was changed by commands.
        record: What was changed by commands.
        told: What the task has changed since the session before, a clause each; set by `create`.
        own_files: What this run's files are to hold while it is locked, by path.
        source: Where the results come from that the run began with; None where it began with none.
    """

    def __init__(
        self, path: Path, task: Task, *, source: str | None = None, begun_as: str | None = None
    ) -> None:
        self.path, self.task, self.given = path.absolute(), task, task
        self.record = Record()
        about = read_about(self.path)
        known = about.get("from")
        self.source = known if isinstance(known, str) else None if about else source
        self._begun_as = begun_as
        self.told: tuple[str, ...] = ()
        self._lineage: Lineage | None = None
        self.own_files: dict[Path, bytes] = {}

    @classmethod
    def create(
        cls, runs: Path, task: Task, *, source: str | None = None, begun_as: str | None = None
    ) -> RunFolder:
        """The folder of `task` under `runs`, new or to be continued.

        The search space, budget, seed, workers, words and so on may differ from those of the run so far; what
        a trial's value means (metric, direction, objective, data file) may not.

        Args:
            source: Where a new run takes its first results from, as of `--from`.
            begun_as: The name that a new run was asked for by, where that was taken.
        Raises:
            RunError: The folder holds another task's run or something that is no run, or cannot be made.
        """
        folder = cls(Path(runs) / task.name, task, source=source, begun_as=begun_as)
        if not _is_run(folder.path):
            if kind(folder.path / ABOUT) is not None:
                check_run_folder(folder.path)  # a run whose task file is no file
            if folder.path.is_dir() and any(folder.path.iterdir()) and not folder._only_lock_files():
                raise RunError(
                    f"{folder.path} exists and is not a run. Give the task another `name`, or move it."
                )
            if folder.path.is_dir():
                check_run_folder(folder.path)
            try:
                (folder.path / "trials").mkdir(parents=True, exist_ok=True)
                folder._write_task()
            except OSError as error:
                raise RunError(
                    f"{folder.path} cannot be made ({error.strerror or error}). Name another place for runs."
                ) from error
        else:
            earlier = cls.open(folder.path)
            before = earlier.task
            if earlier.record.changes:
                task = folder.given = without_changes(task, earlier.given, before)
                folder.task, folder.record = earlier.record.after(earlier.given, task).replay(task)
                task, kept = folder.task, folder.record.active
                folder.told = tuple(
                    f"what a command changed ({change.text.partition(';')[0]}) gives way to the task file"
                    for change in earlier.record.active
                    if change not in kept
                )
            found = changes(before, task)
            what, breaking = "whose values mean something else", found.breaking
            if lacking := folder._lacking(found.needed):
                what, breaking = "that lack what they are judged by now", (lacking,)
            directions = [[goal.direction for goal in each.goals.objectives] for each in (before, task)]
            if breaking and (
                lacking
                or directions[0] != directions[1]  # those of a study are for good
                or before.folder != task.folder
                or folder._has_values()
            ):
                raise RunError(
                    f"{folder.path} holds trials {what}: "
                    f"{'; '.join(breaking)}. Start anew beside it with --fresh (in Python: another "
                    f"`name`), start with what fits of it with --from {folder.path}, or change this back."
                )
            folder.told = (*folder.told, *found.breaking, *found.told)
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run.

        Raises:
            RunError: There is no run at `path`.
        """
        path = Path(path).absolute()
        if path.is_dir():
            check_run_folder(path)
        if not _is_run(path):
            raise RunError(
                f"{path} is not a run folder: no run has begun there. Name a folder such as runs/<task>."
            )
        folder = cls(path, _read_task(path))
        folder.record = read_record(path)
        if folder.record.changes and (given := read_given(path)) is not None:
            folder.given = given.model_copy(update={"path": folder.task.path})
        return folder

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
    def lineage(self) -> Lineage:
        """The search spaces this run has had, that of `task` last."""
        if self._lineage is None:
            stored = read_lineage(self.path, self.task)
            self._lineage = stored.continued(self.task, self._next_trial())
        return self._lineage

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
        with hold(self.path / LOCK) as holder:
            forget_ended(self.path)
            self._write_task()  # budget or description may have changed since the last session
            self._keep_own_files()
            yield holder

    def steer(self, record: Record, task: Task) -> None:
        """Record durably what a command made of the task; the caller holds the lock.

        First what was changed, from which all else follows in the next session, should this one be killed.
        """
        write_record(self.path, record, self.given)
        self.record, self.task = record, task
        self._write_task()
        self._keep_own_files()

    def _keep_own_files(self) -> None:
        others = {p: text for p, text in self.own_files.items() if p.name not in OWN_FILES}
        own = {p: p.read_bytes() for p in (self.path / name for name in OWN_FILES) if p.exists()}
        self.own_files = {**own, **others}

    # -- trials ---------------------------------------------------------------------------------

    def trial_folder(self, number: int) -> Path:
        return self.path / TRIALS / f"{number:05d}"

    def trial_numbers(self) -> list[int]:
        """Numbers of all trials with a folder, ascending; the folder may be empty."""
        try:
            with os.scandir(self.path / TRIALS) as entries:
                names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        # Exactly the names that we give: others, such as 0000007 and digits of other scripts, are not ours.
        return sorted(int(name) for name in names if re.fullmatch("[0-9]{5}|[1-9][0-9]{5,11}", name))

    def write_config(self, trial: Trial) -> Path:
        """Make a trial's folder and record what is about to run; returns the folder.

        The folder is durable; the record becomes so with the study's write, which comes next and from
        which it is rebuilt after a power cut. Each sync saved is 1-4 ms a trial.
        """
        folder = self.trial_folder(trial.number)
        make_trial_folder(folder)
        config = TrialConfig.of(trial)
        write_atomic(folder / CONFIG, config.to_json(), durable=False)
        sync_folder(folder.parent)
        return folder

    def read_config(self, number: int) -> TrialConfig | None:
        """What trial `number` was started with; None when it never got as far as being recorded.

        Raises:
            RunError: The file is there and cannot be read.
        """
        path = self.trial_folder(number) / CONFIG
        try:
            config = TrialConfig.model_validate_json(read_plain(path, LARGEST_RECORD))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise damaged(path, error) from error
        if config.number != number:
            raise OfAnotherTrial(path, config.number)
        return config

    def check_legal(self, number: int, configuration: Configuration) -> None:
        """See to it that a recorded configuration is one of the search space that its trial was started in.

        Raises:
            RunError: It is not: somebody changed the record, or it is another task's.
        """
        try:
            self.lineage.epoch_of(number).space.validate(dict(configuration))
        except InvalidConfiguration as error:
            raise RunError(
                f"{self.trial_folder(number)} is not of this task's search space: {error}. Give the changed "
                "task another `name`, or change the search space back."
            ) from error

    def record_outcome(self, number: int, outcome: Outcome, of: Stamp | None = None) -> Outcome:
        """Record durably how a trial ended; the first record is kept, and is returned."""
        return record_outcome(self.trial_folder(number), outcome, of)

    def read_outcome(self, number: int, of: Stamp | None = None) -> Outcome | None:
        """How trial `number` ended; None while it has not. Raises RunError as `trial_folder.read_outcome`."""
        return read_outcome(self.trial_folder(number), of)

    def set_orphan_aside(self, number: int) -> Path | None:
        """Move what is in the place of a trial's folder to `trials/orphans/`; it is no trial of this run.

        Returns:
            Its new path; None where there was nothing but an empty folder.
        """
        folder = self.trial_folder(number)
        found = kind(folder)
        if found is None or (found == "a folder" and not any(folder.iterdir())):
            return None
        orphans = self.path / TRIALS / "orphans"
        make_folder(orphans)
        aside = free_name(orphans / folder.name, "orphan")
        folder.rename(aside)
        sync_folder(folder.parent)
        return aside

    def sweep(self, number: int) -> None:
        """Delete what interrupted writers left in a trial's folder."""
        for left in self.trial_folder(number).glob(f".*{TEMPORARY}"):
            clear(left)

    # -- the task -------------------------------------------------------------------------------

    def _write_task(self) -> None:
        if self.record.changes:
            write_record(self.path, self.record, self.given)
        text = self.task.to_yaml().encode()
        if not self._task_file.exists():
            write_atomic(self._task_file, text)
        elif self._task_file.read_bytes() != text or (self.path / LINEAGE).exists():
            # First the lineage: killed in between, the next session still knows the space of every trial.
            stored = read_lineage(self.path, _read_task(self.path))
            self._lineage = stored.continued(self.task, self._next_trial())
            if self._lineage is not stored:
                write_lineage(self.path, self._lineage)
            if self._task_file.read_bytes() != text:
                write_atomic(self._task_file, text)
        known = read_about(self.path)
        about = {**known, "task_file": None if self.task.path is None else str(self.task.path.absolute())}
        about.setdefault("created_at", time.time())
        if not known:
            about["begun_as"] = self._begun_as or self.path.name
            if self.source is not None:
                about["from"] = self.source
        if about != known:
            write_atomic(self.path / ABOUT, json.dumps(about).encode())

    def _has_values(self) -> bool:
        """Whether any trial has a value whose meaning could have changed; a damaged record may hold one."""
        for number in self.trial_numbers():
            try:
                outcome = self.read_outcome(number)
            except RunError:
                return True
            if outcome is not None and (outcome.values or outcome.curve):
                return True
        return False

    def _lacking(self, metrics: tuple[str, ...]) -> str:
        """Which completed trials have no value of some metrics, as a clause; empty where they all do."""
        lacking: dict[str, list[int]] = {}
        for number in self.trial_numbers() if metrics else ():
            try:
                outcome = self.read_outcome(number)
            except RunError:
                continue  # mended before it is used
            if outcome is not None and outcome.state is TrialState.COMPLETED:
                for name in (name for name in metrics if name not in outcome.values):
                    lacking.setdefault(name, []).append(number)
        return "; ".join(f"{numbered('trial', found)} gave no {name}" for name, found in lacking.items())

    def _next_trial(self) -> int:
        return max(self.trial_numbers(), default=-1) + 1

    def _only_lock_files(self) -> bool:
        return all(
            entry.name.startswith("lock") or entry.name in ("trials", "engine.log", BACKGROUND)
            for entry in self.path.iterdir()
        )


def _is_run(path: Path) -> bool:
    """Whether a run has begun in a folder; a task file alone may be its author's own."""
    return (path / "task.yaml").is_file() and ((path / "trials").is_dir() or (path / "run.json").exists())


def _read_task(path: Path) -> Task:
    """The task as run, with its paths relative to the file it first came from, not to the copy."""
    task = load_task(path / "task.yaml", as_run=True)
    source = read_about(path).get("task_file")
    return task.model_copy(update={"path": Path(source) if isinstance(source, str) else None})
