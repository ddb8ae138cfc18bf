"""The code of a notebook as one script, magics left out; for reading only."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.errors import ObjectiveError
from tunesmith.task.scripts.source import LARGEST_SCRIPT, Script, parse_script

_LARGEST = 16 * LARGEST_SCRIPT
"""Bytes; pictures of the output count."""


def read_notebook(path: Path) -> Script:
    """The code cells joined; cells that are not Python are left out.

    Raises:
        ObjectiveError: It cannot be read, or is no notebook.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        cells = json.loads(data)["cells"] if len(data) <= _LARGEST else ()
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        texts = ["".join(source) for source in sources]
    except OSError as error:
        raise ObjectiveError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ObjectiveError(f"{path} is not a notebook that could be read.") from None
    kept = []
    for text in texts:
        lines = [line for line in text.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
        try:
            parse_script(path, "\n".join(lines))
        except ObjectiveError:
            continue  # another language, by a cell magic
        kept += lines
    return parse_script(path, "\n".join(kept))
