"""Sizes of memory as people write them: `2GB`, `1.5 GiB`, `800MB`."""

from __future__ import annotations

import re

_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_UNITS |= {unit[0]: size for unit, size in _UNITS.items() if len(unit) == 3}
"""`2G` is 2 GiB, as elsewhere on the command line."""
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]+)\s*")


def read_size(value: object) -> int:
    """Bytes.

    Raises:
        ValueError: It is no size with a unit, or less than a MiB.
    """
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    unit = None if match is None else _UNITS.get(match[2].upper())
    if match is None or unit is None:
        raise ValueError("should be a size with its unit, such as `2GB` or `800MB`")
    size = int(float(match[1]) * unit)
    if not 2**20 <= size <= 2**60:
        raise ValueError("should be a size of at least 1MiB, such as `2GB`")
    return size


def write_size(size: float) -> str:
    """`1.5 GB`, for a person."""
    for unit in ("TB", "GB", "MB", "KB"):
        if size >= _UNITS[unit]:
            return f"{size / _UNITS[unit]:.3g} {unit}"
    return f"{size:.0f} bytes"
