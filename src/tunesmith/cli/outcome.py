"""What a run ends with on the terminal: the best configuration, the comparison, where everything lies."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tunesmith.cli.numbers import shown

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.api import Result


def print_outcome(result: Result, console: Console, *, command: Sequence[str], chat: str) -> None:
    """Print the end of a run.

    Args:
        command: The arguments of this very command, for 'the same command continues'.
        chat: The command that shows the run in the terminal UI.
    """
    history, best = result.history, result.best_trial
    space = history.space

    def line(text: str = "", style: str = "") -> None:
        console.print(Text(text, style=style))

    line()
    if result.status == "stopped":
        line(f"Stopped: {result.reason}.", "yellow")
    elif result.status == "failed":
        line(f"Failed: {result.reason}.", "bold red")
    else:
        line(f"Finished: {result.reason}.")
    if best is not None and best.value is not None:
        line()
        line(
            f"Best configuration (trial {best.number}, {history.metric} {shown(best.value)} in the search)",
            "bold",
        )
        for name, value in best.configuration.items():
            line(f"  {name}: {space.format_value(name, value)}")
    else:
        failed = next((t for t in reversed(history.failures) if t.traceback or t.message), None)
        if failed is not None:
            line(f"Trial {failed.number} ({failed.state.value}): {failed.message}", "red")
            for text in failed.traceback.splitlines()[-12:]:
                line(f"  {text}", "dim")
    if result.verdict:
        line()
        line(result.verdict, "bold")
    line()
    if result.report is not None:
        line(f"Report      {_short(result.report)}  (report.html and report.json beside it)")
    line(f"Study       {_short(result.folder / 'study.journal')}")
    checkpoint = _checkpoint(result)
    if checkpoint is not None:
        line(f"Checkpoint  {_short(checkpoint)}")
    line(f"Look at it  {chat}")
    if result.status == "stopped":
        line(f"Continue    tunesmith {shlex.join(a for a in command if a != '--fresh')}")
    elif result.status == "finished":
        line("More        the same command with a larger --trials continues; --fresh starts anew")


def _checkpoint(result: Result) -> Path | None:
    """The newest checkpoint of the best trial, where it left one."""
    if result.best_trial is None:
        return None
    folder = result.folder / "trials" / f"{result.best_trial.number:05d}" / "checkpoints"
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return max(files, key=lambda path: path.stat().st_mtime, default=None)


def _short(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
