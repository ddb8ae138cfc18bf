"""Where the training code is. Workers import this file in whatever Python trains: standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PYTHON_WORDS = ("python", "python3")
"""First words of a command that mean `Objective.python`."""


@dataclass(frozen=True)
class Objective:
    """Exactly one of `function`, `command` and `pickle` is set."""

    function: str | None = None
    """`/abs/path/file.py:function`."""
    command: tuple[str, ...] | None = None
    """An argument vector; `{name}` inside an argument is replaced by the value, no shell involved."""
    pickle: Path | None = None
    """A function given from Python, by cloudpickle."""
    workdir: Path | None = None
    """Folder the training code runs in and imports from; None means the trial's folder."""
    python: str | None = None
    """The Python that runs it; None: not chosen yet (`execution/interpreter.py`), or Tunesmith's own."""
    pass_env: tuple[str, ...] = ()
    """Environment variables, or patterns such as `MYLAB_*`, that trials get beyond the usual ones."""
    set_env: tuple[tuple[str, str], ...] = ()
    """(name, value) of environment variables that trials get."""
    memory_limit: int | None = None
    """Bytes of main memory that a training and all it starts may hold; None for no limit."""
    import_path: tuple[str, ...] = ()
    """For a pickle: `sys.path` where it was made. It refers to modules by name, and they were found there."""

    given: str = ""
    """For a function: what the kind of problem gives it as `trial.given`, as JSON; empty for nothing."""

    code: tuple[str, ...] = ()
    """For a function: further files that it loads, absolute (`ProblemKind.code`)."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Where a function is, then `code`; empty for anything else."""
        if self.function is None:
            return ()
        return tuple(map(Path, (self.function.rpartition(":")[0], *self.code)))

    @property
    def description(self) -> str:
        """The training code, for messages."""
        if self.command is not None:
            return "the command " + " ".join(self.command)[:120]
        return self.function or "the training function"
