"""The warm parent: a small process that imports the training code's libraries once and forks workers.

    python -m tunesmith.tools.execution.warm_parent CONTROL_FD ENGINE_PID METHOD HOME [MODULE ...]

HOME is the engine's Python: this process may be in another, the user's, by `bootstrap.py`.

It holds no state of a run. Forking is safe only while this process has one thread and no CUDA context. If a
library breaks that by being imported, the process starts itself anew without libraries and starts
workers as plain processes. Then it sends the engine {"ready": method, "warnings": [...]},
and runs the loop of `supervisor.py`.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
from typing import NoReturn

from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.own_module import is_guest, module_command
from tunesmith.tools.execution.processes import thread_count
from tunesmith.tools.execution.supervisor import Supervisor

_WATCH_S = 1.0
"""How often to look, while libraries load, whether the engine is still there."""


def _preload(modules: list[str], warnings: list[str]) -> str | None:
    """Import modules; returns why forking is not safe any more, or None while it is."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - the import runs code of others; the engine gets a warning
            warnings.append(
                log_line(f"{name} could not be loaded in advance: {type(error).__name__}: {error}")
            )
        threads = _threads()
        if threads > 1:
            return f"importing {name} started {threads - 1} further thread(s)"
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            return f"importing {name} initialised CUDA"
    return None


def _threads() -> int:
    """Threads of this process; looked at again when there are several, for some end soon."""
    if thread_count() > 1:
        time.sleep(0.05)
    return thread_count()


def _watch_engine(engine: int) -> None:
    """Until the loop runs, see from a timer to it that an import that hangs does not outlive the engine."""

    def look(number: int, frame: object) -> None:
        if os.getppid() != engine:
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _WATCH_S, _WATCH_S)


def main(control_fd: int, engine: int, method: str, home: str, modules: list[str]) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the engine to decide about
    _watch_engine(engine)
    warnings: list[str] = []
    unsafe = None
    if method == "auto":
        # On macOS system libraries may start threads behind our back; elsewhere we can look.
        method = "fork" if hasattr(os, "fork") and sys.platform != "darwin" else "spawn"
    if method.startswith("spawn:"):
        method, _, why = method.partition(":")
        warnings.append(f"every trial starts as a new process (slower): {why}")
    if method == "fork":
        unsafe = _preload(modules, warnings)
    if unsafe is not None:
        signal.setitimer(signal.ITIMER_REAL, 0)  # it would go on after exec, without a handler
        os.set_inheritable(control_fd, True)
        anew = [*module_command(__spec__.name), str(control_fd), str(engine), f"spawn:{unsafe}", home]
        os.execv(sys.executable, anew)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    sys.stdout.flush()
    gc.collect()
    gc.freeze()  # what is shared with the workers stays shared: the collector does not write to it
    supervisor = Supervisor(
        socket.socket(fileno=control_fd), engine, fork=method == "fork", home=home if is_guest() else None
    )
    supervisor.send({"ready": method, "warnings": warnings})
    supervisor.run()
    os._exit(0)  # an orderly exit of torch takes half a second and has no effect


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])
