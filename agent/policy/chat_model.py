"""A LanguageModel as LangChain's chat model: caps, retries, adapting and recording as for every call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict

from tunesmith.agent.models import LanguageModel

ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}


class ChatModel(BaseChatModel):
    """Always streams; synchronous use only."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    language_model: LanguageModel
    purpose: str
    """What for, in events and the report."""
    streaming: bool = True

    @property
    def _llm_type(self) -> str:
        return "tunesmith"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        kwargs.pop("tool_choice", None)  # the agent leaves the choice to the model
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        asked = [as_dict(message) for message in messages]
        for piece in self.language_model.chat(asked, tools, purpose=self.purpose):
            calls = [
                tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=call.index)
                for call in piece.calls
            ]
            ending = {"finish_reason": piece.finish_reason} if piece.finish_reason else {}
            yield ChatGenerationChunk(
                message=AIMessageChunk(content=piece.text, tool_call_chunks=calls), generation_info=ending
            )

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


def as_dict(message: BaseMessage) -> dict[str, Any]:
    """A LangChain message in the form of the protocol."""
    asked: dict[str, Any] = {"role": ROLES[message.type], "content": message.text}
    if isinstance(message, ToolMessage):
        asked["tool_call_id"] = message.tool_call_id
    if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
        whole = [(c["id"], c["name"], json.dumps(c["args"], ensure_ascii=False)) for c in message.tool_calls]
        broken = [(c["id"], c["name"], c["args"]) for c in message.invalid_tool_calls]
        asked["tool_calls"] = [
            {"type": "function", "id": call_id, "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in (*whole, *broken)
        ]
        asked["content"] = message.text or None
    return asked
