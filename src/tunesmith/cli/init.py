"""`tunesmith init`: a commented starter task beside a training script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors

if TYPE_CHECKING:
    from tunesmith.task.starter import Starter


@report_errors
def init(
    script: Annotated[
        str,
        typer.Argument(
            help="Your training script, optionally with the function: train.py or train.py:train.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write; task.yaml beside the script otherwise."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Write a starter task file for a training script. The script is read, never run."""
    from tunesmith.errors import UsageError
    from tunesmith.task import starter_task
    from tunesmith.tools.records.atomic_write import write_atomic

    file, _, function = script.partition(":")
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"{file}: no such file. Name the script that trains your model.")
    target = output or path.parent / "task.yaml"
    if target.exists() and not force:
        raise UsageError(f"{target} exists already. Use --force to replace it, or --output for another name.")
    starter = starter_task(path, function or None, target.parent)
    texts = {path.parent / name: text for name, text in starter.files.items()} | {target: starter.text}
    for beside in texts:
        if beside.exists() and not force:
            raise UsageError(f"{beside} exists already. Use --force to replace it.")
    for place, text in texts.items():
        try:
            write_atomic(place, text.encode())
        except OSError as error:
            raise UsageError(f"{place} cannot be written: {error.strerror or error}.") from error
    print(f"Wrote {' and '.join(map(str, reversed(texts)))}.")
    for line in _summary(starter):
        print(line)
    print(f"Look through it, then:\n  tunesmith check {target}\n  tunesmith run {target}")


def _summary(starter: Starter) -> list[str]:
    """What was found, what was not taken and why, and what is still to be done."""
    from tunesmith.text.cleaning import log_line

    metric = starter.metric
    lines = [f"Tuned: {', '.join(starter.tuned)}"]
    if metric.source:
        unsure = "" if metric.sure_of_direction else "; CHANGE ME if that is the wrong way"
        lines.append(f"Metric: {metric.direction} {metric.name}, {metric.source}{unsure}")
    else:
        lines.append("Metric: not found; CHANGE ME in the file")
    if starter.left:
        lines.append("Left as they are:")
        lines += [f"  {item.name}: {item.reason}" for item in starter.left]
    return [log_line(line) if not line.startswith(" ") else "  " + log_line(line) for line in lines] + [
        f"NOTE: {log_line(note)}" for note in starter.notes
    ]
