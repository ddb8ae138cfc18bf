"""What a person chose for the look of the terminal, kept between runs. Nothing in it matters to a run."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from tunesmith.tui.theme import THEME


@dataclass(frozen=True)
class Settings:
    """Theme and hidden panes; a file that is missing or damaged stands for the defaults."""

    theme: str = THEME.name
    hidden: tuple[str, ...] = ()

    @classmethod
    def read(cls) -> Settings:
        """What was kept. Never raises."""
        try:
            known = json.loads(_path().read_text(encoding="utf-8"))
        except (OSError, ValueError, RuntimeError, RecursionError):
            return cls()
        if not isinstance(known, dict):
            return cls()
        chosen, hidden = known.get("theme"), known.get("hidden")
        return cls(
            chosen if isinstance(chosen, str) else cls.theme,
            tuple(name for name in hidden if isinstance(name, str)) if isinstance(hidden, list) else (),
        )

    def write(self) -> bool:
        """Keep it; False where that is not possible, which is no reason to stop anybody."""
        try:
            path = _path()
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_text(json.dumps(asdict(self)), encoding="utf-8")
            fresh.replace(path)
        except (OSError, ValueError, RuntimeError):
            return False
        return True


def _path() -> Path:
    """`terminal.json` in the person's folder of settings. RuntimeError: there is no home."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "tunesmith" / "terminal.json"
