"""Tunesmith: an agent tunes, statistics decides."""
