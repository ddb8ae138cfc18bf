"""Questions about trials that are named: why, how it is doing, one beside another."""

from __future__ import annotations

from tunesmith.agent.conversation.asked import Asked
from tunesmith.agent.conversation.intents.base import Intent
from tunesmith.agent.conversation.records import Records
from tunesmith.agent.policy import narrator
from tunesmith.agent.policy.findings import predictions
from tunesmith.errors import ItemsError
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.noise import known_noise
from tunesmith.text.cleaning import clean
from tunesmith.text.numbers import counted, interval, significant
from tunesmith.tools.analysis.curve import curve_line
from tunesmith.tools.analysis.excerpt import row, setting_text
from tunesmith.tools.analysis.numbers import format_metric, metric_digits
from tunesmith.tools.analysis.paired import paired
from tunesmith.trial import Trial

MOST_NAMED = 3
MOST_DIFFERENT = 12
"""Hyperparameters shown of a comparison."""


def why(asked: Asked, records: Records) -> str:
    """Why trials were run and what came of them; of the best where none is named."""
    history = records.history
    best = history.incumbent
    numbers = asked.trials or (() if best is None else (best.number,))
    if not numbers:
        return "No trial has completed yet; `why 0` tells why trial 0 is run."
    return "\n\n".join(
        records.missing(number)
        if history.find(number) is None
        else narrator.why(history, number).rstrip() + _earlier(records, number)
        for number in numbers[:MOST_NAMED]
    )


def doing(asked: Asked, records: Records) -> str:
    """Rows and learning curves of the trials named, beside the best."""
    history = records.history
    parts = []
    for number in asked.trials[:MOST_NAMED]:
        trial = history.find(number)
        if trial is None:
            parts.append(records.missing(number))
            continue
        state = "It is running." if not trial.finished else ""
        held = " ".join(predictions(history, [trial])) or _predicted(history, trial)
        parts.append(
            "\n".join(t for t in (row(history, trial), state, curve_line(history, trial), held) if t)
            + _earlier(records, number)
        )
    best = history.incumbent
    if best is not None and best.number not in asked.trials and best.curve:
        parts.append(f"For comparison, the best trial #{best.number}:\n{curve_line(history, best)}")
    return "\n\n".join(parts)


def _predicted(history: History, trial: Trial) -> str:
    if trial.proposal.expected is None:
        return ""
    return f"Predicted: {format_metric(history, trial.proposal.expected)}."


def compare(asked: Asked, records: Records) -> str:
    """Two trials side by side: configurations, values and noise, predictions, curves, items in common."""
    history = records.history
    numbers = asked.trials[:2]
    best = history.incumbent
    if len(numbers) == 1 and best is not None and best.number != numbers[0]:
        numbers = (*numbers, best.number)
    if len(numbers) < 2:
        return "Which two trials? For example: compare 3 7."
    first, second = (history.find(number) for number in numbers)
    if first is None or second is None:
        return records.missing(next(n for n in numbers if history.find(n) is None))
    lines = [f"#{first.number} and #{second.number}.", _values(records, first, second)]
    lines.append(_differences(history, first, second))
    lines += [_foretold(history, trial) for trial in (first, second)]
    lines += _items(records, first, second)
    if first.curve or second.curve:
        lines += [f"#{t.number} {curve_line(history, t)}" for t in (first, second) if t.curve]
    lines += [_earlier(records, number).strip() for number in numbers]
    return "\n".join(line for line in lines if line)


def _earlier(records: Records, number: int) -> str:
    """A line for a trial of an earlier search space; empty for any other."""
    if any(trial.number == number for trial in records.history.earlier):
        return f"\nTrial {number} was run in an earlier search space and does not count in that of now."
    return ""


def _values(records: Records, first: Trial, second: Trial) -> str:
    history = records.history
    if first.value is None or second.value is None:
        ended = [
            f"#{t.number} {t.state.value.replace('_', ' ')}"
            + (f" with {format_metric(history, t.value)}" if t.value is not None else "")
            + (
                f", last reported {format_metric(history, t.last_reported)}"
                if t.value is None and t.curve
                else ""
            )
            for t in (first, second)
        ]
        return f"{'; '.join(ended)}. Only two completed trials can be compared by value."
    gap = abs(first.value - second.value)
    better, worse = (first, second) if history.sign * (first.value - second.value) >= 0 else (second, first)
    has, other = (format_metric(history, trial.value) for trial in (first, second))
    values = f"#{first.number} has {has}, #{second.number} {other}"
    if gap == 0:
        return f"{values}: the same {clean(history.metric, 60)}."
    text = f"{values}: #{better.number} is better by {significant(gap, 3)}"
    noise = known_noise(records.task.noise, history)
    if noise is None:
        return f"{text}. How much the metric varies between seeds is not known, so it may be luck."
    if noise.sd == 0:
        return f"{text}, and the metric has no noise."
    sds = gap / (2**0.5 * noise.sd)
    verdict = "more than noise explains" if sds > 2 else "within what noise explains"
    return f"{text}, {sds:.1f} standard deviations of a difference of two runs ({noise.text}): {verdict}."


def _differences(history: History, first: Trial, second: Trial) -> str:
    a, b = first.configuration, second.configuration
    every = dict.fromkeys((*history.space.names, *a, *b))
    names = [n for n in every if a.get(n) != b.get(n)]
    if not names:
        return "Their configurations are the same."
    shown = [
        f"{clean(n, 60)} {_shown(history, first, n)} against {_shown(history, second, n)}" for n in names
    ]
    more = f", and {len(names) - MOST_DIFFERENT} more" if len(names) > MOST_DIFFERENT else ""
    same = len(every) - len(names)
    rest = f" The other {counted(same, 'hyperparameter')} agree." if same else ""
    return f"They differ in {'; '.join(shown[:MOST_DIFFERENT])}{more}.{rest}"


def _shown(history: History, trial: Trial, name: str) -> str:
    if trial.configuration.get(name) is None:
        return "inactive" if name in history.space else "not set"
    return clean(setting_text(history, trial, name), 60)


def _foretold(history: History, trial: Trial) -> str:
    told = predictions(history, [trial])
    return told[0] if told else (f"#{trial.number}: nothing was predicted." if trial.finished else "")


def _items(records: Records, first: Trial, second: Trial) -> list[str]:
    """The difference item by item, where both were judged on the same items."""
    metric = records.history.metric
    a, b = first.items.get(metric), second.items.get(metric)
    if not a or not b:
        return []
    try:
        found = paired(Items.unpack(a), Items.unpack(b), sign=records.history.sign, begun=True)
    except (ItemsError, ValueError):
        return []
    digits = metric_digits(records.history)
    span = "" if found.low is None else f", 95 % interval {interval(found.low, found.high, digits)}"
    verdict = found.verdict.replace("not distinguishable", "not distinguishable from the other")
    return [
        f"On {counted(found.n, 'item')} in common #{first.number} is {verdict} "
        f"(mean difference {significant(found.difference, 3)}{span}; better on {found.better}, "
        f"worse on {found.worse})."
    ]


def log(asked: Asked, records: Records) -> str:
    """The ends of logs."""
    history = records.history
    parts = []
    for number in asked.trials[:MOST_NAMED]:
        trial = history.find(number)
        if trial is None:
            parts.append(records.missing(number))
            continue
        kept = records.log_of(number) or trial.traceback or trial.message or "Its log is empty."
        where = f"All of it: trials/{number:05d}/log.txt in the run's folder."
        parts.append(f"{row(history, trial)}\n{clean(kept, 2000, lines=True)}\n{where}")
    return "\n\n".join(parts)


LOG = Intent(
    "log 5",
    "the end of a trial's log, and where all of it is",
    lambda a, r: bool(a.trials) and a.has("log", "output", "traceback", "stderr", "printed"),
    log,
)
WHY = Intent(
    "why 12",
    "why a trial was run, what was expected of it, how it ended",
    lambda a, r: a.has("why", "reason") and (bool(a.trials) or a.says("best", "this", "chosen")),
    why,
)
COMPARE = Intent(
    "compare 3 7",
    "two trials side by side",
    lambda a, r: (
        a.has("compar", "differ", "versus", "vs")
        and bool(a.trials)
        or (a.has("better") and len(a.trials) == 2)
    ),
    compare,
)
DOING = Intent(
    "curve 5",
    "a trial and its learning curve",
    lambda a, r: bool(a.trials),
    doing,
)
