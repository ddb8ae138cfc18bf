"""The one place with colours: a calm dark theme, and the style of each role of text."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style
from rich.text import Text
from textual.theme import Theme

from tunesmith.tui.spans import Role, Span

BACKGROUND, SURFACE, PANEL = "#12161c", "#171c24", "#242c38"
FOREGROUND, DIM = "#cbd3de", "#7c8898"
BLUE, VIOLET, AMBER = "#7fa8d9", "#b39ddb", "#e8b765"
GREEN, SAND, RED = "#8cbf88", "#d9a066", "#e0837d"

THEME = Theme(
    name="tunesmith",
    primary=BLUE,
    secondary=VIOLET,
    accent=AMBER,
    foreground=FOREGROUND,
    background=BACKGROUND,
    surface=SURFACE,
    panel=PANEL,
    success=GREEN,
    warning=SAND,
    error=RED,
    dark=True,
    variables={
        "dim": DIM,
        "border": PANEL,
        "border-blurred": PANEL,
        "block-cursor-background": "#2b3d54",
        "block-cursor-foreground": FOREGROUND,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#222c3a",
        "block-cursor-blurred-foreground": FOREGROUND,
        "input-selection-background": "#7fa8d9 35%",
        "scrollbar": PANEL,
        "scrollbar-hover": "#34404f",
        "scrollbar-active": BLUE,
        "scrollbar-background": BACKGROUND,
        "scrollbar-background-hover": BACKGROUND,
        "scrollbar-background-active": BACKGROUND,
        "scrollbar-corner-color": BACKGROUND,
    },
)

_STYLES: dict[Role, Style] = {
    "": Style(),
    "strong": Style(bold=True),
    "dim": Style(color=DIM),
    "accent": Style(color=BLUE),
    "model": Style(color=VIOLET),
    "best": Style(color=AMBER, bold=True),
    "good": Style(color=GREEN),
    "warn": Style(color=SAND),
    "bad": Style(color=RED),
}


def style(role: Role) -> Style:
    """How a role looks."""
    return _STYLES[role]


def text(spans: Iterable[Span]) -> Text:
    """Spans as a Rich text, which is never parsed for markup."""
    return Text.assemble(*((words, _STYLES[role]) for words, role in spans), end="")


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers, for plotext."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
