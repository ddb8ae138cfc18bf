"""Pages read back as a browser or a forge would."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt

VOID = {"meta", "input", "line", "circle", "path", "polyline", "br", "hr", "link", "img"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; fails on a tag that closes what is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open and self._open[-1] == tag, f"</{tag}> inside {self._open}"
        self._open.pop()

    def handle_data(self, data):
        if self._open and self._open[-1] == "script":
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))
        else:
            self.words.append(data)

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def own_script(page: Page) -> dict[str, Any]:
    """The data of a report's page, once all that may run in it is the one script of its own.

    The policy names that script by its digest, and nothing else; its data are a block that never runs.
    """
    policy = next(a["content"] or "" for t, a in page.elements if a.get("http-equiv"))
    (kind, data), (attributes, script) = page.scripts
    assert kind == {"type": "application/json", "id": "report-data"} and attributes == {}
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["script-src"] == f"'sha256-{digest}'"
    assert "connect-src" not in rules and "unsafe" not in rules["script-src"]
    assert not set("<>&\u2028\u2029") & set(data), "nothing in it can end the block"
    for _, given in page.elements:
        assert not [name for name in given if name.startswith("on")], given
    read: dict[str, Any] = json.loads(data)
    return read


def markdown(text: str) -> str:
    """As a forge renders it: tables, strikethrough, and HTML passed through."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
