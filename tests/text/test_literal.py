import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.text.literal import LINE_LIMIT, literal, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("[/] [@click=app.quit]x", "[/] [@click=app.quit]x", id="markup stays as it is"),
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colours go"),
        pytest.param("a\x1b]52;c;cm0gLXJm\x07b", "ab", id="clipboard, ended by BEL"),
        pytest.param("a\x1b]0;title\x1b\\b", "ab", id="window title, ended by ST"),
        pytest.param("a\x9b2Jb\x9d0;t\x9cc", "abc", id="eight-bit escapes"),
        pytest.param("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink", id="hyperlink"),
        pytest.param("a\x1b]52;c;never ended\nnext", "a\nnext", id="an unfinished one ends with its line"),
        pytest.param("\x1b", "", id="a lone escape"),
        pytest.param("a\r\nb\rc\x0bd\u2028e", "a\nb\nc\nd\ne", id="line endings"),
        pytest.param("a\tb", "a    b", id="tab"),
        pytest.param("user\u202egpj.exe\u2066", "usergpj.exe", id="bidirectional overrides"),
        pytest.param("שלום", "שלום", id="right-to-left letters stay"),
        pytest.param("a\ud800b\u200b\ufeffc", "abc", id="surrogates and invisible characters"),
    ],
)
def test_nothing_a_terminal_acts_upon_is_left(text: str, shown: str) -> None:
    assert literal(text) == shown


def test_a_huge_line_is_cut_and_says_by_how_much() -> None:
    shown = literal("x" * 10_000)
    assert shown == "x" * LINE_LIMIT + "… (8,000 characters more)"


def test_one_line_is_one_line_of_at_most_its_width() -> None:
    assert one_line("a\n\n  b\x1b[2J\tc") == "a b c"
    assert one_line("abcdef", 4) == "abc…"


@given(st.text(st.characters(), max_size=300))
def test_what_is_shown_is_fit_to_be_shown_again(text: str) -> None:
    shown = literal(text)
    assert literal(shown) == shown
    assert not any(c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160) for c in shown)


def test_of_a_huge_text_head_and_tail_stay() -> None:
    shown = literal("first\n" + "line\n" * 1_000_000 + "last")
    assert shown.startswith("first\n") and shown.endswith("\nlast")
    assert len(shown.splitlines()) == 200 and "lines left out" in shown
