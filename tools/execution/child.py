"""The worker process: runs one job and records its outcome.

It is forked from the warm parent, which then calls `work`, or started as a plain process
(`python -m tunesmith.tools.execution.child FD`, the job as JSON on stdin).

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
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from tunesmith.errors import CommandFailed, ObjectiveError
from tunesmith.items import bounded_items
from tunesmith.objective import Objective
from tunesmith.outcome import Outcome, TrialState
from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.causes import GONE, from_exception
from tunesmith.tools.execution.channel import EngineChannel
from tunesmith.tools.execution.environment import naming_what_it_missed, trial_environment
from tunesmith.tools.execution.handle import TrialHandle
from tunesmith.tools.execution.job import Job
from tunesmith.tools.execution.left_processes import MARK, adopt_orphans
from tunesmith.tools.execution.loading import load_function, load_pickle
from tunesmith.tools.execution.measuring import finite_values, returned
from tunesmith.tools.execution.own_module import is_guest, module_command
from tunesmith.tools.execution.printed.choice import Result, result_of
from tunesmith.tools.execution.programs import command_fault
from tunesmith.tools.execution.result_files import ResultFiles
from tunesmith.tools.execution.sessions import end_own_session
from tunesmith.tools.execution.signatures import call_fault
from tunesmith.tools.execution.starting import naming_its_python, search_path, started
from tunesmith.tools.records.bounds import LONGEST_NOTE, MOST_NOTES, bounded_metrics
from tunesmith.tools.records.curve_file import recorded_curve
from tunesmith.tools.records.trial_folder import record_outcome
from tunesmith.tools.training.seeding import seed_everything

log = logging.getLogger(__name__)

EXIT_HANDLERS_S = 5.0
"""How long exit handlers of the training code (such as trackers that upload) may take after the result."""
_signals: set[int] = set()
"""Numbers of the signals that this process has had."""
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def thread_environment(threads: int) -> dict[str, str]:
    """Environment that limits the number of threads of numerical libraries not loaded yet."""
    return {name: str(threads) for name in _THREAD_VARIABLES}


def worker_environment(objective: Objective) -> dict[str, str]:
    """Environment for training processes (`environment.py`); numerical libraries get one thread.

    Hash randomisation is off unless asked for, so that sets iterate in the same order in every run.
    """
    return {"PYTHONHASHSEED": "0", **trial_environment(objective), **thread_environment(1)}


def python_of(job: Job, home: str | None = None) -> str | None:
    """The Python that a job's worker needs; None where this process's own is right.

    A function runs in its own, and a command, which starts what it names, in Tunesmith's.

    Args:
        home: Tunesmith's where this process runs in another.
    """
    wanted = job.objective.python if job.objective.function is not None else None
    if wanted is not None:
        return None if wanted == sys.executable else wanted
    return home if is_guest() else None


def start_worker(
    job: Job, connection: int, output: int, *, home: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a worker as a plain process, leader of a session of its own. For executors.

    Args:
        connection: File descriptor of the worker's end of a socket. The worker writes a line of JSON for
            each report, `{"step": 3, "value": 0.91}`, with `"others": {"latency": 3.5}` where further
            metrics were reported with it, and is answered by `{"step": 3, "stop": false}`
            (`messages.py`). When the other end is closed it kills itself.
        output: File descriptor that it prints into.
        home: See `python_of`.
    """
    with tempfile.TemporaryFile() as file:
        file.write(job.to_json().encode())
        file.seek(0)
        return subprocess.Popen(
            [*_child_command(job, home), str(connection)],
            stdin=file,
            stdout=output,
            stderr=output,
            pass_fds=(connection,),
            start_new_session=True,
            env=worker_environment(job.objective) | thread_environment(job.resources.cpus),
        )


def _child_command(job: Job, home: str | None) -> list[str]:
    python = python_of(job, home)
    if python is not None and python == home:
        return [home, "-P", "-m", "tunesmith.tools.execution.child"]
    return module_command("tunesmith.tools.execution.child", python)


def work(job: Job, connection: socket.socket) -> NoReturn:
    """Train, record the outcome, and end the process. The process leads its own session by now."""
    started = time.monotonic()
    _prepare_for_signals()
    _set_up_output()
    os.environ.update(thread_environment(job.resources.cpus))
    os.environ.update(job.objective.set_env)
    os.environ[MARK] = str(job.folder)
    adopt_orphans()
    outcome = _outcome(job, connection)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if job.objective.command is not None:
        peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    record_outcome(
        job.folder,
        outcome.changed(
            **recorded_curve(job.folder),
            seconds=time.monotonic() - started,
            peak_memory_mib=memory_mib(peak),
        ),
        job.stamp,
    )
    _leave()


def _engine_gone() -> NoReturn:
    """End this session; what is printed is read where the engine is there all the same (`causes.py`)."""
    os.write(2, f"\n{GONE}\n".encode())
    end_own_session()


def memory_mib(peak: int) -> float:
    """`ru_maxrss` in MiB: Linux counts KiB, macOS bytes."""
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _outcome(job: Job, connection: socket.socket) -> Outcome:
    handle: TrialHandle | None = None
    try:
        job.workdir.mkdir(parents=True, exist_ok=True)
        os.chdir(job.workdir)
        if job.load_only:
            prepare = getattr(_load(job), "prepare", None)
            if job.objective.given and prepare is not None:
                prepare(json.loads(job.objective.given))
            return Outcome(state=TrialState.COMPLETED)
        if job.objective.command is not None:
            from tunesmith.tools.execution.command import CommandRun

            run = CommandRun(job)
            channel = EngineChannel(connection, on_stop=run.stop, judged=job.judged, on_gone=_engine_gone)
            handle = _handle(job, channel)
            result = run.result(handle)
        else:
            channel = EngineChannel(connection, judged=job.judged, on_gone=_engine_gone)
            handle = _handle(job, channel)
            result = _train(job, handle)
        channel.close()
    except CommandFailed as failure:
        _end_like(failure.code)
    except BaseException as error:  # noqa: BLE001 - the edge of the process: every end becomes an outcome
        if handle is not None and handle.diverged is not None:
            return _diverged(handle.diverged)
        outcome = from_exception(error, interrupted=_from_outside())
        if outcome.state is TrialState.PRUNED and handle is not None:
            return _pruned(job, handle, {})
        outcome = naming_its_python(naming_what_it_missed(outcome), job.objective.python)
        if outcome.traceback:
            traceback.print_exc()  # into the trial's log, whole
        return outcome
    if handle.diverged is not None:
        return _diverged(handle.diverged)
    if handle.stopped:
        return _pruned(job, handle, result.values)
    for metric, _ in job.readings:
        if not math.isfinite(result.values.get(metric, 0.0)):
            return _diverged(f"{metric} was {result.values[metric]} at the end")
    result = handle.reports.with_items(result)
    values, left_out = bounded_metrics(result.values, job.metric, *(name for name, _ in job.further))
    items = bounded_items(result.items, (name for name, _ in job.readings))
    notes = _kept([*handle.notes, *result.notes, *([left_out] if left_out else [])])
    return Outcome(state=TrialState.COMPLETED, values=values, notes=notes, items=items)


def _train(job: Job, handle: TrialHandle) -> Result:
    train = _load(job)
    assert train is not None
    seed_everything(job.seed, only_loaded=True)
    _cap_loaded_libraries(job.resources.cpus)
    files = ResultFiles(job, handle.checkpoint_dir)
    given = train(dict(job.configuration), handle)
    if handle.diverged is not None:
        return Result({}, ())  # whatever it returned, the trial was over
    if handle.stopped:
        return Result(finite_values(given) if handle.reports.items else {}, ())
    primary, *further = files.heard(returned(given, handle.reports, job), handle.record)
    return result_of(primary, further, all_needed=job.further_needed)


def _load(job: Job) -> Callable[..., Any] | None:
    """The training function; None for a command, whose program and script are looked for."""
    if job.objective.command is not None:
        python = job.objective.python
        words = started(job.objective.command, job.workdir, python)
        fault = command_fault(words, job.workdir, search_path(os.environ, python))
        if fault is not None:
            raise ObjectiveError(fault)
        return None
    if job.objective.function is not None:
        file, _, name = job.objective.function.rpartition(":")
        sys.argv = [file]
        train = load_function(job.objective.function)
    else:
        assert job.objective.pickle is not None
        file, name = "", "train"
        sys.argv = [str(job.objective.pickle)]
        train = load_pickle(Path(job.objective.pickle), job.objective.import_path)
        name = getattr(train, "__name__", name)
    fault = call_fault(train, name, Path(file).name, tuple(job.configuration))
    if fault is not None:
        raise ObjectiveError(f"{file}: {fault}" if file else fault)
    return train


def _handle(job: Job, channel: EngineChannel) -> TrialHandle:
    handle = TrialHandle(
        job.number, job.folder, job.seed, job.metric, channel, reading=job.reading, further=job.further
    )
    handle.given = json.loads(job.objective.given) if job.objective.given else None
    checkpoints = handle.checkpoint_dir  # exists from the start, also for commands
    if job.checkpoint is not None:
        shutil.copytree(job.checkpoint, checkpoints, dirs_exist_ok=True)
    return handle


def _pruned(job: Job, handle: TrialHandle, values: Mapping[str, float]) -> Outcome:
    """A trial that was stopped keeps its notes, the scores of the items that it has, and further values."""
    items = {name: scores.packed for name, scores in handle.reports.items.items() if scores.packed}
    notes = _kept(handle.notes)
    if not items:
        return Outcome(state=TrialState.PRUNED, notes=notes)
    means = {name: scores.mean for name, scores in handle.reports.items.items() if math.isfinite(scores.mean)}
    names = [name for name, _ in job.readings]
    kept, _ = bounded_metrics({**means, **values}, *names)
    return Outcome(state=TrialState.PRUNED, values=kept, notes=notes, items=bounded_items(items, names))


def _kept(notes: list[str]) -> tuple[str, ...]:
    return tuple(log_line(note, LONGEST_NOTE) for note in notes[:MOST_NOTES])


def _diverged(message: str) -> Outcome:
    return Outcome(state=TrialState.DIVERGED, message=log_line(message))


def _prepare_for_signals() -> None:
    """Let signals end this process, its crashes be seen, and the kernel choose it when memory runs out."""
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    faulthandler.enable(file=2)
    try:
        Path("/proc/self/oom_score_adj").write_text("500")  # a trial rather than its engine
    except OSError as error:
        log.debug("the kernel will not prefer this process when memory runs out: %s", error)


def _interrupted(number: int, frame: types.FrameType | None) -> NoReturn:
    _signals.add(number)
    raise KeyboardInterrupt


def _from_outside() -> bool:
    """Whether a KeyboardInterrupt comes of a signal; training code may have its own handler, or raise it."""
    return signal.SIGINT in _signals or signal.getsignal(signal.SIGINT) is not _interrupted


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
        try:
            from threadpoolctl import threadpool_limits
        except ImportError:  # in a Python of the user's
            print("[tunesmith] threadpoolctl is not installed here: NumPy keeps one thread")
        else:
            threadpool_limits(threads)


def _leave() -> NoReturn:
    """End the process: exit handlers run, for a while; threads left over are not waited for."""
    watchdog = threading.Timer(EXIT_HANDLERS_S, os._exit, (0,))
    watchdog.daemon = True
    watchdog.start()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)


def _end_like(code: int) -> NoReturn:
    """End without a result and as the command did: the supervisor has its log and records the outcome."""
    sys.stdout.flush()
    if code < 0:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def _main() -> NoReturn:
    connection = socket.socket(fileno=int(sys.argv[1]))
    job = Job.from_data(json.loads(sys.stdin.buffer.read()))
    work(job, connection)


if __name__ == "__main__":
    _main()
