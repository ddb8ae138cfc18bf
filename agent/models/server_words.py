"""What a server says about a request that failed, in whatever shape: one reader for log, message and adapter.

{"error": {"message", "code", "param"}}     OpenAI and most others; nested, Anthropic
{"error": "text"}, {"error": ["text"]}      Ollama, TGI, LM Studio
{"detail": "text"}, {"detail": [{"loc", "msg"}]}, {"message": {"detail": ...}}     FastAPI, Mistral
{"object": "error", "message"}, {"errors": [...]}, [{"error": ...}]     vLLM, Cloudflare, Gemini
{"error": {"metadata": {"raw": "{...}"}}}   a gateway that quotes another server, as JSON in a string
<html>...</html>, plain text, nothing       proxies
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tunesmith.text.cleaning import clean

LONGEST = 4000
"""Characters kept of what a server says; a message for a person has the first 300 of them."""
SHOWN = 300
_DEEPEST, _MOST = 8, 20
_TELLING = (
    *("message", "msg", "error", "errors", "detail", "details", "title", "description", "error_description"),
    *("error_message", "errormessage", "reason", "cause", "fault", "faultstring", "raw", "metadata", "body"),
    *("innererror", "inner_error", "response", "errormsg", "err_msg", "err", "fieldviolations"),
)
"""Keys under which servers put words, in lower case, the most telling first."""
_CODES = ("code", "type", "status", "error_type", "errortype", "error_code", "__type")
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{0,2000}>")


@dataclass(frozen=True)
class Said:
    """The words of a server, cleaned.

    Attributes:
        words: All of them on one line, at most `LONGEST` characters; empty where it said nothing.
        param: The parameter that it names in a field of its own.
        codes: Its codes and types, in lower case.
        status: An HTTP status that stands in the body; None without one.
    """

    words: str
    param: str = ""
    codes: frozenset[str] = frozenset()
    status: int | None = None

    @property
    def shown(self) -> str:
        return clean(self.words, SHOWN)


def heard(body: str | Any) -> Said:
    """What a body, as text or decoded, says."""
    reading = _Reading()
    if isinstance(body, str):
        reading.text(body[: 16 * LONGEST], 0)
    else:
        reading.value(body, 0)
    words = list(dict.fromkeys(word for word in reading.words if word))
    told = [w for w in words if not any(w != other and w in other for other in words)]
    param = reading.param
    if param and not any(param in word for word in told):
        told.append(f"({param})")
    return Said(clean("; ".join(told), LONGEST), param, frozenset(reading.codes), reading.status)


def is_error(data: Any) -> bool:
    """Whether a decoded body or chunk of status 200 reports a fault instead of an answer."""
    if isinstance(data, list):
        return any(map(is_error, data[:_MOST]))
    if not isinstance(data, dict):
        return False
    if data.get("error") or data.get("object") == "error" or data.get("type") == "error":
        return True
    choices = data.get("choices")
    if isinstance(choices, list) and choices:
        first = choices[0] if isinstance(choices[0], dict) else {}
        return bool(first.get("error")) or first.get("finish_reason") == "error"
    return choices is None and any(data.get(name) for name in ("detail", "errors", "message", "msg"))


class _Reading:
    """Gathers words, codes and the parameter from a decoded body."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.codes: set[str] = set()
        self.param = ""
        self.status: int | None = None

    def text(self, text: str, depth: int) -> None:
        text = text.strip().lstrip("\ufeff")
        if text[:1] in ("{", "[", '"'):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                pass  # words that begin with a bracket
            else:
                self.value(value, depth and depth + 1)
                return
        if text[:1] == "<" and "</" in text:
            text = _TAGS.sub(" ", _SCRIPT.sub(" ", text))
        self.words.append(clean(text, LONGEST))

    def value(self, value: Any, depth: int) -> None:
        if depth > _DEEPEST:
            return
        if isinstance(value, str):
            self.text(value, depth)
        elif isinstance(value, list):
            for each in value[:_MOST]:
                self.value(each, depth + 1)
        elif isinstance(value, dict):
            self._object(value, depth)

    def _object(self, value: dict[str, Any], depth: int) -> None:
        fields = {str(name).casefold(): each for name, each in value.items()}
        self._facts(fields)
        if isinstance(fields.get("loc"), list) and isinstance(fields.get("msg"), str):
            place = ".".join(str(part) for part in fields["loc"] if part != "body")
            self.words.append(clean(f"{place}: {fields['msg']}", LONGEST))
            return
        before = len(self.words)
        choices = fields.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            self.value(choices[0].get("error"), depth + 1)
        for name in _TELLING:
            if fields.get(name):
                self.value(fields[name], depth + 1)
        if len(self.words) == before and not depth and "choices" not in fields:
            self.words.append(clean(json.dumps(value), SHOWN))

    def _facts(self, fields: dict[str, Any]) -> None:
        for name in _CODES:
            code = fields.get(name)
            if isinstance(code, str) and code:
                self.codes.add(code.casefold())
            elif isinstance(code, int) and 400 <= code <= 599:
                self.status = self.status or code
        param = fields.get("param")
        if isinstance(param, str) and param and not self.param:
            self.param = clean(param, 100)
