"""Settings from the environment, read once at the start of a command or API call.

Keys are read here and nowhere else, held as secrets, and never written to a file.
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
    """Base URL, such as `https://api.openai.com/v1`; may be empty for another provider than `openai`."""
    model: str | None
    """Model name, None: the first that the server lists; for the provider `function`, `module:function`."""
    api_key: SecretStr
    provider: str = "openai"
    """Name in `registry.LANGUAGE_MODELS` of what answers: `openai`, `function`, or another package's."""
    timeout_s: float | None = None
    """Seconds one request may take in all.

    None means 60, or 180 for a server of one's own, and three times that for a streamed answer that flows.
    """

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ModelSettings | None:
        """Settings from the environment variables of a model.

        TUNESMITH_PROVIDER names what answers (default `openai`), TUNESMITH_MODEL the model,
        TUNESMITH_BASE_URL a server of one's own, TUNESMITH_API_KEY its key, TUNESMITH_TIMEOUT_S the longest
        request. Without a base URL the provider `openai` takes OPENAI_API_KEY and OPENAI_BASE_URL.

        Returns:
            None when neither a key, a base URL nor a provider is set: run without a language model.
        Raises:
            UsageError: TUNESMITH_TIMEOUT_S is no positive number.
        """
        env = os.environ if environ is None else environ
        own_url = env.get("TUNESMITH_BASE_URL", "").strip()
        openai_key = env.get("OPENAI_API_KEY", "").strip()
        provider = env.get("TUNESMITH_PROVIDER", "").strip() or "openai"
        if provider == "openai" and not own_url and not openai_key:
            return None
        # Only OpenAI's own client is given the OpenAI key: another server may belong to somebody else.
        official = provider == "openai" and not own_url
        key = env.get("TUNESMITH_API_KEY", "").strip() or (openai_key if official else "") or NO_KEY
        official_url = env.get("OPENAI_BASE_URL", "").strip() or "https://api.openai.com/v1"
        return cls(
            base_url=official_url if official else own_url,
            model=env.get("TUNESMITH_MODEL", "").strip() or (DEFAULT_OPENAI_MODEL if official else None),
            api_key=SecretStr(key),
            provider=provider,
            timeout_s=_seconds(env.get("TUNESMITH_TIMEOUT_S", "").strip()),
        )


DEFAULT_OPENAI_MODEL = "gpt-5-mini"
NO_KEY = "not-needed"
"""In place of a key where none is set; not a secret."""
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
