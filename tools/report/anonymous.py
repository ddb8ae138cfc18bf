"""Text for a report: cleaned, capped, and without the machine's own paths.

A report is made to be shared. Tracebacks and messages quote absolute paths, which show who ran it and where:
paths in the run, the task's folder or the working folder become relative to it, and the home folder and
Python's own become `~` and `<python>`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tunesmith.text.cleaning import clean


class Anonymous:
    """Cleans text for one report.

    Args:
        run: The run folder.
        task_folder: Where the task file lies, or None for a task built in Python.
    """

    def __init__(self, run: Path, task_folder: Path | None = None) -> None:
        names: dict[str, str] = {}
        for folder, name in (
            (run, "."),
            (task_folder, "."),
            (Path.cwd(), "."),
            (Path(sys.prefix), "<python>"),
            (Path(sys.base_prefix), "<python>"),
            (Path.home(), "~"),
        ):
            for spelled in () if folder is None else (folder.absolute(), folder.resolve()):
                if len(spelled.parts) > 1:  # never the root itself
                    names.setdefault(str(spelled), name)
        # The longest first: the run folder usually lies in the home folder.
        longest_first = sorted(names, key=len, reverse=True)
        self._names = names
        self._paths = re.compile(rf"({'|'.join(map(re.escape, longest_first))})(?![\w-])(/)?")

    def __call__(self, text: object, limit: int = 500, *, lines: bool = False) -> str:
        """`text` as it may stand in a report, at most about `limit` characters; one line unless `lines`."""
        return clean(self._paths.sub(self._relative, str(text)), limit, lines=lines)

    def _relative(self, match: re.Match[str]) -> str:
        name, inside = self._names[match[1]], match[2]
        return "" if name == "." and inside else name + (inside or "")

    def path(self, path: Path) -> str:
        """A file as one would name it from here: relative to the working folder, else by its name alone."""
        absolute = path.absolute()
        inside = absolute.is_relative_to(Path.cwd())
        return clean(absolute.relative_to(Path.cwd()) if inside else absolute.name, 300)
