"""What a bank of a program's calls holds: recorded answers, counted by stage, model and temperature."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Optional

from tunesmith.pipeline.settings import PipelineSettings


class Answers(NamedTuple):
    """Answers of one stage and setting."""

    stage: str
    model: str
    """As the provider calls it."""
    temperature: Optional[float]  # noqa: UP045 - as its neighbours
    items: int
    answers: int

    def __str__(self) -> str:
        at = "" if self.temperature is None else f", temperature {self.temperature:g}"
        return f"{self.stage}: {self.model}{at}; {self.answers} answers to calls of {self.items} items"


def answers_of(path: Path) -> list[Answers] | None:
    """What is recorded of a program's calls; None where the file is no such bank."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            rows = file.execute(
                "SELECT stage, model, temperature, count(DISTINCT item), count(*) FROM answers "
                "WHERE status < 300 GROUP BY stage, model, temperature ORDER BY stage, model, temperature"
            )
            return [Answers(*row) for row in rows] or None
    except sqlite3.Error:
        return None


def answers_lacking(held: list[Answers], settings: PipelineSettings) -> list[str]:
    """The models and temperatures of a task's stages of which no answer is recorded."""
    lines = []
    for name, stage in settings.stages.items():
        for model, about in stage.models.items():
            rows = [row for row in held if row.stage == name and row.model == (about.id or model)]
            if not rows:
                lines.append(f"{name}.model = {model}")
                continue
            recorded = {row.temperature for row in rows}
            stated = stage.temperature if isinstance(stage.temperature, tuple) else ()
            lines += [
                f"{name}.temperature = {value:g} with {name}.model = {model}"
                for value in stated
                if value not in recorded
            ]
    return lines
