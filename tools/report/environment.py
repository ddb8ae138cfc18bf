"""Versions and machine of the process that writes a report; no names or paths."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from tunesmith.tools.report.data import Environment

PACKAGES = ("numpy", "scikit-learn", "scipy", "torch", "optuna", "langchain", "openai", "pydantic")
"""Whose version may change what a run does."""


def environment() -> Environment:
    """This process's; installed packages are read from their metadata, none is imported."""
    return Environment(
        tunesmith=metadata.version("tunesmith"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{platform.system()} {platform.machine()}",
        cpus=os.cpu_count(),
        packages={name: version for name in PACKAGES if (version := _version(name)) is not None},
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
