"""What people expect is in the beliefs, under their name, until it is taken back."""

from __future__ import annotations

from tunesmith.agent.beliefs import beliefs_at
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


def test_priors_at_the_start_name_the_person() -> None:
    stated = [StatedPrior(parameter=n, source="model", share=0.5, text="near 1") for n in ("lr", "width")]
    told = _told_priors(stated, [SetPrior(parameter="lr", best=1.0)])
    assert prior_lines(told) == ["lr: near 1 by a person (50%)", "width: near 1 by the language model (50%)"]
