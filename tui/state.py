"""A run as the terminal shows it: events folded into trials, a log, a plot and a status line.

`RunView` is all the terminal knows: a view built anew from the same events is the same view. Nothing
here draws, and widgets compute nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal

from tunesmith.beliefs import Beliefs
from tunesmith.budget import ModelSpend
from tunesmith.events import (
    ActionsProposed,
    Answered,
    Asked,
    CommandDone,
    Confirmed,
    Decided,
    Degraded,
    Event,
    GuidelinesStated,
    ModelCalled,
    Noted,
    PriorsElicited,
    Progress,
    Recommended,
    RunFinished,
    RunStarted,
    Steered,
    TaskChanged,
    Thought,
    ToolCalled,
    ToolReturned,
    TrialFinished,
    TrialReported,
    TrialStarted,
    TrialWaits,
    Woken,
)
from tunesmith.history import History
from tunesmith.text.literal import literal, one_line
from tunesmith.text.numbers import counted
from tunesmith.tools.analysis.guidelines import Scored, guidelines, merged
from tunesmith.tools.analysis.timeline_builder import TimelineBuilder
from tunesmith.trial import Origin, Trial, TrialState
from tunesmith.tui.chat_view import ChatView
from tunesmith.tui.facts import Facts
from tunesmith.tui.guideline_view import claims, guideline_lines
from tunesmith.tui.incidents import Incidents
from tunesmith.tui.plot_view import PlotView, plot_view
from tunesmith.tui.spans import Span
from tunesmith.tui.spending import Spending
from tunesmith.tui.trial_view import TrialView, expectation, result_line

RunState = Literal["waiting", "running", "paused", "stopping", "interrupted", "finished", "stopped", "failed"]
"""interrupted: its process is gone and the log does not say how the run ended."""
MOST_SILENT_S = 120.0
"""A run stores something every minute; a longer silence is a clock that was set, or a machine asleep."""
OVER: frozenset[RunState] = frozenset({"interrupted", "finished", "stopped", "failed"})


@dataclass(frozen=True)
class Changes:
    """What a batch of events touched, so that only that is drawn again."""

    trials: frozenset[int] = frozenset()
    chat: frozenset[int] = frozenset()
    plot: bool = False
    front: bool = False
    beliefs: bool = False
    cost: bool = False
    """See `spending.py`."""
    incidents: bool = False
    """See `incidents.py`."""
    selection: bool = False
    """The trials that the person looks at; said by the app, not by events."""
    facts: bool = False
    """What the task file says."""


class RunView:
    """One run, built from its events."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        """Set by `know`."""
        self.state: RunState = "waiting"
        self.started: RunStarted | None = None
        self.ending = ""
        """Why the run ended."""
        self.trials: dict[int, TrialView] = {}
        """By number, in the order they started."""
        self.best: int | None = None
        self.front: list[int] = []
        """Numbers of the trials on the Pareto front of several metrics, in the order they came on it."""
        self.recommended = ""
        """What the run recommends at its end, in words; empty while it goes on."""
        self.finished = 0
        """Trials that ended by themselves; interrupted ones do not count."""
        self.progress: Progress | None = None
        """The latest of this session; None before the first."""
        self.chat = ChatView()
        self.rounds: list[GuidelinesStated] = []
        """Guidelines of a language model, round by round."""
        self.incidents = Incidents()
        self.spending = Spending()
        self.spend = ModelSpend()
        self.thinking_since: float | None = None
        """Unix time at which the policy was asked, while it decides with a language model."""
        self.proposed: ActionsProposed | None = None
        """What a person's plain words come to, while it waits for approval."""
        self.asked: dict[int, str] = {}
        """Questions without an answer yet, by command, oldest first."""
        self.workers = TimelineBuilder()
        """What the workers did when."""
        self.last_seq = 0
        self.last_at = 0.0
        self._running: set[int] = set()
        self._completed: list[tuple[int, float]] = []
        self._replies = False  # whether the reply to a command tells of the change that comes next
        self._improvements: list[tuple[int, float]] = []
        self._newest = 0
        self._session_from = 0.0
        self._seconds_before = 0.0
        self._began_clock = self._last_clock = 0.0
        # elapsed time sums over the sessions of a resumed run; between them nothing ran
        self._touched: set[int] = set()
        self._plot_changed = False
        self._front_changed = False
        self._also: set[str] = set()  # further fields of Changes that are true
        self.beliefs: Beliefs | None = None
        """The latest that `believe` was told; None before that."""

    def believe(self, beliefs: Beliefs) -> None:
        """Take what the run believes now, which another process computes."""
        self.beliefs = beliefs
        self._also.add("beliefs")

    def know(self, facts: Facts) -> None:
        """Take what is known of the task; with other metrics or limits other trials may be feasible."""
        before, self.facts = self.facts, facts
        self._also.add("facts")
        if before.goals != facts.goals:
            self._judge_all()

    # What widgets show

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def runs(self) -> bool:
        """Whether a session has begun and not ended."""
        return self.started is not None and not self.over

    def began_since(self, at: float) -> bool:
        """Whether a session has begun after `at`, in Unix time."""
        return self.started is not None and self.started.at >= at

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def running_numbers(self) -> list[int]:
        """Numbers of the trials that run, the newest last."""
        return sorted(self._running)

    @property
    def model(self) -> str | None:
        return self.started.model if self.started else None

    @property
    def plot(self) -> PlotView:
        trials = self.trials
        counting = [pair for pair in self._completed if not trials[pair[0]].left]
        infeasible = {n for n, _ in counting if trials[n].infeasible}
        return plot_view(counting, self._improvements, self._newest, infeasible)

    @property
    def completed(self) -> int:
        """Completed trials that count."""
        return len(self._counting())

    @property
    def feasible(self) -> int:
        """Completed trials that count and keep every limit."""
        return sum(not t.infeasible for t in self._counting())

    @property
    def front_trials(self) -> list[TrialView]:
        """The Pareto front, the best primary value first."""
        goals = self.facts.goals
        sign = 1.0 if goals is None else goals.primary.sign
        return sorted(
            (self.trials[n] for n in self.front), key=lambda t: (-sign * (t.value or 0.0), t.number)
        )

    @property
    def history(self) -> History | None:
        """The completed trials that count; None while the task is not known."""
        if self.facts.study is None:
            return None
        trials = [
            Trial.model_construct(
                number=t.number, proposal=t.proposal, state=t.state, value=t.value, values=t.values
            )
            for t in sorted(self._counting(), key=lambda t: t.number)
            if t.proposal is not None and all(name in t.values for name in self.facts.study.goals.names)
        ]
        return replace(self.facts.study, trials=tuple(trials))

    @property
    def guidelines(self) -> tuple[Scored, ...]:
        """What was concluded, and what the trials since say of it."""
        if self.facts.study is None or not self.rounds:
            return ()
        trials = [
            Trial.model_construct(
                number=t.number,
                proposal=t.proposal,
                state=t.state,
                value=t.value,
                values=t.values,
                items=dict(self.facts.items(t.number)),
                curve=tuple(t.curve),
            )
            for t in sorted(self.trials.values(), key=lambda t: t.number)
            if t.proposal is not None and not t.left and t.state in (TrialState.COMPLETED, TrialState.PRUNED)
        ]
        return merged(guidelines(replace(self.facts.study, trials=tuple(trials)), self.rounds))

    @property
    def cost(self) -> float | None:
        """What the trials cost so far, in units of the problem; None where no cost is stated."""
        costs = [
            t.cost for t in self.trials.values() if t.cost is not None and t.state is not TrialState.LOST
        ]
        return sum(costs) if costs else None

    def _counting(self) -> list[TrialView]:
        return [self.trials[n] for n, _ in self._completed if not self.trials[n].left]

    def elapsed(self, now: float) -> float:
        """Seconds of running so far, over all sessions; `now` is Unix time."""
        if self.started is None:
            return 0.0
        return self._seconds_before + (0.0 if self.over else self._lasted(now, self._last_clock))

    def _lasted(self, until: float, clock: float) -> float:
        """Seconds of this session until a moment; the wall clock counts for what is since the last event."""
        if not (self._began_clock and clock):  # a log of before events carried a clock of their own
            return max(max(until, self.last_at) - self._session_from, 0.0)
        since = min(max(until - self.last_at, 0.0), MOST_SILENT_S)
        return max(clock - self._began_clock, 0.0) + since

    def left(self, now: float) -> float | None:
        """Estimated seconds until the last trial ends; None where nobody can say, or nothing runs."""
        known = self.progress
        if known is None or known.left_s is None or self.state != "running" or known.done >= known.total:
            return None
        return max(known.left_s - max(now - known.at, 0.0), 0.0)

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes = Changes(
            frozenset(self._touched),
            frozenset(self.chat.changed),
            self._plot_changed,
            self._front_changed,
            **dict.fromkeys(self._also, True),
        )
        self._also.clear()
        self._touched.clear()
        self.chat.changed.clear()
        self._plot_changed = self._front_changed = False
        return changes

    def everything(self) -> Changes:
        """As if all had changed, for a pane that was not drawn for a while."""
        chat = frozenset(item.key for item in self.chat.items)
        return Changes(frozenset(self.trials), chat, *[True] * (len(fields(Changes)) - 2))

    # Input at this terminal

    def add_typed(self, text: str) -> None:
        """Log a line that was typed."""
        self.chat.add("❯", "best", ((literal(text), "strong"),), gap=True)

    def add_reply(self, spans: Iterable[Span], *, bad: bool = False) -> None:
        """Log a reply of the terminal itself."""
        self.chat.add("!" if bad else " ", "warn" if bad else "", tuple(spans))

    def interrupt(self) -> None:
        """Mark the run as interrupted: no process holds it, and its log has no end."""
        if self.started is not None and not self.over:
            self._seconds_before, self._session_from = self.elapsed(self.last_at), self.last_at
            self._close_session()
            self.state, self.ending = "interrupted", "its process ended unexpectedly"
            text = "interrupted: its process ended unexpectedly; the command that started it continues it"
            self.chat.add("●", "warn", ((text, "warn"),), gap=True)

    # Events

    def fold(self, events: Iterable[Event]) -> None:
        """Apply further events, in order of `seq`."""
        for event in events:
            self._fold(event)
            self.last_seq = event.seq or self.last_seq
            self.last_at = event.at or self.last_at
            self._last_clock = event.clock or self._last_clock

    def _fold(self, event: Event) -> None:
        if isinstance(event, TrialReported):  # most of a log; no incident, and nothing that is spent
            self.workers.take(event)
            self._trial(event.number).report(event.step, event.value)
            return
        if isinstance(event, Steered | RunStarted | CommandDone):
            self._replies = isinstance(event, Steered)
        self.workers.take(event)
        ended = self.trials.get(event.number) if isinstance(event, TrialFinished) else None
        if self.incidents.take(event, () if ended is None else ended.curve):
            self._also.add("incidents")
        if self.spending.take(event):
            self._also.add("cost")
        match event:
            case TrialStarted():
                self._trial_started(event)
            case TrialFinished():
                self._trial_finished(event)
            case Thought():
                self.chat.think(event)
            case ToolCalled():
                self.chat.call(event)
            case ToolReturned():
                self.chat.returned(event)
            case Decided():
                self.thinking_since = None
                self.chat.decide(event)
            case PriorsElicited():
                text = ", ".join(b.text for b in event.beliefs) or "nothing in particular"
                self.chat.add("·", "accent", ((f"the language model expects {literal(text)}", ""),))
            case GuidelinesStated():
                self.chat.add("◇", "model", guideline_lines(event), body=claims(event), gap=True)
                self.rounds.append(event)
            case Asked():
                self.asked[event.command_id] = literal(event.text)
            case ActionsProposed():
                self.proposed = event if event.waiting else None
                self.chat.propose(event)
            case Answered():
                if event.final:
                    self.asked.pop(event.command_id, None)
                self.chat.answer(event)
            case ModelCalled():
                self._model_called(event)
            case RunStarted():
                self._run_started(event)
            case RunFinished():
                self._run_finished(event)
            case CommandDone():
                self._command_done(event)
            case Woken():
                self.thinking_since = event.at if self.model is not None else None
            case Degraded():
                text = f"{event.what} in {event.where}: {event.cause}"
                self.chat.add(
                    "!", "warn", ((literal(text), "warn"), (f"  {literal(event.continuation)}", "dim"))
                )
            case Progress():
                self.progress = event
            case TaskChanged():
                self._task_changed(event)
            case Noted():
                by = "note: " if event.by == "person" else ""
                self.chat.add(" ", "", ((by + literal(event.text), ""),))
            case TrialWaits() if event.text:
                self.chat.add(" ", "", ((literal(event.sentence), ""),))
            case Recommended():
                self.recommended = literal(event.text)
                self.chat.add("★", "best", ((self.recommended, ""),), gap=True)
            case Confirmed():
                progress = f"comparing the best with the default: {event.done} of {event.total} runs"
                self.chat.confirm(literal(event.text) or progress, bool(event.text))

    def _trial(self, number: int) -> TrialView:
        self._touched.add(number)
        if number not in self.trials:
            self.trials[number] = TrialView(number)
            self._newest = max(self._newest, number)
        return self.trials[number]

    def _trial_started(self, event: TrialStarted) -> None:
        trial = self.trials[event.number] = TrialView.started(event)
        self._touched.add(event.number)
        self._running.add(event.number)
        self._newest = max(self._newest, event.number)
        head: list[Span] = [(f"#{event.number} ", "strong"), (f"{trial.origin} ", "accent")]
        expected = expectation(trial, self.facts.goals)
        body = "\n".join(filter(None, (literal(event.proposal.reason), expected and f"expected {expected}")))
        head.append((trial.configuration(self.facts.short), "dim"))
        self.chat.add("›", "accent", head, body=body, one_line=True)

    def _trial_finished(self, event: TrialFinished) -> None:
        trial = self._trial(event.number)
        paid = trial.proposal is None or trial.proposal.origin is not Origin.PREVIOUS
        if paid and trial.state is TrialState.RUNNING and event.outcome.state is not TrialState.LOST:
            self.finished += 1
        trial.finish(event)
        self._running.discard(event.number)
        self._plot_changed = True
        if event.value is not None:
            self._completed.append((event.number, event.value))
        improved = event.improved if self.facts.goals is None else self._judge(trial)
        if improved and event.value is not None:
            self._set_best(trial, event.value)
        good = event.outcome.state is TrialState.COMPLETED
        bad = event.outcome.state.failed
        reason = trial.proposal.reason if trial.proposal else ""
        body = (trial.configuration(self.facts.write), literal(reason), literal(trial.traceback).strip())
        self.chat.add(
            "x" if trial.infeasible else "✓" if good else "✗" if bad else "-",
            "best"
            if improved
            else "warn"
            if trial.infeasible
            else "good"
            if good
            else "bad"
            if bad
            else "dim",
            result_line(trial, improved, self.facts.goals),
            body="\n".join(filter(None, body)),
            one_line=True,
        )

    def _judge(self, trial: TrialView) -> bool:
        """Say whether a trial is feasible, and bring the front up to it; True where it is the best now."""
        goals = self.facts.goals
        lacking = goals is not None and any(name not in trial.values for name in goals.names)
        trial.infeasible = bool(goals and trial.value is not None and (lacking or goals.broken(trial.values)))
        if goals is None or trial.value is None or trial.infeasible or trial.left:
            return False
        if goals.several and not any(
            goals.dominates(self.trials[n].values, trial.values)
            or all(self.trials[n].values[g.metric] == trial.values[g.metric] for g in goals.objectives)
            for n in self.front
        ):
            for number in [n for n in self.front if goals.dominates(trial.values, self.trials[n].values)]:
                self.front.remove(number)
                self._trial(number).front = False
            self.front.append(trial.number)
            trial.front = self._front_changed = True
        if goals.several:
            return trial.front and self.front_trials[0] is trial
        best = None if self.best is None else self.trials[self.best].value
        return best is None or goals.primary.sign * (trial.value - best) > 0

    def _judge_all(self) -> None:
        """Judge every trial anew, in the order they ended."""
        self._touched.update(self.trials)
        self._plot_changed = self._front_changed = True
        for trial in self.trials.values():
            trial.infeasible = trial.front = False
            trial.best = trial.best and self.facts.goals is None
        self.front = []
        if self.facts.goals is None:
            return
        self.best, self._improvements = None, []
        for number, value in self._completed:
            if self._judge(self.trials[number]):
                self._set_best(self.trials[number], value)

    def _set_best(self, trial: TrialView, value: float) -> None:
        if self.best is not None:
            self._trial(self.best).best = False
        self.best, trial.best = trial.number, True
        self._improvements.append((trial.number, value))

    def _task_changed(self, event: TaskChanged) -> None:
        """Trials without a place in the new search space are shown as history, and the best is another."""
        if not self._replies:
            changes = "; ".join(literal(change) for change in event.changes)
            told = filter(None, (changes and f"changed: {changes}.", literal(event.text)))
            self.chat.add("·", "warn", ((" ".join(told), ""),))
        if not event.space:
            return
        left = set(event.left)
        for number, trial in self.trials.items():
            if trial.left != (number in left) or trial.best:
                trial.left, trial.best = number in left, False
                self._touched.add(number)
        self.best = event.best if event.best in self.trials else None
        self._improvements = []
        if self.best is not None:
            best = self._trial(self.best)
            best.best = True
            # Up to it the best so far rose to its value; what was better belongs to another space.
            counting = {n: value for n, value in self._completed if n not in left and n <= self.best}
            rising = self._rising(list(counting.items()), best.value)
            self._improvements = rising
        self._plot_changed = True
        if self.facts.goals is not None:
            self._judge_all()

    @staticmethod
    def _rising(values: list[tuple[int, float]], best: float | None) -> list[tuple[int, float]]:
        """Each new best on the way from the first value to the best one, whichever way is better."""
        if best is None or not values:
            return []
        steps = [values[0]]
        for number, value in values[1:]:
            if abs(value - best) < abs(steps[-1][1] - best):
                steps.append((number, value))
        return steps

    def _model_called(self, event: ModelCalled) -> None:
        if event.budget == "search":
            self.spend = event.spend
        if not event.ok:
            text = f"{event.model} failed ({event.purpose}): {event.error}"
            self.chat.add("!", "dim", ((one_line(text, 300), "dim"),), one_line=True)

    def _run_started(self, event: RunStarted) -> None:
        self.recommended = ""
        if self.started is not None and not self.over:
            self._seconds_before += self._lasted(self.last_at, self._last_clock)
        self._close_session()
        self.started, self.state, self.ending = event, "running", ""
        self.progress = None
        self._session_from, self._began_clock = event.at, event.clock
        name = one_line(event.name, 60)
        if event.resumed:
            text = f"{name} continues after {event.trials_before} trials"
        else:
            planned = f": {self.facts.trials} trials" if self.facts.trials is not None else ""
            text = f"{name}{planned}, {counted(event.workers, 'worker')}"
        model = one_line(event.model, 60) if event.model else "no language model is in use"
        parts = f"  strategy {one_line(event.strategy, 40)} · policy {one_line(event.policy, 40)} · {model}"
        self.chat.add("●", "good", ((text, "strong"), (parts, "dim")))

    def _run_finished(self, event: RunFinished) -> None:
        if event.clock:
            self.last_at = event.at
        self._seconds_before += self._lasted(event.at or self.last_at, event.clock)
        self._session_from = event.at
        self._close_session()
        self.state, self.ending = event.status, literal(event.reason)
        role: Literal["good", "warn", "bad"] = (
            "good" if event.status == "finished" else "warn" if event.status == "stopped" else "bad"
        )
        self.chat.add("●", role, ((f"{event.status}: ", role), (self.ending, "")), gap=True)

    def _close_session(self) -> None:
        """Mark what still ran as lost: no trial outlives a session, even if the log has no end of it."""
        self.thinking_since = self.proposed = None
        self.asked.clear()
        for number in sorted(self._running):
            trial = self._trial(number)
            trial.state, trial.message = TrialState.LOST, "the run was interrupted"
        self._running.clear()

    def _command_done(self, event: CommandDone) -> None:
        if event.ok and not self.over:
            if event.command == "pause":
                self.state = "paused"
            elif event.command == "resume":
                self.state = "running"
            elif event.command == "stop":
                self.state = "stopping"
        if event.command == "approve" and event.ok:
            self.proposed = None
        if event.reply and not (event.ok and event.command == "note"):  # the note itself is there
            self.chat.add(
                " " if event.ok else "!", "warn", ((literal(event.reply), "" if event.ok else "warn"),)
            )
