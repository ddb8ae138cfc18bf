"""Makes the packages under `examples/plugins` findable by entry point, without installing them."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

import pytest

from tunesmith.registry import FAMILIES

PLUGINS = Path(__file__).parents[2] / "examples" / "plugins"


def make_findable(source: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the package in folder `source` on the path of this process and of those it starts.

    Args:
        place: An empty folder for the modules and a .dist-info with the entry points of pyproject.toml.
    """
    for family in FAMILIES:  # entry points are read once; what was read comes back after the test
        _ = family.names
        monkeypatch.delitem(vars(family), "_points")
    shutil.copytree(source, place, dirs_exist_ok=True)
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    info = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(place), os.getenv("PYTHONPATH")])))
