"""Data files as tables: .csv, .tsv, .npz, .npy. What they hold is data: never evaluated, never unpickled."""

from __future__ import annotations

import csv
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tunesmith.data_card.table import (
    MISSING,
    MOST_ENTRIES,
    MOST_ROWS,
    Table,
    as_numbers,
    from_arrays,
    split_target,
    target_of,
)
from tunesmith.errors import DataError, UsageError, short
from tunesmith.text.cleaning import clean

LARGEST_ARRAY = 2**31
"""Bytes of one array of a .npz or .npy file, unpacked."""
MOST_COLUMNS = 100_000
CHUNK = 2048
"""Rows that are turned into numbers at a time."""


def read_table(path: Path, target: str | int | None = None) -> Table:
    """The table in a file, by the ending of its name; DataError as `DataCard.from_file` says."""
    readers = {".csv": _read_text, ".tsv": _read_text, ".npz": _read_npz, ".npy": _read_npy}
    reader = readers.get(path.suffix.casefold())
    if reader is None:
        raise DataError(
            f"is not of a kind that is read here ({', '.join(readers)}).",
            path=path,
            fix="Save it as one of these, or give the arrays from Python.",
        )
    if not path.is_file():
        raise DataError("is not a file.", path=path, fix="Check the name.")
    try:
        return reader(path, target)
    except DataError as error:  # raised below without the file's name
        raise DataError(error.problem, path=path, line=error.line, place=error.place, fix=error.fix) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"cannot be read ({reason}).", path=path, fix="Check the file.") from None


def _read_text(path: Path, target: str | int | None) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = _rows(csv.reader(file, delimiter=_delimiter(path)))
        first_line, first = next(rows, (1, []))
        if not first:
            raise DataError("is empty.", fix="Write a header and one sample a line.")
        if len(first) > MOST_COLUMNS:
            raise DataError(
                f"has {len(first):,} columns, over {MOST_COLUMNS:,}.", line=first_line, fix="Save it as .npz."
            )
        headless = as_numbers(cell if cell.strip() else None for cell in first) is not None
        names = [f"x{i}" for i in range(len(first))] if headless else [name.strip() for name in first]
        place = _target_place(names, target)
        columns = [_Column(i == place) for i in range(len(names))]
        chunk = [first] if headless else []
        read, more = len(chunk), False
        most = max(min(MOST_ROWS, MOST_ENTRIES // len(names)), 2)
        for line, row in rows:
            if len(row) != len(names):
                raise DataError(
                    f"has {len(row)} cells where the first line has {len(names)}.",
                    line=line,
                    fix="Give every line the same number of cells; put a cell that holds a comma in quotes.",
                )
            if read == most:
                more = True
                break
            chunk.append(row)
            read += 1
            if len(chunk) == CHUNK:
                _take(columns, chunk)
                chunk = []
        _take(columns, chunk)
    if read == 0:
        raise DataError("has a header and no samples.", fix="Write one sample a line.")
    goal = None if place is None else target_of(np.array(columns[place].texts, dtype=object))
    kept = [i for i in range(len(names)) if i != place]
    return Table(
        tuple(names[i] for i in kept), tuple(columns[i].finished() for i in kept), goal, read, read, more
    )


class _Column:
    """A column of a text file as it is read: texts of the target; numbers, or only gaps, of a feature."""

    def __init__(self, is_target: bool) -> None:
        self.is_target, self.numeric = is_target, True
        self.texts: list[str] = []
        self.parts: list[NDArray[np.float64]] = []
        self.gaps = self.rows = 0

    def take(self, cells: tuple[str, ...]) -> None:
        if self.is_target:
            self.texts += (clean(cell, 100) for cell in cells)
            return
        self.rows += len(cells)
        numbers = None
        if self.numeric:
            try:  # the usual case: all numbers, turned at the speed of C
                numbers = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
            except ValueError:
                numbers = as_numbers(None if _is_gap(cell) else cell for cell in cells)
        if numbers is not None:
            self.parts.append(numbers)
            self.gaps += int(np.isnan(numbers).sum())
            return
        self.numeric, self.parts = False, []
        self.gaps += sum(map(_is_gap, cells))

    def finished(self) -> NDArray[np.float64] | float:
        return np.concatenate(self.parts) if self.numeric else self.gaps / self.rows


def _is_gap(cell: str) -> bool:
    return cell.strip().casefold() in MISSING


def _take(columns: list[_Column], chunk: list[list[str]]) -> None:
    if chunk:
        for column, cells in zip(columns, zip(*chunk, strict=True), strict=True):
            column.take(cells)


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, with their 1-based number."""
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"is not a table ({error}).", line=reader.line_num, fix="Check its quotes."
            ) from None
        except UnicodeDecodeError:
            raise DataError("is not UTF-8 text.", line=reader.line_num + 1, fix="Save it as UTF-8.") from None
        if row:
            yield reader.line_num, row


def _delimiter(path: Path) -> str:
    """Tab for .tsv; else the one of comma, semicolon and tab that the first line has most of."""
    if path.suffix.casefold() == ".tsv":
        return "\t"
    with path.open("rb") as file:
        first = file.readline(1 << 20).decode("utf-8", "replace")
    return max(",;\t", key=first.count)


def _target_place(names: list[str], target: str | int | None) -> int | None:
    try:
        return split_target(names, target)
    except LookupError:
        shown = ", ".join(clean(name, 40) for name in names[:10]) + (", ..." if len(names) > 10 else "")
        raise DataError(
            f"there is no such column; there are {shown}.",
            place=clean(target, 60),
            fix="Name one of them, or its place counted from 0.",
        ) from None


def _read_npy(path: Path, target: str | int | None) -> Table:
    with path.open("rb") as file:
        array = _array(file, None)
    if target is None or array.ndim != 2:
        if target is not None:
            raise DataError(
                f"has the shape {array.shape}; a target is looked for in a table of two dimensions.",
                fix="Save data and target as two arrays of one .npz file.",
            )
        return _checked(array, None)
    place = _target_place([f"x{i}" for i in range(array.shape[1])], target)
    assert place is not None
    return _checked(np.delete(array, place, axis=1), array[:, place])


def _read_npz(path: Path, target: str | int | None) -> Table:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            if not names:
                raise DataError("holds no arrays.", fix="Save it with numpy.savez(path, X=X, y=y).")
            if target is not None and str(target) not in names:
                raise DataError(
                    f"there is no such array; there are {', '.join(clean(n, 40) for n in names[:10])}.",
                    place=clean(target, 60),
                    fix="Name one of them as target.",
                )
            y = None if target is None else str(target)
            X = _data_name([name for name in names if name != y])
            return _checked(_member(archive, X), None if y is None else _member(archive, y))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(
            f"is not a .npz file ({short(str(error))}).", fix="Save it with numpy.savez."
        ) from None


def _data_name(names: list[str]) -> str:
    """The array with the features: the only one, or one with a usual name."""
    usual = [name for name in names if name.casefold() in ("x", "data", "features", "x_train")]
    chosen = names if len(names) == 1 else usual
    if len(chosen) != 1:
        shown = ", ".join(clean(name, 40) for name in names[:10]) or "none"
        raise DataError(
            f"it is not clear which array holds the features ({shown}).",
            fix="Call it X, and name the other as target.",
        )
    return chosen[0]


def _member(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name + ".npy") as file:
        return _array(file, name)


def _array(file: Any, name: str | None) -> NDArray[Any]:
    """An array of plain numbers or texts, once its header says that it is one and of a bearable size."""
    place = None if name is None else clean(name, 60)
    try:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(file)
    except (ValueError, EOFError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise DataError(
            f"is not an array of numpy's ({short(str(error))}).", place=place, fix="Save it again."
        ) from None
    if dtype.hasobject or dtype.names is not None or dtype.kind in "cV":
        kind = "records" if dtype.names is not None else f"{dtype.name} values"
        _refuse(place, f"holds {kind}, which are not read here.")
    size = math.prod(shape, start=dtype.itemsize)
    if min(shape, default=0) < 0:
        _refuse(place, f"has the shape {short(shape)}.", "Save it again.")
    if size > LARGEST_ARRAY:
        _refuse(place, f"would fill {size:,} bytes, over {LARGEST_ARRAY:,}.", "Save a part of it.")
    raw = file.read(size)
    if len(raw) < size:
        _refuse(place, "is cut short.", "Save it again.")
    flat = np.frombuffer(raw, dtype=dtype) if size else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _refuse(place: str | None, problem: str, fix: str = "") -> NoReturn:
    raise DataError(problem, place=place, fix=fix or "Save plain numbers or texts.")


def _checked(X: NDArray[Any], y: NDArray[Any] | None) -> Table:
    try:
        return from_arrays(X, y)
    except UsageError as error:
        raise DataError(str(error), fix="Save both with one row for each sample.") from None
