"""A language model of one's own: answers that stand in a file.

TUNESMITH_PROVIDER=canned TUNESMITH_MODEL=answers.txt tunesmith run task.yaml
"""

from pathlib import Path
from typing import Any

from tunesmith.agent.models import Capabilities, Provider
from tunesmith.errors import ModelUnavailable
from tunesmith.settings import ModelSettings


class CannedAnswers(Provider):
    """Every request gets the text of the file that TUNESMITH_MODEL names."""

    capabilities = Capabilities(tools=False, schema=False, choices=False, logprobs=False)
    priced = False  # a cap on dollars means nothing here

    def __init__(self, settings: ModelSettings) -> None:
        self._path = Path(settings.model or "answers.txt")
        self.place = f"the file {self._path.name}"

    @property
    def model(self) -> str:
        return self._path.stem

    def respond(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError as error:
            raise ModelUnavailable(f"{self._path} cannot be read: {error.strerror}") from None
        return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
