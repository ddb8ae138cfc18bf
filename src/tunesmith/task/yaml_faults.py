"""Why a text is not YAML, in the words of somebody who writes a task: the line, and what to write instead.

A parser says what it expected where it gave up. What a person did wrong is found in that line and in those
before it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tunesmith.errors import short

_BOUND = re.compile(r"(?P<before>[\w./-]+:\s+|[\[,]\s*|-\s+)(?P<bound>>=?\s*[-+.\d][^,}\]#]*)")
"""`latency_ms: >= 20`, `[>= 20, <= 30]`, `- >= 20`."""
_SCALAR_KEY = re.compile(r"\s*(?:- )?[\"']?[\w.\- ]+[\"']?:(\s|$)")


class Explained(NamedTuple):
    line: int
    """1-based."""
    problem: str
    fix: str


def explain(text: str, line: int, opened: int | None, message: str) -> Explained:
    """What is wrong, from where the parser stopped.

    Args:
        line: 1-based line of the parser's problem.
        opened: 1-based line where what it was reading began; None where unknown.
        message: The parser's own words.
    """
    lines = text.split("\n")
    here = lines[min(line, len(lines)) - 1]
    for number in (line, line - 1):
        shown = lines[number - 1] if 0 < number <= len(lines) else ""
        if "\t" in shown[: len(shown) - len(shown.lstrip())]:
            return Explained(number, f"{_shown(shown)} is indented by a tab.", "Indent it by blanks.")
    for number in (line, line - 1):
        shown = lines[number - 1] if 0 < number <= len(lines) else ""
        if (bound := _BOUND.search(shown)) is not None:
            before = bound["before"].lstrip("[, ")
            problem = f"the bound in {_shown(shown)} begins with >, which YAML keeps for itself."
            return Explained(number, problem, f'Put it in quotes: `{before}"{bound["bound"].strip()}"`.')
    if "quoted scalar" in message and "end of stream" in message:
        start = opened or line
        problem = f"the quotation mark in {_shown(lines[start - 1])} is never closed."
        return Explained(start, problem, "Close it at the end of the text.")
    if "flow" in message:
        return _flow(lines, line, opened or line)
    for fault in (_first_character, _alias, _escape, _document):
        if (found := fault(here, line, message)) is not None:
            return found
    return _structure(lines, line, message)


def top_fault(text: str, shown: str | None) -> tuple[str, str]:
    """What a file is whose top is no mapping, and the fix.

    Args:
        shown: The scalar at its top; None for a list or nothing.
    """
    first = next((line for line in text.split("\n") if line.strip() and not line.strip().startswith("#")), "")
    if not first.strip():
        return "is empty.", "Write a task, or let `tunesmith init train.py` write one."
    if shown is None:
        return (
            f"is a list (it begins with {_shown(first)}).",
            "Write keys at the top, such as `metric: score`.",
        )
    if re.match(r"\w+:\S", first.strip()):
        return f"{_shown(first)} has no blank after its colon.", f"Write `{_spaced(first.strip())}`."
    return (
        f"is no mapping of keys (it begins with {_shown(first)}).",
        "Write keys with values, such as `metric: score`, or let `tunesmith init train.py` write the file.",
    )


def tight_colon(name: str) -> str:
    """What was meant by a key that holds its value, such as `type:float`."""
    return _spaced(name)


def _flow(lines: list[str], line: int, opened: int) -> Explained:
    start = lines[opened - 1]
    for what, bracket in ("{}", "[]"):
        if start.count(what) > start.count(bracket):
            problem = f"the `{what}` in {_shown(start)} is not closed."
            return Explained(opened, problem, f"Close it with `{bracket}`, or put a comma between entries.")
    shown = _shown(lines[min(line, len(lines)) - 1])
    fix = "Separate entries by commas: `{a: 1, b: 2}`."
    return Explained(line, f"a comma or a bracket is missing in {shown}.", fix)


def _first_character(here: str, line: int, message: str) -> Explained | None:
    found = re.search(r"found character (.+) that cannot start any token", message)
    if found is None:
        return None
    value = here.partition(":")[2].strip()
    return Explained(
        line,
        f"the value in {_shown(here)} begins with {found[1]}, which YAML keeps for itself.",
        f"Put it in quotes: `{here.partition(':')[0].strip()}: {short(value)}`.",
    )


def _alias(here: str, line: int, message: str) -> Explained | None:
    found = re.search(r"found undefined alias '?([^'\s]+)'?", message)
    if found is None:
        return None
    name = found[1]
    return Explained(
        line, f"`*{name}` stands for `&{name}`, which is nowhere.", f"Put it in quotes: `'*{name}'`."
    )


def _escape(here: str, line: int, message: str) -> Explained | None:
    found = re.search(r"found unknown escape character '?(.)'?", message)
    if found is None:
        return None
    return Explained(
        line,
        f"`\\{found[1]}` is no escape in double quotes, in {_shown(here)}.",
        f"Write `\\\\{found[1]}`, or use single quotes.",
    )


def _document(here: str, line: int, message: str) -> Explained | None:
    if "another document" in message:
        return Explained(line, "`---` begins a second document.", "Keep one task in a file.")
    return None


def _structure(lines: list[str], line: int, message: str) -> Explained:
    """Indentation and colons."""
    here = lines[min(line, len(lines)) - 1]
    number = line if "could not find expected ':'" not in message else line - 1
    words = _in_block_text(lines)
    for place in (number, number - 1, number - 2):
        shown = lines[place - 1].rstrip() if 0 < place <= len(lines) else ""
        if not shown.strip() or shown.lstrip().startswith(("#", "- ")) or place in words:
            continue
        if (found := _as_a_key(shown)) is not None:
            return Explained(place, *found)
    key, _, value = here.strip().partition(":")
    quoted = f"Put it in quotes: `{key}: {short(value.strip())}`."
    if ": " in value and value.strip()[:1] not in "\"'{[":
        return Explained(line, f"the text in {_shown(here)} has a colon in it.", quoted)
    if re.match(r"\s*[{\[].*[}\]]\s*[^\s}\]]", value):
        return Explained(line, f"something follows the closing bracket in {_shown(here)}.", quoted)
    if here.strip()[-1:] in "}]":
        return Explained(line, f"{_shown(here)} has a closing bracket too many.", "Remove it.")
    return _indentation(lines, line) or Explained(
        line, f"{_shown(here)} cannot be read here ({message}).", "Compare it with the lines around it."
    )


def _as_a_key(shown: str) -> tuple[str, str] | None:
    """What keeps a line from being a key with its value, and the fix; None where nothing does."""
    if re.fullmatch(r"\s*\[[\w.]+\]\s*", shown):
        return f"{_shown(shown)} looks like TOML.", "Write YAML: `metric: score`."
    if re.match(r"\s*(import|from|def|class|return)\s", shown):
        return f"{_shown(shown)} is Python.", "Name the task file, not the script."
    if (assigned := re.match(r"\s*([\w.]+)\s*=\s*(.*)", shown)) is not None:
        return f"{_shown(shown)} has `=` for a colon.", f"Write `{_cut(f'{assigned[1]}: {assigned[2]}')}`."
    if _SCALAR_KEY.match(shown) or shown.lstrip().startswith(("}", "]", "{", "[")):
        return None
    if re.match(r"\s*[\w.]+:\S", shown):
        return f"{_shown(shown)} has no blank after its colon.", f"Write `{_spaced(shown.strip())}`."
    word, _, rest = shown.strip().partition(" ")
    return f"{_shown(shown)} has no colon after its key.", f"Write `{_cut(f'{word}: {rest}'.rstrip())}`."


def _in_block_text(lines: list[str]) -> set[int]:
    """Numbers of the lines that are text below a key with `|` or `>`."""
    inside: set[int] = set()
    depth: int | None = None
    for number, line in enumerate(lines, start=1):
        if depth is not None and (not line.strip() or _depth(line) > depth):
            inside.add(number)
            continue
        depth = _depth(line) if re.search(r":\s*[|>][+-]?\d?\s*$", line) else None
    return inside


def _indentation(lines: list[str], line: int) -> Explained | None:
    here = lines[min(line, len(lines)) - 1]
    own = _depth(here)
    above = [(n, text) for n, text in enumerate(lines[: line - 1], start=1) if text.strip()]
    above = [(n, text) for n, text in above if not text.strip().startswith("#")]
    if not above:
        return None
    number, before = above[-1]
    if own > _depth(before):
        problem = f"{_shown(here)} is indented below {_shown(before)}, which has its value already."
        return Explained(line, problem, f"Indent it by {_blanks(_depth(before))}, as line {number}.")
    levels = {_depth(text): n for n, text in reversed(above)}
    near = min(levels, key=lambda depth: abs(depth - own))
    if near == own:
        return None
    problem = f"{_shown(here)} is indented by {_blanks(own)}, and no line above it is."
    return Explained(line, problem, f"Indent it by {_blanks(near)}, as line {levels[near]}.")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _blanks(count: int) -> str:
    return "1 blank" if count == 1 else f"{count or 'no'} blanks"


def _spaced(text: str) -> str:
    return _cut(re.sub(r"^([\w.]+):(?=\S)", r"\1: ", text))


def _shown(line: str) -> str:
    return f"`{_cut(line.strip())}`"


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
