"""How a command ends: one table of exit codes, and errors as one sentence without a traceback.

0    done
1    the run failed: no trial completed
2    wrong input: a task file, an option, a run folder
130  interrupted; the same command continues
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Annotated, ParamSpec

import typer

from tunesmith.text.literal import literal
from tunesmith.text.terminal import cleaned_streams

P = ParamSpec("P")

FAILED = 1
USAGE = 2
INTERRUPTED = 130
ENDED = {"finished": 0, "failed": FAILED, "stopped": INTERRUPTED, "interrupted": INTERRUPTED}
"""Exit code for the state a run ended in."""

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def report_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Print errors of Tunesmith as one sentence on stderr and exit with their code; `--debug` raises them."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        from tunesmith.errors import TunesmithError

        try:
            with cleaned_streams():
                command(*args, **kwargs)
        except TunesmithError as error:
            if kwargs.get("debug") or os.environ.get("TUNESMITH_DEBUG"):
                raise
            _tell(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            _tell("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # the reader of stdout has ended, as `| head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except OSError as error:  # no right to write there, a full disk
            if kwargs.get("debug") or os.environ.get("TUNESMITH_DEBUG"):
                raise
            where = f"{error.filename}: " if error.filename else ""
            _tell(f"{where}{error.strerror or error}")
            raise typer.Exit(USAGE) from None

    return wrapped


def _tell(what: object) -> None:
    print(literal(f"tunesmith: {what}"), file=sys.stderr)
