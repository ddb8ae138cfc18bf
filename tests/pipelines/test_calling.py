"""How what a task names is called: with what it takes, in batches, in threads, in an event loop."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import ObjectiveError
from tunesmith.tools.pipelines.calling import Called, Caller, Failed

PLACES, NAMES = ("item", "previous"), ("model", "seed", "outputs", "candidates")
GIVEN = {"item": 1, "previous": 2, "model": "m", "seed": 3, "outputs": {}, "candidates": None}


@pytest.fixture
def caller() -> Iterator[Caller]:
    one = Caller()
    yield one
    one.close()


def load(folder: Path, code: str) -> Called:
    (folder / "stages.py").write_text(textwrap.dedent(code))
    return Called("stages.py:answer", folder, PLACES, NAMES)


@pytest.mark.parametrize(
    ("head", "got"),
    [
        ("def answer(item, previous): return [item, previous]", [1, 2]),
        ("def answer(item): return item", 1),
        ("def answer(previous): return previous", 2),
        ("def answer(question, context, model): return [question, context, model]", [1, 2, "m"]),
        ("def answer(x, *, seed, model='z'): return [x, seed, model]", [1, 3, "m"]),
        ("def answer(item, previous, threshold=5): return [item, previous, threshold]", [1, 2, 5]),
        ("def answer(item, **more): return [item, sorted(more)]", [1, sorted({*GIVEN} - {"item"})]),
        ("class A:\n  def __call__(self, item, previous): return item + previous\nanswer = A()", 3),
        ("import functools\nanswer = functools.partial(lambda k, item: k + item, 10)", 11),
        ("async def answer(item): return item", 1),
    ],
)
def test_a_callable_is_given_what_it_takes(tmp_path: Path, caller: Caller, head: str, got: Any):
    ((found, seconds),) = caller.each(load(tmp_path, head), [GIVEN])
    assert found == got and seconds >= 0


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("def answer(): return 1", "stages.py:answer takes nothing; write `def name"),
        (
            "def answer(a, b, c): return 1",
            "wants 'c', which it cannot be given; it can have item, prev",
        ),
        ("def answer(a, *, top_p): return 1", "wants 'top_p', which it cannot be given"),
        ("def other(a): return 1", "answer"),
        ("def answer(a): return 1\nanswer.batch = 'all'", "stages.py:answer.batch is 'all'; it must be"),
    ],
)
def test_one_that_wants_something_else_is_told(tmp_path: Path, head: str, message: str):
    with pytest.raises(ObjectiveError, match=message):
        load(tmp_path, head)


def given(count: int) -> list[dict[str, Any]]:
    return [{**GIVEN, "previous": i, "seed": 10 * i} for i in range(count)]


def test_a_batch_gets_lists_and_one_that_fails_is_called_again_one_by_one(tmp_path: Path, caller: Caller):
    called = load(
        tmp_path,
        """
        sizes = []
        def answer(items, previous, *, seed, model):
            sizes.append(len(items))
            if 5 in previous:
                raise ValueError("five")
            return [f"{model}{p}{s}" for p, s in zip(previous, seed)]
        answer.batch = 4
        """,
    )
    found = [one for one, _ in caller.each(called, given(9))]
    assert found[:5] == ["m00", "m110", "m220", "m330", "m440"] and found[6:] == ["m660", "m770", "m880"]
    assert isinstance(found[5], Failed) and str(found[5].error) == "five"
    assert called.function.__globals__["sizes"] == [4, 4, 1, 1, 1, 1, 1]  # type: ignore[attr-defined]


def test_calls_run_at_a_time_as_many_as_are_allowed(tmp_path: Path, caller: Caller):
    threads = load(
        tmp_path,
        """
        import threading
        meet = threading.Barrier(3, timeout=20)
        def answer(item, previous):
            meet.wait()
            return previous
        answer.parallel = 3
        """,
    )
    assert [one for one, _ in caller.each(threads, given(6))] == list(range(6))
    (tmp_path / "tasks").mkdir()
    tasks = load(
        tmp_path / "tasks",
        """
        import asyncio
        running, most, loops = 0, 0, set()
        async def answer(item, previous):
            global running, most
            running += 1
            most = max(most, running)
            loops.add(id(asyncio.get_running_loop()))
            await asyncio.sleep(0)
            running -= 1
            if previous == 2:
                raise ValueError("two")
            return previous
        answer.parallel = 3
        """,
    )
    found = [one for _ in range(2) for one, _ in caller.each(tasks, given(6))]
    assert [one for one in found if not isinstance(one, Failed)] == [0, 1, 3, 4, 5] * 2
    seen = tasks.function.__globals__  # type: ignore[attr-defined]
    assert seen["most"] == 3 and len(seen["loops"]) == 1


def test_the_version_of_code_is_that_of_its_file_and_of_what_that_imports(tmp_path: Path):
    code = "import helper\nfrom package import part\ndef answer(item): return item\n"
    (tmp_path / "helper.py").write_text("import deeper\n")
    (tmp_path / "deeper.py").write_text("x = 1\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "part.py").write_text("y = 1\n")
    first = load(tmp_path, code).version
    (tmp_path / "unrelated.py").write_text("z = 2\n")
    assert load(tmp_path, code).version == first
    for file in ("deeper.py", "package/part.py"):
        (tmp_path / file).write_text("x = 2\n")
        assert load(tmp_path, code).version != first
    stated = load(tmp_path, code).version
    (tmp_path / "v").mkdir()
    assert load(tmp_path / "v", "def answer(item): return item\nanswer.version = 3\n").version == "stated:3"
    assert stated != "stated:3"
