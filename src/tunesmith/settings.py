"""Settings from the environment, read once by the front doors and handed down.

Keys are read here and nowhere else, held as secrets, and never written anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import SecretStr

from tunesmith.trial import Frozen


class ModelSettings(Frozen):
    """How to reach a language model."""

    base_url: str
    """OpenAI-compatible base URL, such as `https://api.openai.com/v1`."""
    model: str | None
    """Model name; None means the first that the server lists."""
    api_key: SecretStr

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> ModelSettings | None:
        """Settings from OPENAI_API_KEY, TUNESMITH_BASE_URL, TUNESMITH_API_KEY and TUNESMITH_MODEL.

        Returns:
            None when neither a key nor a base URL is set: run without a language model.
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
        )


DEFAULT_OPENAI_MODEL = "gpt-5-mini"
SECRET_VARIABLES = ("OPENAI_API_KEY", "TUNESMITH_API_KEY")
"""Removed from the environment of every training process."""
