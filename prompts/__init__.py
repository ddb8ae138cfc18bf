"""The words: every prompt and every templated sentence, as versioned files with declared variables."""

from tunesmith.prompts.loader import Prompt, identifiers, render

__all__ = ["Prompt", "identifiers", "render"]
