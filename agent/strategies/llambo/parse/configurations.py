"""Configurations out of text."""

from __future__ import annotations

import re

from tunesmith.agent.llm.parsing import is_refusal, without_thinking
from tunesmith.agent.strategies.llambo.parse.outcome import Parsed, Refused
from tunesmith.space import Space
from tunesmith.trial import Value


def parse_configuration(text: str, space: Space, *, finished: bool | None = None) -> Parsed | Refused:
    """The first complete configuration that `text` states."""
    return parse_configurations(text, space, finished=finished)[0]


def parse_configurations(text: str, space: Space, *, finished: bool | None = None) -> list[Parsed | Refused]:
    """Every configuration that `text` states, in order; at least one element."""
    spoken = without_thinking(text).replace("\\", "")
    if not spoken.strip():
        return [Refused("empty", "the answer is empty")]
    names = "|".join(sorted(map(re.escape, space.names), key=len, reverse=True))
    pair = re.compile(rf"(?<!\w)({names})[\"'`*]*\s*(?::|=|\bis\b)[\s\"'`*]*([^\s,;\"'`*#}}\])]+)")
    found: list[Parsed | Refused] = []
    values: dict[str, Value] = {}
    for match in pair.finditer(spoken):
        values[match[1]] = _value(match[2])
        if not space.problems(values) or len(values) == len(space):
            found.append(Parsed(values, "tolerant"))
            values = {}
    if found:
        return found
    if is_refusal(spoken):
        return [Refused("refusal", spoken[:100])]
    return [Refused("missing", ", ".join(n for n in space.names if n not in values))]


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.casefold(), text)
