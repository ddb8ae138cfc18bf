"""What a run costs, as lines: time, trials, the model, what is left, and what the rest comes to."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.budget import ModelCaps, ModelSpend
from tunesmith.text.durations import duration
from tunesmith.text.literal import one_line
from tunesmith.text.numbers import count, counted, significant
from tunesmith.time_left import roughly
from tunesmith.tui.incident_view import fit
from tunesmith.tui.spans import Role, Span, Spans
from tunesmith.tui.spending import ROLES, Spending
from tunesmith.tui.state import RunView

NAME_WIDTH = 13
LOW = 0.1
"""Share of a budget below which what is left of it is marked."""


@dataclass(frozen=True)
class _Rate:
    """What is done and left."""

    done: int
    rest: int | None
    """Trials that the budget still allows; None where it is not known, 0 once the run is over."""


def cost_lines(view: RunView, now: float, width: int) -> list[Spans]:
    """Everything that is known of a run's cost; what is not known is said to be so.

    Args:
        now: Unix time.
        width: Cells.
    """
    if view.started is None:
        return [fit((("Nothing is spent before the run begins.", "dim"),), width)]
    rest = None
    if view.facts.trials is not None:
        rest = 0 if view.over else max(view.facts.trials - view.finished, 0)
    rate = _Rate(view.finished, rest)
    lines = [*_time(view, rate, now), *_trial_cost(view, rate), (), *_model(view, rate)]
    lines += _dearest(view.spending)
    return [fit(line, width) for line in lines]


def _row(name: str, *spans: Span) -> Spans:
    return ((f"{name:<{NAME_WIDTH}}", "dim"), *spans)


def _left(text: str, share: float) -> Span:
    return (f"  {text} left", "warn" if share < LOW else "good")


def _time(view: RunView, rate: _Rate, now: float) -> list[Spans]:
    spent, limit = view.elapsed(now), view.facts.wall_time_s
    spans: list[Span] = [(duration(spent), "strong")]
    if limit is None:
        spans.append(("  no limit", "dim"))
    else:
        spans += [(f" of {duration(limit)}", ""), _left(duration(limit - spent), 1 - spent / limit)]
    lines = [_row("time", *spans)]
    of = "" if view.facts.trials is None else f" of {view.facts.trials:,}"
    running = f"  {view.running} running" if view.running else ""
    spans = [(f"{rate.done:,}", "strong"), (of, ""), (running, "accent")]
    if rate.rest is not None and view.facts.trials:
        spans.append(_left(f"{rate.rest:,}", rate.rest / view.facts.trials) if rate.rest else ("", ""))
    lines.append(_row("trials", *spans))
    if rate.done and spent > 0:
        per_hour = rate.done / spent * 3600
        each = sum(end.seconds for end in view.spending.ended.values()) / max(view.spending.trials, 1)
        text = f"{_seconds(each)} a trial, {significant(per_hour, 3)} trials an hour"
        lines.append(_row("rate", (text, "")))
    ends = [(name, end) for name, end in view.spending.ended.items() if end.trials]
    total = sum(end.seconds for _, end in ends)
    spans = []
    for name, end in ends:
        spans += [(" · ", "dim")] * bool(spans)
        share = f" ({end.seconds / total:.0%})" if total > 0 else ""
        spans += [
            (f"{end.trials:,} ", "strong"),
            (name, ROLES[name]),
            (f" {_seconds(end.seconds)}{share}", ""),
        ]
    if spans:
        lines.append(_row("trial time", *spans))
    left = view.left(now)
    if rate.rest and not view.over:
        text = "not known before a trial has ended" if left is None else roughly(left)
        if view.state in ("paused", "stopping"):
            text = f"the run is {view.state}"
        elif left is None and rate.done and not view.running:
            text = "not known while nothing runs"
        elif left is None and rate.done:
            text = "not known yet"
        lines.append(_row("the rest", (text, "strong" if left is not None else "dim")))
    return lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 10 else duration(seconds)


def _trial_cost(view: RunView, rate: _Rate) -> list[Spans]:
    spent, budget, spending = view.cost, view.facts.cost, view.spending
    if spent is None and budget is None:
        return []
    spent = spent or 0.0
    spans: list[Span] = [(significant(spent, 4), "strong")]
    if budget is None:
        spans.append((", in units of the task; no limit", "dim"))
    else:
        spans += [
            (f" of {significant(budget, 4)}", ""),
            _left(significant(max(budget - spent, 0), 4), 1 - spent / budget),
        ]
    lines = [_row("trial cost", *spans)]
    if not spending.costed:
        return lines
    mean = sum(end.cost for end in spending.ended.values()) / spending.costed
    text: list[Span] = [(f"{significant(mean, 3)} a trial", "")]
    if rate.rest:
        further = rate.rest * mean
        text.append((f"; {counted(rate.rest, 'further trial')} about {significant(further, 3)}", ""))
        if budget is not None and spent + further > budget:
            room = int(max(budget - spent, 0) / mean) if mean > 0 else rate.rest
            text.append((f", and there is room for {room:,}", "warn"))
    lines.append(_row("", *text))
    return lines


def _model(view: RunView, rate: _Rate) -> list[Spans]:
    spending, facts = view.spending, view.facts
    name = view.model
    used = spending.search.calls + spending.conversation.calls
    if name is None and not used:
        return [_row("model", ("no language model is in use, so none costs anything", "dim"))]
    lines = [_row("model", (one_line(name or "none in use now", 40), "model"))]
    lines += _spent(view, "  search", spending.search, facts.model, rate)
    lines += _spent(view, "  talk", spending.conversation, facts.conversation, None)
    if spending.estimated:
        lines.append(_row("", ("some tokens are an estimate: the server did not count them", "dim")))
    for each in spending.purposes[:6]:
        text: list[Span] = [(f"{counted(each.calls, 'call')}", "")]
        text += [(f" ({each.failed} failed)", "warn")] * bool(each.failed)
        text += [(f", {count(each.tokens)} tokens, {_dollars(each.dollars)}, {_seconds(each.seconds)}", "")]
        whose = "" if each.budget == "search" else " (talk)"
        lines.append((("  for ", "dim"), (f"{each.name}{whose}: ", ""), *text))
    return lines


def _spent(view: RunView, name: str, spend: ModelSpend, caps: ModelCaps, rate: _Rate | None) -> list[Spans]:
    """A row of what was spent, with what is left of it, and what the rest of the run comes to."""
    spans: list[Span] = []
    left: list[tuple[float, str]] = []
    for used, cap, noun in ((spend.calls, caps.calls, "calls"), (spend.tokens, caps.tokens, "tokens")):
        of = "" if cap is None else f"/{count(cap)}"
        spans += [(" · ", "dim")] * bool(spans)
        spans += [(f"{count(used)}{of} ", "strong"), (noun, "")]
        if cap is not None:
            left.append((1 - used / cap if cap else 0.0, f"{count(max(cap - used, 0))} {noun}"))
    spans.append((" · ", "dim"))
    if spend.dollars is None:
        spans.append(("dollars unknown", "warn"))
    else:
        of = "" if caps.dollars is None else f"/{caps.dollars:.2f}"
        spans.append((f"{_dollars(spend.dollars)}{of}", "strong"))
        if caps.dollars is not None:
            rest = max(caps.dollars - spend.dollars, 0.0)
            left.append((1 - spend.dollars / caps.dollars if caps.dollars else 0.0, _dollars(rest)))
    lines = [_row(name, *spans)]
    if left:
        scarce = min(share for share, _ in left)
        role: Role = "warn" if scarce < LOW else "dim"
        lines.append(_row("", (f"left: {', '.join(text for _, text in left)}", role)))
    if spend.dollars is None:
        whose = view.spending.unpriced or "the model"
        lines.append(_row("", (f"no price is known for {whose}: what it costs is not known", "warn")))
    elif spend.calls and spend.dollars == 0:
        lines.append(_row("", ("$0: the model runs here, or its price is zero", "dim")))
    if rate is not None and rate.done and spend.calls:
        each = f"{significant(spend.calls / rate.done, 2)} model calls"
        each += f", {count(round(spend.tokens / rate.done))} tokens"
        if spend.dollars:
            each += f", {_dollars(spend.dollars / rate.done)}"
        lines.append(_row("", (f"{each} a trial", "")))
        if rate.rest:
            text = f"{counted(rate.rest, 'further trial')} at that rate: "
            text += f"about {count(round(spend.tokens / rate.done * rate.rest))} tokens"
            if spend.dollars:
                text += f", {_dollars(spend.dollars / rate.done * rate.rest)}"
            lines.append(_row("", (text, "")))
    return lines


def _dollars(dollars: float | None) -> str:
    if dollars is None:
        return "price unknown"
    return f"${dollars:.2f}" if dollars >= 1 or dollars == 0 else f"${dollars:.4f}"


def _dearest(spending: Spending) -> list[Spans]:
    dearest = spending.dearest
    if not dearest:
        return []
    by = "cost" if dearest[0][1] is not None else "time"
    lines: list[Spans] = [(), ((f"the dearest trials, by {by}", "dim"),)]
    for number, cost, seconds in dearest:
        text = "" if cost is None else f"{significant(cost, 4)}  "
        lines.append(((f"  #{number:<6} ", "strong"), (f"{text}{_seconds(seconds)}", "")))
    return lines
