"""Runs a module of ours in a Python that has no Tunesmith: PYTHON bootstrap.py PACKAGE MODULE [ARGUMENT ...].

Only the name `tunesmith` is added to what that Python finds, and nothing of the folder that Tunesmith is
installed in: its other packages belong to another interpreter. What is imported so is written for the
standard library of Python 3.9; a test imports it there.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import runpy
import sys
from importlib.machinery import ModuleSpec

HERE = os.path.dirname(os.path.realpath(__file__))


class Finder:
    """Finds the package `tunesmith` in a given folder; all below it is then found by its path."""

    def __init__(self, package: str) -> None:
        self.folders = {"tunesmith": package, "tunesmith.tools": os.path.dirname(HERE)}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        folder = self.folders.get(name)
        if folder is None:
            return None
        return importlib.util.spec_from_file_location(
            name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
        )


def main() -> None:
    package, module = sys.argv[1:3]
    if sys.path and os.path.realpath(sys.path[0]) == HERE:
        del sys.path[0]  # this file's own folder; -P, which leaves it out, came with Python 3.11
    sys.meta_path.insert(0, Finder(package))
    importlib.import_module("tunesmith").__guest__ = True  # type: ignore[attr-defined]
    sys.argv[:3] = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
