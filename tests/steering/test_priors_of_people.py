"""What people expect is in the beliefs, under their name, until it is taken back."""

from __future__ import annotations

import re
from dataclasses import replace

from fakes.histories import grown
from tunesmith.agent.beliefs import beliefs_at
from tunesmith.agent.methods.base import MethodParts
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.stated import cards, with_priors
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.api.session import _told_priors
from tunesmith.commands import SetPrior, Undo
from tunesmith.events import ElicitedPrior, Event, Steered
from tunesmith.space import Float, Space
from tunesmith.stated_prior import StatedPrior, prior_lines
from tunesmith.task import Task
from tunesmith.tools.records.log_reading import priors_of_people

SPACE = Space({"lr": Float(1e-5, 1.0, scale="log"), "width": Float(0.0, 1.0)})


def test_a_persons_prior_is_in_the_beliefs_under_their_name_until_it_is_taken_back() -> None:
    task = Task(metric="loss", direction="minimize", space=SPACE)
    said = SetPrior(parameter="lr", best=0.3, low=0.2, high=0.5)
    log: list[Event] = [Steered(change=1, command=said, text="lr is expected to be best near 0.3")]
    model = [ElicitedPrior(parameter=name, low=1e-5, best=2e-5, high=1e-4) for name in ("lr", "width")]
    believed = beliefs_at(task, task.empty_history(), model, priors_of_people(log))
    sources = {p.name: {s.name: s.text for s in p.sources} for p in believed.parameters}
    assert "person" in sources["lr"] and "model" not in sources["lr"] and "0.299" in sources["lr"]["person"]
    assert "model" in sources["width"] and "person" not in sources["width"]
    log.append(Steered(change=2, command=Undo(), text="taken back", undone=1))
    assert priors_of_people(log) == ()


def test_the_reasons_of_a_proposal_name_the_person_whose_prior_it_is() -> None:
    past = replace(grown(8), default=None)
    parts = MethodParts(strategy=GaussianProcessStrategy(past.space, 3))
    said = SetPrior(parameter="width", best=200, low=150, high=250)
    numeric = with_priors(parts, [said]).strategy
    plain = parts.strategy.with_advice(cards([said], past.space), None)
    (ours,), (theirs,) = numeric.propose(past, 1), plain.propose(past, 1)
    assert ours.configuration == theirs.configuration, "only words differ"
    assert "the language model" in theirs.reason and "trust model" in theirs.details
    assert "the language model" not in ours.reason and re.search(r"\(trust: .*a person \d+%", ours.reason)
    assert ours.details["trust person"] == theirs.details["trust model"]
    elicited = ElicitedPriors(past.space, [ElicitedPrior(parameter="lr", low=1e-4, best=1e-3, high=1e-2)])
    hybrid = HybridStrategy(GaussianProcessStrategy(past.space, 3), elicited)
    both = with_priors(MethodParts(strategy=hybrid), [said]).strategy
    reasons = [proposal.reason for proposal in both.propose(past, 2)]
    assert any("the language model and a person " in reason for reason in reasons), reasons


def test_priors_at_the_start_name_the_person() -> None:
    stated = [StatedPrior(parameter=n, source="model", share=0.5, text="near 1") for n in ("lr", "width")]
    told = _told_priors(stated, [SetPrior(parameter="lr", best=1.0)])
    assert prior_lines(told) == ["lr: near 1 by a person (50%)", "width: near 1 by the language model (50%)"]
