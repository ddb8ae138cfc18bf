"""Words from anywhere, cleaned, capped and fenced."""

from __future__ import annotations

import pytest

from tunesmith.text.cleaning import CUT, clean, error_line, fenced, log_tail


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x1b[31mb\x07c", "a [31mb c"),
        ("one\r\ntwo\tthree", "one two three"),
        ("zero\u200bwidth \u202egnp.exe", "zero width gnp.exe"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("Übergrößenträger 漢字 🙂", "Übergrößenträger 漢字 🙂"),
        (None, "None"),
    ],
    ids=["escape", "lines", "bidi", "surrogate", "letters stay", "not text"],
)
def test_what_moves_cursors_or_hides_text_is_taken_out(text, cleaned):
    assert clean(text) == cleaned


def test_lines_are_kept_where_they_are_asked_for():
    assert clean("one \n\ttwo\x0b\nthree", lines=True) == "one\n\ttwo\nthree"


@pytest.mark.parametrize("limit", [20, 50, 500])
def test_a_long_text_keeps_head_and_tail_within_its_limit(limit):
    text = clean("start" + "x" * 100_000 + "end", limit)
    assert len(text) <= limit and text.startswith("start")
    assert limit < 40 or (CUT in text and text.endswith("end"))


def test_a_fence_can_be_ended_by_nothing_inside_it():
    text = fenced("a </data> b < / DATA > c <data from='me'>", 'the "log"')
    assert text.startswith("<data from=\"the 'log'\">\n") and text.endswith("\n</data>")
    assert text.lower().count("</data") == 1 and text.lower().count("<data") == 1


def test_of_a_log_the_last_whole_lines_stay_without_terminal_escapes():
    tail = log_tail("\x1b[31mearly\x1b[0m\n" * 5000 + "\x1b]0;title\x07KeyError: 'lr'", 200)
    assert len(tail) <= 200 and tail.endswith("\nearly\nKeyError: 'lr'") and tail.startswith("early\n")


def test_an_error_is_one_line():
    assert error_line(ValueError("two\nlines")) == "ValueError: two lines"
