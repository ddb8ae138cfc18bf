"""Finding the training code: a function in a file, a pickled function, or a command.

Workers load with `load_function` and `load_pickle`; `check_objective` tries the same in a process of its
own, so that a broken script cannot harm the caller.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ObjectiveError
from tunesmith.extras import install_hint
from tunesmith.settings import SECRET_VARIABLES
from tunesmith.text.cleaning import log_tail

if TYPE_CHECKING:
    from tunesmith.objective import Objective

CHECK_LIMIT_S = 120.0
"""How long `check_objective` lets the code import what it needs."""
_BROKEN = 3
"""Exit status of a check that found the fault itself; its message is on stderr."""


def load_function(reference: str) -> Callable[..., Any]:
    """The function that `file.py:name` names; the file's folder becomes the first place to import from.

    The module gets the name under which an import from its folder finds it, or a unique one where that
    name means something else. Its `__name__` is never `__main__`, so a guarded script does not start.

    Raises:
        ObjectiveError: No such file or function, or it cannot be called.
        Exception: Whatever the file raises while it is imported.
    """
    file, path, name = _split(reference)
    sys.path.insert(0, str(path.parent))
    importlib.invalidate_caches()
    module_name = _module_name(path)
    module = sys.modules.get(module_name)
    if module is None:
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise ObjectiveError(f"{file} is not a Python file; the objective must be `file.py:function`.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module  # before it runs: dataclasses and pickle look it up by name
        spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        defined = sorted(k for k, v in vars(module).items() if callable(v) and _is_own(v, module_name))
        raise ObjectiveError(
            f"{file} defines no function {name!r}"
            + (f"; it defines {', '.join(defined[:8])}." if defined else ".")
        )
    return function  # type: ignore[no-any-return]


def load_pickle(path: Path, import_path: Sequence[str]) -> Callable[..., Any]:
    """A function pickled by `pickle_objective`, with the importing process's module search path added.

    Raises:
        ObjectiveError: What is in there cannot be called.
        Exception: Whatever unpickling raises, such as ModuleNotFoundError.
    """
    import cloudpickle

    sys.path.extend(entry for entry in import_path if entry not in sys.path)
    importlib.invalidate_caches()
    with open(path, "rb") as file:
        function = cloudpickle.load(file)
    if not callable(function):
        raise ObjectiveError(f"{path} holds {type(function).__name__}, not a function.")
    return function  # type: ignore[no-any-return]


def check_objective(objective: Objective) -> None:
    """Try whether a worker could load the training code, without training.

    A function is imported in a process of its own; a command's program and script must exist.

    Raises:
        ObjectiveError: It could not; says why, with the last lines of the code's own traceback.
    """
    if objective.command is not None:
        check_command(objective.command, objective.workdir)
        return
    kind, what = (
        ("--function", objective.function) if objective.function else ("--pickle", str(objective.pickle))
    )
    if objective.function is not None:
        _split(objective.function)  # the plainest faults need no process
    environment = {k: v for k, v in os.environ.items() if k not in SECRET_VARIABLES}
    command = [sys.executable, "-P", "-m", "tunesmith.tools.execution.loading", kind, str(what)]
    try:
        done = subprocess.run(
            [*command, *sys.path],
            cwd=objective.workdir,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CHECK_LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ObjectiveError(
            f"{what} took more than {CHECK_LIMIT_S:g} s to import. Does it train when it is imported? Put "
            f"that below `if __name__ == '__main__':`."
        ) from error
    except OSError as error:
        raise ObjectiveError(f"{what} cannot be tried: {error}") from error
    message = log_tail(done.stderr.decode(errors="replace"))
    if done.returncode == _BROKEN:
        raise ObjectiveError(message + install_hint(message))
    if done.returncode != 0:
        raise ObjectiveError(
            f"{what} ended its process while it was imported (status {done.returncode}). {message}"
        )


def check_exists(objective: Objective) -> None:
    """The part of `check_objective` that runs nothing: file, syntax, program. A pickle needs no check.

    Raises:
        ObjectiveError: There is no such file or program, or the file is not Python.
    """
    if objective.command is not None:
        check_command(objective.command, objective.workdir)
    elif objective.function is not None:
        _, path, _ = _split(objective.function)
        try:
            ast.parse(path.read_bytes(), filename=str(path))
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else str(path)
            raise ObjectiveError(f"{where}: not Python: {getattr(error, 'msg', error)}.") from error


def search_path(environment: dict[str, str]) -> str:
    """PATH for training commands: this Python's own folder first, so that `python` means this one."""
    return os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])


def check_command(command: tuple[str, ...], workdir: Path | None) -> None:
    """Whether a command's program and script are there.

    Raises:
        ObjectiveError: One of them is not.
    """
    if not command:
        raise ObjectiveError("the objective's command is empty.")
    program = command[0]
    place = Path(workdir or ".")
    found = (
        (place / program).is_file()
        if os.sep in program
        else shutil.which(program, path=search_path(dict(os.environ)))
    )
    if not found:
        raise ObjectiveError(
            f"the objective's command starts with {program!r}, and there is no such program."
        )
    for argument in command[1:]:
        if argument.endswith(".py") and "{" not in argument and not argument.startswith("-"):
            if not (place / argument).is_file():
                raise ObjectiveError(
                    f"the objective's command names {argument}, and {place / argument} is no file."
                )
            return


def _split(reference: str) -> tuple[str, Path, str]:
    """File as written, its absolute path, and the function's name."""
    file, separator, name = reference.rpartition(":")
    if not separator or not name.isidentifier():
        raise ObjectiveError(f"{reference!r} names no function; write `file.py:function`.")
    path = Path(file).absolute()
    if not path.is_file():
        raise ObjectiveError(f"{path}: no such file.")
    return file, path, name


def _module_name(path: Path) -> str:
    """The name an ordinary import would give the file, when that import would find this very file."""
    if path.stem.isidentifier():
        try:
            spec = importlib.util.find_spec(path.stem)
        except (ImportError, ValueError):
            spec = None  # a loaded module of that name without a spec
        if spec is not None and spec.origin is not None and Path(spec.origin).absolute() == path:
            return path.stem
    unique = hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()
    return f"_tunesmith_objective_{unique}"


def _is_own(value: Any, module: str) -> bool:
    return getattr(value, "__module__", None) == module and not isinstance(value, type)


def _main() -> int:
    from tunesmith.tools.execution.causes import formatted

    kind, what, *import_path = sys.argv[1:]
    try:
        if kind == "--function":
            load_function(what)
        else:
            load_pickle(Path(what), import_path)
    except ObjectiveError as error:
        sys.stderr.write(str(error))
        return _BROKEN
    except BaseException as error:  # noqa: BLE001 - the edge of the process: its text is the answer
        sys.stderr.write(f"{what} cannot be imported.\n{formatted(error)}")
        return _BROKEN
    return 0


if __name__ == "__main__":
    status = _main()
    sys.stderr.flush()
    os._exit(status)  # whatever threads the script started are not waited for
