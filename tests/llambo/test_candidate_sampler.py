"""LLAMBO's candidate sampler over real HTTP: what is asked, what is kept, and what is told of the rest."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fakes.chat_server import failing, several
from fakes.histories import configured, grown, trial
from tunesmith.agent.methods.llambo.candidate_sampler import CandidateSampler
from tunesmith.agent.methods.llambo.collapse import WINDOW, collapse
from tunesmith.agent.methods.llambo.formats import format_configuration, view
from tunesmith.agent.methods.llambo.legalise import Legaliser
from tunesmith.agent.methods.llambo.settings import PRESETS, changed
from tunesmith.agent.methods.llambo.target import target
from tunesmith.agent.models.replies import Parsed, parse_configuration
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelBudgetReached, ModelUnavailable
from tunesmith.events import AnswersParsed, Degraded
from tunesmith.history import History
from tunesmith.space import Categorical, Float, Int, Ordinal, Space
from tunesmith.trial import Origin

OURS, PAPER, CODE = PRESETS["llambo"], PRESETS["llambo-paper"], PRESETS["llambo-code"]
PLAIN = Space({"a": Float(0.0, 1.0), "b": Int(1, 100)})


def line(a=0.5, b=10):
    return f"## a: {a}, b: {b} ##"


def told(events, what):
    return [e for e in events if isinstance(e, Degraded) and e.what == what and e.where == "llambo.sampler"]


def past(*values, direction="maximize", space=PLAIN, **more):
    trials = [
        trial(i, {"a": (i + 1) / 1000, "b": 1 + i}, value, space=space, **more)
        for i, value in enumerate(values)
    ]
    return History(space, "score", direction, trials=tuple(trials))


def sampler(served, protocol=OURS, space=PLAIN, **more):
    return CandidateSampler(served.model, space, "A small job.", protocol, emit=served.events.append, **more)


def distinct(request):
    """Answers that never repeat, as many as are asked for."""
    n = request.body.get("n", 1)
    return several(*[line(a=0.3 + 0.01 * (10 * request.number + i), b=20) for i in range(n)])


@pytest.mark.parametrize(("preset", "per_call"), [("llambo", 5), ("llambo-code", 5), ("llambo-paper", 10)])
def test_each_template_is_one_request_for_its_share_of_the_candidates(serve, preset, per_call):
    served = serve(distinct)
    protocol = PRESETS[preset]
    found = sampler(served, protocol).propose(past(0.5, 0.7), protocol.candidates)
    assert [chat.body["n"] for chat in served.server.chats] == [per_call, per_call]
    for chat in served.server.chats:
        assert chat.body["temperature"] == protocol.sampler_temperature
        assert chat.body["top_p"] == 0.95 and chat.body["max_tokens"] == 500
    assert len(found) == protocol.candidates == len({p.configuration for p in found})
    assert {p.origin for p in found} == {Origin.MODEL}
    assert {p.prompt_id for p in found} == {"llambo/faithful_candidates.v1"}
    assert sum(p.tokens for p in found) == served.model.usage.tokens
    assert told(served.events, "warning") == []


def test_the_target_is_in_the_prompt_and_with_the_proposal(serve):
    served = serve(distinct)
    found = sampler(served).propose(past(500.0, 510.0), 4)
    assert "bring score to 511.000000" in served.server.chats[0].last
    assert "Performance: 511.000000\nHyperparameter configuration:" in served.server.chats[0].last
    assert found[0].details["target"] == pytest.approx(511.0) and "511" in found[0].reason
    assert found[0].evidence == (1,)


def test_repeats_of_trials_running_trials_and_one_another_are_dropped_and_counted(serve):
    seen = past(0.5, 0.7).with_trial(trial(2, {"a": 0.9, "b": 9}, space=PLAIN))
    script = several(line(0.001, 1), line(0.9, 9), line(0.6, 7), line(0.6, 7), line(0.61, 7))
    served = serve([script])
    found = sampler(served, changed(OURS, {"attempts": 1, "templates": 1})).propose(seen, 5)
    assert [p.configuration["a"] for p in found] == [0.6, 0.61]
    (rejected,) = told(served.events, "rejected")
    assert rejected.cause.startswith("3 repeat")


def test_outside_the_range_is_moved_by_ours_and_dropped_by_upstreams(serve):
    script = several(line(1.5, 7), line(0.4, 700), line(0.3, 8), line(0.2, 8.5), line(0.25, 3))
    for protocol, kept in [(OURS, 5), (changed(CODE, {"number_rule": "span"}), 2)]:
        served = serve([script])
        one = changed(protocol, {"attempts": 1, "templates": 1, "completions": 5})
        found = sampler(served, one).propose(past(0.5, 0.7), 5)
        assert len(found) == kept
        assert all(not PLAIN.problems(p.configuration) for p in found)
        what = "repair" if protocol is OURS else "rejected"
        (event,) = told(served.events, what)
        assert "1.5" in event.cause and "out of range" in event.cause


def test_an_answer_without_a_key_is_no_candidate_and_is_asked_about_once(serve):
    served = serve([several("## a: 0.4 ##", "## a: 0.3 ##"), line(0.4, 44)])
    one = changed(OURS, {"attempts": 1, "templates": 1, "candidates": 2})
    found = sampler(served, one).propose(past(0.5, 0.7), 2)
    assert [dict(p.configuration) for p in found] == [{"a": 0.4, "b": 44}]
    assert len(served.server.chats) == 2
    back = served.server.chats[1].messages
    assert [m["role"] for m in back] == ["system", "user", "assistant", "user"]
    assert "## a: 0.4 ##" in back[2]["content"] and "b" in back[3]["content"]
    (counted,) = [e for e in served.events if isinstance(e, AnswersParsed)]
    assert (counted.repaired, counted.refused) == (1, 1)


@pytest.mark.parametrize(
    "answer", ["no idea", "", "## a: nan, b: 3 ##", "## a: 0.4 ##", line(0.001, 1), "{" * 3000]
)
def test_a_model_that_never_gives_a_candidate_is_asked_a_bounded_number_of_times(serve, answer):
    served = serve(lambda request: answer)
    assert sampler(served, CODE).propose(past(0.5, 0.7), 10) == []
    # Four attempts, two templates, and at most one question back each.
    assert len(served.server.chats) <= 4 * 2 * 2
    (warning,) = told(served.events, "warning")
    assert "4 rounds of questions gave 0 usable candidates of 10" in warning.cause


def test_a_model_error_leaves_as_one_unless_something_had_come(serve):
    served = serve([failing(401)])
    with pytest.raises(ModelUnavailable):
        sampler(served).propose(past(0.5, 0.7), 4)
    served = serve(distinct, caps=ModelCaps(calls=1))
    found = sampler(served, changed(OURS, {"candidates": 10})).propose(past(0.5, 0.7), 10)
    assert len(found) == 5
    (fallback,) = told(served.events, "fallback")
    assert "ModelBudgetReached" in fallback.cause
    served = serve(distinct, caps=ModelCaps(calls=0))
    with pytest.raises(ModelBudgetReached):
        sampler(served).propose(past(0.5, 0.7), 10)


def test_what_is_left_of_a_small_space_is_given_without_asking(serve):
    space = Space({"k": Int(1, 3), "c": Categorical(["x", "y"])})
    served = serve([])
    trials = [trial(i, {"k": i + 1, "c": "x"}, float(i), space=space) for i in range(3)]
    seen = History(space, "score", "maximize", trials=tuple(trials))
    found = sampler(served, space=space).propose(seen, 10)
    assert [dict(p.configuration) for p in found] == [{"k": k, "c": "y"} for k in (1, 2, 3)]
    assert {p.origin for p in found} == {Origin.RANDOM}
    more = [trial(3 + i, {"k": i + 1, "c": "y"}, 1.0, space=space) for i in range(3)]
    assert (
        sampler(served, space=space).propose(History(space, "score", "maximize", trials=(*trials, *more)), 10)
        == []
    )
    assert served.server.chats == []


def test_blinded_and_warped_answers_come_back_in_the_spaces_own_terms(serve):
    served = serve(["## X1: -2.5, X2: 2.0, X3: A, X4: 0.5 ##"])
    blinded = changed(PAPER, {"blinded": True, "attempts": 1})
    (found,) = CandidateSampler(served.model, grown(6).space, "", blinded, emit=served.events.append).propose(
        grown(6), 2
    )
    assert found.configuration["lr"] == pytest.approx(10**-2.5)
    assert {k: v for k, v in found.configuration.items() if k != "lr"} == {
        "width": 100,
        "optimizer": "sgd",
        "momentum": 0.5,
    }


# The target ------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("offset", [-10.0, 0.0, 10.0])
@pytest.mark.parametrize("alpha", [-0.2, 0.1])
def test_the_target_lies_on_the_asked_side_of_the_best_on_any_sign_and_scale(direction, scale, offset, alpha):
    seen = past(*[scale * (v + offset) for v in (1.0, 2.0, 4.0, 3.0)], direction=direction)
    wanted = target(seen, changed(OURS, {"alpha": alpha}))
    best = seen.incumbent.value
    beyond = (wanted - best) * seen.sign
    assert math.copysign(1, beyond) == math.copysign(1, alpha)
    assert abs(beyond) <= 3 * abs(alpha) * 3 * scale


@pytest.mark.parametrize(
    ("values", "direction", "alpha", "wanted"),
    [
        ((0.5, 0.7), "maximize", 0.1, 0.72),
        ((0.5, 0.7), "maximize", -0.1, 0.68),
        ((0.5, 0.7), "minimize", 0.1, 0.48),
        ((0.2, 0.2), "maximize", 0.1, 0.202),  # a range of zero is a tenth of the value
        ((0.9, 0.99), "maximize", 0.2, 0.999),  # 1.008 is no share, and 0.1 is the next smaller alpha
        ((0.5, 0.7), "maximize", 0.0, 0.6998),
    ],
)
def test_upstreams_target_is_its_formula(values, direction, alpha, wanted):
    assert target(past(*values, direction=direction), changed(CODE, {"alpha": alpha})) == pytest.approx(
        wanted
    )


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ((510.0, 500.0), "maximize"),
        ((-5.0, -1.0), "minimize"),
        ((0.0, 0.0), "minimize"),
        ((1.0, 0.995), "maximize"),
        ((1.0, 1.0), "maximize"),
        ((1e-7, 1e-6), "minimize"),
        ((3.0,), "minimize"),
        ((-1e300, 1e300), "maximize"),
    ],
)
def test_upstreams_target_ends_where_upstream_loops_for_ever(values, direction):
    for preset in (CODE, PAPER):
        wanted = target(past(*values, direction=direction), preset)
        assert wanted is None or math.isfinite(wanted)


def test_known_bounds_hold_the_target():
    assert target(past(0.5, 0.99), OURS, (0.0, 1.0)) == 1.0
    assert target(past(0.5, 0.99), OURS) > 1.0
    assert target(past(), OURS) is None


# Collapse --------------------------------------------------------------------------------------


def modelled(configurations, values):
    trials = [
        trial(i, {"a": a, "b": b}, v, space=PLAIN, origin=Origin.MODEL)
        for i, ((a, b), v) in enumerate(zip(configurations, values, strict=True))
    ]
    return History(PLAIN, "score", "maximize", trials=tuple(trials))


@pytest.mark.parametrize(
    ("points", "values", "share", "said"),
    [
        ([(0.1 * i + 0.05, 10 + 9 * i) for i in range(9)], [0.5] * 9, "repeated", "repeat an earlier score"),
        ([(0.5 + 1e-4 * i, 50) for i in range(9)], list(range(9)), "frozen", "did not move"),
        ([(i % 2, (1, 100)[i // 2 % 2]) for i in range(9)], list(range(9)), "corners", "on a bound"),
    ],
)
def test_same_scores_frozen_dimensions_and_corners_are_each_told(points, values, share, said):
    found = collapse(modelled(points, [float(v) for v in values]))
    assert getattr(found, share) >= 0.9
    assert any(said in reason for reason in found.reasons)


def test_after_a_collapse_a_share_of_the_candidates_is_drawn_elsewhere_and_told(serve):
    seen = modelled([(0.5 + 1e-4 * i, 50) for i in range(9)], [0.5] * 9)
    served = serve(
        lambda r: several(*[line(0.501 + 1e-4 * i, 50) for i in range(5 * r.number, 5 * r.number + 5)])
    )
    found = sampler(served).propose(seen, 10)
    assert [p.origin for p in found] == [Origin.RANDOM] * 3 + [Origin.MODEL] * 7
    assert all(
        abs(p.configuration["a"] - 0.5) > 0.2 or abs(p.configuration["b"] - 50) > 20 for p in found[:3]
    )
    (warning,) = told(served.events, "warning")
    assert "3 of the 10 candidates were drawn far from all trials" in warning.continuation


def test_an_answer_in_the_format_shown_is_taken_as_it_is(serve):
    past_ = grown(12)
    wanted = past_.space.validate(configured(lr=0.00123, width=99, optimizer="sgd", momentum=0.5))
    for protocol in (OURS, PAPER, CODE, changed(PAPER, {"blinded": True})):
        text = format_configuration(past_.space, wanted, protocol)
        served = serve([f"## {text} ##"])
        one = changed(protocol, {"attempts": 1, "templates": 1})
        (found,) = CandidateSampler(served.model, past_.space, "", one, emit=served.events.append).propose(
            past_, 1
        )
        assert found.configuration["width"] == 99 and found.configuration["optimizer"] == "sgd"
        assert found.configuration["lr"] == pytest.approx(0.00123, rel=1e-3)
        (counted,) = [e for e in served.events if isinstance(e, AnswersParsed)]
        assert counted.strict + counted.tolerant == 1


# Real answers ----------------------------------------------------------------------------------

ANSWERS = Path(__file__).parents[2] / "../shared/data/llm_answers.jsonl"


def _legal(kind: str, scale: str, values: list[float]) -> Int | Float | Ordinal:
    if kind == "ordinal":
        return Ordinal(values)
    if kind == "int":
        return Int(int(values[0]), int(values[1]))
    return Float(*values, scale="log" if scale == "log" else "linear")


def test_every_recorded_answer_becomes_the_configuration_it_states():
    if not ANSWERS.is_file():
        pytest.skip("the recorded answers are not in this checkout")
    lines = ANSWERS.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 654
    for record in map(json.loads, lines):
        space = Space({name: _legal(*legal) for name, legal in record["space"].items()})
        legaliser = Legaliser(view(space, CODE), CODE, ())
        parsed = parse_configuration(record["raw"], view(space, CODE).space)
        assert isinstance(parsed, Parsed), record["id"]
        legaliser.take([[parsed]])
        assert dict(legaliser.found[0]) == pytest.approx(record["reference_parse"], rel=1e-9), record["id"]


def test_a_model_that_explores_is_not_called_collapsed():
    rng = np.random.default_rng(0)
    points = [(float(rng.uniform(0.1, 0.9)), int(rng.integers(10, 90))) for _ in range(WINDOW + 4)]
    seen = modelled(points, [float(v) for v in rng.normal(size=WINDOW + 4)])
    assert collapse(seen).reasons == ()
    assert collapse(modelled(points[: WINDOW - 1], [0.0] * (WINDOW - 1))).reasons == ()
