"""What a worker is told to do: a `Job` in plain JSON types, so that workers need to import little."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.tools.execution.base import Job


@dataclass(frozen=True)
class Assignment:
    """One job on its way to a worker; exactly one of `function`, `command` and `pickle` is set."""

    number: int
    folder: str
    """Absolute path of the trial's folder."""
    configuration: dict[str, Any]
    seed: int
    metric: str
    function: str | None
    command: list[str] | None
    pickle: str | None
    workdir: str
    """Absolute path of the folder that the training code runs in."""
    import_path: list[str]
    """The engine's `sys.path`: a pickled function refers to modules by name, and they were found there."""
    time_limit_s: float | None
    """Seconds from the start of the worker; None for no limit."""
    threads: int

    @classmethod
    def of(cls, job: Job, import_path: list[str]) -> Assignment:
        objective = job.objective
        return cls(
            number=job.number,
            folder=str(job.folder),
            configuration=dict(job.configuration),
            seed=job.seed,
            metric=job.metric,
            function=objective.function,
            command=None if objective.command is None else list(objective.command),
            pickle=None if objective.pickle is None else str(objective.pickle),
            workdir=str(objective.workdir or job.folder),
            import_path=import_path,
            time_limit_s=job.time_limit_s,
            threads=max(1, job.threads),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def path(self) -> Path:
        return Path(self.folder)

    @property
    def what(self) -> str:
        """The training code, in words for messages."""
        if self.command is not None:
            return "the command " + " ".join(self.command)[:120]
        return self.function or "the training function"
