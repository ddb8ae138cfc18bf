"""Command lines with `{name}` placeholders: which names they may hold.

A placeholder is a plain name in braces, so JSON in an argument is left alone. Besides the parameters there
are three of our own. The worker that starts the command fills them in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

RESERVED = {
    "seed": "the trial's seed",
    "config": "the whole configuration as JSON",
    "checkpoint_dir": "the trial's folder for checkpoints",
}
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.\-]*)\}")


def placeholders(argv: Iterable[str]) -> list[str]:
    """Names in braces, in order of appearance, each once."""
    return list(dict.fromkeys(name for argument in argv for name in _PLACEHOLDER.findall(argument)))
