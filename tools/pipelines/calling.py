"""Calling what a task names as `stages.py:answer` with what it takes: singly, several at once, in batches.

Workers import this file: Python 3.9, standard library only.
"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tunesmith.errors import ObjectiveError, PipelineError
from tunesmith.tools.execution.loading import load_function, split_reference

MOST_PARALLEL = 256
"""Calls of one callable at a time."""


class Failed(NamedTuple):
    """A call that raised."""

    error: Exception


def load_callable(reference: str, folder: Path) -> Callable[..., Any]:
    """The function that `stages.py:answer` names; a relative file is relative to `folder`.

    Raises:
        ObjectiveError: No such file or function.
        Exception: Whatever the file raises while it is imported.
    """
    file, separator, name = reference.rpartition(":")
    return load_function(f"{folder / file}{separator}{name}" if separator else reference)


class Called:
    """One callable of a pipeline, and what of the things offered it takes.

    Attributes:
        batch: Most inputs of one call, where it takes lists; 0: it takes one input.
        parallel: Calls that may run at a time, in threads; of an async function, in one event loop.
        takes: Names of what it is given.
    """

    def __init__(
        self, reference: str, folder: Path, places: Sequence[str], names: Sequence[str] = ()
    ) -> None:
        """Load it.

        Args:
            places: What it is given by position, at least the first of them; by these names as well.
            names: What it is given where it has a parameter of that name.
        Raises:
            ObjectiveError: There is no such function, or it wants something else.
        """
        self.reference = reference
        self.function = load_callable(reference, folder)
        batch = self._count("batch", 0)
        self.batch = MOST_PARALLEL if batch is True else int(batch)
        self.parallel = max(1, min(int(self._count("parallel", 1)), MOST_PARALLEL))
        self.version = _version(self.function, reference, folder)
        self._is_async = inspect.iscoroutinefunction(self.function)
        self._by_place, self._by_name = self._taken(list(places), [*places, *names])
        self.takes = frozenset([*self._by_place, *self._by_name])

    def call(self, given: Mapping[str, Any]) -> Any:
        """Call it once with what it takes of `given`.

        Raises:
            Exception: Whatever it raises.
        """
        return self.function(
            *[given[name] for name in self._by_place], **{n: given[n] for n in self._by_name}
        )

    def _count(self, name: str, otherwise: int) -> int:
        """The function's attribute `batch` or `parallel`; True is left as it is."""
        value = getattr(self.function, name, otherwise)
        if isinstance(value, int) and value >= 0:
            return value
        raise ObjectiveError(f"{self.reference}.{name} is {value!r:.60}; it must be a whole number")

    def _taken(self, places: list[str], known: list[str]) -> tuple[list[str], list[str]]:
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):
            return places, []
        by_place: list[str] = []
        by_name: list[str] = []
        left = list(places)
        for parameter in parameters:
            name = parameter.name
            if parameter.kind is parameter.VAR_KEYWORD:
                by_name.extend(key for key in known if key not in by_place and key not in by_name)
            elif parameter.kind in (parameter.VAR_POSITIONAL,):
                continue
            elif (
                name in known
                and parameter.kind is not parameter.POSITIONAL_ONLY
                and (by_name or name not in left)
            ):
                by_name.append(name)
            elif parameter.kind is parameter.KEYWORD_ONLY:
                if name in known:
                    by_name.append(name)
                elif parameter.default is parameter.empty:
                    raise self._fault(name, known)
            elif left:
                by_place.append(name if name in left else left[0])
                left.remove(by_place[-1])
            elif parameter.default is parameter.empty:
                raise self._fault(name, known)
        if not by_place and not by_name:
            raise ObjectiveError(f"{self.reference} takes nothing; write `def name({', '.join(places)})`.")
        return by_place, [name for name in by_name if name not in by_place]

    def _fault(self, name: str, known: Sequence[str]) -> ObjectiveError:
        return ObjectiveError(
            f"{self.reference} wants {name!r}, which it cannot be given; it can have {', '.join(known)}. "
            f"Give {name} a default, or leave it out."
        )


class Caller:
    """Calls callables on many inputs; one for a trial. `close` it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def each(self, called: Called, given: Sequence[Mapping[str, Any]]) -> list[tuple[Any, float]]:
        """What it returns for each input, or `Failed`, and the seconds that took.

        A batch whose call raises is called again one input at a time, so that one input fails alone.
        """
        if not given:
            return []
        if called.batch:
            return self._batches(called, given)
        if called._is_async:
            return self._in_a_loop(called, given)
        if called.parallel > 1 and len(given) > 1:
            with ThreadPoolExecutor(min(called.parallel, len(given))) as pool:
                return list(pool.map(lambda one: _timed(called, one), given))
        return [_timed(called, one) for one in given]

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def _batches(self, called: Called, given: Sequence[Mapping[str, Any]]) -> list[tuple[Any, float]]:
        found: list[tuple[Any, float]] = []
        for start in range(0, len(given), called.batch):
            found.extend(self._batch(called, given[start : start + called.batch]))
        return found

    def _batch(self, called: Called, given: Sequence[Mapping[str, Any]]) -> list[tuple[Any, float]]:
        together = {
            name: [one[name] for one in given] if name in EACH else given[0][name] for name in given[0]
        }
        begun = time.monotonic()
        try:
            returned = called.call(together)
            if called._is_async:
                returned = self._run(returned)
            returned = list(returned)
            if len(returned) != len(given):
                raise PipelineError(
                    f"{called.reference} returned {len(returned)} outputs for a batch of {len(given)} inputs"
                )
        except Exception as error:  # noqa: BLE001 - the edge to the task's code: each input gets its own fault
            if len(given) == 1 or isinstance(error, (PipelineError, MemoryError)):
                return [(Failed(error), 0.0)] * len(given)
            return [one for alone in given for one in self._batch(called, [alone])]
        seconds = (time.monotonic() - begun) / len(given)
        return [(one, seconds) for one in returned]

    def _in_a_loop(self, called: Called, given: Sequence[Mapping[str, Any]]) -> list[tuple[Any, float]]:
        async def all_of_them() -> list[tuple[Any, float]]:
            free = asyncio.Semaphore(called.parallel)

            async def one_of_them(one: Mapping[str, Any]) -> tuple[Any, float]:
                async with free:
                    begun = time.monotonic()
                    try:
                        return await called.call(one), time.monotonic() - begun
                    except Exception as error:  # noqa: BLE001 - as in `_batch`
                        return Failed(error), time.monotonic() - begun

            return list(await asyncio.gather(*map(one_of_them, given)))

        return list(self._run(all_of_them()))

    def _run(self, awaited: Any) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()  # one for all calls: clients keep connections to theirs
        return self._loop.run_until_complete(awaited)


EACH = ("item", "previous", "outputs", "seed", "sample", "candidates")
"""What a callable that takes batches gets as a list, one for each input; the rest is the same for all."""


def _timed(called: Called, given: Mapping[str, Any]) -> tuple[Any, float]:
    begun = time.monotonic()
    try:
        return called.call(given), time.monotonic() - begun
    except Exception as error:  # noqa: BLE001 - as in `_batch`
        return Failed(error), time.monotonic() - begun


def _version(function: Any, reference: str, folder: Path) -> str:
    """Which code it is: as its attribute `version` says, else a digest of its file and what that imports."""
    stated = getattr(function, "version", None)
    if stated is not None:
        return f"stated:{stated}"[:100]
    _, path, _ = split_reference(str(folder / reference))
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(_local_files(path)):
        digest.update(str(file.relative_to(path.parent)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _local_files(path: Path) -> set[Path]:
    """A file and all that it imports from its own folder, however deep; packages whole."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # importing it has told
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                names = [base] if base else [alias.name for alias in node.names]
            for name in names:
                top = name.split(".")[0]
                if (module := path.parent / f"{top}.py").is_file():
                    waiting.append(module)
                elif (path.parent / top / "__init__.py").is_file():
                    waiting.extend((path.parent / top).rglob("*.py"))
    return found
