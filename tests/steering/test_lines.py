"""Typed lines: what they come to, what is said of those that cannot be read, and that they round-trip."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.hostile_text import acts, hostile_texts
from tunesmith.commands import (
    AddChoice,
    Approve,
    Ask,
    ChangeBudget,
    Command,
    Freeze,
    Kill,
    Narrow,
    Note,
    Pause,
    Resume,
    SetPrior,
    Stop,
    Try,
    Undo,
    Widen,
)
from tunesmith.space import Bool, Categorical, Float, Int, Space
from tunesmith.steering.lines import VERBS, help_of, read_line
from tunesmith.steering.verbs import Known, LineFault, Local
from tunesmith.steering.written import line_of

SPACE = Space(
    {
        "learning_rate": Float(1e-5, 1e-1, scale="log"),
        "width": Int(8, 128),
        "dropout": Float(0.0, 0.5),
        "optimizer": Categorical(["adam", "sgd", "Ada Max"]),
        "nesterov": Bool(),
        "two words": Float(0, 1),
    }
)
KNOWN = Known(space=SPACE, trials=range(20), running={18, 19}, waiting=7, short={"lr": "learning_rate"})

READ: dict[str, Command | Local] = {
    "/try lr=0.03 width=48": Try(values={"learning_rate": 0.03, "width": 48}, fill=True),
    "/try lr = 3e-2, width = 48": Try(values={"learning_rate": 0.03, "width": 48}, fill=True),
    "/TRY LEARNING_RATE=1/1000": Try(values={"learning_rate": 0.001}, fill=True),
    '/try optimizer="Ada Max"': Try(values={"optimizer": "Ada Max"}, fill=True),
    "/try optimizer='Ada Max' nesterov=true": Try(
        values={"optimizer": "Ada Max", "nesterov": True}, fill=True
    ),
    "/try optimizer=SGD": Try(values={"optimizer": "sgd"}, fill=True),
    '/try "two words"=0.5': Try(values={"two words": 0.5}, fill=True),
    "/try width=48 because a wide one was best": Try(
        values={"width": 48}, fill=True, reason="a wide one was best"
    ),
    "/try width=64.0": Try(values={"width": 64}, fill=True),
    "/kill 18": Kill(number=18),
    "/kill #19 because it is slow": Kill(number=19, reason="it is slow"),
    "/trials +10": ChangeBudget(more_trials=10),
    "/trials -5": ChangeBudget(more_trials=-5),
    "/trials 60": ChangeBudget(trials=60),
    "/budget time=2h cost=5 calls=200 target=0.95": ChangeBudget(
        wall_time_s=7200, cost=5, model_calls=200, target=0.95
    ),
    "/budget time=1h30m trials=+5": ChangeBudget(wall_time_s=5400, more_trials=5),
    "/budget 1h": ChangeBudget(wall_time_s=3600),
    "/budget 90m, trials=50": ChangeBudget(wall_time_s=5400, trials=50),
    "/budget": Local("budget"),
    "/freeze dropout=0.1": Freeze(parameter="dropout", value=0.1),
    "/freeze dropout 0.1": Freeze(parameter="dropout", value=0.1),
    "/freeze dropout": Freeze(parameter="dropout"),
    "/narrow lr 1e-4..1e-2": Narrow(parameter="learning_rate", low=1e-4, high=1e-2),
    "/narrow lr 1e-4 to 1e-2": Narrow(parameter="learning_rate", low=1e-4, high=1e-2),
    "/narrow lr [1e-4, 1e-2]": Narrow(parameter="learning_rate", low=1e-4, high=1e-2),
    "/narrow lr=1e-4..1e-2": Narrow(parameter="learning_rate", low=1e-4, high=1e-2),
    "/narrow lr 1e-4-1e-2": Narrow(parameter="learning_rate", low=1e-4, high=1e-2),
    "/narrow lr ..1e-2": Narrow(parameter="learning_rate", high=1e-2),
    "/narrow lr 1e-4..": Narrow(parameter="learning_rate", low=1e-4),
    "/narrow optimizer adam,sgd": Narrow(parameter="optimizer", choices=("adam", "sgd")),
    "/narrow optimizer adam, 'Ada Max'": Narrow(parameter="optimizer", choices=("adam", "Ada Max")),
    "/widen lr 1e-6..1": Widen(parameter="learning_rate", low=1e-6, high=1),
    "/add optimizer=lion": AddChoice(parameter="optimizer", choices=("lion",)),
    "/add optimizer lion, 'new one'": AddChoice(parameter="optimizer", choices=("lion", "new one")),
    "/prior lr ~3e-4": SetPrior(parameter="learning_rate", best=3e-4),
    "/prior lr 3e-4": SetPrior(parameter="learning_rate", best=3e-4),
    "/prior lr ~3e-4 1e-4..1e-3": SetPrior(parameter="learning_rate", best=3e-4, low=1e-4, high=1e-3),
    "/prior optimizer ~adam": SetPrior(parameter="optimizer", best="adam"),
    "/pause": Pause(),
    " /Resume ": Resume(),
    "/continue": Resume(),
    "/stop": Stop(),
    "/stop because it is late": Stop(reason="it is late"),
    "/undo": Undo(),
    "/note lr=3 because of [b]x[/b]": Note(text="lr=3 because of [b]x[/b]"),
    "/note two\nlines": Note(text="two\nlines"),
    "y": Approve(request=7),
    "no": Approve(request=7, approved=False),
    "/deny": Approve(request=7, approved=False),
    "what matters?": Ask(text="what matters?"),
    "/why 7": Local("why", ("7",)),
    "/why": Local("why"),
    "/compare 3 and 7": Local("compare", ("3", "7")),
    "/log 12": Local("log", ("12",)),
    "/export 'my talk.md'": Local("export", ("my talk.md",)),
    "/help try": Local("help", ("/try",)),
    "/space": Local("space"),
    "/q": Local("quit"),
}


@pytest.mark.parametrize(("line", "meant"), READ.items(), ids=lambda case: repr(case)[:40])
def test_what_a_line_comes_to(line: str, meant: Command | Local) -> None:
    assert read_line(line, KNOWN) == meant


FAULTS = {
    "/tri lr=0.03": "did you mean /try lr=0.03?",
    "/zzzzz": "/help lists the commands",
    "/try lerning_rate=0.03": "did you mean /try learning_rate=0.03?",
    "/try": "such as /try lr=0.03 width=48",
    "/try 0.03": "expected NAME=VALUE",
    "/try lr=": "no value",
    "/try lr=0.1 lr=0.2": "given twice",
    "/try lr=fast": "a number from 1e-5 to 0.1",
    "/try width=1.5": "a whole number from 8 to 128",
    "/try width=true": "a whole number",
    "/try optimizer=admm": "did you mean optimizer=adam?",
    "/try optimizer='Ada": "quotes",
    "/try lr=nan": "a number",
    "/kill seven": "the number of a trial",
    "/kill 3": "not running; running: 18, 19",
    "/kill 99": "there is no trial 99",
    "/trials many": "a whole number of trials",
    "/trials +2.5": "a whole number of trials",
    "/trials 0": "at least 1",
    "/trials": "a whole number of trials",
    "/budget tim=2h": "did you mean 'time'?",
    "/budget time=soon": "45s, 10m or 1h30m",
    "/budget calls=1.5": "a whole number",
    "/budget cost=-1": "above 0",
    "/budget calls=-1": "at least 0",
    "/budget 5": "got '5', expected a time such as 1h30m, or one of trials, time, cost, target, patience, "
    "calls, tokens, dollars with `=` and a value",
    "/budget 1h time=2h": "time is given twice",
    "/freeze": "which hyperparameter?",
    "/narrow lr": "now a number from 1e-5 to 0.1",
    "/narrow lr big": "such as /narrow lr 1e-4..1e-2",
    "/narrow optimizer lion": "lion",
    "/widen optimizer 1..2": "/add optimizer=",
    "/add lr=0.5": "/widen learning_rate LOW..HIGH",
    "/add optimizer": "which choices?",
    "/prior lr": "where is its best value expected?",
    "/prior lr ~3e-4 big": "expected a range after 3e-4",
    "/pause now": "stands alone",
    "/note": "some words",
    "/why seven": "the number of a trial",
    "/compare 3": "two numbers",
    "/export": "one file",
    "/help me": "there is no /me",
    "": "nothing was typed",
    "/" + "x" * 30_000: "characters",
    "/why ³": "the number of a trial",
}


@pytest.mark.parametrize(("line", "said"), FAULTS.items(), ids=lambda case: case[:30])
def test_a_line_that_cannot_be_read_says_why_and_how(line: str, said: str) -> None:
    fault = read_line(line, KNOWN)
    assert isinstance(fault, LineFault) and said in fault.text, fault
    assert len(fault.text) <= 500 and "\n" not in fault.text


def test_every_example_of_the_table_can_be_read_and_every_verb_has_help() -> None:
    for verb in VERBS:
        known = Known(waiting=1)
        assert not isinstance(read_line(verb.example, known), LineFault), verb.example
        assert verb.help and help_of(verb.name)[1][1] == verb.example
    assert len({verb.name for verb in VERBS}) == len(VERBS)


def test_without_knowledge_of_the_run_nothing_is_guessed_at() -> None:
    assert read_line("/try anything=3 b=x") == Try(values={"anything": 3, "b": "x"}, fill=True)
    assert read_line("/kill 3") == Kill(number=3)
    assert isinstance(read_line("/approve"), LineFault)
    assert read_line("y") == Ask(text="y")


def test_hostile_text_never_raises_and_faults_are_clean() -> None:
    for name, text in hostile_texts().items():
        for line in (
            text,
            f"/{text}",
            f"/try {text}",
            f"/try {text}={text}",
            f"/try lr={text}",
            f"/freeze {text}",
            f"/narrow lr {text}",
            f"/narrow optimizer {text}",
            f"/add optimizer={text}",
            f"/prior lr ~{text}",
            f"/budget {text}",
            f"/trials {text}",
            f"/kill {text}",
            f"/export {text}",
            f"/help {text}",
        ):
            read = read_line(line, KNOWN)
            if isinstance(read, LineFault):
                assert not acts(read.text) and "\n" not in read.text and len(read.text) <= 500, name


NAMES = st.one_of(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(min_size=1, max_size=8))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
VALUES = st.one_of(NUMBERS, st.booleans(), st.text(max_size=8), st.none())
WORDS = st.text(min_size=1, max_size=20)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Commands without what no line says: surrogates, empty names and texts."""
    kind = draw(st.integers(0, 12))
    name = draw(NAMES)
    ends = {"low": draw(st.none() | NUMBERS), "high": draw(st.none() | NUMBERS)}
    ends = ends if any(end is not None for end in ends.values()) else {"low": 0.5, "high": None}
    values: Any = draw(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
    match kind:
        case 0:
            return Try(values=values, fill=True, **({"reason": draw(WORDS)} if draw(st.booleans()) else {}))
        case 1:
            return Kill(number=draw(st.integers(0, 10**8)))
        case 2:
            return Freeze(parameter=name, value=draw(VALUES))
        case 3:
            return Narrow(parameter=name, **ends)
        case 4:
            return Widen(parameter=name, **ends)
        case 5:
            return Narrow(parameter=name, choices=tuple(draw(st.lists(VALUES, min_size=1, max_size=3))))
        case 6:
            return AddChoice(parameter=name, choices=tuple(draw(st.lists(VALUES, min_size=1, max_size=3))))
        case 7:
            return SetPrior(parameter=name, best=draw(VALUES), **(ends if draw(st.booleans()) else {}))
        case 8:
            return Note(text=draw(WORDS))
        case 9:
            return Ask(text=draw(WORDS))
        case 10:
            return ChangeBudget(
                more_trials=draw(st.none() | st.integers(-99, 99)),
                target=draw(NUMBERS),
                cost=draw(st.none() | st.floats(1e-3, 1e6)),
                wall_time_s=draw(st.none() | st.floats(1, 1e6)),
                model_calls=draw(st.none() | st.integers(0, 999)),
            )
        case 11:
            return draw(st.sampled_from([Pause(), Resume(), Undo(), Stop(), Stop(reason="late")]))
        case _:
            return Approve(request=3, approved=draw(st.booleans()))


@settings(max_examples=300, deadline=None)
@given(commands())
def test_a_command_written_as_a_line_is_read_as_the_same_command(command: Command) -> None:
    line = line_of(command)
    assert read_line(line, Known(waiting=3)) == command, line


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([verb.name for verb in VERBS]), st.text(max_size=40))
def test_any_text_is_read_or_refused_and_what_is_read_round_trips(verb: str, text: str) -> None:
    read = read_line(f"{verb} {text}", KNOWN)
    if isinstance(read, LineFault | Local):
        return
    assert read_line(line_of(read), KNOWN) == read
    for value in getattr(read, "values", {}).values():
        assert not isinstance(value, float) or math.isfinite(value)
