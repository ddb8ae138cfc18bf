"""An answer of a given shape from any server: by its own schema support, by a tool call, or as JSON in text.

    schema   response_format = json_schema     servers that have it
    tool     one forced tool call              servers with tools
    text     the schema in words               every server

The level is learned by trying and remembered for the session. Behind all three stands the same strict
validator, so what is accepted does not depend on the server. An invalid answer gets one repair
question that names its faults; a second one is an InvalidAnswer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from tunesmith.agent.models.base import Rejected
from tunesmith.agent.models.faults import report
from tunesmith.agent.models.importing import IMPORTING
from tunesmith.agent.models.learned import SURE, Learned, Level
from tunesmith.agent.models.parsing import is_refusal, objects_in, repaired_object
from tunesmith.agent.models.streaming import OnItem
from tunesmith.agent.models.wire import Reply
from tunesmith.errors import InvalidAnswer, ModelError, ModelRefused
from tunesmith.events import AnswersParsed
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean

T = TypeVar("T", bound=BaseModel)
Message = dict[str, Any]
Ask = Callable[[dict[str, Any], OnItem | None], Reply]
"""Sends one request, and streams the answer where somebody listens to its parts."""
LEVELS: tuple[Level, ...] = ("schema", "tool", "text")
TOOL = "answer"
MOST_FAULTS = 8


@dataclass(frozen=True)
class Completion(Generic[T]):
    """A valid answer, and what it took."""

    value: T
    tokens: int
    """Prompt and completion, over every attempt and the repair question."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """One reply, validated: a value, or its faults in words."""

    value: T | None
    faults: tuple[str, ...] = ()
    mended: bool = False
    """Whether its JSON was repaired."""
    bare: bool = False
    """Whether there was no JSON in it at all."""


class Counted:
    """Passes elements on and counts them."""

    def __init__(self, on_item: OnItem) -> None:
        self._on_item = on_item
        self.items = 0

    def __call__(self, name: str, element: Any) -> None:
        self.items += 1
        self._on_item(name, element)


class StructuredCaller:
    """Asks for values of a schema.

    Args:
        ask: Sends one request (messages and parameters) and returns the reply; raises Rejected.
        emit: Gets a Degraded for each fallback and repair, and an AnswersParsed for each question.
        learned: Holds the level to try first; changed here.
    """

    def __init__(self, ask: Ask, emit: Emit, learned: Learned) -> None:
        self._ask, self._emit, self._learned = ask, emit, learned

    def complete(
        self,
        messages: Sequence[Message],
        schema: type[T],
        parameters: dict[str, Any],
        check: Callable[[T], list[str]] | None,
        on_item: OnItem | None = None,
    ) -> T:
        """The value.

        Args:
            parameters: What `ask` takes besides messages and form; `purpose` among them.
            on_item: Given each element of the answer's lists as it comes. An answer that is cut off after
                the first of them is not asked for again.
        Raises:
            ModelRefused, InvalidAnswer, and whatever `ask` raises.
        """
        purpose = parameters["purpose"]
        heard = Counted(on_item) if on_item is not None else None
        try:
            value, stage = self._complete(messages, schema, parameters, check, heard)
        except ModelError as error:
            if heard is not None and heard.items:
                self._emit(AnswersParsed(where=purpose, tolerant=1))
            elif isinstance(error, ModelRefused | InvalidAnswer):
                self._emit(AnswersParsed(where=purpose, refused=1))
            raise
        self._emit(AnswersParsed(where=purpose, **{stage: 1}))
        return value

    def _complete(
        self,
        messages: Sequence[Message],
        schema: type[T],
        parameters: dict[str, Any],
        check: Callable[[T], list[str]] | None,
        heard: Counted | None,
    ) -> tuple[T, str]:
        """The value, and the stage it was read at: `strict`, `tolerant` or, after a question, `repaired`."""
        purpose = parameters["purpose"]
        reply = self._ask_at_best_level(messages, schema, parameters, heard)
        answer = read(reply, schema, check)
        if answer.bare and self._learned.level != "text":
            self._lower(
                "text", purpose, f"the server took the {self._learned.level} request and answered in prose"
            )
        if answer.value is not None:
            self._note_mended(answer, purpose)
            return answer.value, "tolerant" if answer.mended else "strict"
        cause = "; ".join(answer.faults)
        if heard is not None and heard.items and reply.finish_reason == "length":
            raise InvalidAnswer(cause)  # what was complete is in use; asking again costs as much once more
        report(self._emit, "repair", purpose, cause, "the model is asked once to correct it")
        repair = [*messages, *_repair(reply, answer.faults, schema)]
        second = read(self._ask_at_best_level(repair, schema, parameters, heard), schema, check)
        if second.value is None:
            raise InvalidAnswer(
                f"the model's answer ({purpose}) stays invalid after its repair question: "
                + "; ".join(second.faults)
            )
        self._note_mended(second, purpose)
        return second.value, "repaired"

    def _ask_at_best_level(
        self,
        messages: Sequence[Message],
        schema: type[T],
        parameters: dict[str, Any],
        on_item: OnItem | None,
    ) -> Reply:
        """Try levels downwards from the one known to work. Only a lower one that works is remembered."""
        levels = list(LEVELS[LEVELS.index(self._learned.level) :])
        plainest: Rejected | None = None
        for level in levels:
            try:
                asked = {**parameters, **form(messages, schema, level), "last": level == LEVELS[-1]}
                asked["plainest"] = plainest
                reply = self._ask(asked, on_item)
            except Rejected as exc:
                if level == LEVELS[-1]:
                    raise  # not the form is at fault, since plain text is refused too
                cause = str(exc)
                if exc.persistent and level != LEVELS[-1]:
                    levels[levels.index(level) + 1 : -1] = []
                    plainest = exc  # no reason is given: the plainest form at once
                continue
            sure = plainest is None or self._learned.doubts >= SURE
            if level != self._learned.level and sure:
                self._lower(level, parameters["purpose"], cause)
            return reply
        raise AssertionError("the last level returns or raises")

    def _lower(self, level: Level, purpose: str, cause: str) -> None:
        self._learned.level = level
        how = {"tool": "a forced tool call", "text": "JSON in text"}[level]
        report(self._emit, "fallback", purpose, cause, f"answers are asked for as {how} from here on")

    def _note_mended(self, answer: Answer[T], purpose: str) -> None:
        if answer.mended:
            report(
                self._emit, "repair", purpose, "the answer's JSON was broken", "it was repaired and validated"
            )


def form(messages: Sequence[Message], schema: type[BaseModel], level: Level) -> dict[str, Any]:
    """Messages and parameters that ask for the schema at a level."""
    if level == "text":
        asked = (
            f"Answer with one JSON object that fits this JSON schema, and nothing else:\n{_compact(schema)}"
        )
        last = messages[-1]
        return {"messages": [*messages[:-1], {**last, "content": f"{last['content']}\n\n{asked}"}]}
    shape, strict = strict_schema(schema)
    if level == "schema":
        name = re.sub(r"[^A-Za-z0-9_-]", "_", schema.__name__)[:64]  # generic models are named `Page[int]`
        named = {"name": name, "schema": shape, "strict": strict}
        return {
            "messages": list(messages),
            "response_format": {"type": "json_schema", "json_schema": named},
        }
    function = {"name": TOOL, "description": "Give the answer.", "parameters": shape, "strict": strict}
    return {
        "messages": list(messages),
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": TOOL}},
    }


def strict_schema(schema: type[BaseModel]) -> tuple[dict[str, Any], bool]:
    """The JSON schema in OpenAI's strict form, and whether that form can hold it.

    The strict form demands every key of every object, those with a default included. An object with
    free keys (`dict[str, float]`) cannot be strict; it is sent as it is, and the validator does the rest.
    """
    with IMPORTING:
        from openai import pydantic_function_tool

    shape = dict(pydantic_function_tool(schema, name=TOOL)["function"]["parameters"])
    return (shape, True) if _closed(shape) else (schema.model_json_schema(), False)


def read(reply: Reply, schema: type[T], check: Callable[[T], list[str]] | None) -> Answer[T]:
    """Validate a reply. Raises ModelRefused."""
    if reply.refusal or reply.finish_reason == "content_filter":
        raise ModelRefused(f"the model declined to answer: {clean(reply.refusal or 'content filter', 300)}")
    text = _answered(reply)
    candidates = objects_in(text)
    mended = False
    if not candidates:
        reason = (
            "stop" if reply.arguments is not None and reply.finish_reason != "length" else reply.finish_reason
        )
        repaired = repaired_object(text, reason)
        candidates, mended = ([repaired], True) if repaired is not None else ([], False)
    if not candidates:
        if "{" not in text and is_refusal(text):
            raise ModelRefused(f"the model declined to answer: {clean(text, 300)}")
        return Answer(None, (_why_nothing(text, reply.finish_reason),), bare=bool(text) and "{" not in text)
    valid: list[T] = []
    faults: list[str] = []
    for candidate in candidates:
        value, its_faults = _validated(_unwrapped(candidate, schema), schema, check)
        faults += its_faults
        if value is not None:
            valid.append(value)
    if len(valid) == 1:
        return Answer(valid[0], mended=mended)
    if valid:
        return Answer(None, ("the reply holds two different answers; give only one",))
    return Answer(None, tuple(dict.fromkeys(faults))[:MOST_FAULTS])


def _answered(reply: Reply) -> str:
    """Where the answer stands: in the call, the text, or the thoughts of a server that sorts badly."""
    if reply.arguments:
        return reply.arguments
    if reply.text.strip() or reply.finish_reason == "length" or reply.arguments is not None:
        return reply.text or reply.arguments or ""
    return reply.thought


def _unwrapped(candidate: dict[str, Any], schema: type[BaseModel]) -> dict[str, Any]:
    """The answer itself where a model put it under one name (`answer`, the schema's) or wrote out a call.

    Only where no key of the object is one of the answer's own, and one object in it has such keys.
    """
    own = set(schema.model_fields)
    if own & candidate.keys():
        return candidate
    inner = [value for value in candidate.values() if isinstance(value, dict)]
    return inner[0] if len(inner) == 1 and own & inner[0].keys() else candidate


def _validated(
    candidate: dict[str, Any], schema: type[T], check: Callable[[T], list[str]] | None
) -> tuple[T | None, list[str]]:
    try:
        # Through JSON text: strict there still takes a list for a tuple and a string for an enum, which
        # JSON has no other way to write, but no bool or string for a number.
        value = schema.model_validate_json(json.dumps(candidate), strict=True, extra="forbid")
    except ValidationError as exc:
        return None, [_fault(error) for error in exc.errors(include_url=False)]
    faults = [clean(fault, 300) for fault in check(value)] if check is not None else []
    return (None, faults) if faults else (value, [])


def _fault(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the answer"
    got = "" if error["type"] == "missing" else f" (got {clean(repr(error['input']), 80)})"
    return f"{clean(where, 80)}: {error['msg']}{got}"


def _why_nothing(text: str, finish_reason: str) -> str:
    if finish_reason == "length":
        return "the reply was cut off at the token limit before it was complete; be shorter"
    return "the reply holds no valid JSON object" if text.strip() else "the reply was empty"


def _repair(reply: Reply, faults: Sequence[str], schema: type[BaseModel]) -> list[Message]:
    text = _answered(reply)
    listed = "\n".join(f"- {fault}" for fault in faults)
    question = (
        f"Your answer cannot be used:\n{listed}\nAnswer again with one corrected JSON object and nothing "
        f"else. It must fit this JSON schema:\n{_compact(schema)}"
    )
    text = clean(text, 4000, lines=True) or "(empty)"
    return [{"role": "assistant", "content": text}, {"role": "user", "content": question}]


def _compact(schema: type[BaseModel]) -> str:
    return json.dumps(schema.model_json_schema(), separators=(",", ":"))


def _closed(node: Any) -> bool:
    """Whether every object in a schema names all its keys, as the strict form demands."""
    if isinstance(node, list):
        return all(map(_closed, node))
    if not isinstance(node, dict):
        return True
    if node.get("type") == "object" and node.get("additionalProperties") is not False:
        return False
    return all(_closed(value) for value in node.values())
