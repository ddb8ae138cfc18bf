"""Plain instructions, where no model reads them: which command does that."""

from __future__ import annotations

import re

from tunesmith.space import Space
from tunesmith.text.cleaning import clean

COMMANDS = {
    "try|run|test|launch|start": "/try {name}=VALUE runs a configuration; what is missing is as in the best",
    "kill|cancel|abort": "/kill N ends a running trial",
    "freeze|fix|pin|keep|leave|set": "/freeze {name}=VALUE tunes a hyperparameter no further",
    "narrow|restrict|limit|shrink|focus": "/narrow {name} LOW..HIGH searches less of a range",
    "widen|extend|expand|enlarge": "/widen {name} LOW..HIGH searches more of a range",
    "add|include": "/add NAME=CHOICE adds a choice, /trials +10 adds trials",
    "prior|expect|assume|prefer|favour|favor": "/prior {name} ~VALUE says where the best value is expected",
    "budget|increase|decrease|raise|more|give|spend|lower": "/trials +10 and /budget change the budget",
    "pause|wait|hold": "/pause starts no further trial",
    "resume|continue": "/resume goes on",
    "stop|end|finish|quit": "/stop ends the run, resumably",
    "undo|revert": "/undo takes back the latest change",
    "note|remember": "/note TEXT keeps a note",
}
"""The first word of an instruction, and the command for it."""
OTHERWISE = "run|test|launch|start|keep|leave|include|wait|hold|continue|end|finish|note|remember|expect|give"
"""Words that begin questions as well: they count where nothing else is understood."""
_POLITE = re.compile(
    r"^(?:please|pls|could you|can you|would you|let's|lets|now|just|ok|also|do)[,\s]+", re.IGNORECASE
)


def cannot_follow(text: str, space: Space, *, surely: bool = False) -> str:
    """Why a plain instruction is not carried out, and what to type; empty where it reads as none.

    Args:
        surely: Only what can hardly be a question.
    """
    line = " ".join(text[:400].split())
    while (shorter := _POLITE.sub("", line)) != line:
        line = shorter
    word = re.match(r"\+?\d+\s+(more)\b|([a-z]+)", line, re.IGNORECASE)
    if word is None:
        return ""
    first = (word[1] or word[2]).casefold()
    found = next((command for words, command in COMMANDS.items() if first in words.split("|")), None)
    if found is None or (surely and ("?" in line or "worth" in line or first in OTHERWISE.split("|"))):
        return ""
    name = clean(next(iter(space.names), "lr"), 40)
    return (
        "This run has no language model that could read an instruction in plain words, so nothing was "
        f"changed. {found.format(name=name)}; /help lists all commands."
    )
