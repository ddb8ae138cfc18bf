"""Metrics that a training function visibly does not return."""

from __future__ import annotations

import pytest

from tunesmith.tools.execution.returned_names import never_returned

NAMES = ("acc", "ms", "mib")


@pytest.mark.parametrize(
    ("body", "lacking"),
    [
        ("return {'acc': 1, 'ms': 2}", ("mib",)),
        ("return dict(acc=1, mib=2)", ("ms",)),
        ("if x: return {'acc': 1, 'ms': 2}\n  return {'acc': 1, 'mib': 2}", ()),
        ("return {'acc': 1} if x else {'ms': 3}", ("mib",)),
        ("return 1 - loss", ("ms", "mib")),
        ("return float(loss)", ("ms", "mib")),
        ("return -0.5", ("ms", "mib")),
        ("def inner(): return 3\n  return {'ms': 1, 'mib': 2}", ("acc",)),
        ("return measure(c)", ()),
        ("return {'acc': 1, **more}", ()),
        ("return {name: 1 for name in names}", ()),
        ("return {'acc': 1, f'm{s}': 2}", ()),
        ("return dict(found)", ()),
        ("return {'acc': 1} | more", ()),
        ("return result", ()),
        ("for i in range(3): t.report(1, i)", ()),
        ("return", ()),
        ("t.report({'acc': 1, 'ms': 2, 'mib': 3}, 1); return 3", ()),
    ],
)
def test_only_what_every_return_shows_not_to_be_given_is_named(body, lacking):
    assert never_returned(f"def train(c, t):\n  {body}\n".encode(), "train", NAMES) == lacking


def test_a_function_that_is_defined_twice_or_elsewhere_shows_nothing():
    assert never_returned(b"from other import train", "train", NAMES) == ()
    twice = b"if x:\n  def train(c, t): return 1\nelse:\n  def train(c, t): return 2\n"
    assert never_returned(twice, "train", NAMES) == ()
    assert never_returned(b"def train(c, t): return {'eval': {'acc': 1}}", "train", ("eval/acc",)) == ()
