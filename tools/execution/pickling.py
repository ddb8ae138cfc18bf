"""Functions given from Python, sent to workers by value: closures, notebook cells, unguarded scripts."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tunesmith.errors import ObjectiveError
from tunesmith.objective import Objective
from tunesmith.tools.records.atomic_write import write_atomic


def pickle_objective(train: Callable[..., Any], path: Path) -> Objective:
    """Write `train` to `path` by cloudpickle, as an objective that runs in the caller's folder.

    What `__main__` or a module that no path leads to defines, lambdas and closures travel by value; functions
    of an importable module travel as that module's name, and workers import it.

    Raises:
        ObjectiveError: `train` cannot be called, or holds something that cannot be pickled, such as an
            open file, a lock or a CUDA stream.
    """
    import cloudpickle

    if not callable(train):
        raise ObjectiveError(f"the training function must be callable; {type(train).__name__} is not.")
    for module in _not_importable(train):
        cloudpickle.register_pickle_by_value(module)
    try:
        data = cloudpickle.dumps(train)
    except (pickle.PicklingError, TypeError, RecursionError, AttributeError, ValueError) as error:
        name = getattr(train, "__name__", type(train).__name__)
        raise ObjectiveError(
            f"{name} cannot be sent to a worker process: {error}. It, or something it uses from outside "
            f"itself, cannot be pickled; create that inside the function."
        ) from error
    path = path.absolute()
    write_atomic(path, data)
    import_path = tuple(os.path.abspath(entry) for entry in sys.path)
    return Objective(pickle=path, workdir=Path.cwd(), import_path=import_path)


def _not_importable(train: Callable[..., Any]) -> list[ModuleType]:
    """Loaded modules that a worker could not import by name and that `train` may use.

    The main program has such a name in a process that it spawned, and so has a file loaded by its path.
    """
    name = (getattr(train, "__module__", None) or "").partition(".")[0]
    if name in ("", "__main__") or name in sys.builtin_module_names:
        return []
    finders = [find for finder in sys.meta_path if (find := getattr(finder, "find_spec", None)) is not None]
    if name != "__mp_main__" and any(find(name, None) is not None for find in finders):
        return []
    loaded = list(sys.modules.items())
    return [
        module for key, module in loaded if key.partition(".")[0] == name and isinstance(module, ModuleType)
    ]
