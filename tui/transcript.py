"""The conversation as a Markdown file."""

from __future__ import annotations

from pathlib import Path

from tunesmith.text.literal import literal
from tunesmith.text.markdown import escape
from tunesmith.tui.chat_view import ChatView

SPEAKERS = {"❯": "You", "◆": "Tunesmith"}


def markdown(chat: ChatView, name: str) -> str:
    """What the log holds, oldest first; every text of it as text, never as Markdown or HTML."""
    parts = [f"# Conversation of {escape(name)}"]
    if chat.dropped:
        parts.append(f"The first {chat.dropped:,} entries are not kept here; the report has the trials.")
    for item in chat.items:
        said = "".join(text for text, _ in item.spans)
        shown = "  \n".join(escape(line) for line in literal(said).split("\n"))
        speaker = SPEAKERS.get(item.mark)
        entry = f"**{speaker}:** {shown}" if speaker else f"{escape(item.mark.strip() or '·')} {shown}"
        if item.body:
            quoted = (f"> {escape(line)}" for line in literal(item.body).split("\n"))
            entry += "\n\n" + "  \n".join(quoted)
        parts.append(entry)
    return "\n\n".join(parts) + "\n"


def write_new(file: str, text: str) -> Path:
    """Write a file that does not exist yet; `~` is the home folder, a relative path is from here.

    Raises:
        OSError: It exists, or cannot be written.
    """
    path = Path(file).expanduser()
    with path.open("x", encoding="utf-8") as out:
        out.write(text)
    return path.absolute()
