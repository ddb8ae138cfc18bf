"""The conversation as a Markdown file."""

from __future__ import annotations

from pathlib import Path

from tunesmith.text.literal import literal
from tunesmith.tui.chat_view import ChatView

SPEAKERS = {"❯": "You", "◆": "Tunesmith"}


def markdown(chat: ChatView, name: str) -> str:
    """What the log holds, oldest first; every text of it as text, never as Markdown or HTML."""
    from tunesmith.tools.report.render import inline  # reports take long to import, and few export

    parts = [f"# Conversation of {inline(name)}"]
    if chat.dropped:
        parts.append(f"The first {chat.dropped:,} entries are not kept here; the report has the trials.")
    for item in chat.items:
        said = "".join(text for text, _ in item.spans)
        shown = "  \n".join(inline(line) for line in literal(said).split("\n"))
        speaker = SPEAKERS.get(item.mark)
        entry = f"**{speaker}:** {shown}" if speaker else f"{inline(item.mark.strip() or '·')} {shown}"
        if item.body:
            quoted = (f"> {inline(line)}" for line in literal(item.body).split("\n"))
            entry += "\n\n" + "  \n".join(quoted)
        parts.append(entry)
    return "\n\n".join(parts) + "\n"


def write_new(file: str, text: str) -> Path:
    """Write a file that does not exist yet; `~` is the home folder, a relative path is from here.

    Raises:
        OSError: It exists, or cannot be written.
    """
    try:
        path = Path(file).expanduser().absolute()
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except (ValueError, RuntimeError) as error:  # half a character in the name; a user without a home
        raise OSError(str(error)) from error
    return path
