"""A conversation in the forms that chat templates can hold: no system role, strict turns, no tool roles."""

from __future__ import annotations

import json
from typing import Any

Message = dict[str, Any]
BETWEEN = "\n\n"


def folded(messages: list[Message]) -> list[Message]:
    """The same conversation without system messages: their text stands before the first user's."""
    system = [_words(m) for m in messages if m.get("role") in ("system", "developer")]
    rest = [dict(m) for m in messages if m.get("role") not in ("system", "developer")]
    if not system:
        return rest
    first = next((m for m in rest if m.get("role") == "user"), None)
    if first is None:
        return [{"role": "user", "content": BETWEEN.join(system)}, *rest]
    first["content"] = BETWEEN.join([*system, _words(first)])
    return rest


def in_turns(messages: list[Message]) -> list[Message]:
    """The same conversation with user and assistant in turn: neighbours of one role are one message."""
    turns: list[Message] = []
    for message in messages:
        last = turns[-1] if turns else {}
        plain = not message.get("tool_calls") and not last.get("tool_calls")
        if plain and message.get("role") == last.get("role") and message.get("role") in ("user", "assistant"):
            last["content"] = BETWEEN.join(text for text in (_words(last), _words(message)) if text)
        else:
            turns.append(dict(message))
    return turns


def in_words(messages: list[Message]) -> list[Message]:
    """The same conversation with tool calls and their results as words of the assistant and the user."""
    names: dict[str, str] = {}
    told: list[Message] = []
    for message in messages:
        if message.get("role") == "tool":
            name = names.get(str(message.get("tool_call_id")), "the tool")
            told.append({"role": "user", "content": f"Result of {name}:\n{_words(message)}"})
        elif message.get("tool_calls"):
            called = []
            for call in message["tool_calls"]:
                function = call.get("function") or {}
                names[str(call.get("id"))] = str(function.get("name"))
                called.append(f"Called {function.get('name')} with {function.get('arguments')}")
            words = "\n".join(text for text in (_words(message), *called) if text)
            told.append({"role": "assistant", "content": words})
        else:
            told.append(dict(message))
    return told


def has_role(messages: list[Message], *roles: str) -> bool:
    return any(message.get("role") in roles for message in messages)


def _words(message: Message) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
