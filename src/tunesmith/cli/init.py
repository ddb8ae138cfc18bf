"""`tunesmith init`: a commented starter task beside a training script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors


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
    text = starter_task(path, function or None)
    try:
        write_atomic(target, text.encode())
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from error
    print(f"Wrote {target}. Look through it, then:\n  tunesmith check {target}\n  tunesmith run {target}")
