"""What crashes have in common, and whether one says anything of its configuration."""

from __future__ import annotations

import re

from tunesmith.trial import Trial

KILLED = "ended by a person"
"""How the message of a trial begins that a person has ended."""
_READ = 300
"""Characters of a message that are looked at."""
_MASKS = (
    (re.compile(r"'[^']*'|\"[^\"]*\""), "<text>"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.+-]+)+"), "<path>"),
    (re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\b(?:nan|inf)\b"), "<number>"),
    (re.compile(r"\s+"), " "),
)
_BEFORE_TRAINING = re.compile(
    r"^(?:\w+\.)*(?:ImportError|ModuleNotFoundError|SyntaxError|IndentationError|TabError|FileNotFoundError"
    r"|NotADirectoryError|IsADirectoryError|PermissionError|UnpicklingError)\b"
    r"|^TypeError: (?:(?!__init__)[\w.<>])*\(\) (?:takes|missing|got an unexpected|got multiple)"
    r"|defines no function|is not a Python file|names no function|not a function\.|cannot be started"
    r"|ended without|which is no number"
    r"|exited with status 12[67]\b|exited with status 2\b.*arguments"
    r"|; its last line: (?:\w+\.)*(?:ImportError|ModuleNotFoundError|SyntaxError|FileNotFoundError)\b"
)


def signature(trial: Trial) -> str:
    """The error of a failed trial without its numbers, paths, quoted texts and the configuration's values."""
    text = trial.message[:_READ]
    for value in trial.configuration.values():
        if isinstance(value, str) and len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "<value>", text)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()


def before_training(trial: Trial) -> bool:
    """Whether a crashed trial says nothing of its configuration, because training never began.

    The code does not load, is not called as it wants to be, lacks its data, or returns no metric.
    """
    return (
        not (trial.curve or by_person(trial)) and _BEFORE_TRAINING.search(trial.message[:_READ]) is not None
    )


def by_person(trial: Trial) -> bool:
    """Whether a person ended the trial: that says nothing of the code, and is not done again."""
    return trial.message.startswith(KILLED)
