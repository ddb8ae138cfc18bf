"""Why a trial ended: one typed state and one plain line for every way there is."""

from __future__ import annotations

import os
import re
import signal
import traceback
from pathlib import Path
from types import TracebackType

from tunesmith.errors import MissingMetric, TunesmithError
from tunesmith.extras import install_hint
from tunesmith.outcome import Outcome, TrialState
from tunesmith.text.cleaning import log_line, log_tail
from tunesmith.text.secrets import refresh
from tunesmith.tools.execution.handle import Diverged, Pruned
from tunesmith.tools.execution.own_module import is_guest

_HERE = str(Path(__file__).parent)
GONE = "[tunesmith] the line to the engine is closed: this trial ends itself"
"""Printed by a worker before it kills its own session."""
_MEMORY_TEXT = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|\bstd::bad_alloc\b|RESOURCE_EXHAUSTED"
    r"|^(\w+\.)*(MemoryError|OutOfMemoryError)\b",
    re.IGNORECASE | re.MULTILINE,
)
_INTERRUPTIONS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_SIGNAL_CAUSES = {
    signal.SIGSEGV: "segmentation fault, in native code",
    signal.SIGBUS: "bus error; a full /dev/shm is a common cause",
    signal.SIGABRT: "native code gave up",
    signal.SIGPIPE: "it wrote into a pipe or socket whose reader had ended",
    signal.SIGFPE: "arithmetic fault, in native code",
    signal.SIGILL: "illegal instruction; a library built for another processor?",
    signal.SIGKILL: "often by the out-of-memory killer; the kernel reports none",
}


def from_exception(error: BaseException, *, interrupted: bool = True) -> Outcome:
    """The outcome of training code that raised.

    `Pruned`, and Optuna's `TrialPruned` by name, are pruned; `Diverged` is diverged; MemoryError, any
    OutOfMemoryError and errors whose text is about memory, also as the stated cause of another error, are
    out of memory; a KeyboardInterrupt that came from outside is lost; all else crashed.

    Args:
        interrupted: Whether a KeyboardInterrupt comes of a signal, and not of a `raise`.
    """
    refresh()  # training code may have read secrets into its environment, as from a .env file
    if isinstance(error, Pruned) or "TrialPruned" in _names(error):
        return Outcome(state=TrialState.PRUNED, message=log_line(_text(error)))
    if isinstance(error, Diverged):
        return Outcome(state=TrialState.DIVERGED, message=log_line(_text(error)))
    if isinstance(error, KeyboardInterrupt) and interrupted:
        return Outcome(
            state=TrialState.LOST, message="interrupted from outside by SIGINT", loss="interrupted"
        )
    state = TrialState.OUT_OF_MEMORY if _ran_out_of_memory(error) else TrialState.CRASHED
    sentence = _sentence(error)
    return Outcome(
        state=state,
        message=log_line(sentence + ("" if is_guest() else install_hint(sentence))),
        # Without the metric there is no fault in a frame of theirs: the message names the line or the key.
        traceback="" if isinstance(error, MissingMetric) else formatted(error),
    )


def from_exit(code: int, log_tail: str, *, oom_killed: bool) -> Outcome:
    """The outcome of a worker that ended without leaving a result.

    Args:
        code: Exit status, or the negated number of the signal that ended it; not one we sent.
        log_tail: The end of what it printed.
        oom_killed: The kernel's out-of-memory killer was at work while it ran.
    """
    last_line = log_tail.rpartition("\n")[2]
    ending = f"; its last line: {last_line}" if last_line else ""
    if code >= 0:
        state = (
            TrialState.OUT_OF_MEMORY if code and _MEMORY_TEXT.search(log_tail[-1500:]) else TrialState.CRASHED
        )
        message = log_line(f"the process exited with status {code}{ending}")
        return Outcome(state=state, message=message, traceback=log_tail)
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if -code in _INTERRUPTIONS:
        # A person or a shutting-down machine: it says nothing about the configuration.
        message = f"interrupted from outside by {name}"
        return Outcome(state=TrialState.LOST, message=message, traceback=log_tail, loss="interrupted")
    if -code == signal.SIGKILL and oom_killed:
        return Outcome(
            state=TrialState.OUT_OF_MEMORY,
            message="killed by the kernel's out-of-memory killer",
            traceback=log_tail,
        )
    if -code == signal.SIGKILL and GONE in log_tail[-1000:]:
        message = "it ended itself: its line to Tunesmith was closed, though Tunesmith was running"
        return Outcome(state=TrialState.CRASHED, message=message, traceback=log_tail)
    cause = _SIGNAL_CAUSES.get(signal.Signals(-code)) if name.startswith("SIG") else None
    memory = -code == signal.SIGABRT and _MEMORY_TEXT.search(log_tail)
    return Outcome(
        state=TrialState.OUT_OF_MEMORY if memory else TrialState.CRASHED,
        message=f"killed by {name}" + (f" ({cause})" if cause else ""),
        traceback=log_tail,
    )


def formatted(error: BaseException) -> str:
    """The traceback's last lines, from the training code's first frame on, cleaned."""
    whole = traceback.format_exception(type(error), error, _from_user(error.__traceback__))
    return log_tail("".join(whole))


def kernel_oom_kills() -> int:
    """How many processes the kernel has killed for memory since it started; 0 where that is unknown."""
    try:
        text = Path("/proc/vmstat").read_text()
    except OSError:
        return 0
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def _sentence(error: BaseException) -> str:
    if isinstance(error, SystemExit) and _reads_command_line(error):
        return (
            "the training code reads a command line (by argparse or the like), and a function is given none: "
            "move `parse_args()` below `if __name__ == '__main__':`, or let the task run the whole script: "
            "`objective: {command: python ...}`"
        )
    if isinstance(error, SystemExit):
        return f"the training code called sys.exit({error.code!r}); it must return its metric instead"
    if isinstance(error, TunesmithError):
        return _text(error)  # written for people already
    text = _text(error)
    name = error.filename if isinstance(error, FileNotFoundError) else None
    if isinstance(name, str) and name and not os.path.isabs(name):
        text += _counted_from()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _counted_from() -> str:
    try:
        return f" (relative paths count from {os.getcwd()}, the folder that trials run in)"
    except OSError:  # it is gone
        return ""


def _reads_command_line(error: SystemExit) -> bool:
    """Whether a parser of options ended the process: its own files are the innermost frames."""
    frames = traceback.extract_tb(error.__traceback__)
    parsers = re.compile(r"[/\\](argparse\.py|click[/\\]core\.py|absl[/\\]app\.py|docopt\.py)$")
    return error.code == 2 and any(parsers.search(frame.filename) for frame in frames[-2:])


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as fault:  # noqa: BLE001 - user code's __str__, at the process's edge; named in the text
        return f"(its text cannot be shown: {type(fault).__name__})"


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _ran_out_of_memory(error: BaseException) -> bool:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if {"MemoryError", "OutOfMemoryError"} & _names(link):
            return True
        if isinstance(link, (RuntimeError, OSError)) and _MEMORY_TEXT.search(_text(link)):
            return True
        link = link.__cause__
    return False


def _from_user(frames: TracebackType | None) -> TracebackType | None:
    """The traceback without our own frames and the import system's at its top."""
    first = frames
    while first is not None:
        file = first.tb_frame.f_code.co_filename
        if not file.startswith((_HERE, "<frozen importlib")):
            return first
        first = first.tb_next
    return None
