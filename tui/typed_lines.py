"""What a typed line leads to: a command for the run, or a reply made from the events alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tunesmith.commands import Ask, Command, Pause, Resume, Stop
from tunesmith.goal_words import table
from tunesmith.text.literal import one_line
from tunesmith.tools.analysis.limits import limit_costs, none_feasible, together_text
from tunesmith.trial import TrialState
from tunesmith.tui.allocation_view import scaling_lines, stage_lines
from tunesmith.tui.guideline_view import verdict_lines
from tunesmith.tui.spans import Spans, joined
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import details

HELP: tuple[tuple[str, str], ...] = (
    ("/pause", "start no further trial; running ones go on"),
    ("/resume", "go on"),
    ("/stop", "end the run cleanly; the same command continues it later"),
    ("/why N", "why trial N was tried, what was expected, how it ended"),
    ("/best", "the best configuration so far"),
    ("/front", "the Pareto front of several metrics, and what limits cost"),
    ("/stages", "of a pipeline: the best allocation, and quality by samples for each model"),
    ("/guidelines", "what a language model concluded, and whether trials bear it out"),
    ("/help", "this list"),
    ("/quit", "leave (ctrl+q)"),
)
FRONT_ROWS = 20
FRONT_WIDTH = 74
"""Characters of a line of the front where the width of the log is not known."""
_SHOWN = ("/best", "/front", "/stages", "/guidelines")
COMMANDS: dict[str, Command] = {"/pause": Pause(), "/resume": Resume(), "/stop": Stop()}


@dataclass(frozen=True)
class Reply:
    """To be shown in the log; nothing is sent to the run."""

    spans: Spans
    bad: bool = False
    """Whether the line could not be carried out."""


class Leave(Enum):
    """Quit the terminal."""

    LEAVE = "leave"


def respond(view: RunView, line: str, width: int = FRONT_WIDTH) -> Command | Reply | Leave:
    """The response to a line, which is not blank; `width` is that of the log, in characters."""
    name, *rest = line.split()
    if not name.startswith("/"):
        return _checked(view, Ask(text=line.strip()))
    name = name.lower()
    if name == "/why":
        number = rest[0].removeprefix("#") if rest else ""
        if rest and not (len(rest) == 1 and number.isascii() and number.isdigit() and len(number) < 10):
            return _refusal("/why takes a trial's number, such as /why 7")
        return why(view, int(number) if rest else None)
    if name not in COMMANDS and name not in (*_SHOWN, "/help", "/quit", "/exit"):
        return _refusal(f"there is no {one_line(name, 40)}; /help lists the commands")
    if rest:
        return _refusal(f"{name} stands alone; {one_line(' '.join(rest), 40)!r} was not understood")
    if name in COMMANDS:
        return _checked(view, COMMANDS[name])
    if name in _SHOWN:
        shown = {"/best": best, "/stages": stages, "/guidelines": concluded}
        return front(view, width) if name == "/front" else shown[name](view)
    return Reply(help_text()) if name == "/help" else Leave.LEAVE


def why(view: RunView, number: int | None) -> Reply:
    """Everything known about trial `number`, or about the newest finished one."""
    if number is None:
        ended = [n for n, trial in view.trials.items() if trial.state is not TrialState.RUNNING]
        if not ended:
            return Reply((("no trial has finished yet", "dim"),))
        number = ended[-1]
    trial = view.trials.get(number)
    if trial is None:
        known = f"; there are 0 to {max(view.trials)}" if view.trials else " yet"
        return Reply(((f"there is no trial {number}{known}", "warn"),))
    facts = view.facts
    return Reply(joined(details(trial, facts.write, goals=facts.goals, pipeline=facts.pipeline)))


def best(view: RunView) -> Reply:
    """The incumbent and, after the end, what is recommended."""
    if view.best is None:
        return Reply(((_none(view), "dim"),))
    facts, trial = view.facts, view.trials[view.best]
    lines = details(trial, facts.write, goals=facts.goals, traceback=False, pipeline=facts.pipeline)
    if view.recommended:
        lines.append(((view.recommended, "best"),))
    return Reply(joined(lines))


def front(view: RunView, width: int = FRONT_WIDTH) -> Reply:
    """The Pareto front as a table, and what each limit costs."""
    goals, past = view.facts.goals, view.history
    if goals is None or past is None:
        return Reply((("the task has one metric and no limits: /best", "dim"),))
    if view.best is None:
        return Reply(((_none(view), "dim"),))
    shown = view.front_trials if goals.several else [view.trials[view.best]]
    rows = [(t.number, t.values, t.configuration(view.facts.short)) for t in shown]
    lines: list[Spans] = [((line, ""),) for line in table(goals, rows, width=width, most=FRONT_ROWS)]
    told = [*(cost.text for cost in limit_costs(past)), together_text(past)]
    lines += [((one_line(text, 400), "dim"),) for text in told if text]
    return Reply(joined(lines))


def stages(view: RunView) -> Reply:
    """The best allocation of a pipeline, and the best quality seen by number of samples."""
    options, past = view.facts.pipeline, view.history
    if options is None or past is None:
        return Reply((("the task is no pipeline of model calls: /best", "dim"),))
    if view.best is None:
        return Reply(((_none(view), "dim"),))
    trial = view.trials[view.best]
    assert trial.proposal is not None
    lines: list[Spans] = [((f"trial {trial.number}, the best", "strong"),)]
    lines += stage_lines(options, trial.proposal.configuration, trial.values)
    head = "the best quality seen by number of samples; * where the other stages are as in the best"
    return Reply(joined([*lines, ((head, "dim"),), *scaling_lines(options, past)]))


def concluded(view: RunView) -> Reply:
    """The guidelines of a language model, with their verdicts."""
    scored = view.guidelines
    if not scored:
        return Reply((("no language model has stated guidelines in this run", "dim"),))
    return Reply(joined(verdict_lines(scored)))


def _none(view: RunView) -> str:
    """Why there is no best trial."""
    past = view.history
    return ("" if past is None else one_line(none_feasible(past), 400)) or "no trial has completed yet"


def help_text() -> Spans:
    """The slash commands."""
    return joined([((f"{name:<12}", "accent"), (effect, "dim")) for name, effect in HELP])


def _checked(view: RunView, command: Command) -> Command | Reply:
    """The command, or why it cannot be sent now."""
    if view.started is None:
        return _refusal("the run has not started yet, so it takes no commands")
    if view.over:
        return _refusal(f"the run is over ({view.state}); /why N, /best and the like still answer")
    if isinstance(command, Ask) and view.model is None:
        return Reply(
            (("no language model is in use to answer questions. There is:\n", ""), *help_text()),
        )
    return command


def _refusal(text: str) -> Reply:
    return Reply(((text, "warn"),), bad=True)
