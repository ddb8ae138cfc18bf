from __future__ import annotations

from pathlib import Path

from tunesmith.events import EVENT, Event
from tunesmith.task import Task
from tunesmith.tools.sinks.base import Sink
from tunesmith.trial import Frozen


class JsonLinesSettings(Frozen):
    """Where the lines go."""

    file: str = "events.jsonl"
    """Path, relative to the run folder."""


class JsonLines(Sink):
    """Writes every event as one line of JSON, as soon as it has happened; for scripts that follow a run."""

    settings = JsonLinesSettings

    def open(self, folder: Path, task: Task) -> int:
        path = folder / self.options.file
        whole, seq = 0, 0
        if path.exists():
            for line in path.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):  # else the process was killed while it wrote this one
                    whole += len(line)
                    seq = EVENT.validate_json(line).seq
        self._file = path.open("ab")
        self._file.truncate(whole)
        return seq

    def handle(self, event: Event) -> None:
        self._file.write(event.model_dump_json().encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()
