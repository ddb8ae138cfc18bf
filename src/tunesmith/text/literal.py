"""Text from anywhere, made safe to draw: the terminal shows what was written and acts on none of it.

Training logs, models and task files may hold terminal escapes (which move the cursor, rename the
window or fill the clipboard), characters that reorder what a person reads, or a megabyte on one
line. Everything the terminal draws that did not come from our own source passes through `literal`
first, and is then drawn as plain text, never as markup.
"""

from __future__ import annotations

import re
from unicodedata import category

from tunesmith.text.secrets import redact

LINE_LIMIT = 2_000
"""Characters of one line; a longer one is cut and says by how much."""
LINES_LIMIT = 200
"""Lines of one text; head and tail are kept."""
TEXT_LIMIT = 20_000
"""Characters of one text; head and tail are kept."""

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories of characters that are not drawn, and may act on a terminal."""
_ESCAPES = re.compile(
    r"""
    (?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])  # OSC, DCS, SOS, PM, APC: a string up to ...
    [^\x1b\x07\x9c\n]*(?:\x07|\x9c|\x1b\\)?  # ... its terminator; unfinished ones end with the line
    | (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?      # CSI: colours, cursor movement
    | \x1b[ -/]*[0-~]?                       # any other escape
    """,
    re.VERBOSE,
)
_ENDINGS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_PLAIN = re.compile(r"[\n\x20-\x7e]*")
# Zero-width joiners shape Persian, Indic scripts and emoji, and cannot reorder text.
_JOINERS = "\u200c\u200d"


def literal(text: object, *, limit: int = TEXT_LIMIT) -> str:
    """`str(text)` with nothing in it that a terminal acts upon.

    Escape sequences go as a whole; other control, format (bidirectional overrides among them) and
    surrogate characters go one by one; every kind of line ending becomes a newline, a tab four
    spaces. Secrets of the environment are taken out. Brackets and everything else that looks like markup
    stay as they are: draw the result with `Text(...)`, `Content(...)` or `markup=False`.

    Args:
        text: Anything; usually a string.
        limit: Characters to keep; from a longer text the middle is left out, visibly.
    """
    kept = redact(str(text))
    unseen = len(kept) - 8 * limit
    if unseen > 0:  # what will be cut anyway need not be cleaned
        kept = f"{kept[: 4 * limit]}\n… {unseen:,} characters left out …\n{kept[-4 * limit :]}"
    if not _PLAIN.fullmatch(kept):
        kept = _ENDINGS.sub("\n", without_escapes(kept)).replace("\t", "    ")
        kept = redact("".join(c for c in kept if c == "\n" or c in _JOINERS or category(c) not in UNSEEN))
    if len(kept) > LINE_LIMIT:
        kept = "\n".join(_cut_line(line) for line in kept.split("\n"))
    lines = kept.split("\n") if len(kept) > LINES_LIMIT else ()
    if len(lines) > LINES_LIMIT:
        half = LINES_LIMIT // 2
        gone = f"… {len(lines) - 2 * half + 1:,} lines left out …"  # a line itself, so one more goes
        kept = "\n".join((*lines[:half], gone, *lines[len(lines) - half + 1 :]))
    if len(kept) > limit:
        half = limit // 2
        kept = f"{kept[:half]}\n… {len(kept) - 2 * half:,} characters left out …\n{kept[-half:]}"
    return kept


def one_line(text: object, width: int = 200) -> str:
    """`literal` text on one line of at most `width` characters, cut with an ellipsis."""
    return cut(" ".join(literal(text, limit=max(4 * width, 400)).split()), width)


def cut(text: str, width: int) -> str:
    """At most `width` characters of `text`, the last one an ellipsis where some are left out."""
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + "…"


def without_escapes(text: str) -> str:
    """`text` without its terminal escape sequences, each taken out as a whole."""
    return _ESCAPES.sub("", text)


def _cut_line(line: str) -> str:
    if len(line) <= LINE_LIMIT:
        return line
    return f"{line[:LINE_LIMIT]}… ({len(line) - LINE_LIMIT:,} characters more)"
