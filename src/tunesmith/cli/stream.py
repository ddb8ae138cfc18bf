"""The readable stream of a headless run: one line an event."""

from __future__ import annotations

import errno
import os
import sys
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from tunesmith.events import (
    Answered,
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
    RunStarted,
    Steered,
    TaskChanged,
    Thought,
    ToolCalled,
    TrialFinished,
    TrialStarted,
    TrialWaits,
)
from tunesmith.goal_words import aims, measured
from tunesmith.guidelines import Guideline
from tunesmith.metric_range import metric_range
from tunesmith.stated_prior import prior_lines
from tunesmith.text.durations import duration
from tunesmith.text.literal import literal, one_line
from tunesmith.text.numbers import counted, metric, prediction, significant, whole
from tunesmith.text.terminal import uncleaned
from tunesmith.trial import Proposal, TrialState

if TYPE_CHECKING:
    from tunesmith.task import Task

WIDTH = 100
"""Narration is wrapped here, or at the terminal's width where that is smaller."""
WORTH_S = 20.0
"""Time left that is worth a line."""
STYLES = {
    TrialState.COMPLETED: "",
    TrialState.PRUNED: "dim",
    TrialState.LOST: "yellow",
}


class _PipeConsole(Console):
    """A console whose reader may end, as `| head` or a closed terminal does: the run goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())

    def print(self, *objects: Any, **more: Any) -> None:
        try:
            super().print(*objects, **more)
        except OSError as error:
            if error.errno != errno.EIO:  # the terminal is gone
                raise
            self.on_broken_pipe()


class Stream:
    """Prints events as they come. Text from anywhere is literal; colours respect NO_COLOR and pipes.

    Args:
        task: As its file says it; the run's own takes its place when the run begins.
        to_stderr: Keep stdout free for a JSON document.
        quiet: Print nothing but what `console` is used for directly.
        colours: Whether colours and styles are used where the terminal has them.
    """

    def __init__(
        self, task: Task, *, to_stderr: bool = False, quiet: bool = False, colours: bool = True
    ) -> None:
        self.task = task
        # Colours are ours, and each line is made literal before it gets them.
        out = uncleaned(sys.stderr if to_stderr else sys.stdout)
        self.console = _PipeConsole(
            file=out,
            markup=False,
            highlight=False,
            soft_wrap=True,
            force_terminal=None if colours else False,
            color_system="auto" if colours else None,
        )
        self.quiet = quiet
        self._concluded: list[Guideline] = []
        self._proposals: dict[int, Proposal] = {}
        self._thinking: dict[int, list[str]] = {}
        self._costs: dict[int, float | None] = {}
        self._spent: float | None = None  # cost of all trials so far; None while that is not known
        self._best: float | None = None
        self._fractional = False  # whether the primary metric was no whole number once
        self._tenth: int | None = None  # of the trials, when the time left was told last
        self._folder: Path | None = None
        self._steered: tuple[str, ...] = ()  # changes by commands that count
        self._answers = False  # whether the reply to a command tells of the change that comes next
        self._lock = threading.Lock()  # events come from the engine's thread and the policy runner's

    def show(self, event: Event) -> None:
        """Print one event; most kinds print nothing."""
        with self._lock:
            if isinstance(event, Steered | RunStarted | CommandDone):
                self._answers = isinstance(event, Steered)
            if isinstance(event, RunStarted):
                self._read_task(Path(event.folder))
            elif isinstance(event, Steered) and self._folder is not None:
                self._read_task(self._folder)
            elif isinstance(event, TrialStarted):
                self._proposals[event.number] = event.proposal
                self._costs[event.number] = event.cost
                if self._spent is not None:
                    self._spent += event.cost or 0.0
            elif isinstance(event, Progress) and event.cost is not None:
                self._spent = event.cost
                self._print(event)
            elif isinstance(event, TrialFinished) and event.improved:
                previous, self._best = self._best, event.value
                if not self.quiet:
                    self._trial(event, previous)
                return
            if not self.quiet:
                self._print(event)

    def _read_task(self, folder: Path) -> None:
        """Take the task as it is run now, with what people have changed of it by commands."""
        from tunesmith.errors import TunesmithError
        from tunesmith.tools.records.run_folder import RunFolder

        self._folder = folder
        try:
            found = RunFolder.open(folder)
        except TunesmithError:  # the engine says so where it matters
            return
        self.task = found.task.model_copy(update={"path": self.task.path})
        self._steered = tuple(change.text.partition(";")[0] for change in found.record.active)

    def _guidelines(self, number: int, guidelines: Sequence[Guideline]) -> None:
        """A round's guidelines, each with what it claims; what an earlier round said is only counted."""
        self._line(f"  ~ guidelines of round {number}:", "magenta")
        new = [one for one in guidelines if one not in self._concluded]
        for one in new:
            cited = ", ".join(f"#{trial}" for trial in one.evidence)
            self._line(f"      {one.about:<11}  {one.text}{f' (from {cited})' if cited else ''}", "magenta")
            if one.claim is not None:
                self._line(f"      {'':<11}  claim: {one.claim.text}", "magenta dim")
        if len(new) < len(guidelines):
            again = counted(len(guidelines) - len(new), "guideline")
            self._line(f"      as before: {again} of earlier rounds", "magenta")
        self._concluded += new

    def _print(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._started(event)
            case TrialFinished():
                self._trial(event, None)
            case Thought(turn=turn, text=text, speaker=speaker, final=final):
                self._thinking.setdefault(turn, []).append(text)
                if final:
                    self._print_text(turn, speaker)
            case ToolCalled(tool=tool, arguments=arguments):
                self._print_text(event.turn, "model")  # its text before the call
                shown = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
                self._line(f"  -> {tool}({one_line(shown, 90)})", "cyan dim")
            case Degraded(what=what, where=where, cause=cause, continuation=continuation):
                self._line(f"  ! {what} in {where}: {one_line(cause, 160)}; {continuation}", "yellow")
            case Decided(policy=policy, decision=decision) if policy not in ("rules", "none") and (
                not decision.reason.startswith("No change of plan")
            ):
                self._line(f"  = {decision.reason}", "magenta")
            case PriorsElicited(beliefs=beliefs) if beliefs:
                priors = ", ".join(belief.text for belief in beliefs)
                self._line(f"  ~ the language model expects {priors}", "magenta")
            case GuidelinesStated(round=number, guidelines=guidelines):
                self._guidelines(number, guidelines)
            case ModelCalled(ok=False, error=error):
                self._line(f"  ! model call failed: {one_line(error, 160)}", "yellow")
            case Progress():
                self._time_left(event)
            case TaskChanged(changes=changes) if not self._answers:
                for change in changes:
                    self._line(f"  changed: {change}", "yellow")
                if event.text:
                    self._line(f"  {event.text}", "yellow")
            case Noted(text=text, by=by):
                self._line(f"  {'note: ' if by == 'person' else ''}{text}")
            case TrialWaits() if event.text:
                self._line(f"  {event.sentence}")
            case CommandDone(command=command, ok=ok, reply=reply) if command != "note" or not ok:
                self._line(f"  > {command}: {reply}", "" if ok else "yellow")
            case Answered(text=text) if text:
                self._line(text)
            case Confirmed(done=done, total=total, text=text) if total and not text:
                if done == 1:
                    self._line("")
                    self._line(self._compares(total // 2))
                self._progress(done, total)
            case _:
                pass

    def _started(self, event: RunStarted) -> None:
        task = self.task
        model = f"language model {event.model}" if event.model else "no language model in use"
        self._line(f"tunesmith {event.version}: {event.name} ({model})", "bold")
        if not event.model:
            self._line(
                "Priors by hyperparameter name, a Gaussian process and templates do the work. "
                "Set OPENAI_API_KEY or TUNESMITH_BASE_URL to add a model."
            )
        if event.python:
            self._line(f"Python of the trials: {event.python}", "dim")
        workers = counted(event.workers, "worker")
        within = "" if task.budget.cost is None else f" of total cost {significant(task.budget.cost)}"
        self._line(f"{aims(task.goals)} in {task.budget.trials} trials{within}, {workers}.")
        for line in task.space.describe().splitlines():
            self._line(f"  {line}", "dim")
        if self._steered:
            self._line("Changed by commands, and in force:")
        for line in self._steered:
            self._line(f"  {line}", "dim")
        if event.priors:
            self._line("Priors, with their share at the start; what the results do not bear out fades:")
        for line in prior_lines(event.priors):
            self._line(f"  {line}", "dim")
        self._spent = event.cost_before if event.trials_before else 0.0
        if event.resumed:
            self._line(f"Continuing: {event.trials_before} trials are done already.", "yellow")

    def _trial(self, event: TrialFinished, previous: float | None) -> None:
        proposal = self._proposals.get(event.number)
        outcome = event.outcome
        goals = self.task.goals
        found = measured(goals, outcome.values) if outcome.state is TrialState.COMPLETED else []
        broken = any(each.broken for each in found)
        mark = "*" if event.improved else "x" if broken else " "
        if outcome.state is TrialState.COMPLETED:
            result = "-" if event.value is None else self._value(event.value)
        elif outcome.state is TrialState.PRUNED and outcome.curve:
            result = f"pruned at {outcome.curve[-1][0]} ({metric(outcome.curve[-1][1])})"
        else:
            result = outcome.state.value.replace("_", " ")
        predicted = ""
        if proposal is not None and proposal.expected is not None:
            limits = metric_range(self.task.metric, (proposal.expected,))
            predicted = f"predicted {prediction(proposal.expected, proposal.spread, limits)}"
        gain, best = "", "best feasible" if goals.limits else "best"
        if event.improved and previous is not None and event.value is not None:
            gain = f"  {best}, {event.value - previous:+.4f}"
            if goals.several and event.value == previous:
                gain = f"  {best}, better in another metric"
        elif event.improved:
            gain = f"  {best} so far"
        origin = proposal.origin.value if proposal else ""
        text = Text(f"{mark} #{event.number:<3} ", style="bold" if event.improved else "")
        style = "bold green" if event.improved else STYLES.get(outcome.state, "red")
        style = "yellow" if broken else style
        text.append(f"{result:<20}", style=style)
        text.append(f" {origin:<10}", style="cyan")
        text.append(f" {duration(outcome.seconds):>7}")
        text.append(f"  {predicted:<28}", style="dim")
        text.append(gain, style="green")
        self.console.print(text)
        front = ["on the front"] if event.on_front else []
        shown = [*(each.text for each in found if each.broken or each is not found[0]), *front]
        shown += self._cost(event.number)
        if shown:
            self._line(f"       {', '.join(shown)}", "yellow" if broken else "")
        if proposal is not None:
            self._line(f"       {self.task.space.format(proposal.configuration)}", "dim")
        if outcome.message and outcome.state.failed:
            self._line(f"       {one_line(outcome.message, 160)}", "red")
        elif outcome.message and outcome.state is TrialState.PRUNED:
            self._line(f"       {one_line(outcome.message, 160)}", "dim")

    def _value(self, value: float) -> str:
        """The primary metric; a count stays whole until a value has shown that it is none."""
        self._fractional = self._fractional or self.task.goals.plain or not whole([value])
        return metric(value, as_whole=not self._fractional and value not in (0, 1))

    def _cost(self, number: int) -> list[str]:
        """What a trial cost, and what is left of the budget where that is known."""
        cost, budget = self._costs.get(number), self.task.budget.cost
        if cost is None:
            return []
        left = "" if budget is None or self._spent is None else f" ({_left(budget, self._spent)})"
        what = "known cost" if "cost" in self.task.goals.names else "cost"  # beside the one that is measured
        return [f"{what} {significant(cost, 4)}{left}"]

    def _compares(self, seeds: int) -> str:
        """What is run at the end."""
        if self.task.confirm is not None and self.task.confirm.separate and seeds == 1:
            return "Running the best and the default once more, on what is kept for their comparison ..."
        return f"Training the best and the default again on {counted(seeds, 'fresh seed')} each ..."

    def _time_left(self, event: Progress) -> None:
        """Say how long the rest takes: when it is known, and again at every tenth of the trials."""
        tenth = 10 * event.done // max(event.total, 1)
        worth = event.left_s is not None and (event.left_s >= WORTH_S or self._tenth is not None)
        if not event.text or not worth or tenth == self._tenth:
            return
        self._tenth = tenth
        priced = event.cost is not None and event.cost_total is not None
        cost = f"cost {_left(event.cost_total or 0.0, event.cost or 0.0)}; " if priced else ""
        self._line(f"  {event.done} of {event.total} done; {cost}{event.text}", "dim")

    def _print_text(self, turn: int, speaker: str) -> None:
        """Print the text of a turn that is not printed yet."""
        width = min(WIDTH, self.console.width) - 2
        for paragraph in "".join(self._thinking.pop(turn, ())).strip().splitlines():
            for line in textwrap.wrap(paragraph, width) or [""]:
                self._line(f"| {line}", "italic" if speaker == "model" else "blue")

    def _progress(self, done: int, total: int) -> None:
        if self.console.is_terminal:
            end = "\n" if done == total else "\r"
            self.console.print(Text(f"  {done} of {total} done"), end=end)
        elif done == total:
            self._line(f"  {done} of {total} done")

    def _line(self, text: str, style: str = "") -> None:
        self.console.print(Text(literal(text), style=style))


def _left(budget: float, spent: float) -> str:
    """`3.2 of 9 left`."""
    return f"{significant(max(budget - spent, 0.0), 4)} of {significant(budget)} left"
