"""Hostile text in families: what a log, a model, a task file or a person may send to a screen.

`hostile_texts()` gives several hundred different strings by name, the same ones every time.
"""

from __future__ import annotations

import random
from functools import cache

FAMILIES: dict[str, tuple[str, ...]] = {
    "markup": (
        "[/]",
        "[/some/path]",
        "[bold",
        "[bold]x[/bold]",
        "[red on blue]x[/]",
        "[$primary]y",
        "[@click=app.quit]x[/]",
        '[@click="app.action_quit"]x',
        "[@click=screen.dismiss]x[/]",
        "[link=http://e.vil]x[/link]",
        "[[x]]",
        "\\[b]",
        "[/][/][/]",
        "[on click]",
        "[not a tag",
        ":warning: :x:",
        "[#ff0000]x",
        "[b][i][u]deep",
        "]]>[![",
        "[reverse]x[/reverse]",
        "[@click=app.bell]",
        "<b>x</b>",
        "<script>alert(1)</script>",
        "&lt;x&amp;",
    ),
    "osc": (
        "\x1b]0;owned\x07",
        "\x1b]0;owned\x1b\\",
        "\x1b]2;t\x07",
        "\x1b]8;;http://e.vil\x1b\\click\x1b]8;;\x1b\\",
        "\x1b]52;c;cm0gLXJmIC8=\x07",
        "\x1b]52;p;eA==\x1b\\",
        "\x1b]4;1;rgb:ff/00/00\x07",
        "\x1b]9;note\x07",
        "\x1b]1337;File=name=eA==:eA==\x07",
        "\x1b]777;notify;a;b\x07",
        "\x1b]10;?\x07",
        "\x1b]52;c;unfinished",
    ),
    "csi": (
        "\x1b[31;1mred\x1b[0m",
        "\x1b[2J",
        "\x1b[10;10H",
        "\x1b[?1049h",
        "\x1b[?1000h",
        "\x1b[6n",
        "\x1b[c",
        "\x1b[>c",
        "\x1b[3J",
        "\x1b[1A\x1b[2K",
        "\x1b[?25l",
        "\x1b[999;999H",
        "\x1b[?2004l",
        "\x1b[8;50;50t",
        "\x1b[21t",
        "\x1b[",
        "\x1b[38;2;1;2;3",
        "\x1b[5i",
        "\x1b[?5h",
    ),
    "strings": (
        "\x1bP1$r0m\x1b\\",
        "\x1bPq#0;2;0;0;0\x1b\\",
        "\x1bX sos \x1b\\",
        "\x1b^pm\x1b\\",
        "\x1b_Gf=100;eA==\x1b\\",
        "\x1bP",
        "\x1b",
        "\x1bc",
        "\x1b7\x1b8",
        "\x1b(0lqk\x1b(B",
        "\x1b#8",
        "\x1b=",
        "\x1bN\x1bO",
        "\x1b%G",
    ),
    "c1": (
        "\x9b31m",
        "\x9d52;c;eA==\x9c",
        "\x90q\x9c",
        "\x85",
        "\x84",
        "\x8d",
        "\x8e\x8f",
        "\x9a",
        "\x98x\x9c",
        "\x9fx\x9c",
        "\x9e",
        "\x80\x81\x82\x83",
    ),
    "c0": (
        "\x00",
        "a\x00b",
        "\x07\x07",
        "a\x08\x08b",
        "a\rb",
        "a\x0bb",
        "a\x0cb",
        "\x0e\x0f",
        "\x05",
        "\x11\x13",
        "\x18\x1a",
        "\x7f",
        "\x1c\x1d\x1e\x1f",
        "\t\t\tx",
    ),
    "bidi": (
        "\u202eevil\u202c",
        "\u202dx",
        "\u2066x\u2069",
        "\u2067x\u2069",
        "\u2068x",
        "\u200ex\u200f",
        "\u061cx",
        "\u05e9\u05dc\u05d5\u05dd abc",
        "\u0645\u0631\u062d\u0628\u0627 1 2 3",
        "abc \u202e\u2066 // \u2069\u202c",
    ),
    "unseen": (
        "\u200b",
        "a\u200bb",
        "\ufeffx",
        "\u2060",
        "\u00adx",
        "\u034f",
        "\u180e",
        "\u2028",
        "\u2029",
        "\u3000",
        "\u2800",
        "\ufff9a\ufffab\ufffb",
        "\U000e0041\U000e0042",
        "\ufe0f",
        "\u115f",
        "\u3164",
    ),
    "combining": (
        "e" + "\u0301" * 60,
        "\u0301",
        "Z\u0351\u036b\u0343\u036a\u0302",
        "\u20dd",
        "a\u0489" * 20,
        "\u1160" * 9,
        "\u0e33" * 20,
        "\u0f7b" * 30,
    ),
    "emoji": (
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f1e9\U0001f1ea",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001f44d\U0001f3fd",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
        "\U0001f468\u200d" * 9,
        "\u200d\u200c",
    ),
    "wide": (
        "\u65e5\u672c\u8a9e" * 30,
        "\uff21\uff22",
        "\uac00\u1100\u1161",
        "\u4e00" * 79,
        "\U00020000" * 20,
    ),
    "broken": (
        "\ud800",
        "\udfff\ud800",
        "a\udc80b",
        b"\xff\xfe\xc0\xaf".decode("utf-8", "surrogateescape"),
        b"\xff\xfe".decode("utf-8", "replace"),
        b"\x9b31m".decode("latin-1"),
        "\ufffe\uffff",
        "\U0010ffff",
        "\ue000",
    ),
    "lines": ("a\nb", "a\r\nb", "\n\n\n", "a\u2028b", "\n" * 300, "line\n" * 500, " \n\t ", "a\x85b"),
    "huge": ("A" * 20_000, "word " * 4_000, "[" * 3_000, "\x1b[" * 3_000, "\u0301" * 3_000, "\u202e" * 3_000),
    "templates": (
        "{{ 7*7 }}",
        "{% for x in () %}",
        "{0.__class__}",
        "{x!r}",
        "%s %(x)s %n",
        "${HOME}",
        "$(id)",
        "`id`",
        "#{1}",
        "{#",
        "<%= x %>",
        "{{config}}",
    ),
    "shell": (
        "; rm -rf /",
        "&& id",
        "| cat",
        "' OR 1=1 --",
        '"; DROP TABLE x; --',
        "--help",
        "-",
        "/quit",
        "/stop",
        "/approve",
        "y",
        "n",
        "!!",
        "~",
        "*",
        "\\",
        "'",
        '"',
        "\"'",
        "#",
    ),
    "paths": (
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\x",
        "file:///x",
        "//host/x",
        "a/../b",
        "\u2215etc\u2215x",
        ".",
    ),
    "numbers": ("nan", "inf", "-0", "1e999", "9" * 60, "0x10", "\u0661\u0662", "1_000", "\u00b2", "1,5"),
    "empty": ("", " ", "   x   ", "\u00a0"),
}
AROUND = ("{}", "before {} after", "{}{}", "x{}", "[b]{}[/b]")


@cache
def hostile_texts() -> dict[str, str]:
    """At least 400 different strings by name: every member of a family, alone, framed and mixed."""
    found: dict[str, str] = {}
    seen: set[str] = set()

    def keep(name: str, text: str) -> None:
        if text not in seen:
            seen.add(text)
            found[name] = text

    for family, members in FAMILIES.items():
        for number, member in enumerate(members):
            keep(f"{family} {number}", member)
            if len(member) < 200:
                frame = AROUND[1 + number % (len(AROUND) - 1)]
                keep(f"{family} {number} framed", frame.replace("{}", member))
    random_ = random.Random(0)
    short = [text for text in found.values() if 0 < len(text) < 40]
    for number in range(120):
        keep(f"mixed {number}", "".join(random_.choices(short, k=random_.randint(2, 6))))
    for number in range(30):
        keep(
            f"any {number}",
            "".join(
                chr(random_.choice((random_.randrange(256), random_.randrange(0x3000)))) for _ in range(30)
            ),
        )
    return found


def acts(text: str) -> list[str]:
    """Characters of drawn text that a terminal would act upon, or that reorder what a person reads."""
    return [
        c
        for c in text
        if (ord(c) < 32 and c != "\n")
        or 127 <= ord(c) < 160
        or "\u202a" <= c <= "\u202e"
        or "\u2066" <= c <= "\u2069"
        or c in "\u2028\u2029\u200e\u200f\u061c"
        or "\ud800" <= c <= "\udfff"
    ]
