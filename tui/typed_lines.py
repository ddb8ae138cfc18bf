"""What a typed line leads to: a command for the run, or a reply made from the events alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tunesmith.commands import Command
from tunesmith.goal_words import table
from tunesmith.steering.lines import help_of, read_line
from tunesmith.steering.verbs import Known, LineFault, Local
from tunesmith.steering.written import line_of
from tunesmith.text.durations import duration
from tunesmith.text.literal import one_line
from tunesmith.tools.analysis.limits import limit_costs, none_feasible, together_text
from tunesmith.trial import TrialState
from tunesmith.tui.allocation_view import scaling_lines, stage_lines
from tunesmith.tui.guideline_view import verdict_lines
from tunesmith.tui.spans import Spans, joined
from tunesmith.tui.state import RunView
from tunesmith.tui.trial_view import TrialView, details, short_names

FRONT_ROWS = 20
FRONT_WIDTH = 74
"""Characters of a line of the front where the width of the log is not known."""
NARROWEST = 12


@dataclass(frozen=True)
class Reply:
    """To be shown in the log; nothing is sent to the run."""

    spans: Spans
    bad: bool = False
    """Whether the line could not be carried out."""


class Leave(Enum):
    """Quit the terminal."""

    LEAVE = "leave"


@dataclass(frozen=True)
class Export:
    """Write the conversation to a file."""

    file: str


@dataclass(frozen=True)
class Afterwards:
    """Carry a line out in a run that is over."""

    line: str


Response = Command | Reply | Export | Leave | Afterwards


def known_of(view: RunView) -> Known:
    """What a line may name in this run."""
    study = view.facts.study
    names = {} if study is None else short_names(study.space.names)
    return Known(
        space=None if study is None else study.space,
        trials=view.trials.keys() if view.started else None,
        running=view.running_numbers if view.started else None,
        waiting=None if view.proposed is None else view.proposed.command_id,
        short={short: name for name, short in names.items()},
    )


def respond(
    view: RunView, line: str, width: int = FRONT_WIDTH
) -> Command | Reply | Export | Leave | Afterwards:
    """The response to a line, which is not blank; `width` is that of the log, in characters."""
    read = read_line(line, known_of(view))
    if isinstance(read, LineFault):
        return _refusal(read.text)
    if not isinstance(read, Local):
        return _checked(view, read)
    number = int(read.arguments[0]) if read.arguments and read.arguments[0].isdigit() else None
    match read.name:
        case "quit":
            return Leave.LEAVE
        case "help":
            return Reply(help_text(*read.arguments))
        case "export":
            return Export(read.arguments[0])
        case "why":
            return why(view, number)
        case "log":
            return log(view, number)
        case "compare":
            first, second = map(int, read.arguments)
            return compare(view, first, second)
        case "front":
            return front(view, width)
        case name:
            return SHOWN[name](view)


def needs_no_run(line: str) -> bool:
    """Whether a line can be carried out before anything of the run is known."""
    read = read_line(line)
    return isinstance(read, Local) and read.name in ("quit", "help", "export")


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


def compare(view: RunView, first: int, second: int) -> Reply:
    """Two trials side by side: what differs in the configuration, and the results."""
    pair = (view.trials[first], view.trials[second])
    rows = [("", f"trial {first}", f"trial {second}"), ("state", *(str(t.state) for t in pair))]
    names = list(dict.fromkeys(name for t in pair for name in _values(t)))
    same = 0
    for name in names:
        left, right = (_written(view, t, name) for t in pair)
        if left == right:
            same += 1
        else:
            rows.append((one_line(name, 40), left, right))
    metrics = list(dict.fromkeys(name for t in pair for name in t.values)) or [view.facts.metric]
    for name in metrics:
        shown = [t.values.get(name, t.value if name == view.facts.metric else None) for t in pair]
        rows.append((one_line(name, 40), *("-" if v is None else f"{v:.6g}" for v in shown)))
    rows.append(("seconds", *("-" if t.seconds is None else f"{t.seconds:.1f}" for t in pair)))
    wide = [max(len(row[i]) for row in rows) for i in range(3)]
    lines: list[Spans] = [
        ((f"{row[0]:<{wide[0]}}  ", "dim"), (f"{row[1]:<{wide[1]}}  {row[2]}".rstrip(), "")) for row in rows
    ]
    if same:
        lines.append(((f"the other {same} hyperparameters are the same in both", "dim"),))
    return Reply(joined(lines))


def _values(trial: TrialView) -> dict[str, object]:
    return {} if trial.proposal is None else dict(trial.proposal.configuration)


def _written(view: RunView, trial: TrialView, name: str) -> str:
    values = _values(trial)
    if name not in values:
        return "-"
    study = view.facts.study
    parameter = None if study is None else study.space.parameters.get(name)
    try:
        shown = str(values[name]) if parameter is None else parameter.format(values[name])
    except (TypeError, ValueError):  # the value is of an earlier search space
        shown = str(values[name])
    return one_line(shown, 30)


def log(view: RunView, number: int | None) -> Reply:
    """The last lines of a trial's log."""
    if number is None:
        number = max(view.trials, default=None)
    if number is None:
        return Reply((("no trial has started yet", "dim"),))
    text = view.facts.log(number)
    if not text.strip():
        return Reply(((f"trial {number} has written no log so far", "dim"),))
    return Reply(joined([((f"log of trial {number}, its end", "strong"),), ((text.rstrip(), ""),)]))


def space(view: RunView) -> Reply:
    """The search space as it is now, and the trials that do not count in it."""
    study = view.facts.study
    if study is None:
        return Reply((("the search space is not known: the task file cannot be read", "warn"),))
    wide = min(max(len(one_line(name, 40)) for name in study.space.names), 40)
    lines: list[Spans] = [
        ((f"{one_line(name, 40):<{wide}}  ", "accent"), (one_line(parameter.describe(), 300), ""))
        for name, parameter in study.space.parameters.items()
    ]
    left = sorted(t.number for t in view.trials.values() if t.left)
    if left:
        shown = ", ".join(map(str, left[:20])) + (" ..." if len(left) > 20 else "")
        lines.append(((f"not legal in it, kept as history: trials {shown}", "dim"),))
    return Reply(joined(lines))


def budget(view: RunView) -> Reply:
    """What the run may spend, and what it has spent."""
    facts, spend = view.facts, view.spend
    rows = [("trials", str(view.finished), facts.trials), ("cost", view.cost, facts.cost)]
    if view.model is not None:
        rows += [("model calls", spend.calls, facts.model.calls)]
        rows += [("model dollars", spend.dollars, facts.model.dollars)]
    lines: list[Spans] = []
    for name, used, most in rows:
        if used is None and most is None:
            continue
        of = "" if most is None else f" of {most:g}"
        lines.append(((f"{name:<{NARROWEST}}  ", "dim"), (f"{used if used is not None else 0}{of}", "")))
    if facts.wall_time_s is not None:
        used_s = duration(view.elapsed(view.last_at))
        lines.append(
            ((f"{'time':<{NARROWEST}}  ", "dim"), (f"{used_s} of {duration(facts.wall_time_s)}", ""))
        )
    return Reply(joined(lines))


SHOWN: dict[str, Callable[[RunView], Reply]] = {
    "best": best,
    "stages": stages,
    "guidelines": concluded,
    "space": space,
    "budget": budget,
}
"""Views of the records that take no argument."""


def help_text(verb: str | None = None) -> Spans:
    """The slash commands, or one of them in full."""
    return joined([((f"{head:<22}", "accent"), (effect, "dim")) for head, effect in help_of(verb)])


def _checked(view: RunView, command: Command) -> Command | Reply | Afterwards:
    """The command, or why it cannot be sent now."""
    if view.started is None:
        return _refusal("the run has not started yet, so it takes no commands")
    return Afterwards(line_of(command)) if view.over else command


def _refusal(text: str) -> Reply:
    return Reply(((text, "warn"),), bad=True)
