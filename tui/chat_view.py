"""The log as items: a turn's pieces, and a tool's call and return, are joined."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tunesmith.events import ActionsProposed, Answered, Decided, Thought, ToolCalled, ToolReturned
from tunesmith.steering.written import line_of
from tunesmith.text.literal import LINE_LIMIT, literal, one_line
from tunesmith.text.numbers import counted
from tunesmith.tui.spans import Role, Span, Spans

MOST_ITEMS = 2_000
"""Items kept; older ones are in the report. A long run's log would otherwise grow without end."""

SHORT = 200
"""Characters of a text that is shown whole."""
LONGEST_SENTENCE = 300
NO_CHANGE = "No change of plan"
"""How a decision begins that changes nothing."""
_SENTENCE = re.compile(r".{20,}?[.!?](?=\s)", re.DOTALL)


@dataclass(frozen=True)
class ChatItem:
    """One entry of the log."""

    key: int
    """Counts up from 0 and never changes."""
    mark: str
    """One character in the margin."""
    role: Role
    """Of the mark."""
    spans: Spans
    body: str = ""
    """What opens under the line when it is clicked; empty when there is nothing more."""
    one_line: bool = False
    """Cut at the margin rather than wrapped."""
    gap: bool = False
    """A blank line before it."""


class ChatView:
    """The log's items, oldest first. `changed` collects the keys touched since it was last taken."""

    def __init__(self) -> None:
        self.items: list[ChatItem] = []
        self.dropped = 0
        """Items no longer kept."""
        self.changed: set[int] = set()
        self._streams: dict[tuple[str, int], tuple[int, str]] = {}
        # (speaker or "answer", turn or command) -> (item, text so far), while pieces are still to come
        self._calls: dict[tuple[int, str], list[int]] = {}
        self._last_text = ""
        self._confirming: int | None = None

    def add(
        self,
        mark: str,
        role: Role,
        spans: Sequence[Span],
        *,
        body: str = "",
        one_line: bool = False,
        gap: bool = False,
    ) -> int:
        """Append an item; returns its key."""
        key = self.dropped + len(self.items)
        self.items.append(ChatItem(key, mark, role, tuple(spans), body, one_line, gap))
        self.changed.add(key)
        if len(self.items) > MOST_ITEMS + 200:  # in batches: removing from the front takes linear time
            surplus = len(self.items) - MOST_ITEMS
            del self.items[:surplus]
            self.dropped += surplus
        return key

    def _replace(self, key: int, spans: Spans, body: str | None = None) -> None:
        index = key - self.dropped
        if index >= 0:
            old = self.items[index]
            self.items[index] = replace(old, spans=spans, body=old.body if body is None else body)
            self.changed.add(key)

    def think(self, event: Thought) -> None:
        role: Role = "model" if event.speaker == "model" else "accent"
        self._stream((event.speaker, event.turn), event.text, event.final, "◆", role)

    def answer(self, event: Answered) -> None:
        self._stream(("answer", event.command_id), event.text, event.final, "◆", "model")

    def propose(self, event: ActionsProposed) -> None:
        """What plain words come to, each with the line that does the same."""
        head = "waits for your yes (y) or no (n):" if event.waiting else "as you said:"
        told = [
            f"  {literal(line_of(action))}\n      {one_line(effect, 300)}"
            for action, effect in zip(event.actions, event.effects, strict=False)
        ]
        role: Role = "warn" if event.waiting else "accent"
        self.add(
            "?" if event.waiting else "·", role, ((head, "strong"), ("\n" + "\n".join(told), "")), gap=True
        )

    def _stream(self, name: tuple[str, int], piece: str, final: bool, mark: str, role: Role) -> None:
        # A piece may end inside an escape sequence or a surrogate pair, so it is the whole that is cleaned.
        key, text = self._streams.get(name) or (self.add(mark, role, (), gap=True), "")
        text += piece
        self._last_text = literal(text).strip()
        first, rest = (
            first_sentence(self._last_text) if final and name[0] != "answer" else (self._last_text, "")
        )
        self._replace(key, _marked(((first, ""),), rest), rest)
        if final:
            self._streams.pop(name, None)
        else:
            self._streams[name] = (key, text)

    def confirm(self, text: str, verdict: bool) -> None:
        """Progress of the comparison with the default, on one line that its verdict replaces."""
        if self._confirming is None:
            self._confirming = self.add("=", "good", (), gap=True)
        self._replace(self._confirming, ((text, "strong" if verdict else "dim"),))
        if verdict:
            self._confirming = None

    def call(self, event: ToolCalled) -> None:
        arguments = json.dumps(event.arguments, ensure_ascii=False, default=str)
        short = ", ".join(f"{name}={value}" for name, value in event.arguments.items())
        spans: Spans = (
            (one_line(event.tool, 40), "model"),
            (f" {one_line(short, 120)}" if short else "", "dim"),
        )
        key = self.add("▸", "dim", spans, body=literal(arguments, limit=LINE_LIMIT), one_line=True)
        self._calls.setdefault((event.turn, event.tool), []).append(key)

    def returned(self, event: ToolReturned) -> None:
        waiting = self._calls.get((event.turn, event.tool))
        result = (" → " + one_line(event.result, 120), "dim" if event.ok else "warn")
        key = (
            waiting.pop(0)
            if waiting
            else self.add("▸", "dim", ((one_line(event.tool, 40), "model"),), one_line=True)
        )
        if waiting is not None and not waiting:
            del self._calls[event.turn, event.tool]
        if key >= self.dropped:
            old = self.items[key - self.dropped]
            body = "\n".join(filter(None, (old.body, literal(event.result))))
            self._replace(key, (*old.spans, result), body)  # type: ignore[arg-type]

    def decide(self, event: Decided) -> None:
        """A line for a decision that changes something, or that says what was learned and not said before."""
        decision = event.decision
        reason = literal(decision.reason).strip()
        plan = []
        if decision.stop:
            plan.append(f"stop: {one_line(decision.stop)}")
        if decision.launch:
            plan.append(f"{counted(len(decision.launch), 'configuration')} of its own to run first")
        if decision.candidates:
            plan.append(f"{counted(len(decision.candidates), 'configuration')} of its own compete")
        said = "; ".join(plan)
        if not reason or reason in self._last_text or reason.startswith(NO_CHANGE):
            if said:
                self.add("◇", "accent", ((said, "dim"),))
            return
        first, rest = first_sentence(reason)
        spans: Spans = ((first, ""), (f"  {said}", "dim")) if said else ((first, ""),)
        self.add("◇", "accent", _marked(spans, rest), body=rest)


def first_sentence(text: str) -> tuple[str, str]:
    """The first sentence of a longer text, and the whole of it; a short text is left as it is."""
    if len(text) <= SHORT and "\n" not in text:
        return text, ""
    match = _SENTENCE.match(text)
    first = text if match is None else match[0]
    first = one_line(first, LONGEST_SENTENCE)
    return (text, "") if first == text else (first, text)


def _marked(spans: Spans, rest: str) -> Spans:
    return (*spans, (" …", "dim")) if rest else spans
