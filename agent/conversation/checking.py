"""What an answer says of trials, against the records: that they exist, and what they reached.

A figure is checked where the words tie it to one trial: `trial 12 reached 0.95`, `0.95 (#12)`. It holds if it
is that trial's metric as rounded, or another figure of its records (a setting, a prediction, its curve).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from tunesmith.history import History
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.excerpt import setting_text
from tunesmith.tools.analysis.numbers import format_metric
from tunesmith.trial import Trial

_LIST = r"#?\d{1,7}(?:\s*(?:,|and|or|&)\s*#?\d{1,7}(?![.\d]))*"
_MENTION = re.compile(rf"\btrials?\s+({_LIST})|#\s?(\d{{1,7}})\b", re.IGNORECASE)
_NUMBER = r"[-+\u2212]?(?:\d+\.\d+|\.\d+|\d+(?:\.\d+)?e[-+]?\d+)(?:e[-+]?\d+)?"
_ANY = r"[-+\u2212]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?"
_TOKEN = re.compile(
    rf"\s*[(\[:='\"*`~]*\s*(?:(?P<number>{_NUMBER})(?![\w.]*\w)|(?P<word>[\w.-]+))", re.IGNORECASE
)
LINKS = (
    *("has", "had", "have", "is", "was", "are", "were", "gave", "got", "gets", "reached", "reaches", "with"),
    *(
        "scored",
        "scores",
        "achieved",
        "achieves",
        "came",
        "ended",
        "finished",
        "completed",
        "measured",
        "led",
    ),
    *("leads", "stands", "at", "of", "to", "a", "an", "the", "its", "best", "value", "score", "result", "in"),
    *("final", "metric", "so", "far", "out", "by", "also", "still", "then", "only", "even", "just", "itself"),
    *("which", "that", "about", "roughly", "around"),
)
"""Words that tie a trial to the figure after them."""
_BEFORE = re.compile(
    rf"(?P<number>{_NUMBER})(?P<unit>\s*%?)\s*"
    r"(?:\(|\[|in |by |from |at |of |for |with )+(?:trial\s+#?|#)(?P<trial>\d{1,7})\b",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    r"^\s*%?\s*(?:better|worse|higher|lower|more|less|above|below|ahead|behind|points?)\b"
)
MOST = 6
"""Corrections that are told."""


def faults(
    text: str, cites: Iterable[int], history: History, left: Collection[int] = frozenset()
) -> list[str]:
    """What the records do not confirm, a clause each; empty where nothing is to be said.

    Args:
        left: Trials that exist; what is said of those that the history does not have is not checked.
    """
    mentions = list(_mentions(text))
    known = {trial.number for trial in history.every} | set(left)
    said = [number for numbers, _, _ in mentions for number in numbers]
    missing = sorted({n for n in (*said, *cites) if n not in known})
    found = [f"there is no trial {n}" for n in missing[:MOST]]
    for place, (numbers, _, end) in enumerate(mentions):
        trial = history.find(numbers[0]) if len(numbers) == 1 else None
        if trial is None:
            continue
        until = mentions[place + 1][1] if place + 1 < len(mentions) else len(text)
        found += _figures(text[end : min(until, end + 160)], trial, history)
    for match in _BEFORE.finditer(text):
        trial = history.find(int(match["trial"]))
        if trial is not None and not _setting_before(text[: match.start()], history):
            found += _value(match["number"], match["unit"], trial, history)
    return list(dict.fromkeys(found))[:MOST]


def correction(found: Sequence[str]) -> str:
    """A line for the person; empty where all is confirmed."""
    return f"Not confirmed by the records: {'; '.join(found)}." if found else ""


def _mentions(text: str) -> Iterable[tuple[list[int], int, int]]:
    """Numbers of trials with where they stand."""
    for match in _MENTION.finditer(text):
        yield [int(n) for n in re.findall(r"\d+", match[0])], match.start(), match.end()


def _figures(rest: str, trial: Trial, history: History) -> list[str]:
    """What is said of a trial right after it is named: its metric, and its settings."""
    sentence = re.split(r"(?<=[.!?])\s|[;\n]", rest)[0]
    found = []
    tied = _tied(sentence, history.metric)
    if tied is not None and not _DIFFERENCE.match(tied[1]):
        found += _value(*tied, trial, history)
    for name in history.space.names:
        said = re.search(rf"(?<![\w.]){re.escape(name)}\s*(?:=|of|is|at|was|:)?\s*({_ANY})(?!\w)", sentence)
        if said is not None and name in trial.configuration:
            found += _setting(name, said[1], trial, history)
    return found


def _tied(sentence: str, metric: str) -> tuple[str, str] | None:
    """The figure that a sentence gives the trial named before it, and what follows; None for none."""
    place = 0
    while (token := _TOKEN.match(sentence, place)) is not None:
        place = token.end()
        if token["number"]:
            return token["number"], sentence[place:]
        if token["word"].strip(".").casefold() not in LINKS and token["word"] != metric:
            return None
    return None


def _value(said: str, after: str, trial: Trial, history: History) -> list[str]:
    number = _read(said)
    percent = after.strip().startswith("%")
    if percent:
        number /= 100
    known = [v for v in (trial.value, trial.last_reported) if v is not None]
    known += [value for _, value in trial.curve] + list(trial.values.values())
    known += [v for v in (trial.proposal.expected, trial.proposal.spread, trial.cost) if v is not None]
    known += [float(v) for v in dict(trial.configuration).values() if isinstance(v, int | float)]
    tolerance = _rounding(said) / (100 if percent else 1)
    if any(
        abs(number - value) <= tolerance or (percent and abs(100 * number - value) <= 100 * tolerance)
        for value in known
    ):
        return []
    shown = said + ("%" if percent else "")
    if trial.value is None:
        state = trial.state.value.replace("_", " ")
        return [f"trial {trial.number} has no result ({state}), so not {shown}"]
    return [f"trial {trial.number} is {format_metric(history, trial.value)}, not {shown}"]


def _setting(name: str, said: str, trial: Trial, history: History) -> list[str]:
    value = dict(trial.configuration).get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    number = _read(said)
    if abs(number - value) <= max(_rounding(said), 0.05 * abs(value)):
        return []
    has = clean(setting_text(history, trial, name), 60)
    return [f"trial {trial.number} has {clean(name, 60)} {has}, not {said}"]


def _setting_before(text: str, history: History) -> bool:
    """Whether the figure after this text is a hyperparameter's."""
    words = text.rstrip(" =:~(").rsplit(None, 1)
    return bool(words) and words[-1].strip("(,;`*'\"").split("=")[0] in history.space.names


def _read(said: str) -> float:
    return float(said.replace("\u2212", "-"))


def _rounding(said: str) -> float:
    """Half a unit of the last digit that is written, and a little more."""
    mantissa, _, exponent = said.lower().replace("\u2212", "-").partition("e")
    digits = len(mantissa.partition(".")[2])
    return 0.51 * 10.0 ** (int(exponent or 0) - digits)
