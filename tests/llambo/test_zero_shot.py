"""LLAMBO's zero-shot warm start over real HTTP."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.chat_server import cut, several
from fakes.histories import SPACE, history
from tunesmith.agent.methods.llambo.context import TaskWords
from tunesmith.agent.methods.llambo.settings import PRESETS, changed
from tunesmith.agent.methods.llambo.zero_shot import WarmStarter
from tunesmith.events import Degraded
from tunesmith.history import History
from tunesmith.space import Float, Int, Space
from tunesmith.trial import WARM_START, Origin

OURS, PAPER = PRESETS["llambo"], PRESETS["llambo-paper"]


def lines(*widths, optimizer="adam", more=""):
    return "\n".join(f"## lr: 0.01, width: {w}, optimizer: {optimizer}{more} ##" for w in widths)


def starter(served, protocol=OURS, space=SPACE):
    return WarmStarter(served.model, space, TaskWords("a net"), protocol, emit=served.events.append)


def told(events, what):
    return [e for e in events if isinstance(e, Degraded) and e.what == what]


def test_one_call_gives_the_whole_design_marked_as_a_warm_start(serve):
    served = serve([lines(20, 40, 60, 80, 100)])
    found = starter(served).propose(history(default=False), 5)
    assert [p.configuration["width"] for p in found] == [20, 40, 60, 80, 100]
    (chat,) = served.server.chats
    assert chat.body.get("n", 1) == 1 and chat.body["temperature"] == 0.7
    assert "Recommend 5 configurations" in chat.last
    assert all(p.provenance.stage == WARM_START and p.origin is Origin.MODEL for p in found)
    assert sum(p.tokens for p in found) == served.model.usage.tokens


@pytest.mark.parametrize(
    "answer",
    [
        "[{'lr': 0.01, 'width': 20, 'optimizer': 'adam'}, {'lr': 0.01, 'width': 40, 'optimizer': 'adam'}]",
        '```json\n[{"lr": 0.01, "width": 20, "optimizer": "adam"},\n'
        '{"lr": 0.01, "width": 40, "optimizer": "adam"}]\n```',
        "1. lr: 0.01, width: 20, optimizer: adam\n2. lr: 0.01, width: 40, optimizer: adam",
    ],
    ids=["list", "fenced", "enumerated"],
)
def test_a_design_is_read_in_the_forms_models_give_it(serve, answer):
    served = serve([answer])
    found = starter(served).propose(history(default=False), 2)
    assert [p.configuration["width"] for p in found] == [20, 40]


def test_what_is_missing_is_asked_for_again_a_bounded_number_of_times(serve):
    served = serve([lines(20, 20, 40), lines(50, 60)])
    found = starter(served).propose(history(default=False), 3)
    assert [p.configuration["width"] for p in found] == [20, 40, 50]
    again = served.server.chats[1].last
    assert "Recommend one configuration" in again and "width: 20" in again and "width: 40" in again
    served = serve([lines(20)])
    assert len(starter(served).propose(history(default=False), 3)) == 1
    assert len(served.server.chats) == OURS.attempts
    assert "1 usable configurations came of 3" in told(served.events, "warning")[0].cause


def test_a_conditional_parameter_is_given_where_it_applies_and_dropped_where_not(serve):
    answer = lines(20, optimizer="sgd", more=", momentum: 0.5") + "\n" + lines(30, more=", momentum: 0.5")
    served = serve([answer])
    found = starter(served).propose(history(default=False), 2)
    assert [p.configuration.get("momentum") for p in found] == [0.5, None]


def test_constraints_are_stated_and_kept(serve):
    space = Space({"warm": Int(0, 20), "all": Int(1, 20)}, ["warm < all"])
    served = serve(["## warm: 15, all: 10 ##\n## warm: 3, all: 10 ##"])
    found = starter(served, space=space).propose(History(space, "loss", "minimize"), 2)
    assert "it must hold that warm < all" in served.server.chats[0].last
    assert len(found) == 2 and all(p.configuration["warm"] < p.configuration["all"] for p in found)
    assert told(served.events, "repair")


def test_one_question_gives_many_designs_as_in_upstreams_experiment(serve):
    served = serve([several(lines(20, 30), lines(20, 40), "sorry", lines(50, 60))])
    designs = starter(served).designs(history(default=False), 2, 4)
    widths = [[p.configuration["width"] for p in design] for design in designs]
    assert widths == [[20, 30], [20, 40], [50, 60]]
    assert served.server.chats[0].body["n"] == 4 and len(served.server.chats) == 1


def test_a_warped_and_blinded_design_is_taken_back(serve):
    space = Space({"lr": Float(1e-5, 1e-1, scale="log")})
    served = serve(["## X1: -3.0 ##\n## X1: -1.5 ##"])
    found = starter(served, changed(PAPER, {"blinded": True}), space).propose(
        History(space, "loss", "minimize"), 2
    )
    assert np.allclose([p.configuration["lr"] for p in found], [1e-3, 10**-1.5])


def test_garbage_and_cut_answers_give_what_is_whole(serve):
    served = serve([cut(lines(20, 30) + "\n## lr: 0.01, wid"), "nothing"])
    found = starter(served).propose(history(default=False), 5)
    assert [p.configuration["width"] for p in found] == [20, 30]
    served = serve(["I would rather talk about the weather."])
    assert starter(served).propose(history(default=False), 5) == []
    assert len(served.server.chats) <= 2 * OURS.attempts
