"""Requests in the form that a server accepts: learned by trying, remembered for the run.

Servers differ in which parameters they take: reasoning models refuse a temperature or rename the token limit,
small servers refuse several choices or log-probabilities, chat templates know no system role or no two
messages of one role, grammars know few keywords of a JSON schema. Whatever a rejection names is left out,
renamed or changed from then on, and reported once. One that names nothing is answered by the plainest form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tunesmith.agent.models.base import Rejected, Request
from tunesmith.agent.models.estimating import estimate_prompt
from tunesmith.agent.models.faults import report
from tunesmith.agent.models.learned import SURE, Learned
from tunesmith.agent.models.limits import AnswerLimit
from tunesmith.agent.models.rejections import (
    PARAMETERS,
    TOOLS,
    forms,
    lower_limit,
    parameter,
    possible_changes,
    role_changes,
    tool_choice,
)
from tunesmith.agent.models.roles import folded, in_turns, in_words
from tunesmith.agent.models.schemas import named, without
from tunesmith.errors import ModelUnavailable, ReplayMiss
from tunesmith.interfaces import Emit

T = TypeVar("T")
LIMIT_NAMES: dict[str, Any] = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
}
OURS = ("limit", "purpose", "logprobs", "last", "plainest")
"""Keys of what is asked that are not the protocol's own, or not in its form."""
SAID = {
    "system": "the system message is put before the user's from here on",
    "turns": "neighbouring messages of one role are sent as one from here on",
    "tool_role": "tool calls and their results are told in words from here on",
    "no_limit": "answers are asked for without a token limit from here on",
    "strict": "schemas are sent without the strict promise from here on",
    "tools": "tools are not offered to it from here on",
}
COUNTING = {"stream_options"}
MOST_CHANGES = 24
"""Changes to one request: a server that always finds another fault is given up."""

Send = Callable[[Request, str], T]
"""Sends one body for a purpose, and returns the completion or its stream; raises Rejected."""


class ToolsRefused(ModelUnavailable):
    """The model or its server takes no tools."""


class Adapter:
    """Sends requests without what the server does not accept; one serves all requests of a model.

    Args:
        learned: What is known so far; changed here.
        limits: How long answers may be.
        emit: Gets a Degraded the first time something is left out.
        parameters: Sent with every request, such as `reasoning_effort`.
    """

    def __init__(
        self, learned: Learned, limits: AnswerLimit, emit: Emit, parameters: dict[str, Any] | None = None
    ) -> None:
        self.learned, self._limits, self._emit = learned, limits, emit
        self._parameters = parameters or {}

    def ask(self, asked: dict[str, Any], send: Send[T]) -> T:
        """What `send` returns for the first form that is not rejected.

        Args:
            asked: Messages and parameters of the protocol; besides these `limit` (tokens), `purpose`, and
                `logprobs` as the number of alternatives wanted at each place. None leaves a parameter out.
                `last`: False where the caller has a plainer form of its own for a rejection without a name.
                `plainest`: The rejection that the plainest form is to answer at once.
        Raises:
            ToolsRefused: It was asked with tools, and takes none.
            Rejected: nothing more can be left out.
        """
        for _ in range(MOST_CHANGES):
            body = self._body(asked)
            if isinstance(asked.get("plainest"), Rejected):
                return self._plainest(asked, body, send, asked["plainest"])
            if body.get("tools") and not body.get("tool_choice") and not self.learned.tools:
                raise ToolsRefused("the model's server takes no tools")
            try:
                return send(body, asked["purpose"])
            except Rejected as rejected:
                if self._learned(rejected, body, asked["purpose"]):
                    continue
                if asked.get("last", True):
                    return self._plainest(asked, body, send, rejected)
                raise
        raise ModelUnavailable(f"the server rejected {MOST_CHANGES} forms of one request")

    def refuse(self, what: str, purpose: str, cause: str) -> None:
        """Remember that something is refused, and report it the first time."""
        if what in self.learned.refused:
            return
        self.learned.refused.add(what)
        report(self._emit, "fallback", purpose, cause, SAID.get(what, f"`{what}` is left out from here on"))

    def _plainest(self, asked: dict[str, Any], body: Request, send: Send[T], rejected: Rejected) -> T:
        """Nothing is named: the plainest form is tried once. Only if that works was the form at fault."""
        droppable = {name for name in PARAMETERS if _sends(name, body)} | set(possible_changes(body))
        if not droppable and not rejected.persistent:
            raise rejected
        if rejected.persistent:
            how = "another attempt, in the plainest form"
            report(self._emit, "retry", asked["purpose"], str(rejected), how)
        # That a stream says what it cost is given up last.
        stages = [gone for gone in (droppable - COUNTING, droppable) if gone]
        if rejected.persistent:
            stages = stages[:1] or [droppable]  # the circuit breaker allows one more attempt
        for place, gone in enumerate(stages):
            if gone in stages[:place]:
                continue
            try:
                answer = send(self._body(asked, gone), asked["purpose"])
            except (Rejected, ReplayMiss):
                continue
            self.learned.doubts += rejected.persistent
            if rejected.persistent and self.learned.doubts < SURE:
                return answer
            for name in sorted(gone):
                self.refuse(name, asked["purpose"], str(rejected))
            return answer
        raise rejected

    def _body(self, asked: dict[str, Any], also: set[str] = frozenset()) -> Request:  # type: ignore[assignment]
        learned = self.learned
        refused = learned.refused | also
        body = {
            name: value
            for name, value in {**self._parameters, **asked}.items()
            if name not in OURS and name not in refused - {"tools"} and value is not None
        }
        if body.get("n") == 1:
            del body["n"]
        if asked.get("logprobs") and "logprobs" not in refused:
            body |= {"logprobs": True, "top_logprobs": asked["logprobs"]}
        body["messages"] = _in_form(body["messages"], refused)
        if "stream" in refused and asked.get("stream_options"):
            body.pop("stream_options", None)
            body["stream"] = False
        if "no_limit" not in refused:
            prompt = estimate_prompt(body) if learned.least_limit > asked["limit"] else 0
            choices = body.get("n", 1)
            body[learned.limit_name] = self._limits.of(asked["limit"], choices=choices, prompt=prompt)
        if isinstance(body.get("tool_choice"), dict) and learned.tool_choice != "named":
            if learned.tool_choice == "none":
                del body["tool_choice"]
            else:
                body["tool_choice"] = "required"
        if learned.schema_without or "strict" in refused:
            body = _with_schemas(body, learned.schema_without)
        return body

    def _learned(self, rejected: Rejected, body: Request, purpose: str) -> bool:
        """Whether a rejection named something that can be changed; remembers it."""
        words = rejected.words
        name = parameter(words, body)
        if name is not None:
            self.refuse(name, purpose, str(rejected))
            return True
        return (
            self._learned_limit(words, body, rejected, purpose)
            or self._learned_roles(words, body, rejected, purpose)
            or self._learned_tools(words, body, rejected, purpose)
            or self._learned_schema(words, body, rejected, purpose)
        )

    def _learned_limit(self, words: str, body: Request, rejected: Rejected, purpose: str) -> bool:
        learned = self.learned
        limit = body.get(learned.limit_name)
        if not isinstance(limit, int):
            return False
        lower = lower_limit(words, limit)
        if lower is not None:
            learned.most_limit = lower
            how = f"answers may take {lower} tokens from here on"
            report(self._emit, "fallback", purpose, str(rejected), how)
            return True
        if learned.limit_name not in words:
            return False
        if "limit" in learned.refused:  # the other name was refused before
            self.refuse("no_limit", purpose, str(rejected))
        else:
            learned.refused.add("limit")
            learned.limit_name = LIMIT_NAMES[learned.limit_name]
        return True

    def _learned_roles(self, words: str, body: Request, rejected: Rejected, purpose: str) -> bool:
        changes = role_changes(words, body)
        if changes:
            self.refuse(changes[0], purpose, str(rejected))
        return bool(changes)

    def _learned_tools(self, words: str, body: Request, rejected: Rejected, purpose: str) -> bool:
        if not body.get("tools"):
            return False
        if tool_choice(words, body) and self.learned.tool_choice != "none":
            self.learned.tool_choice = "required" if self.learned.tool_choice == "named" else "none"
            how = "a tool is demanded in another way from here on"
            report(self._emit, "fallback", purpose, str(rejected), how)
            return True
        if TOOLS.search(words) and not body.get("tool_choice"):
            self.refuse("tools", purpose, str(rejected))
            raise ToolsRefused(str(rejected)) from None
        return False

    def _learned_schema(self, words: str, body: Request, rejected: Rejected, purpose: str) -> bool:
        schemas = forms(body)["all"]
        found = {name for schema in schemas for name in named(words, schema)} - self.learned.schema_without
        if found:
            self.learned.schema_without |= found
            listed = ", ".join(f"`{name}`" for name in sorted(found))
            how = f"schemas are sent without {listed} from here on"
            report(self._emit, "fallback", purpose, str(rejected), how)
            return True
        strict = schemas and "strict" in words and "strict" not in self.learned.refused
        if strict:
            self.refuse("strict", purpose, str(rejected))
        return bool(strict)


def _sends(name: str, body: Request) -> bool:
    return bool(body.get(name)) and not (name == "n" and body[name] == 1)


def _in_form(messages: list[dict[str, Any]], refused: set[str]) -> list[dict[str, Any]]:
    for change, made in (("system", folded), ("tool_role", in_words), ("turns", in_turns)):
        if change in refused:
            messages = made(messages)
    return messages


def _with_schemas(body: Request, gone: set[str]) -> Request:
    """The body with its schemas reduced; a schema that is not whole is not promised to be kept strictly."""
    given = body.get("response_format")
    if isinstance(given, dict) and isinstance(given.get("json_schema"), dict):
        held = {name: value for name, value in given["json_schema"].items() if name != "strict"}
        held["schema"] = without(held["schema"], gone)
        body = {**body, "response_format": {**given, "json_schema": held}}
    if body.get("tools"):
        body = {**body, "tools": [_with_parameters(tool, gone) for tool in body["tools"]]}
    return body


def _with_parameters(tool: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    function = {name: value for name, value in tool.get("function", {}).items() if name != "strict"}
    if isinstance(function.get("parameters"), dict):
        function["parameters"] = without(function["parameters"], gone)
    return {**tool, "function": function}
