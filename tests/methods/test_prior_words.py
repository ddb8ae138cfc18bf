from __future__ import annotations

from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.space import Categorical, Float, Ordinal, Space
from tunesmith.stated_prior import prior_lines, trusts_of

SPACE = Space(
    {
        "lr": Float(1e-6, 1e-1, scale="log"),
        "activation": Categorical(["relu", "tanh"]),
        "size": Ordinal(["s", "m", "l"]),
        "free": Float(0, 1, when={"activation": "tanh"}),
    }
)
DEFAULT = SPACE.validate({"lr": 1e-3, "activation": "tanh", "size": "m", "free": 0.0})
WORDS = "Fine-tune on reviews"


def test_every_source_is_named_with_its_share():
    stated = GaussianProcessStrategy(SPACE, 0, words=WORDS).stated_priors(DEFAULT)
    assert [(p.parameter, p.label, p.share) for p in stated] == [
        ("lr", "the word 'fine-tune'", 0.375),
        ("lr", "the name", 0.375),
        ("lr", "the default", 0.25),
        ("activation", "the name", 0.85),
        ("activation", "the default", 0.15),
        ("size", "the default", 1.0),
        ("free", "the default", 1.0),
    ]
    lines = prior_lines(stated)
    assert lines[0].startswith("lr: near 3.16e-05 (")
    assert "; near 0.001 (" in lines[0] and lines[0].endswith("by the default (25%)")
    assert lines[1] == "activation: relu 83% by the name (85%); tanh 100% by the default (15%)"
    assert lines[3].startswith("free: near 0 (0 to ")


def test_the_hybrid_states_what_its_numeric_part_believes():
    numeric = GaussianProcessStrategy(SPACE, 0, words=WORDS)
    assert HybridStrategy(numeric).stated_priors(DEFAULT) == numeric.stated_priors(DEFAULT)


def test_a_proposal_tells_how_far_each_source_is_trusted(study):
    s = study(SPACE, lambda c: -abs(c["lr"] - 0.01), dict(DEFAULT))
    s.run(GaussianProcessStrategy(SPACE, 0, words=WORDS), 4)
    trusts = trusts_of(s.history.trials[-1].proposal.details)
    assert set(trusts) == {"word fine-tune", "name", "default"}
    assert all(0 <= trust <= 1 for trust in trusts.values())
