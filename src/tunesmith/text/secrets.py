"""Values of secret environment variables, taken out of every text that is kept, shown or sent.

A variable counts as secret by its name (`WANDB_API_KEY`, `HF_TOKEN`, `DB_PASSWORD`), a password also where it
stands in a URL (`DATABASE_URL=postgresql://me:password@host/db`). In place of the value stands `[NAME]`.

What is secret is process-wide, as the environment is: read on first use, and again by `refresh`. Only the
standard library is used, since processes of trials import this too.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, AnyStr
from urllib.parse import quote, quote_plus, unquote, urlsplit

SHORTEST = 6
"""Characters of a value that is taken out; a shorter one is part of too many words."""
WHOLE_WORD = 12
"""A value shorter than this is taken out where it is no part of a longer word."""
_NAMED = re.compile(
    r"(?:^|_)[A-Z0-9]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASSCODE|CREDENTIAL|APIKEY|WEBHOOK|COOKIE|BEARER)S?[0-9]*(?:_|$)"
    r"|(?:^|_)(?:PWD|PASS|PAT|SAS|DSN|AUTH|AUTHORIZATION|CONNECTION_STRING)[0-9]*$"
)
_NOT_SECRET = frozenset({"PWD", "OLDPWD"})
_ORDINARY = frozenset({"default", "disabled", "enabled", "not-needed", "required", "public", "keyring"})
_NUMERIC_SECRETS = ("PASS", "SECRET", "PWD", "PIN")


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: KEY, TOKEN, SECRET, PASSWORD and the like."""
    upper = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    return upper not in _NOT_SECRET and _NAMED.search(upper) is not None


class Redactor:
    """Takes the secrets of an environment out of text.

    Args:
        environ: Names and values; those that are not secret are left alone.
        known: Texts that are secret whatever they are called; `[key]` is put in their place.
    """

    def __init__(self, environ: Mapping[str, str], known: Iterable[str] = ()) -> None:
        marks = {spelling: "[key]" for secret in known for spelling in _spellings(secret)}
        for name, value in environ.items():
            for secret in _secrets_of(name, value):
                for spelling in _spellings(secret):
                    marks.setdefault(spelling, f"[{re.sub(r'[^A-Za-z0-9_]', '_', name)[:60]}]")
        # The longest first: one secret may be part of another.
        self._marks = sorted(marks.items(), key=lambda item: -len(item[0]))
        self._bytes = [
            (spelling.encode(errors="surrogateescape"), mark.encode()) for spelling, mark in self._marks
        ]

    def found_in(self, text: str) -> bool:
        """Whether a secret may be in `text`."""
        return any(spelling in text for spelling, _ in self._marks)

    def text(self, text: str) -> str:
        """`text` with each secret replaced by the name of its variable in brackets."""
        for spelling, mark in self._marks:
            if spelling in text:
                if len(spelling) >= WHOLE_WORD:
                    text = text.replace(spelling, mark)
                else:
                    text = re.sub(rf"(?<![A-Za-z0-9.]){re.escape(spelling)}(?![A-Za-z0-9])", mark, text)
        return text

    def data(self, value: Any) -> Any:
        """The same in every text of a JSON-like value, keys included; other values are the same objects."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(item) for item in value]
        return value

    def output(self, data: bytes) -> tuple[bytes, bytes]:
        """The same for output that comes in pieces.

        Returns:
            What may be written, and the end of `data` that could be the beginning of a secret: put it in
            front of the next piece.
        """
        for spelling, mark in self._bytes:
            if spelling in data:
                data = data.replace(spelling, mark)
        kept = max((_begun(data, spelling) for spelling, _ in self._bytes), default=0)
        return data[: len(data) - kept], data[len(data) - kept :]

    def pieces(self, text: str) -> tuple[str, str]:
        """As `output`, for text that comes in pieces."""
        text = self.text(text)
        kept = max((_begun(text, spelling) for spelling, _ in self._marks), default=0)
        return text[: len(text) - kept], text[len(text) - kept :]


def _begun(data: AnyStr, spelling: AnyStr) -> int:
    """Bytes or characters at the end of `data` that are a beginning of `spelling`."""
    start = max(len(data) - len(spelling) + 1, 0)
    while (start := data.find(spelling[:1], start)) >= 0:
        if spelling.startswith(data[start:]):
            return len(data) - start
        start += 1
    return 0


def _secrets_of(name: str, value: str) -> list[str]:
    """The secret values in one variable."""
    found = []
    if is_secret_name(name) and not (value[:1] in "/~." and os.path.exists(os.path.expanduser(value))):
        found = [value.strip(), " ".join(value.split()), *value.split(";")]
        found += [line for line in value.splitlines() if len(line) >= WHOLE_WORD]
        found += [word for word in value.split() if len(word) >= WHOLE_WORD]  # `Bearer ...`, a PEM's lines
        found = [item.strip() for item in found]
        if value.strip().isdigit() and not any(word in name.upper() for word in _NUMERIC_SECRETS):
            return []  # MAX_TOKENS=128000 is none
    if "://" in value:
        try:
            password = urlsplit(value.strip()).password or ""
        except ValueError:  # no URL after all
            password = ""
        found += [password, unquote(password)]
    return [item for item in dict.fromkeys(found) if len(item) >= SHORTEST and item.lower() not in _ORDINARY]


def _spellings(secret: str) -> list[str]:
    """How a secret may be written: as it is, in a repr, in JSON, in a URL, in base64."""
    raw = secret.encode(errors="surrogateescape")
    written = [secret, quote(raw), quote(raw, safe=""), quote_plus(raw)]
    for _ in range(2):  # an error that quotes an error, as KeyError does, escapes twice
        written += [escaped for text in dict.fromkeys(written) for escaped in _escapes(text)]
    if len(secret) >= WHOLE_WORD:
        written.append(base64.b64encode(raw).decode().rstrip("="))
    return list(dict.fromkeys(written))


def _escapes(text: str) -> list[str]:
    return [repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]


_redactor: Redactor | None = None
_remembered: dict[str, str] = {}


def refresh() -> None:
    """Read the environment again, as at the start of a command or an API call."""
    global _redactor
    _redactor = Redactor({**_remembered, **os.environ})


def remember(environ: Mapping[str, str]) -> None:
    """Secrets that are not in this process's environment, such as those a task sets for its trials."""
    _remembered.update(environ)
    refresh()


def redactor() -> Redactor:
    """The process's own."""
    if _redactor is None:
        refresh()
    assert _redactor is not None
    return _redactor


def redact(text: str) -> str:
    """`text` without the secrets of this process's environment."""
    return redactor().text(text)
