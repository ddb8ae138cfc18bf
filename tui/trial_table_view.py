"""The table of trials as data: its columns, and which trials stand in which order. No screen involved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from tunesmith.text import numbers
from tunesmith.text.charts import sparkline, thin
from tunesmith.text.literal import one_line
from tunesmith.trial import TrialState, Value
from tunesmith.tui.facts import Facts
from tunesmith.tui.spans import Role, Span
from tunesmith.tui.trial_filter import Names, matcher
from tunesmith.tui.trial_view import STATES, TrialView, cells, short_names

CURVE_WIDTH = 8
MOST_PARAMETERS = 40
"""Columns of hyperparameters; a filter and the details reach further ones."""
WIDEST = 14
"""Of a hyperparameter's column."""
GROUPS: tuple[TrialState, ...] = tuple(STATES)
"""The order of states where trials are grouped."""
SortKey = float | str | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: Its name for sorting; of a hyperparameter the full name after `p:`, of a metric after `m:`.
        heading: At most `width` - 1 characters.
        sort: What rows are sorted by; None stands last either way.
    """

    key: str
    heading: str
    width: int
    sort: Callable[[TrialView], SortKey]


@dataclass(frozen=True)
class Order:
    """What a person chose: `column` is a key, `filter` is empty where all are shown."""

    column: str = "#"
    reverse: bool = False
    filter: str = ""
    grouped: bool = False

    def by(self, column: str) -> Order:
        """Sorted by a column; by the same one again: the other way round."""
        return replace(self, column=column, reverse=self.column == column and not self.reverse)


@dataclass(frozen=True)
class Table:
    """Columns of a run's trials, and how a row is written."""

    columns: tuple[Column, ...]
    legend: tuple[tuple[str, str], ...]
    """(abbreviation, what it stands for) of headings that are abbreviated."""
    names: Names
    facts: Facts
    parameters: tuple[str, ...]
    """Hyperparameters that have a column; of a pipeline none, its allocation is one column."""
    rest: bool
    """Whether there is a column for what trials have beyond these."""

    def row(
        self,
        trial: TrialView,
        best: float | None,
        marked: Set[int] = frozenset(),
        counts: Set[str] = frozenset(),
    ) -> tuple[Span, ...]:
        """A cell for each column, not cut.

        Args:
            best: Value of the incumbent.
            marked: Trials marked for comparison.
            counts: Metrics that have only had whole numbers.
        """
        facts = self.facts
        others = len(facts.others)
        number, state, value, mark, *further = cells(trial, facts.short, facts.goals, others, counts)
        role: Role = "best" if trial.best else "dim" if trial.left else ""
        if trial.number in marked:
            mark = (f"●{mark[0]}", "accent")
        drawn = sparkline([each for _, each in thin(trial.curve, CURVE_WIDTH - 1)]) if trial.curve else ""
        row: list[Span] = [number, state, value, mark, _difference(trial, best), (drawn, "accent")]
        row += further[:others]
        row.append(("history" if trial.left else trial.origin, "dim"))
        given: Mapping[str, Value] = {} if trial.proposal is None else trial.proposal.configuration
        for name in self.parameters:
            row.append((one_line(facts.value(name, given[name]), WIDEST) if name in given else "", role))
        if self.rest:
            left_over = {name: v for name, v in given.items() if name not in self.parameters}
            row.append((one_line(facts.short(left_over), 400) if left_over else "", role))
        return tuple(row)


def table(facts: Facts, *, rest: bool = False) -> Table:
    """The columns of a run.

    Args:
        rest: Whether trials have hyperparameters that the task file does not know.
    """
    known = () if facts.study is None or facts.pipeline is not None else tuple(facts.study.space.names)
    shown = known[:MOST_PARAMETERS]
    short = short_names(known)
    sign = -1.0 if facts.direction == "minimize" else 1.0
    columns = [
        Column("#", "#", 6, lambda t: t.number),
        Column("state", "state", 9, lambda t: STATES[t.state][1]),
        Column("value", one_line(facts.metric, 9), 10, _shown_value),
        Column("mark", " ", 3, lambda t: 0 if t.best else 1 if t.front else None),
        Column("delta", "to best", 9, lambda t: None if t.value is None else -sign * t.value),
        Column("curve", "curve", CURVE_WIDTH, lambda t: t.curve[-1][1] if t.curve else None),
    ]
    columns += [
        Column(f"m:{name}", one_line(name, 9), 10, lambda t, name=name: t.values.get(name))  # type: ignore[misc]
        for name in facts.others
    ]
    columns.append(Column("who", "who", 10, lambda t: t.origin))
    for name in shown:
        heading = one_line(short[name], WIDEST - 1)
        columns.append(Column(f"p:{name}", heading, _width(facts, name, heading), _given(name)))
    rest = rest or len(known) > len(shown) or not known
    if rest:
        columns.append(Column("rest", "configuration", 60, lambda t: t.configuration(facts.short)))
    legend = [(short[name], one_line(name, 60)) for name in shown if short[name] != name]
    names = Names(
        facts.metric, facts.others, {**{name: name for name in known}, **{v: k for k, v in short.items()}}
    )
    return Table(tuple(columns), tuple(legend), names, facts, shown, rest)


def ordered(trials: Mapping[int, TrialView], shown: Table, order: Order) -> list[int]:
    """Numbers of the trials that a table shows, from top to bottom.

    The sort is stable: trials that are alike stand by number, whichever way it goes. Those without a value in
    the column stand last.

    Raises:
        FilterError: The filter cannot be followed.
    """
    holds = matcher(order.filter, shown.names) if order.filter.strip() else None
    numbers_ = sorted(trials)
    if holds is not None:
        numbers_ = [number for number in numbers_ if holds(trials[number])]
    column = next((each for each in shown.columns if each.key == order.column), shown.columns[0])
    if column.key == "#":
        if order.reverse:
            numbers_.reverse()
    else:
        keyed = [(column.sort(trials[number]), number) for number in numbers_]
        # NaN compares with nothing, and would leave the others in no order.
        having = [(key, number) for key, number in keyed if key is not None and key == key]
        values = [(key, n) for key, n in having if not isinstance(key, str)]
        words = [(key, n) for key, n in having if isinstance(key, str)]
        values.sort(key=lambda pair: pair[0], reverse=order.reverse)
        words.sort(key=lambda pair: pair[0], reverse=order.reverse)
        numbers_ = [n for _, n in (*values, *words)]
        numbers_ += [number for key, number in keyed if key is None or key != key]
    if order.grouped:
        place = {state: at for at, state in enumerate(GROUPS)}
        numbers_.sort(key=lambda number: place[trials[number].state])
    return numbers_


def plain_order(order: Order) -> bool:
    """Whether a new trial always stands last, and no change moves another."""
    return order.column == "#" and not order.reverse and not order.grouped and not order.filter.strip()


def try_line(trial: TrialView) -> str:
    """`/try lr=0.03 width=48`: the exact configuration as a command."""
    given = {} if trial.proposal is None else trial.proposal.configuration
    return " ".join(["/try", *(f"{name}={_typed(value)}" for name, value in given.items())])


def group_text(trials: Mapping[int, TrialView], shown: Sequence[int]) -> str:
    """`3 running, 12 done`, of the trials that are shown."""
    counts = dict.fromkeys(GROUPS, 0)
    for number in shown:
        counts[trials[number].state] += 1
    return ", ".join(f"{count:,} {STATES[state][1]}" for state, count in counts.items() if count)


def _typed(value: Value) -> str:
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and (not text or any(c.isspace() for c in text)) else text


def _shown_value(trial: TrialView) -> float | None:
    if trial.value is not None:
        return trial.value
    return trial.curve[-1][1] if trial.curve else None


def _difference(trial: TrialView, best: float | None) -> Span:
    if trial.best or trial.value is None or best is None or trial.left:
        return ("", "dim")
    return (numbers.readable(trial.value - best, 3, sign="+"), "dim")


def _given(name: str) -> Callable[[TrialView], SortKey]:
    def key(trial: TrialView) -> SortKey:
        value = None if trial.proposal is None else trial.proposal.configuration.get(name)
        return value if value is None or isinstance(value, int | float | str) else str(value)

    return key


def _width(facts: Facts, name: str, heading: str) -> int:
    """Of a hyperparameter's column: its longest choice, or a number."""
    assert facts.study is not None
    listed = getattr(facts.study.space.parameters[name], "listed", None)
    words = [] if listed is None else [one_line(facts.value(name, choice), WIDEST) for choice in listed]
    return min(max(len(heading), *(map(len, words)), 8 if listed is None else 3) + 1, WIDEST + 1)
