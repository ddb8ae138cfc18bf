"""The run folder as a run store: trial folders are the truth, a study and a log are beside them.

Training code runs with the user's rights, and a script may delete, move or replace any of these files while
the run goes on. All of them can be made again from what the engine knows, and are: before each write it is
looked whether the file is still the one that was written last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from tunesmith.errors import RunError
from tunesmith.events import Degraded, Noted, TaskChanged
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.steering.record import Record
from tunesmith.steering.versions import SpaceVersion, space_versions
from tunesmith.task import Task
from tunesmith.task.lineage import LeftOut, carried
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted
from tunesmith.tools.records.atomic_write import set_aside
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.changed_task import task_changed
from tunesmith.tools.records.earlier_studies import made_again
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.journal_repair import clear_stale_lock, has_lines
from tunesmith.tools.records.mending import mend_run, mend_trial, set_oddities_aside
from tunesmith.tools.records.plain_files import FileMark, kind
from tunesmith.tools.records.reconcile import reconcile, restore_events
from tunesmith.tools.records.run_folder import RunFolder, TrialConfig
from tunesmith.tools.records.sources import identity
from tunesmith.tools.records.steered import in_space, tell_steered
from tunesmith.tools.records.storage import UNREADABLE, lost_file_aside, sqlite_file, trials_in_journal
from tunesmith.tools.records.study import GONE, NOT_IN_SPACE, StudyStore, UnreadableTrial
from tunesmith.tools.records.taken import take_over
from tunesmith.trial import Outcome, Proposal, Trial

LARGEST_KEPT = 1 << 20
"""Bytes of a file that is compared before each trial."""
AGAIN = "it was written again from what is known"

REBUILDS = 3
"""How often a journal is made anew for one write: other trials may damage it again meanwhile."""


class FolderStore(RunStore):
    """A run in a folder.

    Args:
        storage: Optuna storage URL, such as `sqlite:///study.db`; None for a journal in the folder.
        source: What a new run takes its first results from, as `sources.named` has it; None for nothing.
    """

    def __init__(self, folder: RunFolder, storage: str | None = None, source: str | None = None) -> None:
        self.folder, self.task, self.path = folder, folder.task, folder.path
        self._storage, self._source = storage, source
        self._events: EventStore | None = None
        self._study: StudyStore | None = None
        self._emit: Emit | None = None
        self._trials: dict[int, Trial] = {}  # by number; what the study holds
        self._first = 0  # number of the first trial of this session
        self._begun: dict[int, Trial] = {}  # running trials of other spaces, as they began
        self._studies: dict[int, StudyStore] = {}  # studies that have such trials as running, by version
        self._journal_mark: FileMark | None = None
        self._database_mark: FileMark | None = None

    @classmethod
    def create(
        cls,
        runs: Path,
        task: Task,
        storage: str | None = None,
        *,
        source: str | None = None,
        begun_as: str | None = None,
    ) -> FolderStore:
        """The store of `task` under `runs`, new or to be continued. Raises RunError as `RunFolder.create`."""
        shown = None if source is None else identity(source)
        return cls(RunFolder.create(runs, task, source=shown, begun_as=begun_as), storage, source)

    @contextmanager
    def lease(self) -> Iterator[None]:
        with self.folder.lock():
            yield

    @property
    def events(self) -> EventStore:
        if self._events is None:
            self._events = EventStore(self.folder.db)
        return self._events

    @property
    def study(self) -> StudyStore:
        assert self._study is not None, "load() comes first"
        return self._study

    def load(self, emit: Emit) -> History:
        self._emit = emit
        take_over(self.folder, self._source, emit)
        try:
            history = self._reconciled(emit)
        except UnreadableTrial as error:
            if self._storage is not None:
                raise
            aside = set_aside(self.folder.journal)
            self._told(str(error)[:300], f"the journal was moved to {aside.name} and is rebuilt")
            history = self._reconciled(emit)
        if self.study.limits_changed:
            history = self._judged_anew(history, emit)
        restore_events(history, self.events)
        changed = task_changed(self.folder, history, self.events.last(TaskChanged))
        if changed is not None:
            emit(changed)
        tell_steered(self.folder.record, self.events)
        self._trials = {trial.number: trial for trial in history}
        self._first = self.study.next_number
        self._mark()
        if self._storage is not None:
            emit(Noted(text=self._whats_there()))
        return history

    def _reconciled(self, emit: Emit) -> History:
        self._study = StudyStore.open(self.folder, self.task, self._storage, emit=emit)
        return reconcile(self.folder, self._study, emit=emit)

    def _judged_anew(self, history: History, emit: Emit) -> History:
        """A study whose trials say how far they were from other limits than those of now is made anew.

        In a database nothing can be changed of a trial that has ended; there it is told.
        """
        if self._storage is not None:
            text = f"The limits have changed: trials so far are judged anew, but in {self.study.where}, where"
            emit(
                Noted(
                    text=f"{text} nothing of a finished trial can be changed, they have the old constraints."
                )
            )
            return history
        aside = set_aside(self.folder.journal, "earlier")
        changed = "The study had other constraints than the limits of now"
        emit(Noted(text=f"{changed}: {AGAIN}; the old journal is {aside.name}."))
        return self._reconciled(emit)

    def _whats_there(self) -> str:
        """Which studies a storage holds, and which of them this run uses."""
        others = self.study.others()
        text = f"Storage {self.study.where}: this run is its study {self.study.name!r}"
        text += f" ({counted(self.study.next_number, 'trial')} so far)"
        if others:
            shown = ", ".join(clean(name, 60) for name in others[:10])
            text += f"; also there: {shown}" + (f" and {len(others) - 10} more" if others[10:] else "")
        return text + "."

    @property
    def study_text(self) -> str:
        """Where the run's study is, for a person: a journal's path, or a storage and the study's name."""
        if self._storage is None:
            return str(self.folder.journal)
        return f"{self.study.where} (study {self.study.name})"

    @property
    def next_number(self) -> int:
        return self.study.next_number

    def trial_folder(self, number: int) -> Path:
        return self.folder.trial_folder(number)

    def begin(self, trial: Trial) -> Path:
        number = trial.number
        self._mend_run()
        aside = self.folder.set_orphan_aside(number)
        if aside is not None:
            where = aside.relative_to(self.path)
            self._told(
                f"something was in the place of trial {number}", f"moved to {where}; no value of it counts"
            )
        folder = self.folder.write_config(trial)
        self._to_study(lambda study: study.started(trial))
        self._trials[number] = trial
        return folder

    def record_outcome(self, number: int, outcome: Outcome) -> Outcome:
        trial = self._begun.get(number) or self._trials.get(number)
        of = None if trial is None else TrialConfig.of(trial).stamp
        return self.folder.record_outcome(number, outcome, of)

    def finish(self, trial: Trial) -> None:
        self._mend_run()
        begun = self._begun.pop(trial.number, None)
        if begun is None:
            self._mend_trial(trial)
        else:
            self._mend_trial(trial.model_copy(update={"proposal": begun.proposal}))
            self._tell_other_studies(trial, begun)
        if begun is None or trial.number in self._trials:
            self._to_study(lambda study: study.finished(trial))
            self._trials[trial.number] = trial

    def spaces(self, history: History) -> Sequence[SpaceVersion]:
        return space_versions(self.folder.lineage, self.steered, history)

    @property
    def steered(self) -> Record:
        return self.folder.record

    @property
    def given(self) -> Task:
        return self.folder.given

    def task_changed(self, history: History) -> TaskChanged | None:
        self.folder.told = ()
        return task_changed(self.folder, history, self.events.last(TaskChanged))

    def steer(self, record: Record, task: Task, history: History) -> History:
        version, before = self.folder.lineage.version, self.task
        self.folder.steer(record, task)
        self.task = task
        lineage = self.folder.lineage
        if task.space == before.space:
            return replace(history, default=task.default)
        kept, left = in_space(lineage, history.every, self._as_begun, task)
        now = replace(task.empty_history(), trials=kept, earlier=left, first=lineage.epochs[-1].first_trial)
        for trial in history.every:
            if not trial.finished:
                self._begun.setdefault(trial.number, trial)
        self._studies[version] = self.study
        self._trials = {trial.number: trial for trial in kept}
        self._first = self.study.next_number
        self._study = self._studies.pop(lineage.version, None) or self.study.of_version(
            self.folder.name, lineage.version, task.space.restricted(None)
        )
        self._to_study(self._fill)
        return now

    def _as_begun(self, trial: Trial) -> Proposal:
        """The proposal of a trial in the space that it was started in."""
        if (begun := self._begun.get(trial.number)) is not None:
            return begun.proposal
        try:
            config = self.folder.read_config(trial.number)
        except RunError:
            config = None  # mended later; what is known of it in memory is close enough
        return trial.proposal if config is None else config.proposal

    def _fill(self, study: StudyStore) -> None:
        """Tell a study what happened to the run since it was its study, or ever."""
        running = study.numbers_running()
        for number in range(max(max(self._trials, default=-1) + 1, self._first)):
            trial = self._trials.get(number)
            if number < study.next_number:
                if trial is not None and trial.finished and number in running:
                    study.finished(trial)
            elif trial is None:
                study.skip(number, NOT_IN_SPACE)
            elif trial.finished:
                study.record(trial)
            else:
                study.started(trial)

    def _tell_other_studies(self, trial: Trial, begun: Trial) -> None:
        """A trial that began in another space has ended: told to every study that has it as running."""
        lineage = self.folder.lineage
        for version, study in self._studies.items():
            try:
                if trial.number not in study.numbers_running():
                    continue
                epochs = [e for e in lineage.epochs if e.version == version]
                first = lineage.epochs.index(lineage.epoch_of(trial.number))
                path = lineage.epochs[first : lineage.epochs.index(epochs[-1]) + 1] or epochs[-1:]
                shown = begun.proposal.model_copy(
                    update={"configuration": carried(begun.configuration, path)}
                )
                study.finished(trial.model_copy(update={"proposal": shown}))
            except (*UNREADABLE, RunError, LeftOut) as error:
                cause = f"study {version} of the run could not be told that trial {trial.number} ended"
                self._told(f"{cause} ({error})", "the next session tells it")
        self._mark()

    def keep(self, path: Path) -> None:
        """Put a file of the run back as it is now where training code takes it away; one of moderate size."""
        if path.stat().st_size <= LARGEST_KEPT:
            self.folder.own_files[path] = path.read_bytes()

    def mend(self) -> None:
        self.events.check()
        self._mend_run()
        if self._storage is None:
            self._check_journal()
        # In a space that was changed, what earlier sessions have recorded is not what is known of it now.
        first = self._first if self.folder.lineage.changed else 0
        known = (t for t in self._trials.values() if t.finished and t.number >= first)
        mended = {trial.number: found for trial in known if (found := mend_trial(self.folder, trial))}
        if mended:
            numbers = ", ".join(str(number) for number in islice(mended, 10))
            more = f" and {len(mended) - 10} more" if len(mended) > 10 else ""
            what = "; ".join(dict.fromkeys(chain.from_iterable(mended.values())))
            self._told(f"in the folders of trials {numbers}{more}: {what}", AGAIN)
        for cause in set_oddities_aside(self.folder):
            self._told(cause, "it was renamed")

    def close(self) -> None:
        if self._events is not None:
            self._events.close()

    # -- what training code damages -----------------------------------------------------------------

    def _mend_run(self) -> None:
        """Put back what a trial took from the run's own files; everything is in memory."""
        for cause in (*mend_run(self.folder), *self.events.mended()):
            self._told(cause, AGAIN)
        if self.events.lost:
            self.events.lost = False
            trials = tuple(self._trials[number] for number in sorted(self._trials))
            task = self.task
            restore_events(replace(task.empty_history(), trials=trials), self.events)

    def _mend_trial(self, trial: Trial) -> None:
        """Make the folder of a finished trial say again what it was and how it ended."""
        found = mend_trial(self.folder, trial)
        if found:
            self._told(f"trial {trial.number}: {'; '.join(found)}", AGAIN)

    def _to_study(self, write: Callable[[StudyStore], None]) -> None:
        """Write to the study; a journal that was damaged meanwhile is first made anew from what is known."""
        if self._storage is not None:
            self._to_database(write)
            return
        cause: str | None = None
        for attempt in range(1 + REBUILDS):
            try:
                if cause is None:
                    self._check_journal()
                else:
                    self._rebuild_journal(cause)
                clear_stale_lock(self.folder.journal)
                write(self.study)
                break
            except (*UNREADABLE, RunError) as error:
                cause = f"the journal cannot be used ({type(error).__name__}: {error})"[:500]
                if attempt == REBUILDS:
                    raise RunError(
                        f"{cause}, made anew {REBUILDS} times. Put this right and run the same command again."
                    ) from error
        self._mark()

    def _to_database(self, write: Callable[[StudyStore], None]) -> None:
        """Write to the storage; a study that somebody took away meanwhile is first made anew."""
        assert self._storage is not None
        try:
            write(self.study)
        except (*UNREADABLE, RunError) as error:
            cause = f"the study in {self.study.where} is gone ({type(error).__name__}: {error})"[:500]
            aside = lost_file_aside(self._storage, self._database_mark)
            study = StudyStore.open(self.folder, self.task, self._storage, emit=self._emit)
            if study.next_number > 0:  # it is there: locked, full, or another program's now
                if isinstance(error, RunError):
                    raise
                raise RunError(f"{cause[:300]}. Put this right and run the same command again.") from error
            self._refill(study)
            left = "" if aside is None else f"what was in its file's place is {aside.name}; "
            self._told(cause, left + AGAIN)
            write(self.study)

    def _check_journal(self) -> None:
        """Make the journal anew where it is not the file, or not what the file held, any more."""
        journal, mark = self.folder.journal, self._journal_mark
        if mark is None or FileMark.of(journal) == mark:
            return
        if mark.holds(journal) and self._reads_back():
            self._mark()  # somebody else has added to it, as optuna-dashboard adds notes
            return
        self._rebuild_journal("the journal was changed from outside")

    def _reads_back(self) -> bool:
        """Whether the journal, read again from its beginning, has every trial."""
        try:
            if not has_lines(self.folder.journal):  # before Optuna looks for what was added to it
                return False
            return trials_in_journal(self.folder.journal, self.study.name) == self.study.next_number
        except (*UNREADABLE, RunError, OSError):
            return False

    def _rebuild_journal(self, cause: str) -> None:
        journal = self.folder.journal
        left = f"what was left of it is {set_aside(journal).name}; " if kind(journal) is not None else ""
        self._refill(StudyStore.open(self.folder, self.task, emit=self._emit))
        self._told(cause, left + AGAIN)

    def _refill(self, study: StudyStore) -> None:
        """Use an empty study from now on, with every trial that is known, and every number that is used."""
        lineage = self.folder.lineage
        for number in range(max(max(self._trials, default=-1) + 1, self.study.next_number)):
            trial = self._trials.get(number)
            if trial is None:
                native = lineage.epoch_of(number).version == lineage.version
                study.skip(number, GONE if native else NOT_IN_SPACE)
            elif trial.finished:
                study.record(trial)
            else:
                study.started(trial)
        self._study = study
        try:
            self._studies |= made_again(self.folder, study)
        except (*UNREADABLE, RunError) as error:
            self._told(
                f"studies of earlier search spaces are gone ({error})", "the next session makes them again"
            )
        self._mark()

    def _mark(self) -> None:
        if self._storage is None:
            self._journal_mark = FileMark.of(self.folder.journal)
        else:
            file = sqlite_file(self._storage)
            self._database_mark = None if file is None else FileMark.of(file)

    def _told(self, cause: str, continuation: str) -> None:
        if self._emit is not None:
            self._emit(Degraded(what="repair", where="records", cause=cause[:500], continuation=continuation))
