"""Which calls a program makes: what tells its stages apart, and what of a task can be written from that."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.tools.pipelines.items import Item
from tunesmith.tools.pipelines.program import Ran, opened
from tunesmith.tools.pipelines.proxy.calls import CallRecord

SHORTEST = 8
"""Characters that system prompts of one stage have in common at least."""


@dataclass(frozen=True)
class Kind:
    """Calls that are alike: perhaps a stage."""

    model: str
    system: str
    """Digest of the system prompt; empty without one, or where each item has its own."""
    header: str
    prompt: str
    """How the system prompt begins; where each item has its own, what they have in common."""
    calls: Sequence[CallRecord]
    items: int
    """How many items were run."""

    @property
    def answered(self) -> list[CallRecord]:
        return [call for call in self.calls if call.status < 300]

    @property
    def varies(self) -> bool:
        """Whether each item has a system prompt of its own."""
        return bool(self.prompt) and not self.system

    def each(self, name: str) -> float:
        """Mean of a figure over the calls that were answered."""
        return math.fsum(getattr(call, name) for call in self.answered) / max(1, len(self.answered))

    def per_item(self, name: str) -> int:
        """Sum of a figure over the calls for one item, on average; at least 1."""
        return max(1, round(math.fsum(getattr(call, name) for call in self.answered) / self.items))


@dataclass(frozen=True)
class Listened:
    """What a program did on some items."""

    ran: Sequence[Ran]
    kinds: Sequence[Kind]
    """In the order of their first calls."""

    def task_lines(self, program: Mapping[str, Any], items: str) -> str:
        """The key `problem` of a task, as YAML: every text is quoted as JSON, which YAML reads alike.

        Args:
            program: What the task is to say under `program`.
        """
        stated = ", ".join(f"{key}: {json.dumps(value)}" for key, value in program.items())
        lines = [
            "problem:",
            "  name: pipeline",
            f"  program: {{{stated}}}",
            f"  items: {json.dumps(items)}",
            "  stages:  # name a second model somewhere: with one each, nothing is left to choose",
        ]
        for number, kind in enumerate(self.kinds, 1):
            match = self._match(kind)
            told = "" if match else "  # nothing tells these calls apart: set the header X-Tunesmith-Stage"
            lines += [
                f"    stage_{number}:",
                f"      match: {{{match}}}{told}",
                f"      models: [{json.dumps(kind.model)}]  # add those to choose among",
                f"      {_tokens(kind)}",
            ]
        return "\n".join(lines) + "\n"

    def _match(self, kind: Kind) -> str:
        if kind.varies:
            return f"system: {json.dumps(kind.prompt)}"
        for key in ("header", "system", "model"):
            value = getattr(kind, key)
            alike = [one for one in self.kinds if getattr(one, key) == value]
            if value and len(alike) == 1:
                return f"{key}: {json.dumps(value)}"
        alike = [
            one
            for one in self.kinds
            if (one.system, one.model) == (kind.system, kind.model) and not one.varies
        ]
        both = f"system: {json.dumps(kind.system)}, model: {json.dumps(kind.model)}"
        return both if len(alike) == 1 and kind.model else ""


def _tokens(kind: Kind) -> str:
    if not kind.answered:
        return "# no call of these was answered: state `tokens` for the cost"
    often = len(kind.answered) / kind.items
    tokens = f"tokens: {{prompt: {kind.per_item('prompt')}, completion: {kind.per_item('completion')}}}"
    return tokens + (f"  # of its {often:g} calls for an item" if often != 1 else "")


def listen(program: Mapping[str, Any], items: Sequence[Item], folder: Path) -> Listened:
    """Run a program on items as it is, its calls led through the proxy; nothing is kept.

    Args:
        program: As `problem.program` of a task, as JSON.
    Raises:
        PipelineError: It cannot be started, failed on every item, or a call could not be led on.
    """
    given = {"pipeline": {"stages": {}, "program": program, "replay": False, "bank": None}, "prices": {}}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tunesmith-listen-")))
        programs = stack.enter_context(opened(given, (), folder, place / "calls.sqlite", 0, fresh=True))
        ran = list(programs.run(items))
    alike: dict[tuple[str, str, str], list[CallRecord]] = {}
    prompts: dict[str, str] = {}
    for one in ran:
        prompts.update(one.prompts)
        for call in one.calls:
            if call.endpoint[:7] != "/models":
                alike.setdefault((call.requested, call.system, call.header), []).append(call)
    kinds = [
        Kind(model, system, header, prompts.get(system, ""), calls, len(ran))
        for (model, system, header), calls in alike.items()
    ]
    return Listened(ran, _joined(kinds))


def _joined(kinds: Sequence[Kind]) -> list[Kind]:
    """Kinds whose system prompts hold the item joined by how they begin, one of each item."""
    groups: list[tuple[str, list[Kind]]] = []
    for kind in kinds:
        alone = len({call.item for call in kind.calls}) == 1 < kind.items
        common = [
            _beginning(prompt, kind.prompt) if alone and _may_join(members, kind) else ""
            for prompt, members in groups
        ]
        best = max(range(len(groups)), key=lambda place: len(common[place]), default=0)
        if groups and len(common[best]) >= SHORTEST:
            groups[best] = (common[best], [*groups[best][1], kind])
        else:
            groups.append((kind.prompt, [kind]))
    made = []
    for prompt, members in groups:
        others = [kind for kind in kinds if kind not in members]
        if len(members) == 1 or any(kind.prompt.startswith(prompt) for kind in others):
            made += members
        else:
            calls = [call for kind in members for call in kind.calls]
            made.append(Kind(members[0].model, "", "", prompt, calls, members[0].items))
    return made


def _may_join(members: Sequence[Kind], kind: Kind) -> bool:
    seen = [{call.item for call in one.calls} for one in members]
    return (
        bool(kind.system)
        and not kind.header
        and all(one.model == kind.model and one.system and not one.header for one in members)
        and all(len(items) == 1 for items in seen)
        and kind.calls[0].item not in set().union(*seen)
    )


def _beginning(first: str, second: str) -> str:
    """The whole words with which both begin."""
    same = os.path.commonprefix([first, second])
    return same if same in (first, second) else same[: max(same.rfind(" "), same.rfind("\n")) + 1].rstrip()
