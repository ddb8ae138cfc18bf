"""Middleware of the agent: every tool call is an event, and every turn ends.

LangChain by itself loops up to 9,999 times, and ends quietly when the arguments of a call are no JSON.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
from langchain.tools.tool_node import ToolCallRequest
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.runtime import Runtime
from langgraph.types import Command

from tunesmith.errors import ToolError
from tunesmith.events import ToolCalled, ToolReturned
from tunesmith.interfaces import Emit
from tunesmith.text.cleaning import clean
from tunesmith.tools.toolbox.base import Turn

ERROR_LIMIT = 1000
SHOWN_LIMIT = 2000
"""Characters of a result, or of one argument, in an event."""
SHOWN_ARGUMENTS = 12


class TurnGuard(AgentMiddleware[AgentState[Any], Any, Any]):
    """Ends the turn when it is decided, or after too many wrong uses; emits what is called.

    Args:
        turn: The turn it guards; a guard serves only one.
        number: The turn's number, for events.
        wrong_uses: How many wrong uses of tools end the turn.
    Attributes:
        mistakes: Texts of the wrong uses so far.
        used: Whether a tool was called, rightly or wrongly.
        fault: An error of our own inside a tool: not the model's doing, and not to be mistaken for it.
    """

    def __init__(self, turn: Turn, number: int, emit: Emit, wrong_uses: int) -> None:
        super().__init__()
        self._turn, self._number = turn, number
        self._emit, self._wrong_uses = emit, wrong_uses
        # LangGraph runs the calls of one message in threads side by side. Deciding must come after
        # launching, so each waits for those before it.
        self._order: deque[str | None] = deque()
        self._next = threading.Condition()
        self.mistakes: list[str] = []
        self.used = False
        self.fault: Exception | None = None

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        if self._turn.closed or len(self.mistakes) >= self._wrong_uses:
            return {"jump_to": "end"}
        return None

    @hook_config(can_jump_to=["model"])
    def after_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Answer calls that cannot be read; LangChain would end the turn."""
        answer = state["messages"][-1]
        if not isinstance(answer, AIMessage):
            return None
        self._order = deque(call["id"] for call in answer.tool_calls)
        errors = []
        for call in answer.invalid_tool_calls:
            name = clean(call["name"] or "unknown", 60)
            self._called(name, {"unreadable": call["args"] or ""})
            text = self._mistake(name, "the arguments are not valid JSON; call the tool again")
            errors.append(ToolMessage(content=text, tool_call_id=call["id"] or "", name=name, status="error"))
        if not errors:
            return None
        return {"messages": errors, **({} if answer.tool_calls else {"jump_to": "model"})}

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage | Command[Any]:
        with self._in_order(request.tool_call["id"]):
            return self._call(request, handler)

    @contextmanager
    def _in_order(self, call_id: str | None) -> Iterator[None]:
        with self._next:
            self._next.wait_for(lambda: call_id not in self._order or self._order[0] == call_id)
            try:
                yield
            finally:
                if call_id in self._order:
                    self._order.popleft()
                self._next.notify_all()

    def _call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage:
        call = request.tool_call
        name = clean(call["name"], 60)
        self._called(name, call["args"])
        if self._turn.closed:
            return self._refused(call, name, "the turn has ended already; this call was not carried out")
        try:
            result = handler(request)
        except ToolError as error:
            return self._refused(call, name, str(error))
        except Exception as error:
            self.fault = error
            raise
        assert isinstance(result, ToolMessage), "our tools return text"
        if result.status == "error":  # arguments of the wrong shape, or no such tool
            return self._refused(call, name, result.text)
        self._returned(name, result.text, ok=True)
        return result

    def _refused(self, call: Any, name: str, why: str) -> ToolMessage:
        text = self._mistake(name, why)
        return ToolMessage(content=text, tool_call_id=call["id"], name=call["name"], status="error")

    def _mistake(self, name: str, why: str) -> str:
        text = clean(why, ERROR_LIMIT)
        self.mistakes.append(f"{name}: {text}")
        self._returned(name, text, ok=False)
        return text

    def _called(self, name: str, arguments: dict[str, Any]) -> None:
        self.used = True
        shown = {clean(key, 60): _shown(value) for key, value in list(arguments.items())[:SHOWN_ARGUMENTS]}
        self._emit(ToolCalled(turn=self._number, tool=name, arguments=shown))

    def _returned(self, name: str, text: str, *, ok: bool) -> None:
        shown = clean(text, SHOWN_LIMIT, lines=True)
        self._emit(ToolReturned(turn=self._number, tool=name, result=shown, ok=ok))


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return clean(text, SHOWN_LIMIT // SHOWN_ARGUMENTS)
