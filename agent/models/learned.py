"""What was learned of a model and its server: how requests have to look, and how long answers may be.

One object serves structured questions, plain answers and the agent. It holds for the run: `calls.jsonl` keeps
it, so that a resumed run does not ask again in forms that are known to be refused.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["schema", "tool", "text"]
"""How an answer of a given shape is asked for."""
SURE = 2
"""Doubts about a form from which on it is taken for refused."""


class Learned(BaseModel):
    """Facts about one model at one server.

    Attributes:
        refused: Parameters that are left out, and changes of form that are made (see `adapting.py`).
        schema_without: Keywords that are left out of JSON schemas.
        level: How an answer of a given shape is asked for.
        limit_name: The parameter that limits an answer's length.
        least_limit: Tokens that an answer needs at least, since the model thinks first; 0: none known.
        most_limit: Tokens that the server allows an answer at most; None: none known.
        tool_choice: How one tool is demanded: by its name, as `required`, or not at all.
        not_chat: Models of the server that answer no chats.
        doubts: How often the plainest form was answered after the usual one had failed twice without reason.
            It is kept from the second time on: the first may have been a passing fault.
        thinks_first: The model ends its thoughts by a closing tag without ever writing the opening one.
    """

    model_config = ConfigDict(extra="ignore")

    refused: set[str] = Field(default_factory=set)
    schema_without: set[str] = Field(default_factory=set)
    level: Level = "schema"
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    least_limit: int = Field(default=0, ge=0, le=1_000_000)
    most_limit: int | None = Field(default=None, ge=1)
    tool_choice: Literal["named", "required", "none"] = "named"
    not_chat: set[str] = Field(default_factory=set)
    doubts: int = Field(default=0, ge=0)
    thinks_first: bool = False

    @property
    def tools(self) -> bool:
        """Whether tools may be offered, as far as is known."""
        return "tools" not in self.refused

    def limit(self, asked: int) -> int:
        """The tokens an answer is allowed, for a caller that would allow `asked`."""
        limit = max(asked, self.least_limit)
        return limit if self.most_limit is None else min(limit, self.most_limit)

    def as_json(self) -> dict[str, Any]:
        """For a file; sets in order."""
        return {
            name: sorted(value) if isinstance(value, list | set) else value
            for name, value in self.model_dump(mode="json").items()
        }
