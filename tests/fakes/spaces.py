"""Hypothesis strategies: parameters of every kind, whole spaces, and points of the unit cube."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from tunesmith.space import Bool, Categorical, Float, Int, Ordinal, Space

WORDS = st.text("abcdefgh ÄЖ中_-./0123456789", min_size=1, max_size=8).map(str.strip).filter(bool)
NUMBERS = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.9g}"))
VALUES = st.lists(st.one_of(WORDS, st.integers(-1000, 1000), NUMBERS), min_size=1, max_size=6, unique=True)


@st.composite
def linear_floats(draw):
    low, high = sorted([draw(NUMBERS), draw(NUMBERS)])
    return Float(low, _resolved(low, high, max(abs(low), abs(high))))


@st.composite
def log_floats(draw):
    low, high = sorted([10.0 ** draw(st.floats(-12, 8)), 10.0 ** draw(st.floats(-12, 8))])
    return Float(low, _resolved(low, high, high), "log")


@st.composite
def logit_floats(draw):
    low, high = sorted([draw(st.floats(1e-9, 1 - 1e-9)), draw(st.floats(1e-9, 1 - 1e-9))])
    return Float(low, _resolved(low, high, 1.0), "logit")


def _resolved(low, high, size):
    """`high`, or `low` where both are so near that numbers between them are not told apart to 1e-7."""
    return high if high - low > 1e-7 * size else low


@st.composite
def stepped_floats(draw):
    step = draw(st.sampled_from([0.001, 0.1, 0.25, 0.3, 1.0, 7.5, 1 / 3, 100.0]))
    low = draw(st.integers(-1000, 1000)) / 8
    return Float(low, low + draw(st.integers(0, 5000)) * step, step=step)


@st.composite
def ints(draw):
    low = draw(st.integers(-(2**20), 2**20))
    return Int(low, low + draw(st.integers(0, 2**20)), step=draw(st.integers(1, 50)))


@st.composite
def log_ints(draw):
    low = draw(st.integers(1, 1000))
    return Int(low, low + draw(st.integers(0, 2**30)), "log")


@st.composite
def wide_ints(draw):
    """Beyond 2^40, where unit coordinates do not tell all values apart; within what Optuna's floats hold."""
    low = draw(st.integers(-(2**52), 2**41))
    return Int(low, draw(st.integers(low + 2**41, low + 2**52)), step=draw(st.integers(1, 2**20)))


KINDS = {
    "linear": linear_floats(),
    "log": log_floats(),
    "logit": logit_floats(),
    "step": stepped_floats(),
    "int": ints(),
    "log_int": log_ints(),
    "wide_int": wide_ints(),
    "categorical": VALUES.map(Categorical),
    "ordinal": VALUES.map(Ordinal),
    "bool": st.just(Bool()),
}


@st.composite
def spaces(draw, conditional=True):
    """One to five parameters; some hang on a bool or a categorical before them."""
    parameters = draw(st.lists(st.one_of(*KINDS.values()), min_size=1, max_size=5))
    named = {f"p{i}": parameter for i, parameter in enumerate(parameters)}
    if conditional and draw(st.booleans()):
        named = {"gate": Bool(), "mode": Categorical(["a", "b", "c"], when={"gate": True}), **named}
        for name in draw(st.sets(st.sampled_from(list(named)[2:]))):
            when = draw(st.sampled_from([{"gate": False}, {"mode": "a"}, {"mode": ["b", "c"], "gate": True}]))
            named[name] = replace(named[name], when=when)
    return Space(named)


def rows(space, seed, n=20):
    """Points of the cube: random ones, and the corners and middle that go wrong first."""
    random = np.random.default_rng(seed).random((n, space.dimensions))
    return np.concatenate([random, *(np.full((1, space.dimensions), u) for u in (0.0, 0.5, 1.0))])
