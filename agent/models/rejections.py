"""What a rejection means for the next request: which part of the last one the server does not accept.

Servers name a parameter, a role, a keyword of the schema, a limit, or nothing at all. Only what was sent can
be at fault, so each pattern is tried on the body that was rejected.
"""

from __future__ import annotations

import re
from typing import Any

from tunesmith.agent.models.base import Request
from tunesmith.agent.models.roles import has_role, in_turns

PARAMETERS = {
    "stream_options": re.compile(r"stream.?options|include_usage", re.I),
    "temperature": re.compile("temperature", re.I),
    "top_p": re.compile(r"top[ _-]?p(?![a-z])", re.I),
    "n": re.compile(r"(?<![\w.])n(?![\w.])|number of (?:choices|completions)|candidate ?count|best_of", re.I),
    "logprobs": re.compile("log ?_?prob", re.I),
    "stop": re.compile(r"(?<![a-z])stop(?![a-z])", re.I),
    "seed": re.compile(r"(?<![a-z])seed(?![a-z])", re.I),
    "reasoning_effort": re.compile(r"reasoning|effort|thinking", re.I),
}
"""What may be left out, and how a rejection names it."""
_STREAM = re.compile(r"(?<![a-z_])stream(?:ing|ed)?(?![a-z_])", re.I)

_SYSTEM = re.compile(
    r"system.{0,20}role|role.{0,20}system|system (?:message|prompt|instruction)|developer.{0,20}instruction",
    re.I,
)
_TURNS = re.compile(r"altern|in a row|consecutive|same role|back.to.back|first message must", re.I)
_TOOL_ROLE = re.compile(
    r"only (?:['\"]?\w+['\"]?,? ?(?:and|or)? ?){2,4} ?roles|tool.{0,20}role|role.{0,20}tool"
    r"|(?:unexpected|unknown|invalid|unsupported) role",
    re.I,
)
_TEMPLATE = re.compile(r"jinja|chat.?template|template.?error|raise_exception|render.{0,20}template", re.I)
TOOLS = re.compile(
    r"not support.{0,60}(?:tool|function)|support tool use|enable-auto-tool-choice|tools? param requires"
    r"|(?:tool|function).{0,60}(?:not|n't|un)\s?(?:be |been )?(?:support|enabl|allow|permit|implement)"
    r"|unsupported param: tool|no .{0,40}supports? tool",
    re.I,
)
"""Says that tools cannot be offered at all."""
_TOOL_CHOICE = re.compile(r"tool[_ ]choice", re.I)
_UNSUPPORTED = re.compile(
    r"unsupported|not (?:be )?(?:supported|permitted|allowed|implemented|recogni[sz]ed)|unrecogni[sz]ed"
    r"|unknown (?:field|param|arg|name|key)|extra (?:inputs|fields)|does(?:n't| not) support|schema",
    re.I,
)
_LIMIT = re.compile(
    r"max_(?:completion_|output_|new_)?tokens|maximum (?:context|model|output|number of tokens)"
    r"|(?:completion|output|new) tokens|context (?:length|window|size)",
    re.I,
)
_TOO_LARGE = re.compile(
    r"too (?:large|long|high|big|many)|exceed|at most|less than|up to|<=?|≤|maximum|range|between"
    r"|greater than|reduce|larger than|more than",
    re.I,
)
_HIGHEST = re.compile(
    r"(?:at most|less than or equal to|less than|up to|<=|≤|<|\d ?>|maximum (?:allowed )?(?:value|is|allowed)"
    r"[^0-9]{0,60}?|between \d+ and|range[^0-9\[]{0,40}\[\d+, ?)\s*[`'\"(]?(\d[\d,]*)",
    re.I,
)
_CONTEXT = re.compile(r"(?:context (?:length|window|size)|must be <=)[^0-9]{0,30}(\d[\d,]*)", re.I)
_PROMPT = re.compile(
    r"(\d[\d,]*)(?: tokens)? (?:in (?:the|your) (?:messages|prompt|input)|(?:of |from )?`?inputs?`?)"
    r"|(\d[\d,]*) (?:input|prompt) tokens|(?:prompt|input)[^0-9]{0,30}?(\d[\d,]*) tokens",
    re.I,
)
LEAST_LIMIT = 64
"""Fewer tokens hold no answer."""
MARGIN = 16


def parameter(words: str, body: Request) -> str | None:
    """A parameter in the body that the words name."""
    sent = [name for name in PARAMETERS if body.get(name) and not (name == "n" and body[name] == 1)]
    found = next((name for name in sent if PARAMETERS[name].search(words)), None)
    if found is None and body.get("stream_options") and _STREAM.search(words):
        return "stream"
    return found


def lower_limit(words: str, limit: int) -> int | None:
    """A smaller token limit that the words ask for; None where they are not about it.

    A server that gives no number is asked for half as much.
    """
    if not _LIMIT.search(words) or not _TOO_LARGE.search(words):
        return None
    context, prompt = _CONTEXT.search(words), _PROMPT.search(words)
    allowed = [_number(match) for match in _HIGHEST.finditer(words)]
    if context and prompt:
        allowed.append(_number(context) - _number(prompt) - MARGIN)
        if allowed[-1] < LEAST_LIMIT:
            return None  # the prompt alone is too long
    lower = [number for number in allowed if LEAST_LIMIT <= number < limit]
    if lower:
        return min(lower)
    if limit // 2 < LEAST_LIMIT:
        return None
    about_prompt = re.search(r"prompt|messages|input", words, re.I) and not re.search(
        r"completion|max_", words, re.I
    )
    return None if about_prompt else limit // 2


def role_changes(words: str, body: Request) -> list[str]:
    """Changes of the messages that the words ask for, the likeliest first; empty: they are about no role."""
    system, turns, tool = (bool(p.search(words)) for p in (_SYSTEM, _TURNS, _TOOL_ROLE))
    if not (system or turns or tool or _TEMPLATE.search(words)):
        return []
    if not (system or turns or tool) and body.get("tools") and TOOLS.search(words):
        return []  # a template is named, but tools are what it lacks
    wanted = ["turns"] if turns else []
    wanted += ["system", "turns", "tool_role"] if system or not tool else ["system", "tool_role", "turns"]
    possible = possible_changes(body)
    return [change for change in dict.fromkeys(wanted) if change in possible]


def possible_changes(body: Request) -> list[str]:
    """Changes that would make the messages of the body other ones."""
    messages = body.get("messages") or []
    possible = ["system"] if has_role(messages, "system", "developer") else []
    if in_turns(messages) != messages:
        possible.append("turns")
    if has_role(messages, "tool") or any(message.get("tool_calls") for message in messages):
        possible.append("tool_role")
    return possible


def tool_choice(words: str, body: Request) -> bool:
    return bool(body.get("tool_choice")) and bool(_TOOL_CHOICE.search(words)) and not TOOLS.search(words)


def is_about_form(words: str) -> bool:
    """Whether words that came with a status such as 500 blame the form of the request."""
    return bool(
        _TEMPLATE.search(words)
        or TOOLS.search(words)
        or _UNSUPPORTED.search(words)
        or _SYSTEM.search(words)
        or _TOOL_ROLE.search(words)
        or (_TURNS.search(words) and re.search("role|user", words, re.I))
    )


def _number(match: re.Match[str]) -> int:
    return int(next(group for group in match.groups() if group).replace(",", ""))


def forms(body: Request) -> dict[str, Any]:
    """Schemas in a body: what a rejection of a keyword can mean."""
    schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
    tools = [(tool.get("function") or {}).get("parameters") for tool in body.get("tools") or []]
    return {"all": [each for each in (schema, *tools) if isinstance(each, dict)]}
