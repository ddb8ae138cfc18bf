"""Finds the JSON objects in a model's reply; nothing is guessed.

Models wrap answers in fences, thinking blocks and prose, and now and then answer twice. Every complete
object is a candidate; the validator chooses among them. Repair of broken JSON is the
last resort: only for a reply that the model ended itself, whose fault is one of writing (quotes, commas,
comments) and not of meaning (NaN, a key twice), and only with numbers that stand in it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

TAG = re.compile(
    r"<(/?)(think|thinking|thoughts?|reasoning|reason|scratchpad|analysis|reflection|inner_monologue)\s{0,4}>"
    r"|\[(/?)(think)\]",
    re.IGNORECASE,
)
"""Opens or closes a thought."""
_ODD_TAGS = re.compile(
    r"<(/?)(?:seed|antml|mm):(think(?:ing)?)\s{0,4}>|<\|(?:(begin|start)|end)_of_(thought)\|>"
    r"|<\|(?:(start)|end)_(thinking)\|>|\u25c1(/?)(think)\u25b7",
    re.IGNORECASE,
)
_FINAL = re.compile(r"<\|channel\|>\s{0,4}final[^<]{0,40}<\|message\|>")
_CHANNEL = re.compile(r"<\|channel\|>\s{0,4}(?:analysis|commentary)")
_OBJECT = re.compile(r"""\{\s{0,200}["'}]""")
_FENCE = re.compile(r"```[ \t]*[\w+-]*[ \t]*\n(.*?)```", re.DOTALL)
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_KEY = re.compile(r"""(?<![\w.-])([\w.-]{1,200})["'“”]?\s{0,20}:""")
MOST_OBJECTS = 100
"""Objects that one reply is searched for: more are a model repeating itself."""
LONGEST_REPAIRED = 20_000
"""Characters of JSON that repair is tried on; its time grows faster than their number."""
_GROUPED = re.compile(r"\d,\d{3}(?!\d)")
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_SURROGATES = re.compile(rf"({_HIGH}\\?{_LOW})|{_HIGH}|{_LOW}")
_HALF = re.compile(r"[\ud800-\udfff]")
_REFUSAL = re.compile(
    r"\b(i('m| am) sorry|i apologi[sz]e|i (can('|no)t|can not|am unable|'m unable|won't|will not)"
    r"( \w+)? (help|assist|comply|provide|answer|do|recommend|suggest|propose|give|determine|predict|estimate"
    r"|generate|produce|fulfil\w*|make)|(unable|not able) to (help|assist|comply|provide|answer|recommend"
    r"|suggest|predict|determine|give)|as an ai\b)",
    re.IGNORECASE,
)


def whole_characters(text: str) -> str:
    """JSON text in which half a character, as an escape or as it is, is U+FFFD, as in broken UTF-8.

    Models break off an emoji, and servers split one over two chunks; no strict reader takes the halves. An
    escape in JSON that is itself a string in JSON is mended too.
    """
    if "\\u" in text:
        text = _SURROGATES.sub(lambda match: match[0] if match[1] else "\\ufffd", text)
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def objects_in(text: str) -> list[dict[str, Any]]:
    """The distinct complete JSON objects in a reply, in order, thinking left out.

    Strict JSON: an object with NaN, an infinity, a number too large for a float, or the same key twice
    is not one. Objects inside objects are not listed on their own.
    """
    spoken = whole_characters(without_thinking(text))
    objects: list[dict[str, Any]] = []
    decoder = json.JSONDecoder(**STRICT_JSON)
    position = spoken.find("{")
    while position >= 0:
        if not _OBJECT.match(spoken, position):  # a failed decode costs time in proportion to the whole text
            position = spoken.find("{", position + 1)
            continue
        try:
            value, end = decoder.raw_decode(spoken, position)
        except (ValueError, RecursionError):
            end = _skip(spoken, position)
        else:
            if value not in objects:
                objects.append(value)
            if len(objects) == MOST_OBJECTS:
                break
        position = spoken.find("{", end)
    return objects


def object_starts(text: str) -> Iterator[int]:
    """Where in a text an object may begin."""
    return (match.start() for match in _OBJECT.finditer(text))


def repaired_object(text: str, finish_reason: str) -> dict[str, Any] | None:
    """One object out of broken JSON, or None where it would have to be guessed.

    Args:
        finish_reason: Only `stop` will do: a reply cut at the token limit may hold half a number.
    """
    spoken = without_thinking(text)
    fences = _FENCE.findall(spoken)
    source = fences[0] if len(fences) == 1 else spoken
    start, end = source.find("{"), source.rfind("}")
    if end - start > LONGEST_REPAIRED:
        return None
    if finish_reason != "stop" or start < 0 or end < start or _GROUPED.search(source, start, end):
        return None
    from json_repair import loads

    body = source[start : end + 1]
    try:
        if isinstance(json.loads(body), dict):
            return None  # well written; the strict reader refused its values
    except (ValueError, RecursionError):
        pass  # ill written, which is what repair is for
    try:
        value = json.loads(json.dumps(loads(body)), **STRICT_JSON)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not value:
        return None
    kept, named = Counter(_keys(value)), Counter(_KEY.findall(body))
    if any(named[key] > times for key, times in kept.items()):
        return None  # the same key twice: repair would have chosen one
    written = {float(number) for number in _NUMBER.findall(body)}
    return value if all(number in written for number in _numbers(value)) else None


def without_thinking(text: str) -> str:
    """The reply without its thinking, finished or not, and without a thought whose start was swallowed."""
    text = plain_tags(text)
    final = list(_FINAL.finditer(text))
    if final:  # the channels of open-weight reasoning models
        text = text[final[-1].end() :].split("<|")[0]
    elif channel := _CHANNEL.search(text):  # it never came to the answer
        text = text[: channel.start()]
    spoken: list[str] = []
    position, inside = 0, ""
    for tag in TAG.finditer(text):
        closing, name = (tag[1] or tag[3]) == "/", (tag[2] or tag[4]).casefold()
        if closing and (not inside or name != inside):
            spoken, inside = [], ""  # all before it was thought
        elif closing:
            inside = ""
        elif not inside:
            spoken.append(text[position : tag.start()])
            inside = name
        else:
            continue
        position = tag.end()
    if not inside:
        spoken.append(text[position:])
    return " ".join(spoken)


def plain_tags(text: str) -> str:
    """The text with the tags that some models write around thoughts in the common form."""
    return _ODD_TAGS.sub(_plain_tag, text) if "<" in text or "\u25c1" in text else text


def _plain_tag(match: re.Match[str]) -> str:
    slash, name, begun, thought, started, thinking, closing, think = match.groups()
    if thought or thinking:
        return f"<{'' if begun or started else '/'}think>"
    return f"<{slash or closing or ''}{'think' if name or think else ''}>"


def is_refusal(text: str) -> bool:
    """Whether a reply without any JSON reads as declining. Looks at its start, where refusals say so."""
    return bool(_REFUSAL.search(without_thinking(text).strip()[:200].replace("\u2019", "'")))


def _skip(text: str, position: int) -> int:
    """The end of a broken object, so that its inner objects do not pass for answers."""
    depth = 0
    for index in range(position, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return len(text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > 30:  # endless digits, a known failure of small models; no parameter is that large
        raise ValueError("too many digits")
    return int(text)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("the same key twice")
    return value


STRICT_JSON: dict[str, Any] = {
    "parse_constant": _refuse,
    "parse_float": _finite,
    "parse_int": _integer,
    "object_pairs_hook": _distinct,
}
"""For `json.loads`: a ValueError for NaN, an infinity, endless digits and a key twice."""


def _keys(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in _keys(inner))]
    return [key for inner in value for key in _keys(inner)] if isinstance(value, list) else []


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [float(value)] if isinstance(value, (int, float)) and not isinstance(value, bool) else []
