"""The openings of a model of one's own: the question of a run, asked once for each task of a suite."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.bench.openings import SUITE
from tunesmith.bench.openings.recorded import read_openings
from tunesmith.bench.plan import make_plan
from tunesmith.bench.suites import open_suite
from tunesmith.errors import ModelError
from tunesmith.text.cleaning import error_line

if TYPE_CHECKING:
    from tunesmith.agent.models import LanguageModel, Pace
    from tunesmith.bench.task import BenchTask


def record(
    model: LanguageModel,
    path: Path,
    suite: str = SUITE,
    *,
    tasks: Sequence[str] = (),
    told: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Ask the opening question on each task that the file has no answer for; append each as it comes.

    Args:
        model: Asked once a task; every fault of it is told, and the task left out.
        path: The file, made if need be; the same call goes on with the tasks that are missing.
        tasks: Shell patterns of task names; empty means all.
        told: Gets a line for each task.
    Returns:
        The tasks without an answer.
    Raises:
        UsageError: The file, the suite or a task cannot be used.
    """
    plan = make_plan(open_suite([suite]), contenders=("tunesmith",), tasks=tasks)
    known = read_openings(path) if path.exists() else {}
    failed: list[str] = []
    for place, task in enumerate(plan.tasks, start=1):
        if (suite, task.name) in known:
            continue
        try:
            answer, prompt = ask(model, task)
        except ModelError as error:
            told(f"{place} of {len(plan.tasks)}: {task.name}: {error_line(error, 200)}")
            failed.append(task.name)
            continue
        entry = {
            "suite": suite,
            "task": task.name,
            "prompt": prompt,
            "model": model.model,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "answer": answer,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, allow_nan=False) + "\n")
        told(f"{place} of {len(plan.tasks)}: {task.name}: recorded")
    return failed


def ask(model: LanguageModel, task: BenchTask) -> tuple[dict[str, Any], str]:
    """The model's answer to the opening question, as it came, and the question's id.

    Raises:
        ModelError: The model is out of reach, refused, or gave no usable answer.
    """
    from tunesmith.agent.methods.hybrid.proposer import ModelProposer
    from tunesmith.agent.methods.hybrid.suggester import WARM_ASKED
    from tunesmith.bench.contenders.ours import as_task, empty_history

    listening = _Listening(model)
    proposer = ModelProposer(listening, as_task(task, 0), lambda event: event)  # type: ignore[arg-type]
    opening = proposer.opening(empty_history(task), WARM_ASKED)
    assert listening.answer is not None, "an opening was made from it"
    return listening.answer, opening.prompt_id


class _Listening:
    """A model whose last answer is kept."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.answer: dict[str, Any] | None = None

    def pace(self) -> Pace:
        return self._model.pace()

    def complete(self, *asked: Any, **options: Any) -> Any:
        completion = self._model.complete(*asked, **options)
        self.answer = completion.value.model_dump(mode="json")
        return completion
