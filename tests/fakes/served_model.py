"""A language model and the scripted server behind it, over real HTTP, with every event that came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from fakes.chat_server import ChatServer
from tunesmith.agent.models import Completion, LanguageModel
from tunesmith.events import Degraded, ModelCalled, Noted

KEY = "sk-canary-5f0c1d2e3b"
HELLO = [{"role": "user", "content": "Suggest one."}]


class Point(BaseModel):
    """An answer with the two kinds of number that matter."""

    lr: float
    layers: int


@dataclass
class ServedModel:
    """What a test holds."""

    server: ChatServer
    model: LanguageModel
    events: list[Any] = field(default_factory=list)

    def ask(self, words: str = "Suggest one.", **more: Any) -> Completion[Point]:
        return self.model.complete([{"role": "user", "content": words}], Point, purpose="test", **more)

    def say(self, words: str = "hi", **more: Any) -> list[str]:
        """The pieces of text of a streamed answer."""
        asked = [{"role": "user", "content": words}]
        return [piece.text for piece in self.model.chat(asked, purpose="test", **more)]

    @property
    def calls(self) -> list[ModelCalled]:
        return [event for event in self.events if isinstance(event, ModelCalled)]

    @property
    def degraded(self) -> list[Degraded]:
        return [event for event in self.events if isinstance(event, Degraded)]

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Noted)]
