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
    effort: str | None = None
    """How much a reasoning model is to think, sent as `reasoning_effort`: `low`, say. None leaves it open."""
    answer_tokens: int | None = None
    """Longest answer, tokens, its hidden reasoning included, where nothing else is asked for; None: 4096.

    It grows by itself, within the caps, when a model's thinking has used it up.
    """

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ModelSettings | None:
        """Settings from the environment variables of a model.

        TUNESMITH_PROVIDER names what answers (default `openai`), TUNESMITH_MODEL the model,
        TUNESMITH_BASE_URL a server of one's own, TUNESMITH_API_KEY its key, TUNESMITH_TIMEOUT_S the longest
        request, TUNESMITH_EFFORT and TUNESMITH_ANSWER_TOKENS how much a reasoning model is to think and how
        long an answer may be. Without a base URL the provider `openai` takes OPENAI_API_KEY and
        OPENAI_BASE_URL.

        Returns:
            None when neither a key, a base URL nor a provider is set: run without a language model.
        Raises:
            UsageError: TUNESMITH_TIMEOUT_S or TUNESMITH_ANSWER_TOKENS is no positive number, or
                TUNESMITH_EFFORT no word.
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
            effort=_effort(env.get("TUNESMITH_EFFORT", "").strip()),
            answer_tokens=_tokens(env.get("TUNESMITH_ANSWER_TOKENS", "").strip()),
        )


DEFAULT_OPENAI_MODEL = "gpt-5-mini"
NO_KEY = "not-needed"
"""In place of a key where none is set; not a secret."""


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


def _effort(text: str) -> str | None:
    if text and not (text.isascii() and text.isalpha() and len(text) <= 20):
        raise UsageError(f"TUNESMITH_EFFORT={text[:40]!r} is no word. Set it to low, medium or high.")
    return text.casefold() or None


def _tokens(text: str) -> int | None:
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 7 else 0
    if number < 16:
        raise UsageError(
            f"TUNESMITH_ANSWER_TOKENS={text[:40]!r} is no number of tokens from 16. Set it to 4096, say."
        )
    return number
