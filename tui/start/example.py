"""The built-in example: a task and its training code, which need nothing that Tunesmith does not."""

from __future__ import annotations

from importlib.resources import files
from itertools import chain, count
from pathlib import Path

from tunesmith.tools.records.atomic_write import write_atomic

FOLDER = "tunesmith-example"
NAMES = ("task.yaml", "train.py")


def write_example(here: Path) -> Path:
    """Write the example into a folder of its own below `here`; its task file.

    A folder that holds the example unchanged is used again; nothing else is ever written to.

    Raises:
        OSError: It cannot be written.
    """
    texts = {name: files("tunesmith.tui.start").joinpath("example", name).read_bytes() for name in NAMES}
    for name in chain([FOLDER], (f"{FOLDER}-{i}" for i in count(2))):
        folder = here / name
        try:
            folder.mkdir()
        except FileExistsError:
            if _holds(folder, texts):
                return folder / NAMES[0]
            continue
        for file, text in texts.items():
            write_atomic(folder / file, text)
        return folder / NAMES[0]
    raise AssertionError  # the names never end


def _holds(folder: Path, texts: dict[str, bytes]) -> bool:
    if folder.is_symlink():
        return False
    try:
        return all((folder / name).read_bytes() == text for name, text in texts.items())
    except OSError:
        return False
