"""Command lines with `{name}` placeholders: what they may name, and filling them in.

A placeholder is a name in braces with no space, quote, comma or colon in it, so JSON in an argument is left
alone. Besides parameters there are three of our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

RESERVED = {
    "seed": "the trial's seed",
    "config": "path of a JSON file with the configuration under `values`",
    "checkpoint_dir": "folder for checkpoints",
}
_PLACEHOLDER = re.compile(r"""\{([^{}\s"',:]+)\}""")


def placeholders(argv: Iterable[str]) -> list[str]:
    """Names in braces, in order of appearance, each once."""
    return list(dict.fromkeys(name for argument in argv for name in _PLACEHOLDER.findall(argument)))


def fill(argv: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """The argument vector with every placeholder that `values` knows replaced; no shell, no second pass."""
    return [_PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), argument) for argument in argv]
