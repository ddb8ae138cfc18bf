"""docs/terminal.md names the keys that the app has."""

import re
from pathlib import Path

from tunesmith.tui.app import TunesmithApp
from tunesmith.tui.frame import PANE_KEYS, Frame

DOC = Path(__file__).resolve().parents[2] / "docs/terminal.md"


def test_the_table_of_keys_agrees_with_the_app() -> None:
    table = DOC.read_text().split("## Keys")[1].split("## ")[0]
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", table, re.MULTILINE))
    assert {key.lower(): word for key, word in rows.items() if key[0] == "F" and key != "F1"} == dict(
        PANE_KEYS
    )
    bound = {key for app in (Frame, TunesmithApp) for each in app.BINDINGS for key in each.key.split(",")}
    for key in ("f1", "escape", "ctrl+o", "ctrl+z", "ctrl+q"):
        assert key in bound and any(key == named.lower() for named in rows)
