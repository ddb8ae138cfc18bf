"""`tunesmith beliefs`: what a run believes, for a person, a program or the terminal UI."""

from __future__ import annotations

import os
import select
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.errors import Debug, report_errors
from tunesmith.text.terminal import print_json

if TYPE_CHECKING:
    from tunesmith.beliefs import Beliefs

WIDEST = 120


@report_errors
def beliefs(
    run: Annotated[
        Path,
        typer.Argument(
            help="A run folder, the name of a run, or a task file: its newest run.", show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document, on one line.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Print them again whenever they change, until the run ends.")
    ] = False,
    at: Annotated[
        int | None, typer.Option("--at", min=0, help="As it was when so many trials had ended.")
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder that holds the run folders.")] = Path("runs"),
    debug: Debug = False,
) -> None:
    """Show what a run believes: where the optimum is, what matters, how sure that is.

    From the records alone, whatever method proposes the trials, with or without a language model; nothing is
    locked or changed. docs/beliefs.md says what each figure means.
    """
    from tunesmith.api.beliefs import beliefs_of, follow_beliefs
    from tunesmith.errors import UsageError

    if not follow:
        _print(beliefs_of(run, runs=runs, at=at), as_json)
        return
    if at is not None:
        raise UsageError("--follow shows what a run believes from now on, and --at what it did. Give one.")
    if as_json and hasattr(os, "nice"):
        os.nice(5)  # a program waits for it, and trials may train on the same cores
    for found in follow_beliefs(run, runs=runs):
        if found is not None:
            _print(found, as_json)
            if not as_json:
                print(flush=True)
        elif _reader_is_gone():
            return


def _print(beliefs: Beliefs, as_json: bool) -> None:
    if as_json:
        print_json(beliefs.model_dump_json())
        return
    from tunesmith.tui.belief_view import report_lines
    from tunesmith.tui.spans import plain

    width = min(shutil.get_terminal_size((80, 24)).columns, WIDEST)
    for line in report_lines(beliefs, width):
        print(plain(line).rstrip())


def _reader_is_gone() -> bool:
    """Whether nobody reads stdout any more: a run may say nothing for hours, so no write would tell."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        return False
    gone = any(state & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, state in poll.poll(0))
    if gone:  # what is still buffered goes nowhere, and is no error at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return gone
