"""Reservations of model calls on disk, so that caps hold across kills.

`calls.jsonl` in a run folder. A line for each attempt, durable before its request leaves, with its worst
case; another with what it took, once that is known:

    {"call": 3, "purpose": "agent.decide", "model": "m", "prompt_tokens": 900, "completion_tokens": 4096,
     "dollars": 0.01}
    {"settled": 3, "prompt_tokens": 850, "completion_tokens": 120, "dollars": 0.0004}

An attempt without the second line was under way when its session was killed: it counts in full. A line
`{"before": ...}` has what a run had spent when the file was begun. A torn line is one whose request never
left, because it is written before; what else cannot be read is left out. Lines `{"learned": ..., "of": ...}`
keep what was learned of a server (`learned.py`).
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from tunesmith.agent.models.learned import Learned
from tunesmith.budget import ModelSpend
from tunesmith.errors import ModelUnavailable
from tunesmith.text.cleaning import error_line
from tunesmith.trial import Frozen

CALLS = "calls.jsonl"
"""Name of the file in a run folder."""


class Held(Frozen):
    """One reserved attempt as it is on disk."""

    call: int
    purpose: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None


class Reservations:
    """Appends to one file; used by one process, whose threads are kept in order by the ledger.

    Args:
        path: Made when the first reservation comes. What is no file of its own (a link, a pipe) is refused.
        spent: What the events of the run say was spent; where they know of more calls, the file is behind.
    Attributes:
        spend: What earlier sessions spent, without the attempts that were under way when one was killed.
        unsettled: Those attempts.
    Raises:
        ModelUnavailable: The file cannot be used: no cap could be kept.
    """

    def __init__(self, path: Path, spent: ModelSpend) -> None:
        self._path = path
        self.spend, self.unsettled, self._calls = spent, list[Held](), 0
        lines = _lines(self._read())
        self._learned = {str(line.get("of")): line["learned"] for line in lines if "learned" in line}
        starts = [place for place, line in enumerate(lines) if _before(line) is not None]
        total = ModelSpend()
        if starts:
            total = _before(lines[starts[-1]]) or total
        counted = lines[starts[-1] + 1 :] if starts else lines
        reserved = {held.call: held for line in counted if (held := _held(line)) is not None}
        settled = {line["settled"]: line for line in counted if isinstance(line.get("settled"), int)}
        for number, held in reserved.items():
            if number in settled:
                total = added(total, *_figures(settled[number], held))
            else:
                self.unsettled.append(held)
        self._calls = max((held.call for line in lines if (held := _held(line)) is not None), default=0)
        self.spend = total
        if total.calls + len(self.unsettled) < spent.calls:
            self.spend, self.unsettled = spent, []
            self._append({"before": spent.model_dump()})

    def reserve(
        self, model: str, purpose: str, prompt_tokens: int, completion_tokens: int, dollars: float | None
    ) -> int:
        """Put one attempt on disk, durably; returns its number.

        Raises:
            ModelUnavailable: It could not be written, so nothing may be sent.
        """
        self._calls += 1
        held = Held(
            call=self._calls,
            purpose=purpose,
            model=model,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            dollars=dollars,
        )
        self._append(held.model_dump())
        return self._calls

    def settle(self, number: int, prompt_tokens: int, completion_tokens: int, dollars: float | None) -> None:
        """Write what an attempt took. It counts in full where that fails, so nothing is raised."""
        taken = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "dollars": dollars}
        try:
            self._append({"settled": number, **taken})
        except ModelUnavailable:
            return

    def learned(self, place: str) -> Learned | None:
        """What earlier sessions learned of the server at `place`."""
        known = self._learned.get(place)
        try:
            return None if known is None else Learned.model_validate(known)
        except ValueError:
            return None

    def learn(self, place: str, learned: Learned) -> None:
        """Keep what is known of a server, if it is new. A session that cannot write it learns it again."""
        facts = learned.as_json()
        if facts == self._learned.get(place, Learned(limit_name=learned.limit_name).as_json()):
            return
        self._learned[place] = facts
        try:
            self._append({"learned": facts, "of": place})
        except ModelUnavailable:
            return

    def _read(self) -> str:
        try:
            with open(self._opened(os.O_RDONLY), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise _unusable(self._path, error) from None

    def _append(self, line: dict[str, Any]) -> None:
        try:
            with open(self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT), "r+b", buffering=0) as file:
                torn = file.seek(0, os.SEEK_END) > 0 and not _ends_a_line(file)
                file.write((b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")
                os.fsync(file.fileno())
        except OSError as error:
            raise _unusable(self._path, error) from None

    def _opened(self, flags: int) -> int:
        """A descriptor of an ordinary file; a link is not followed and a pipe not waited for."""
        extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self._path, flags | extra, 0o644)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError("it is no ordinary file")
        return descriptor


def added(spend: ModelSpend, prompt: int, completion: int, dollars: float | None) -> ModelSpend:
    """The total after one more attempt; a price that is not known makes it unknown."""
    unknown = spend.dollars is None or dollars is None
    return ModelSpend(
        calls=spend.calls + 1,
        prompt_tokens=spend.prompt_tokens + prompt,
        completion_tokens=spend.completion_tokens + completion,
        dollars=None if unknown else (spend.dollars or 0.0) + (dollars or 0.0),
    )


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _unusable(path: Path, error: OSError) -> ModelUnavailable:
    return ModelUnavailable(
        f"{path}: model calls cannot be written down ({error_line(error, 200)}), so that no cap on them "
        "would hold: the model is not asked. Make the file writable, or move it away."
    )


def _lines(text: str) -> list[dict[str, Any]]:
    lines = []
    for each in text.splitlines():
        try:
            line = json.loads(each)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            lines.append(line)
    return lines


def _held(line: dict[str, Any]) -> Held | None:
    try:
        held = Held.model_validate(line)
    except ValueError:
        return None
    return held if held.call > 0 and held.prompt_tokens >= 0 and held.completion_tokens >= 0 else None


def _before(line: dict[str, Any]) -> ModelSpend | None:
    try:
        return ModelSpend.model_validate(line["before"])
    except (KeyError, ValueError):
        return None


def _figures(taken: dict[str, Any], held: Held) -> tuple[int, int, float | None]:
    """What a settling line says; the worst case where it makes no sense."""
    try:
        read = Held.model_validate(
            {**held.model_dump(), **{k: v for k, v in taken.items() if k != "settled"}}
        )
    except ValueError:
        read = held
    return max(read.prompt_tokens, 0), max(read.completion_tokens, 0), read.dollars
