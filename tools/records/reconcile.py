"""After an interruption: make folders, study and log agree, and return the history.

The trial folders are the truth. A run may have been killed between any two of these steps:

    config.json   study (running)   [worker]   result.json   study (ended)   event

so each trial is in one of a few conditions, and each is brought to its end here. Everything done is
done again harmlessly after another kill: a folder is written before the study.
"""

from __future__ import annotations

from dataclasses import replace

from tunesmith.errors import RunError
from tunesmith.events import Degraded, Event, TrialFinished, TrialStarted
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.outcome import Stamp
from tunesmith.task.lineage import LeftOut
from tunesmith.tools.records.atomic_write import set_aside
from tunesmith.tools.records.earlier_studies import made_again
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.outcomes import finished_trial, outcome_of, surprise
from tunesmith.tools.records.plain_files import kind
from tunesmith.tools.records.run_folder import OfAnotherTrial, RunFolder, TrialConfig
from tunesmith.tools.records.study import NOT_IN_SPACE, StudyStore, study_name
from tunesmith.tools.records.trial_folder import CONFIG, RESULT
from tunesmith.trial import Origin, Outcome, Trial, TrialState

LARGEST_GAP = 1000
"""Numbers that may be missing between two trials that the study does not know."""
INTERRUPTED = "the run was interrupted while this trial was running"


def reconcile(folder: RunFolder, study: StudyStore, *, emit: Emit | None = None) -> History:
    """Bring a run's folders and study to agree; the caller holds the run's lock.

    Afterwards no trial is running: one without a result is lost. Every finished trial of the
    folders is in the study once, and every trial of the study has its folder.

    Args:
        emit: Called with a `Degraded` for everything that was rebuilt or given up.
    Raises:
        RunError: Folders or study hold trials of another task or search space, or a file that cannot
            be read and cannot be rebuilt.
    """
    return _Reconciliation(folder, study, emit).run()


def restore_events(history: History, events: EventStore) -> int:
    """Add the start and end of every trial that the log lacks; returns how many events were added.

    Some are missing after a kill between a result and its event, all of them after `run.db` was deleted.
    """
    started, finished = events.trial_numbers("trial_started"), events.trial_numbers("trial_finished")
    missing: list[Event] = []
    so_far = history.without_trials()
    for trial in history.every:
        before, so_far = so_far.incumbent, so_far.with_trial(trial)
        if trial.number not in started:
            missing.append(
                TrialStarted(
                    number=trial.number,
                    proposal=trial.proposal,
                    seed=trial.seed,
                    cost=trial.cost,
                    at=trial.started_at,
                )
            )
        if trial.finished and trial.number not in finished:
            missing.append(
                TrialFinished(
                    number=trial.number,
                    outcome=outcome_of(trial),
                    value=trial.value,
                    improved=so_far.incumbent is not before,
                    on_front=bool(so_far.others) and trial in so_far.front,
                    surprise=surprise(trial, history.sign),
                    at=trial.started_at + trial.seconds,
                )
            )
    events.append_many(missing)
    return len(missing)


class _Reconciliation:
    def __init__(self, folder: RunFolder, study: StudyStore, emit: Emit | None) -> None:
        self._folder, self._study, self._emit = folder, study, emit
        self._task = folder.task
        self._lineage = folder.lineage
        self._left_out: set[int] = set()  # trials that are not in the search space of now

    def run(self) -> History:
        study = self._study.load()
        numbers = self._unknown_trials(len(study))
        trials: list[Trial] = []
        for number in range(max(len(study), max(numbers, default=-1) + 1)):
            known = number < len(study)
            trial = self._reconcile(number, study[number] if known else None, known)
            if trial is not None:
                trials.append(trial)
        if made_again(self._folder, self._study):
            self._report("studies of earlier search spaces lacked trials", "they have them again")
        self._end_earlier_studies()
        return replace(
            self._task.empty_history(),
            trials=tuple(t for t in trials if t.number not in self._left_out),
            earlier=tuple(t for t in trials if t.number in self._left_out),
            first=self._lineage.epochs[-1].first_trial,
        )

    def _reconcile(self, number: int, in_study: Trial | None, known: bool) -> Trial | None:
        """Bring one trial to its end everywhere; None for a number whose trial is gone.

        Args:
            in_study: The trial as the study has it; None when it has none.
            known: Whether the study has used the number, be it for a gap.
        """
        config = self._config(number, in_study)
        if config is None:
            if not known:
                self._report(
                    f"trial {number} is neither in the folders nor in the study", "its number is skipped"
                )
                self._study.skip(number)
            return None
        of = config.stamp
        config = self._in_space(config, in_study)
        native = self._lineage.epoch_of(number).version == self._lineage.version
        self._folder.sweep(number)
        config = self._with_cost(config)
        trial = finished_trial(config.trial(), self._outcome(number, in_study, of), *self._task.goals.names)
        if number in self._left_out:
            if not known:
                self._study.skip(number, NOT_IN_SPACE)
            return trial
        if not known:
            self._study.record(trial)
        elif in_study is None:
            if native:
                what = f"trial {number} came back after the study had skipped it"
                self._report(what, "only its folder counts")
        elif not in_study.finished:
            self._study.finished(trial)
        elif (in_study.state, in_study.value) != (trial.state, trial.value):
            self._report(
                f"the study has trial {number} as {in_study.state.value} ({in_study.value}), "
                f"its folder as {trial.state.value} ({trial.value})",
                "the folder counts",
            )
        return trial

    def _unknown_trials(self, first: int) -> list[int]:
        """Numbers of trials that have a folder and are not in the study, which ends before `first`.

        A folder that says nothing of what it is a trial of, or says that it is another, is an orphan: its
        value would become that of the next configuration to get its number.
        """
        found: list[int] = []
        for number in self._folder.trial_numbers():
            if number < first:
                continue
            if number > max(first, *(n + 1 for n in found), 0) + LARGEST_GAP:
                self._set_orphan_aside(number, f"trial {number} is far beyond the others")
                continue
            try:
                config = self._folder.read_config(number)
            except RunError as error:
                self._set_orphan_aside(number, getattr(error, "cause", str(error)))
                continue
            if config is not None:
                found.append(number)
            else:
                self._set_orphan_aside(number, f"the folder of trial {number} does not say what was tried")
        return found

    def _set_orphan_aside(self, number: int, cause: str) -> None:
        aside = self._folder.set_orphan_aside(number)
        if aside is not None:
            where = aside.relative_to(self._folder.path)
            self._report(cause, f"it was moved to {where}; no value in it counts")

    def _config(self, number: int, in_study: Trial | None) -> TrialConfig | None:
        """What the trial was started with, rebuilt from the study where the folder lacks it."""
        try:
            config = self._folder.read_config(number)
            if config is not None or in_study is None:
                return config
            cause = f"the folder of trial {number} is missing"
        except OfAnotherTrial as error:
            self._set_orphan_aside(number, error.cause)
            if in_study is None:
                return None
            cause = f"the folder of trial {number} was another's"
        except RunError as error:
            if in_study is None:
                self._set_orphan_aside(number, str(error))
                return None
            if kind(self._folder.trial_folder(number)) == "a folder":
                set_aside(self._folder.trial_folder(number) / CONFIG)
            cause = str(error)
        self._folder.write_config(in_study)
        self._report(cause, "it was rebuilt from the study")
        return self._folder.read_config(number)

    def _outcome(self, number: int, in_study: Trial | None, of: Stamp) -> Outcome:
        """How the trial ended, durable in its folder when this returns."""
        folder = self._folder.trial_folder(number)
        try:
            outcome = self._folder.read_outcome(number, of)
        except RunError as error:
            set_aside(folder / RESULT)
            self._report(str(error), "the file was set aside")
            outcome = None
        if outcome is not None:
            return outcome
        if in_study is not None and in_study.finished:
            return self._folder.record_outcome(number, outcome_of(in_study), of)
        self._report(f"trial {number} has no result", "it counts as lost")
        lost = Outcome(state=TrialState.LOST, message=INTERRUPTED, loss="interrupted")
        return self._folder.record_outcome(number, lost, of)

    def _in_space(self, config: TrialConfig, in_study: Trial | None) -> TrialConfig:
        """The trial with its configuration in the search space of now; noted where there is none."""
        number, configuration = config.number, config.proposal.configuration
        where = self._folder.trial_folder(number)
        self._folder.check_legal(number, configuration)
        try:
            valid = self._lineage.carried(number, configuration)
        except LeftOut:
            self._left_out.add(number)
            return config
        if valid is configuration:
            valid = self._task.space.restricted(None).validate(dict(configuration))  # it was run
        else:
            proposal = config.proposal.model_copy(update={"configuration": valid})
            config = config.model_copy(update={"proposal": proposal})
        native = self._lineage.epoch_of(number).version == self._lineage.version
        if native and in_study is not None and in_study.configuration != valid:
            raise RunError(
                f"{where} and the study disagree on what trial {config.number} is: {dict(configuration)} and "
                f"{dict(in_study.configuration)}. The study is another run's. Use another `name` or storage."
            )
        return config

    def _with_cost(self, config: TrialConfig) -> TrialConfig:
        """With what the trial costs by the task of now, where it began before the task spoke of costs."""
        previous = config.proposal.origin is Origin.PREVIOUS  # costs nothing here
        if config.cost is not None or previous or config.number in self._left_out:
            return config
        return config.model_copy(update={"cost": self._task.cost_of(config.proposal.configuration)})

    def _end_earlier_studies(self) -> None:
        """Trials that ran when the space was changed have ended: told to the study of their own space too."""
        spaces = {epoch.version: epoch.space for epoch in self._lineage.epochs}
        for version, space in spaces.items():
            if version == self._lineage.version:
                continue
            study = self._study.earlier(study_name(self._folder.name, version), space)
            for trial in study.load() if study is not None else ():
                if study is not None and trial is not None and not trial.finished:
                    outcome = self._folder.read_outcome(trial.number)
                    lost = Outcome(state=TrialState.LOST, message=INTERRUPTED)
                    study.finished(finished_trial(trial, outcome or lost, *self._task.goals.names))

    def _report(self, cause: str, continuation: str) -> None:
        if self._emit is not None:
            self._emit(Degraded(what="repair", where="records", cause=cause, continuation=continuation))
