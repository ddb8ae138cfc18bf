"""Recorded openings: one JSON line a task, what a model answered to the opening question there.

    {"suite": "llambo20", "task": "iris/SVM", "prompt": "...", "answer": {"view", "beliefs", "candidates"}}

`prompt` says which question was asked, for a person; `model` and further keys are kept as they are. The
answer is read as a live one is, so faults in it cost what they would cost in a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.text.cleaning import clean

LARGEST = 16 * 1024 * 1024
"""Bytes of a file of openings that are read at most."""


@dataclass(frozen=True)
class RecordedOpening:
    """One answer.

    Attributes:
        answer: As the model wrote it, a JSON object; not validated.
        digest: 8 hexadecimal digits of the answer.
    """

    suite: str
    task: str
    answer: Mapping[str, Any]

    @property
    def digest(self) -> str:
        text = json.dumps(self.answer, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def read_openings(path: Path) -> dict[tuple[str, str], RecordedOpening]:
    """The openings of a file by (suite, task); of several for one task the last.

    Raises:
        UsageError: The file cannot be read, or a line is no opening; names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise UsageError(f"{path}: {len(data)} bytes; at most {LARGEST} are read.")
    found: dict[tuple[str, str], RecordedOpening] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        opening = _read(line)
        if isinstance(opening, str):
            raise UsageError(f"{path}, line {number}: {opening}.")
        found[opening.suite, opening.task] = opening
    return found


def _read(line: bytes) -> RecordedOpening | str:
    """The opening of a line, or what is wrong with it."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"no JSON ({clean(error, 100)})"
    if not isinstance(entry, dict):
        return "no JSON object"
    suite, task, answer = (entry.get(key) for key in ("suite", "task", "answer"))
    if not isinstance(suite, str) or not isinstance(task, str):
        return "needs `suite` and `task`, both texts"
    if not isinstance(answer, dict):
        return "needs `answer`, an object with `beliefs` and `candidates`"
    return RecordedOpening(suite, task, answer)
