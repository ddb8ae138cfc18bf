"""How a program is started on an item: arguments and environment. Python 3.9, standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PLACEHOLDER = re.compile(r"\{(item(?:\.[A-Za-z0-9_-]+)*)\}")
KEY = "sk-tunesmith-proxy"
"""What a program gets in place of a provider's key: clients ask for one."""
_HERE = ("127.0.0.1", "localhost", "::1")


def arguments(command: Sequence[str], item: Any, path: Path) -> list[str]:
    """The argument vector; what an item says stays inside its argument, and is never read again.

    Args:
        path: A JSON file with the item.
    Raises:
        KeyError: The item lacks a field that the command names; the argument is its placeholder.
    """

    def value(found: re.Match[str]) -> str:
        _, *fields = found[1].split(".")
        if not fields:
            return str(path)
        here = item
        for field in fields:
            if isinstance(here, Mapping) and field in here:
                here = here[field]
            elif isinstance(here, list) and field.isdigit() and int(field) < len(here):
                here = here[int(field)]
            else:
                raise KeyError(found[1])
        return here if isinstance(here, str) else json.dumps(here, ensure_ascii=False)

    return [_PLACEHOLDER.sub(value, word) for word in command]


def program_environment(environ: Mapping[str, str], url: str, keys: Sequence[str]) -> dict[str, str]:
    """The environment of a program: the proxy as its provider, and no key.

    Args:
        keys: Variables with the keys of providers.
    """
    made = {**environ, **dict.fromkeys(("OPENAI_API_KEY", *keys), KEY)}
    made["OPENAI_BASE_URL"] = made["OPENAI_API_BASE"] = url
    for name in ("NO_PROXY", "no_proxy"):
        stated = [word.strip() for word in made.get(name, "").split(",") if word.strip()]
        made[name] = ",".join(dict.fromkeys([*stated, *_HERE]))
    return made
