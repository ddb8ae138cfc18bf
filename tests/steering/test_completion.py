"""How a typed line may go on."""

from __future__ import annotations

import pytest

from fakes.hostile_text import hostile_texts
from tunesmith.space import Categorical, Float, Space
from tunesmith.steering.completion import completions
from tunesmith.steering.lines import VERBS, read_line
from tunesmith.steering.verbs import Known, LineFault

SPACE = Space({"lr": Float(1e-5, 1e-1), "a b": Float(0, 1), "optimizer": Categorical(["adam", "a d", "sgd"])})
KNOWN = Known(space=SPACE, trials=range(4), running={3})


@pytest.mark.parametrize(
    ("begun", "first"),
    [
        ("/t", ["/try ", "/trials "]),
        ("/kill ", ["/kill 3"]),
        ("/why ", ["/why 3", "/why 2", "/why 1", "/why 0"]),
        ("/compare 1 ", ["/compare 1 3"]),
        ("/try l", ["/try lr="]),
        ("/try lr=0.1 o", ["/try lr=0.1 optimizer="]),
        ("/try optimizer=a", ["/try optimizer=adam"]),
        ("/freeze o", ["/freeze optimizer"]),
        ("/freeze optimizer=s", ["/freeze optimizer=sgd"]),
        ("/narrow optimizer a", ["/narrow optimizer adam"]),
        ("/budget ti", ["/budget time="]),
        ("/help tr", ["/help try", "/help trials"]),
        ("what", []),
        ("/pause ", []),
        ("/zz", []),
    ],
)
def test_a_line_goes_on_with(begun: str, first: list[str]) -> None:
    assert completions(begun, KNOWN)[: len(first) or 1] == first


def test_names_and_choices_with_blanks_are_quoted_so_that_they_are_read_back() -> None:
    assert '/try "a b"=' in completions("/try ", KNOWN)
    assert not isinstance(read_line('/try optimizer="a d"', KNOWN), LineFault)
    assert '/try optimizer="a d"' in completions("/try optimizer=", KNOWN)


def test_any_text_is_completed_by_lines_that_begin_alike_or_not_at_all() -> None:
    for text in hostile_texts().values():
        for begun in (text, f"/{text}", *(f"{verb.name} {text}" for verb in VERBS)):
            for line in completions(begun, KNOWN):
                assert line.casefold().startswith(begun[:2].casefold())
