"""The worker: one process, one trial, from the assignment to `result.json`.

Entered in two ways, which lead to the same `work`: forked from the warm parent, or as a plain process
(`python -m tunesmith.tools.execution.child FD`, the assignment on stdin).

What `train` does decides the outcome, in this order: a report that was not finite - diverged; a True
`should_prune()` followed by any return, or `Pruned` raised - pruned; an exception - out of memory or
crashed; a return value without the metric - crashed; with a NaN or infinite one - diverged; else completed.
"""

from __future__ import annotations

import atexit
import faulthandler
import json
import logging
import math
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.assignment import Assignment
from tunesmith.tools.execution.causes import from_exception
from tunesmith.tools.execution.channel import EngineChannel
from tunesmith.tools.execution.command import CommandFailed, CommandRun
from tunesmith.tools.execution.handle import TrialHandle
from tunesmith.tools.execution.loading import load_function, load_pickle
from tunesmith.tools.execution.measuring import returned_values
from tunesmith.tools.execution.records import read_curve, settle
from tunesmith.tools.training.seeding import seed_everything
from tunesmith.trial import Outcome, TrialState

log = logging.getLogger(__name__)

FAREWELL_S = 5.0
"""How long exit handlers of the training code (trackers that upload, say) may take after the result."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def thread_environment(threads: int) -> dict[str, str]:
    """Environment that limits the number of threads of numerical libraries not loaded yet."""
    return {name: str(threads) for name in _THREAD_VARIABLES}


def work(assignment: Assignment, line: socket.socket) -> NoReturn:
    """Train, record the outcome, and end the process. The process leads its own session by now."""
    started = time.monotonic()
    _make_fit_for_death()
    _set_up_output()
    os.environ.update(thread_environment(assignment.threads))
    outcome = _outcome(assignment, line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if assignment.command is not None:
        peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    settle(
        assignment.path,
        outcome.model_copy(
            update={
                "curve": read_curve(assignment.path),
                "seconds": time.monotonic() - started,
                "peak_memory_mib": memory_mib(peak),
            }
        ),
    )
    _leave()


def memory_mib(peak: int) -> float:
    """`ru_maxrss` in MiB: Linux counts KiB, macOS bytes."""
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _outcome(assignment: Assignment, line: socket.socket) -> Outcome:
    handle: TrialHandle | None = None
    try:
        Path(assignment.workdir).mkdir(parents=True, exist_ok=True)
        os.chdir(assignment.workdir)
        if assignment.command is not None:
            run = CommandRun(assignment)
            handle = _handle(assignment, EngineChannel(line, on_prune=run.prune))
            values = run.values(handle)
        else:
            handle = _handle(assignment, EngineChannel(line))
            values = _train(assignment, handle)
    except CommandFailed as failure:
        _end_like(failure.code)
    except BaseException as error:  # noqa: BLE001 - the edge of the process: every end becomes an outcome
        if handle is not None and handle.diverged is not None:
            return _diverged(handle.diverged)
        outcome = from_exception(error)
        if outcome.traceback:
            traceback.print_exc()  # into the trial's log, whole
        return outcome
    if handle.diverged is not None:
        return _diverged(handle.diverged)
    if handle.told_to_prune:
        return Outcome(state=TrialState.PRUNED)
    value = values[assignment.metric]
    if not math.isfinite(value):
        return _diverged(f"{assignment.metric} was {value} at the end")
    return Outcome(state=TrialState.COMPLETED, values=values)


def _train(assignment: Assignment, handle: TrialHandle) -> dict[str, float]:
    train = _load(assignment)
    seed_everything(assignment.seed, only_loaded=True)
    _cap_loaded_libraries(assignment.threads)
    returned = train(dict(assignment.configuration), handle)
    if handle.told_to_prune or handle.diverged is not None:
        return {}  # whatever it returned, the trial was over
    return returned_values(returned, assignment.metric, assignment.what)


def _load(assignment: Assignment) -> Callable[..., Any]:
    if assignment.function is not None:
        sys.argv = [assignment.function.rpartition(":")[0]]
        return load_function(assignment.function)
    assert assignment.pickle is not None
    sys.argv = [assignment.pickle]
    return load_pickle(Path(assignment.pickle), assignment.import_path)


def _handle(assignment: Assignment, channel: EngineChannel) -> TrialHandle:
    handle = TrialHandle(assignment.number, assignment.path, assignment.seed, assignment.metric, channel)
    _ = handle.checkpoint_dir  # exists from the start, also for commands
    return handle


def _diverged(message: str) -> Outcome:
    return Outcome(state=TrialState.DIVERGED, message=log_line(message))


def _make_fit_for_death() -> None:
    """Let signals end this process, its crashes be seen, and the kernel choose it when memory runs out."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.enable(file=2)
    try:
        Path("/proc/self/oom_score_adj").write_text("500")  # a trial rather than its engine
    except OSError as error:
        log.debug("the kernel was not told to prefer this process when memory runs out: %s", error)


def _set_up_output() -> None:
    # Lines appear in the log as they are printed, and no text can fail to be encoded.
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = open(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]
    # Not our machinery: training code sees an empty __main__, and what it spawns has none to run again.
    sys.modules["__main__"] = types.ModuleType("__main__")


def _cap_loaded_libraries(threads: int) -> None:
    """Set the threads of libraries that are loaded already; the warm parent loaded them with one."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
    if threads > 1 and "numpy" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)


def _leave() -> NoReturn:
    """End the process: exit handlers run, for a while; threads left over are not waited for."""
    watchdog = threading.Timer(FAREWELL_S, os._exit, (0,))
    watchdog.daemon = True
    watchdog.start()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _end_like(code: int) -> NoReturn:
    """End without a result, as the command did: whoever waits for us has its log and will say why."""
    sys.stdout.flush()
    if code < 0:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _main() -> NoReturn:
    line = socket.socket(fileno=int(sys.argv[1]))
    assignment = Assignment(**json.loads(sys.stdin.buffer.read()))
    work(assignment, line)


if __name__ == "__main__":
    _main()
