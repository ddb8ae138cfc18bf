"""What a person's words name: words, trials, hyperparameters."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from tunesmith.space import Space

MOST = 2000
"""Characters that are read."""
_WORD = re.compile(r"[a-z][a-z0-9_'.-]*|\d+(?:\.\d+)?", re.IGNORECASE)
_TRIAL = re.compile(r"#\s?(\d{1,7})\b|\btrials?\s+#?(\d{1,7})\b|\brun\s+#?(\d{1,7})\b", re.IGNORECASE)
_MORE = re.compile(r"#\s?\d{1,7}|\btrials?\s+#?\d{1,7}", re.IGNORECASE)
_ALONE = re.compile(
    r"(?<![\w.#+=~$-])(\d{1,7})(?![\w%]|\.\d|\s*(?:more|trials?|epochs?|steps?|min|hours?|h\b|s\b))"
)
ALIASES = {
    "learning rate": ("lr", "learning_rate", "eta", "alpha"),
    "batch size": ("batch_size", "batchsize", "bs", "batch"),
    "weight decay": ("weight_decay", "wd", "decay"),
    "drop out": ("dropout",),
    "layers": ("depth", "n_layers", "num_layers"),
}
"""Other names of usual hyperparameters."""


@dataclass(frozen=True)
class Asked:
    """A question as far as it can be read without a model."""

    text: str
    """On one line, lower case."""
    words: tuple[str, ...]
    trials: tuple[int, ...]
    """Numbers of trials, marked as such (`#3`, `trial 3`) or standing alone."""
    parameters: tuple[str, ...]
    """Hyperparameters of the space, as they are named there."""

    def has(self, *stems: str) -> bool:
        """Whether a word begins with one of the stems."""
        return any(word.startswith(stems) for word in self.words)

    def says(self, *phrases: str) -> bool:
        """Whether one of the phrases is in it, as whole words."""
        return any(re.search(rf"\b{re.escape(phrase)}\b", self.text) for phrase in phrases)


def read_question(text: str, space: Space) -> Asked:
    """What a question names."""
    line = " ".join(text[:MOST].split())
    low = line.casefold().lstrip("/")
    words = tuple(word.strip("'.-") for word in _WORD.findall(low))
    return Asked(low, words, _trials(line), parameters_in(low, words, space))


def _trials(line: str) -> tuple[int, ...]:
    marked = [int(next(filter(None, found))) for found in _TRIAL.findall(line)]
    if marked or "#" in line:
        # `trials 3 and 7`: those that follow a marked one count as well.
        rest = _MORE.sub(" ", line)
        marked += [int(n) for n in re.findall(r"(?:,|\band\b|\bwith\b|\bvs\.?|\bto\b)\s*#?(\d{1,7})\b", rest)]
        return tuple(dict.fromkeys(marked))
    return tuple(dict.fromkeys(int(n) for n in _ALONE.findall(line)))


def parameters_in(text: str, words: tuple[str, ...], space: Space) -> tuple[str, ...]:
    """Hyperparameters that a text names: exactly, by a usual other name, or nearly."""
    names = {name.casefold(): name for name in space.names}
    found = [names[word] for word in words if word in names]
    found += [
        real
        for low, real in names.items()
        if not low.isidentifier() and re.search(rf"(?<!\w){re.escape(low)}(?!\w)", text)
    ]
    spoken = {low.replace("_", " ").replace(".", " "): real for low, real in names.items()}
    found += [real for said, real in spoken.items() if " " in said and said in text]
    for said, others in ALIASES.items():
        if said in text:
            found += [names[other] for other in others if other in names][:1]
    if not found:
        for word in words:
            if len(word) >= 4 and (near := difflib.get_close_matches(word, names, 1, 0.8)):
                found.append(names[near[0]])
    return tuple(dict.fromkeys(found))
