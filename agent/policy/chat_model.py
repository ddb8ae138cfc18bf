"""A LanguageModel as LangChain's chat model: caps, retries, adapting and recording as for every call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
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

ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


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
        text, calls = "", dict[int, tuple[str, str, str]]()  # index -> (id, name, arguments so far)
        for piece in self.language_model.chat(list(map(as_dict, messages)), tools, purpose=self.purpose):
            text += piece.text
            for call in piece.calls:
                call_id, name, arguments = calls.get(call.index, ("", "", ""))
                known = (call_id or call.id or "", name or call.name or "", arguments + call.arguments)
                calls[call.index] = known
            self.on_piece(piece)
        read = [(call_id, name, arguments, _object(arguments)) for call_id, name, arguments in calls.values()]
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
    try:
        decoded = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None
