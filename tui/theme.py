"""The one place with colours: themes, and the style of each role of text under the theme in use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from rich.color import Color as RichColor
from rich.color import ColorParseError
from rich.style import Style
from rich.text import Text
from textual.theme import Theme

from tunesmith.tui.spans import Role, Span

BACKGROUND, SURFACE, PANEL = "#12161c", "#171c24", "#242c38"
FOREGROUND, DIM = "#cbd3de", "#7c8898"
BLUE, VIOLET, AMBER = "#7fa8d9", "#b39ddb", "#e8b765"
GREEN, SAND, RED = "#8cbf88", "#d9a066", "#e0837d"


def _own(
    name: str,
    ground: tuple[str, str, str],
    ink: tuple[str, str],
    hues: tuple[str, ...],
    cursor: str,
    dark: bool,
) -> Theme:
    """A theme of (background, surface, panel), (foreground, dim) and the hues of roles."""
    (background, surface, panel), (foreground, dim) = ground, ink
    blue, violet, amber, green, sand, red = hues
    return Theme(
        name=name,
        primary=blue,
        secondary=violet,
        accent=amber,
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        success=green,
        warning=sand,
        error=red,
        dark=dark,
        variables={
            "dim": dim,
            "border": panel,
            "border-blurred": panel,
            "block-cursor-background": cursor,
            "block-cursor-foreground": foreground,
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": surface,
            "block-cursor-blurred-foreground": foreground,
            "input-selection-background": f"{blue} 35%",
            "scrollbar": panel,
            "scrollbar-hover": dim,
            "scrollbar-active": blue,
            "scrollbar-background": background,
            "scrollbar-background-hover": background,
            "scrollbar-background-active": background,
            "scrollbar-corner-color": background,
        },
    )


THEME = _own(
    "tunesmith",
    (BACKGROUND, SURFACE, PANEL),
    (FOREGROUND, DIM),
    (BLUE, VIOLET, AMBER, GREEN, SAND, RED),
    "#2b3d54",
    True,
)
LIGHT = _own(
    "tunesmith-light",
    ("#fbfaf7", "#f0eee8", "#d5d2c9"),
    ("#23272e", "#636b76"),
    ("#2a5d9c", "#6b4fa3", "#8a5a00", "#2f6f33", "#8f4a00", "#b02a22"),
    "#cfdcec",
    False,
)
CONTRAST = _own(
    "tunesmith-contrast",
    ("#000000", "#000000", "#8a8a8a"),
    ("#ffffff", "#d0d0d0"),
    ("#6cb6ff", "#d6a8ff", "#ffd84d", "#6dff7a", "#ffb454", "#ff8f8f"),
    "#003a75",
    True,
)
OWN = (THEME, LIGHT, CONTRAST)
NO_COLOUR = "ansi-dark"
"""Textual's theme that leaves colours to the terminal."""


def no_colour() -> bool:
    """Whether colours are unwanted; to be asked before Textual makes its app, which forgets it."""
    return "NO_COLOR" in os.environ


def variables(theme: Theme) -> dict[str, str]:
    """Variables of our styles that a theme of Textual's does not define."""
    return {"dim": theme.variables.get("dim", theme.foreground or "ansi_default")}


_styles: dict[Role, Style] = {}


def use(theme: Theme) -> None:
    """Draw roles in the colours of this theme from now on."""
    dim = theme.variables.get("dim")
    _styles.update(
        {
            "": Style(),
            "strong": Style(bold=True),
            "dim": Style(color=_colour(dim)) if dim else Style(dim=True),
            "accent": Style(color=_colour(theme.primary)),
            "model": Style(color=_colour(theme.secondary)),
            "best": Style(color=_colour(theme.accent), bold=True),
            "good": Style(color=_colour(theme.success)),
            "warn": Style(color=_colour(theme.warning)),
            "bad": Style(color=_colour(theme.error)),
        }
    )


def _colour(name: str | None) -> RichColor | None:
    try:
        return None if name is None else RichColor.parse(name.removeprefix("ansi_"))
    except ColorParseError:
        return None


use(THEME)


def style(role: Role) -> Style:
    """How a role looks in the theme that is in use."""
    return _styles[role]


def styles() -> Mapping[Role, Style]:
    """All of them."""
    return _styles


def text(spans: Iterable[Span]) -> Text:
    """Spans as a Rich text, which is never parsed for markup."""
    return Text.assemble(*((words, _styles[role]) for words, role in spans), end="")
