"""Settings from the environment, read once by the front doors and handed down.

Keys are read here and nowhere else, held as secrets, and never written anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import SecretStr

from tunesmith.errors import UsageError
from tunesmith.trial import Frozen


class ModelSettings(Frozen):
    """How to reach a language model."""

    base_url: str
    """OpenAI-compatible base URL, such as `https://api.openai.com/v1`."""
    model: str | None
    """Model name; None means the first that the server lists."""
    api_key: SecretStr
    timeout_s: float | None = None
    """Seconds one request may take in all; None means 60, or 180 for a server of one's own."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ModelSettings | None:
        """Settings from OPENAI_API_KEY, OPENAI_BASE_URL and TUNESMITH_BASE_URL, _API_KEY, _MODEL, _TIMEOUT_S.

        Returns:
            None when neither a key nor a base URL is set: run without a language model.
        Raises:
            UsageError: TUNESMITH_TIMEOUT_S is no positive number.
        """
        env = os.environ if environ is None else environ
        own_url = env.get("TUNESMITH_BASE_URL", "").strip()
        openai_key = env.get("OPENAI_API_KEY", "").strip()
        if not own_url and not openai_key:
            return None
        # A server of one's own is never sent the OpenAI key: the two may belong to different people.
        key = env.get("TUNESMITH_API_KEY", "").strip() or (openai_key if not own_url else "") or "not-needed"
        model = env.get("TUNESMITH_MODEL", "").strip() or (None if own_url else DEFAULT_OPENAI_MODEL)
        return cls(
            base_url=own_url or env.get("OPENAI_BASE_URL", "").strip() or "https://api.openai.com/v1",
            model=model,
            api_key=SecretStr(key),
            timeout_s=_seconds(env.get("TUNESMITH_TIMEOUT_S", "").strip()),
        )


DEFAULT_OPENAI_MODEL = "gpt-5-mini"
SECRET_VARIABLES = ("OPENAI_API_KEY", "TUNESMITH_API_KEY")
"""Removed from the environment of every training process."""


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"TUNESMITH_TIMEOUT_S={text!r} is no positive number of seconds. Set it to 60, say.")
    return seconds
