"""Finding the training code in a worker: a function in a file, or a pickled function."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunesmith.errors import ObjectiveError
from tunesmith.tools.execution.programs import near_file
from tunesmith.tools.execution.signatures import missing_text


def load_function(reference: str) -> Callable[..., Any]:
    """The function that `file.py:name` names; the file's folder becomes the first place to import from.

    The module gets the name under which an import from its folder finds it, or a unique one where that
    name means something else. Its `__name__` is never `__main__`, so a guarded script does not start.

    Raises:
        ObjectiveError: No such file or function, or it cannot be called.
        Exception: Whatever the file raises while it is imported.
    """
    file, path, name = split_reference(reference)
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
        raise ObjectiveError(f"{file} {missing_text(name, defined)}")
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


def split_reference(reference: str) -> tuple[str, Path, str]:
    """File as written, its absolute path, and the function's name."""
    file, separator, name = reference.rpartition(":")
    if not separator or not name.isidentifier():
        raise ObjectiveError(f"{reference!r} names no function; write `file.py:function`.")
    path = Path(file).absolute()
    if not path.is_file():
        raise ObjectiveError(
            f"{path}: {'is a folder' if path.is_dir() else 'no such file'}.{near_file(path)}"
        )
    return file, path, name


def _module_name(path: Path) -> str:
    """The name an ordinary import would give the file, when that import would find this very file."""
    if (dotted := _name_in_package(path)) is not None:
        return dotted
    if path.stem.isidentifier():
        try:
            spec = importlib.util.find_spec(path.stem)
        except (ImportError, ValueError):
            spec = None  # a loaded module of that name without a spec
        if spec is not None and spec.origin is not None and Path(spec.origin).absolute() == path:
            return path.stem
    unique = hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()
    return f"_tunesmith_objective_{unique}"


def _name_in_package(path: Path) -> str | None:
    """`package.module` for a file that imports relatively (`from .net import x`), with its package loaded.

    The folder that holds the package becomes one to import from, as in `python -m package.module`.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # importing it will tell
    levels = [node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    if not any(levels) or not path.stem.isidentifier():
        return None
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file() or len(parts) <= max(levels):
        parts.insert(0, folder.name)
        folder = folder.parent
    if not all(part.isidentifier() for part in parts):
        return None
    if str(folder) not in sys.path:
        sys.path.insert(1, str(folder))
    importlib.import_module(".".join(parts[:-1]))
    name = ".".join(parts)
    spec = importlib.util.find_spec(name)
    found = spec is not None and spec.origin is not None and Path(spec.origin).absolute() == path
    return name if found else None


def _is_own(value: Any, module: str) -> bool:
    return getattr(value, "__module__", None) == module and not isinstance(value, type)
