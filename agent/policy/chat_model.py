"""A LanguageModel as LangChain's chat model: caps, retries, adapting and recording as for every call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.messages.tool import invalid_tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from tunesmith.agent.models import LanguageModel, Piece
from tunesmith.agent.models.parsing import objects_in, without_thinking
from tunesmith.agent.models.wire import CallPiece, decoded

ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


@dataclass
class Call:
    """One tool call, as far as it has come."""

    id: str
    name: str
    arguments: str = ""


class Calls:
    """Gathers the tool calls of one message from their pieces.

    A piece belongs to the call of its index. Servers that number all calls 0, or none, begin a new one with
    another id, or with a name where the call before has one already.
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._at: dict[int, int] = {}  # the latest call of an index

    def add(self, piece: CallPiece) -> None:
        place = self._at.get(piece.index)
        last = None if place is None else self._calls[place]
        another = last is not None and (
            (piece.id and last.id and piece.id != last.id)
            or (piece.name and last.name and not piece.id and _object(last.arguments) is not None)
        )
        if last is None or another:
            self._at[piece.index] = len(self._calls)
            last = Call("", "")
            self._calls.append(last)
        last.id, last.name = last.id or piece.id or "", last.name or piece.name or ""
        last.arguments += piece.arguments

    def named(self, messages: int) -> list[Call]:
        """All of them, each with an id of its own: results are told apart by it.

        Args:
            messages: How many messages the conversation has, so that no earlier id is used again.
        """
        seen: set[str] = set()
        for number, call in enumerate(self._calls):
            if not call.id or call.id in seen:
                call.id = f"call_{messages}_{number}"
            seen.add(call.id)
        return self._calls


class ChatModel(BaseChatModel):
    """Streams to `on_piece`, and gives LangChain the whole message.

    LangChain's own streaming completes a call that was cut off: `{"lr": 0.00` would be run as 0.0. Here a
    call whose arguments are no JSON object is an invalid one.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    language_model: LanguageModel
    purpose: str
    """What for, in events and the report."""
    on_piece: Callable[[Piece], None]
    """Gets each piece of the answer as it comes, in the thread of the call."""

    @property
    def _llm_type(self) -> str:
        return "tunesmith"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        kwargs.pop("tool_choice", None)  # the agent leaves the choice to the model
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> ChatResult:
        text, calls = "", Calls()
        for piece in self.language_model.chat(list(map(as_dict, messages)), tools, purpose=self.purpose):
            text += piece.text
            for call in piece.calls:
                calls.add(call)
            self.on_piece(piece)
        read = [(c.id, c.name, c.arguments, _object(c.arguments)) for c in calls.named(len(messages))]
        message = AIMessage(
            content=text,
            tool_calls=[ToolCall(name=n, args=args, id=i) for i, n, _, args in read if args is not None],
            invalid_tool_calls=[invalid_tool_call(name=n, args=a, id=i) for i, n, a, o in read if o is None],
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


def as_dict(message: BaseMessage) -> dict[str, Any]:
    """A LangChain message in the form of the protocol."""
    asked: dict[str, Any] = {"role": ROLES[message.type], "content": message.text}
    if isinstance(message, ToolMessage):
        asked["tool_call_id"] = message.tool_call_id
    if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
        # Servers decode the arguments of earlier calls, so even unreadable ones are sent as JSON.
        unreadable = [(c["id"], c["name"], {"unreadable": c["args"]}) for c in message.invalid_tool_calls]
        asked["tool_calls"] = [
            {
                "type": "function",
                "id": call_id,
                "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)},
            }
            for call_id, name, arguments in (
                *((c["id"], c["name"], c["args"]) for c in message.tool_calls),
                *unreadable,
            )
        ]
        asked["content"] = message.text or None
    return asked


def _object(arguments: str) -> dict[str, Any] | None:
    """Arguments as an object: as JSON, as JSON in a string, or with the model's thoughts around it."""
    text = decoded(arguments).strip()
    if text in ("", "null", "None"):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        thoughtful = without_thinking(text).strip() != text
        found = objects_in(text) if thoughtful else []
        return found[0] if len(found) == 1 else None
    return value if isinstance(value, dict) else None
