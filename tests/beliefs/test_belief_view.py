"""What is drawn of beliefs, at every size, whatever names and texts hold."""

from __future__ import annotations

from unicodedata import category

import pytest
from rich.cells import cell_len

from tunesmith.beliefs import BINS, Beliefs, Next, ParameterBelief, Slice, Source
from tunesmith.text.literal import UNSEEN
from tunesmith.tui.belief_view import detail_lines, histogram, pane_lines, parameter_row, report_lines
from tunesmith.tui.spans import plain

HOSTILE = (
    "[/]", "[bold", "[@click=app.quit]x[/]", "\x1b]52;c;cm0=\x07after", "\x1b[2J", "\x9b31mred",
    "\u202eevil\u202c", "A" * 5_000, "a\r\nb\x0bc", "日本語" * 50, "e" + "\u0301" * 50, "",
)  # fmt: skip


def belief(name: str, **changes: object) -> ParameterBelief:
    cells = tuple((i + 1) / (BINS * (BINS + 1) / 2) for i in range(BINS))
    given: dict[str, object] = dict(
        name=name, kind="float", ticks=("0", name, "1"), prior=(1 / BINS,) * BINS, posterior=cells,
        expected=name or "0.9", low="0.5", high=name or "1", probability=0.8, moved=f"to {name}",
        sources=(Source(name="results", weight=0.5), Source(name=f"word {name}", weight=0.5, text=name)),
        importance=0.4, importance_low=0.2, importance_high=0.6,
        slice=Slice(positions=(0.0, 0.5, 1.0, 1.1, 1.2), values=(0.0, 0.5, 1.0, 1.1, 1.2),
                    mean=(1.0, 2.0, 1.5, 3.0, 3.0), low=(0.9,) * 5, high=(3.1,) * 5),
    )  # fmt: skip
    return ParameterBelief(**(given | changes))  # type: ignore[arg-type]


def beliefs(text: str) -> Beliefs:
    listed = belief(
        text + "2", kind="categorical", ticks=(text, "b"), prior=(0.5, 0.5), posterior=(0.9, 0.1),
        expected=text, low="", high="", flat=True, active=0.5,
        slice=Slice(positions=(0.0, 1.0), values=(text, "b"), mean=(1, 2), low=(0.5,) * 2, high=(3.0,) * 2),
    )  # fmt: skip
    return Beliefs(
        finished=9, used=8, basis=text, metric=text,
        parameters=(belief(text), listed, belief("lr", unsure=True)),
        next=(Next(number=9, text=text),), faults=(text,),
    )  # fmt: skip


@pytest.mark.parametrize("width", [1, 7, 40, 80, 160], ids=str)
def test_no_line_is_wider_than_asked_and_no_control_character_is_drawn(width: int) -> None:
    for text in HOSTILE:
        found = beliefs(text)
        for lines in (
            pane_lines(found, width, 6, 1),
            report_lines(found, width),
            *(detail_lines(p, found, width) for p in found.parameters),
        ):
            for line in map(plain, lines):
                assert cell_len(line) <= width, (text[:20], line)
                assert not [c for c in line if category(c) in UNSEEN and c not in "\u200c\u200d"]


def test_a_pane_is_never_higher_than_its_room_and_shows_the_chosen_one() -> None:
    many = beliefs("x").model_copy(update={"parameters": tuple(belief(f"p{i}") for i in range(40))})
    for height in range(12):
        lines = [plain(line) for line in pane_lines(many, 60, height, 25)]
        assert len(lines) <= height
        assert not height or any(line.startswith("› p25 ") for line in lines)
    assert "computed" in plain(pane_lines(None, 60, 5)[0])


def test_a_histogram_shows_where_the_mass_is() -> None:
    assert histogram([0.0, 0.5, 0.25, 0.25], 4) == " █▄▄"
    assert histogram([0.0] * 16 + [1 / 16] * 16, 8) == "    ████"
    assert histogram([0.75, 0.25], 8) == "████▃▃▃▃"
    assert histogram([0.0, 0.0], 2) == "  "


def test_a_range_of_more_than_half_comes_before_the_value_in_it() -> None:
    wide = belief("lr", expected="0.9", low="0.1", high="0.95", unsure=True)
    assert "unsure: 0.1 to 0.95, perhaps 0.9" in plain(parameter_row(wide, beliefs("x"), 80))
