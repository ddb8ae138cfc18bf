"""The command palette: every action of the app by name. Names are literal text, never markup."""

from __future__ import annotations

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tunesmith.tui import theme


class Actions(Provider):
    """What `App.get_system_commands` lists; Textual's own provider would read names and helps as markup."""

    async def discover(self) -> Hits:
        for name, about, call, shown in self.app.get_system_commands(self.screen):
            if shown:
                yield DiscoveryHit(_line(name, about), call, text=name)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, about, call, _ in self.app.get_system_commands(self.screen):
            score = matcher.match(f"{name} {about}")
            if score > 0:
                yield Hit(score + matcher.match(name), _line(name, about), call, text=name)


def _line(name: str, about: str) -> Text:
    return theme.text(((name, "strong"), (f"  {about}", "dim")))
