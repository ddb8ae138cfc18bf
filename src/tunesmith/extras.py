"""Optional packages: which extra of Tunesmith installs which."""

from __future__ import annotations

import importlib.util
import re

from tunesmith.errors import MissingExtra

EXTRAS = {
    "torch": ("torch", "torch"),
    "sklearn": ("scikit-learn", "bench"),
    "cmaes": ("cmaes", "bench"),
    "pandas": ("pandas", "pandas"),
    "onnxruntime": ("onnxruntime", "dev"),
}
"""Importable name -> the package's name, and the extra that installs it."""


def missing_extra(module: str, feature: str) -> str:
    """Why `feature` cannot be used: the package it needs and the command that installs it.

    Empty where the module is installed; it is looked for and not imported.
    """
    try:
        installed = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # raised by an import hook that blocks the module
        installed = False
    if installed:
        return ""
    package, extra = EXTRAS[module]
    return f"{feature} needs {package}: pip install 'tunesmith[{extra}]'"


def require(module: str, feature: str) -> None:
    """Check that an optional package is installed, before it is imported.

    Raises:
        MissingExtra: It is not; the message starts with `feature`, such as "the suite torch".
    """
    missing = missing_extra(module, feature)
    if missing:
        raise MissingExtra(missing)


def install_hint(message: str) -> str:
    """How to install the optional package that training code could not import; empty for any other fault."""
    match = re.search(r"No module named '(\w+)", message)
    if match is None or match[1] not in EXTRAS:
        return ""
    package, extra = EXTRAS[match[1]]
    return (
        f" Tunesmith does not install {package}: pip install 'tunesmith[{extra}]', or your own build of it."
    )
