"""Gathers a report's data from a run's records: task, trial folders, events, confirm.json. Only reads."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from tunesmith.beliefs import Beliefs
from tunesmith.events import (
    Decided,
    Degraded,
    Event,
    RunStarted,
)
from tunesmith.history import History
from tunesmith.plain_data import to_json
from tunesmith.recommendation import Recommendation
from tunesmith.stated_prior import trusts_of
from tunesmith.task import Task
from tunesmith.text.numbers import counted
from tunesmith.tools.analysis.health import health
from tunesmith.tools.analysis.limits import together_text
from tunesmith.tools.analysis.pareto import default_trial, front_text, one_line
from tunesmith.tools.records.bounds import kind_of
from tunesmith.tools.records.certificate_file import certificate_now
from tunesmith.tools.records.changed_task import why_left_out
from tunesmith.tools.records.event_store import EventStore
from tunesmith.tools.records.log_reading import elicited_priors, last_ending, recommended, spent
from tunesmith.tools.records.outcomes import finished_trial
from tunesmith.tools.records.run_folder import RunFolder
from tunesmith.tools.records.trial_folder import newest_checkpoint
from tunesmith.tools.report.anonymous import Anonymous
from tunesmith.tools.report.comparison import read_comparison
from tunesmith.tools.report.data import (
    Best,
    DecisionLine,
    Incident,
    Recommended,
    ReportData,
    Reproduce,
    TrialLine,
    Used,
)
from tunesmith.tools.report.environment import environment
from tunesmith.tools.report.goals import (
    against_default,
    broken,
    finite,
    front_lines,
    item_lines,
    limit_lines,
    metric_lines,
    named,
)
from tunesmith.tools.report.headline import headline
from tunesmith.tools.report.lineage import lineage_part, split, taken_part
from tunesmith.tools.report.model_data import BeliefLine, PriorLine
from tunesmith.tools.report.model_use import model_say, model_use
from tunesmith.tools.report.pictures import pictures
from tunesmith.tools.report.pipeline import pipeline_part
from tunesmith.tools.report.pipeline_spend import spend_lines
from tunesmith.trial import Configuration, Trial

MOST_KINDS = 12
"""Kinds of remarks on how values were read that the report has."""
FEWEST = 5
"""Completed trials below which a surrogate's pictures would be of noise."""
Believe = Callable[[Task, History, Sequence[Event]], Beliefs | None]
"""What a run believes by its records; None where that is not known."""


def build_report(path: Path, believe: Believe | None = None) -> ReportData:
    """The report of the run in folder `path`, as far as the run has come.

    Args:
        believe: Says what the run believes, for the pictures of it; not asked of a run with too few results.
    Raises:
        RunError: `path` is no run folder, or a record in it cannot be read.
    """
    folder = RunFolder.open(path)
    store = EventStore(folder.db, create=False)
    try:
        events = store.events()
    finally:
        store.close()
    task = folder.task
    history = recorded_history(folder)
    text = Anonymous(folder.path, None if task.path is None else task.path.parent)
    comparison, not_compared = read_comparison(folder, history, events, text)
    certificate = certificate_now(folder.path, task)
    ending = last_ending(events)
    sessions = [event for event in events if isinstance(event, RunStarted)]
    default = default_trial(history)
    cost = finite(history.cost) if any(t.cost is not None for t in history.every) else None
    best, used = _best(folder, history, text), spent(events, history)
    found = _recommended(folder, history, recommended(events, history), text)
    return ReportData(
        name=text(folder.name, 100),
        description=text(task.description, 2000),
        metric=text(task.metric, 100),
        direction=task.direction,
        metrics=metric_lines(history.goals, text),
        limits=limit_lines(history, text),
        limits_together=text(together_text(history)),
        status="unfinished" if ending is None else ending.status,
        ended="" if ending is None else text(ending.reason),
        started_at=_moment((sessions or events)[0].at) if events else None,
        finished_at=_moment(events[-1].at) if ending else None,
        headline=text(headline(history), 2000),
        health=tuple(text(line) for line in health(history, task, events)),
        best=best,
        recommended=found,
        default=None if history.default is None else dict(history.default),
        default_value=None if default is None else default.value,
        against=against_default(history, text),
        items=item_lines(history, text),
        front=front_lines(history, text),
        limits_sentence=text(together_text(history)),
        front_sentence=text(front_text(history)),
        pipeline=pipeline_part(
            task,
            history,
            _delivered(history, found),
            text,
            events=events,
            spend=spend_lines(folder.path, text),
        ),
        certified="" if certificate is None else text(certificate.sentence, 2000),
        comparison=comparison,
        not_compared=not_compared,
        states=dict(Counter(trial.state.value for trial in history.every)),
        chosen_by=dict(Counter(trial.proposal.origin.value for trial in history.every)),
        in_the_models_place=sum(trial.proposal.provenance.fallback for trial in history),
        say=model_say(history),
        taken=taken_part(folder, text),
        lineage=lineage_part(folder, history, text),
        trials=_lines(history, text, folder),
        reading=_reading(task, history, text),
        decisions=_decisions(events, text),
        priors=_priors(sessions, history, text),
        beliefs=tuple(
            PriorLine(parameter=text(prior.parameter, 60), text=text(prior.text), why=text(prior.why))
            for prior in elicited_priors(events) or ()
        ),
        strategy=text(sessions[-1].strategy, 100) if sessions else "",
        policy=text(sessions[-1].policy, 100) if sessions else "",
        model=model_use(events, text),
        incidents=_incidents(events, text),
        used=Used(
            trials=used.trials,
            trials_limit=task.budget.trials,
            seconds=used.seconds,
            seconds_limit=task.budget.wall_time_s,
            model_calls_limit=task.budget.model.calls,
            model_tokens_limit=task.budget.model.tokens,
            model_dollars_limit=task.budget.model.dollars,
            cost=cost,
            cost_limit=None if cost is None else task.budget.cost,
        ),
        environment=environment(),
        reproduce=_reproduce(folder, history, sessions, text),
        ran_with=text(sessions[-1].version, 40) if sessions else "",
        written_at=_moment(datetime.now(UTC).timestamp()),
        pictures=pictures(history, events, text, _believed(task, history, events, believe)),
    )


def _believed(
    task: Task, history: History, events: Sequence[Event], believe: Believe | None
) -> Beliefs | None:
    return None if believe is None or len(history.completed) < FEWEST else believe(task, history, events)


def recorded_trials(folder: RunFolder) -> list[Trial]:
    """All trials as their folders record them, each with the configuration that it was started with."""
    trials: list[Trial] = []
    for number in folder.trial_numbers():
        config = folder.read_config(number)
        if config is None:
            continue  # the process was killed before it recorded the trial
        folder.check_legal(number, config.proposal.configuration)
        trial, outcome = config.trial(), folder.read_outcome(number, config.stamp)
        trials.append(trial if outcome is None else finished_trial(trial, outcome, *folder.task.goals.names))
    return trials


def recorded_history(folder: RunFolder) -> History:
    """The trials as their folders record them. Only reads: running trials stay running."""
    task = folder.task
    counting, left = split(folder.lineage, recorded_trials(folder))
    return replace(task.empty_history(), trials=counting, earlier=left)


def _reading(task: Task, history: History, text: Anonymous) -> tuple[str, ...]:
    """What the task says of it, then each kind of remark with the first trial that it is about."""
    how = task.metric_spec.words() if task.metric_spec is not None else ""
    first: dict[str, tuple[int, str]] = {}
    times: Counter[str] = Counter()
    for trial in history:
        for note in trial.notes:
            kind = kind_of(note)
            first.setdefault(kind, (trial.number, note))
            times[kind] += 1
    lines = [f"The task asks for {how}."] if how else []
    for kind, (number, note) in list(first.items())[:MOST_KINDS]:
        more = times[kind] - 1
        also = f" The same kind of remark holds for {counted(more, 'other trial')}." if more else ""
        lines.append(f"Trial {number}: {note}{also}")
    return tuple(text(line) for line in lines)


def _priors(sessions: list[RunStarted], history: History, text: Anonymous) -> tuple[BeliefLine, ...]:
    """The priors of the last session, with the latest trust in each source."""
    trusts = next((found for t in reversed(history.trials) if (found := trusts_of(t.proposal.details))), {})
    return tuple(
        BeliefLine(
            parameter=text(prior.parameter, 60),
            text=text(prior.text, 100),
            source=text(prior.label, 60),
            share=prior.share,
            trust=trusts.get(prior.source),
        )
        for prior in (sessions[-1].priors if sessions else ())
    )


def _best(folder: RunFolder, history: History, text: Anonymous) -> Best | None:
    trial = history.incumbent
    if trial is None or trial.value is None:
        return None
    newest = newest_checkpoint(folder.trial_folder(trial.number))
    return Best(
        trial=trial.number,
        value=trial.value,
        configuration=_received(history, trial.configuration),
        seed=trial.seed,
        reason=text(trial.proposal.reason),
        checkpoint=None if newest is None else text(newest.relative_to(folder.path).as_posix(), 300),
        values=named(history.goals, trial, text),
        cost=finite(trial.cost),
    )


def _delivered(history: History, found: Recommended | None) -> Trial | None:
    """The trial that stands for what the run delivers."""
    return history.incumbent if found is None else history.get(found.trial)


def _received(history: History, configuration: Configuration) -> dict[str, Any]:
    """A configuration as training code receives it, in JSON's types: null and lists, not their labels."""
    received: dict[str, Any] = to_json(history.space.originals(configuration))[0]
    return received


def _recommended(
    folder: RunFolder, history: History, found: Recommendation | None, text: Anonymous
) -> Recommended | None:
    """What the last session to end recommended; None where later trials have changed what is best."""
    trial = None if found is None else history.get(found.trial)
    if found is None or trial is None:
        return None
    newest = newest_checkpoint(folder.trial_folder(trial.number))
    return Recommended(
        trial=found.trial,
        configuration=_received(history, found.configuration),
        expected=found.expected,
        spread=finite(found.spread),
        runs=found.runs,
        differs=found.differs,
        seed=trial.seed,
        checkpoint=None if newest is None else text(newest.relative_to(folder.path).as_posix(), 300),
        sentence=text(found.text(history)),
    )


def _lines(history: History, text: Anonymous, folder: RunFolder) -> tuple[TrialLine, ...]:
    lines: list[TrialLine] = []
    feasible = {trial.number for trial in history.feasible}
    best: Trial | None = None
    left = {trial.number for trial in history.earlier}
    for trial in history.every:
        counts, proposal = trial.number not in left, trial.proposal
        leads = trial.number in feasible and (best is None or _leads(history, trial, best))
        best = trial if leads else best
        lines.append(
            TrialLine(
                number=trial.number,
                state=trial.state.value,
                value=trial.value,
                expected=finite(proposal.expected),
                spread=finite(proposal.spread),
                origin=proposal.origin.value,
                reason=text(proposal.reason),
                evidence=proposal.evidence,
                prompt_id=proposal.prompt_id,
                provenance=proposal.provenance,
                details={text(k, 60): v for k, v in proposal.details.items() if isfinite(v)},
                configuration=dict(trial.configuration),
                shown=text(one_line(history, trial)),
                seed=trial.seed,
                seconds=finite(trial.seconds) or 0.0,
                steps=len(trial.curve),
                last_reported=trial.last_reported,
                best_so_far=leads,
                space=folder.lineage.epoch_of(trial.number).version,
                counts=counts,
                why_not="" if counts else text(why_left_out(folder.lineage, trial), 300),
                message=text(trial.message),
                traceback=text(trial.traceback, 4000, lines=True),
                values=named(history.goals, trial, text),
                broken=broken(history.goals, trial, text),
                cost=finite(trial.cost),
            )
        )
    return tuple(lines)


def _leads(history: History, trial: Trial, best: Trial) -> bool:
    """Whether a feasible trial is better than the best before it; of equal ones, one that dominates it."""
    gain = history.sign * ((trial.value or 0.0) - (best.value or 0.0))
    tied = gain == 0 and history.goals.several
    return gain > 0 or (tied and history.goals.dominates(trial.values, best.values))


def _decisions(events: Sequence[Event], text: Anonymous) -> tuple[DecisionLine, ...]:
    lines: list[DecisionLine] = []
    finished = 0
    for event in events:
        if event.kind == "trial_finished":
            finished += 1
        elif isinstance(event, Decided):
            lines.append(
                DecisionLine(
                    after_trials=finished,
                    policy=text(event.policy, 100),
                    reason=text(event.decision.reason, 1000),
                    stop=None if event.decision.stop is None else text(event.decision.stop),
                )
            )
    return tuple(lines)


def _incidents(events: Sequence[Event], text: Anonymous) -> tuple[Incident, ...]:
    """With how often each happened, in order of the first time."""
    counts = Counter(
        (event.what, text(event.where, 100), text(event.cause), text(event.continuation))
        for event in events
        if isinstance(event, Degraded)
    )
    return tuple(
        Incident(what=what, where=where, cause=cause, continuation=continuation, count=count)
        for (what, where, cause, continuation), count in counts.items()
    )


def _reproduce(
    folder: RunFolder, history: History, sessions: Sequence[RunStarted], text: Anonymous
) -> Reproduce:
    task = folder.task
    workers = sessions[-1].workers if sessions else task.workers
    model = any(session.model for session in sessions)
    exact = task.in_step is not False and workers == 1 and not model
    commands: tuple[str, ...] = ()
    if task.path is None:
        note = "The task was given from Python: call tunesmith.tune again with the same arguments."
    else:
        words = ["tunesmith", "run", text.path(task.path), "--fresh", "--seed", str(task.seed)]
        words += ["--trials", str(task.budget.trials), "--workers", str(workers)]
        words += ["--replay", text.path(folder.exchanges)] if model else ["--no-model"]
        commands = (shlex.join(words),)
        note = "A new run beside this one; without --fresh the same command continues this one."
    if exact:
        note += " One worker, decisions in step, no language model: the same decisions, bit for bit."
    elif workers == 1 and model:
        note += " One worker: each recorded answer counts from the trial on from which it counted here."
    elif len(history) > 1:
        note += " Trials may finish in another order, and the decisions made after them may then differ."
    return Reproduce(seed=task.seed, workers=workers, exact=exact, commands=commands, note=note)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
