"""Which calls a program makes: what tells its stages apart, and what of a task can be written from that."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.tools.pipelines.items import Item
from tunesmith.tools.pipelines.program import Ran, opened
from tunesmith.tools.pipelines.proxy.calls import CallRecord


@dataclass(frozen=True)
class Kind:
    """Calls that are alike: perhaps a stage."""

    model: str
    system: str
    """Digest of the system prompt; empty without one."""
    header: str
    prompt: str
    """How the system prompt begins."""
    calls: Sequence[CallRecord]
    items: int
    """How many items were run."""

    @property
    def answered(self) -> list[CallRecord]:
        return [call for call in self.calls if call.status < 300]

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

    def task_lines(self, command: Sequence[str], items: str) -> str:
        """The key `problem` of a task, as YAML: every text is quoted as JSON, which YAML reads alike."""
        lines = [
            "problem:",
            "  name: pipeline",
            f"  program: {{command: {json.dumps(list(command))}}}",
            f"  items: {json.dumps(items)}",
            "  stages:",
        ]
        for number, kind in enumerate(self.kinds, 1):
            match = self._match(kind)
            told = "" if match else "  # nothing tells these calls apart: set the header X-Tunesmith-Stage"
            tokens = f"{{prompt: {kind.per_item('prompt')}, completion: {kind.per_item('completion')}}}"
            often = len(kind.answered) / kind.items
            lines += [
                f"    stage_{number}:",
                f"      match: {{{match}}}{told}",
                f"      models: [{json.dumps(kind.model)}]  # add those to choose among",
                f"      tokens: {tokens}" + (f"  # of its {often:g} calls for an item" if often != 1 else ""),
            ]
        return "\n".join(lines) + "\n"

    def _match(self, kind: Kind) -> str:
        for key in ("header", "system", "model"):
            value = getattr(kind, key)
            alike = [one for one in self.kinds if getattr(one, key) == value]
            if value and len(alike) == 1:
                return f"{key}: {json.dumps(value)}"
        several = [
            f"{key}: {json.dumps(getattr(kind, key))}" for key in ("system", "model") if getattr(kind, key)
        ]
        alike = [one for one in self.kinds if (one.system, one.model) == (kind.system, kind.model)]
        return ", ".join(several) if len(alike) == 1 else ""


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
    return Listened(ran, kinds)
