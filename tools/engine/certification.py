"""Certifies what is delivered, after the search: `certify` of the task (`analysis/certificate.py`).

The candidates and their order come from the search alone. Each is
scored once by the code of `confirm`, on items that no trial has met; runs lie in `confirm/` of the run folder
and are durable one by one, so that an interruption costs the one that ran. `certify.json` has the result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

from tunesmith.events import Confirmed, Event, Noted, Recommended
from tunesmith.history import History
from tunesmith.interfaces import Emit
from tunesmith.objective import Objective
from tunesmith.recommendation import Recommendation
from tunesmith.seeds import derive_seed
from tunesmith.task import Task
from tunesmith.text.cleaning import clean
from tunesmith.tools.analysis.certificate import (
    Candidate,
    Certificate,
    Tested,
    best_certified,
    candidates,
    decided,
    judged,
    plan,
)
from tunesmith.tools.engine.repeats import Repeat, Repeats
from tunesmith.tools.execution.base import Executor
from tunesmith.tools.records.atomic_write import write_atomic
from tunesmith.tools.records.base import RunStore
from tunesmith.tools.records.certificate_file import CERTIFICATE, read_certificate, rule_of
from tunesmith.trial import TrialState

MOST_OF_A_CAUSE = 200


class Certification:
    """Runs the tests and writes `certify.json`; as `Confirmation`.

    Args:
        objective: What the search trained; its Python runs the tests.
        should_stop: Asked between events; True ends it early, resumably.
    """

    def __init__(
        self,
        task: Task,
        store: RunStore,
        executor: Executor,
        emit: Emit,
        objective: Objective,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        assert task.certify is not None
        self._task, self._store, self._emit = task, store, emit
        self._metric, self._rule = task.certify.metric, rule_of(task.certify)
        own = task.confirm_ref()
        assert own is not None, "a task with `certify` has code for it"
        self._objective = replace(own, python=objective.python)
        self._repeats = Repeats(task, executor, self._pass_on, "the certification", should_stop)

    def run(self, history: History) -> Certificate | None:
        """Test the candidates of a search; None where it was interrupted.

        Raises:
            KeyboardInterrupt: Passed on after the running job was killed.
        """
        found = candidates(history, self._rule)
        planned = plan(found, self._rule, self._task.direction)
        before = read_certificate(self._store.path)
        results: list[Tested] = []
        for one in planned:
            repeat = self._repeat(one)
            if repeat.outcome is None:
                of = f"{len(results) + 1} of at most {len(planned)}"
                text = (
                    f"Trial {one.trial} is scored on items that the search never saw ({of}), to be certified"
                )
                self._emit(Noted(text=f"{text} to keep {self._rule.limit.text}."))
            if not self._repeats.train([repeat], self._task.metric, self._objective):
                text = "The certification was interrupted; the same command finishes it."
                self._emit(Noted(text=text))
                return None
            results.append(self._tested(one, repeat))
            if decided(results, self._rule):
                break
        certificate = Certificate(
            limit=self._rule.limit,
            confidence=self._rule.confidence,
            level=self._rule.level,
            metric=self._task.metric,
            planned=tuple(one.trial for one in planned),
            tested=tuple(results),
            certified=best_certified(results, self._task.direction),
            safest=found[0].trial if found else None,
        )
        certificate = certificate.model_copy(update={"times": _times(before, certificate)})
        data = {**certificate.model_dump(mode="json"), "sentence": certificate.sentence, "at": time.time()}
        write_atomic(self._store.path / CERTIFICATE, json.dumps(data, indent=1, allow_nan=False).encode())
        self._emit(Noted(text=certificate.sentence))
        return certificate

    def _pass_on(self, event: Event) -> None:
        """Progress in the events of `Repeats` is that of the comparison, and is left out."""
        if not isinstance(event, Confirmed):
            self._emit(event)

    def _repeat(self, one: Candidate) -> Repeat:
        confirm = self._task.confirm
        code = confirm.spec.text() if confirm is not None and confirm.spec is not None else ""
        folder = self._store.path / "confirm" / f"certify-{one.configuration.digest}"
        seed = derive_seed(self._task.seed, "confirm", 0)
        return Repeat(f"trial {one.trial}", one.configuration, seed, folder, code)

    def _tested(self, one: Candidate, repeat: Repeat) -> Tested:
        items = repeat.items(self._metric)
        if items is not None:
            return judged(one, items.scores, self._rule)
        outcome = repeat.outcome
        if outcome is None or outcome.state is not TrialState.COMPLETED:
            cause = "" if outcome is None else clean(outcome.message, MOST_OF_A_CAUSE).rstrip(".")
            return judged(one, None, self._rule, f"its run failed: {cause}" if cause else "its run failed")
        why = f"the code of `confirm` gave no scores by item of {self._metric}"
        return judged(one, None, self._rule, why)


def recommend_certified(
    certificate: Certificate, history: History, searched: Recommendation | None, emit: Emit
) -> Recommendation | None:
    """The certified configuration as what is recommended, else the safest; recorded where it differs.

    Args:
        searched: What the search recommends.
    """
    best = history.incumbent
    number = certificate.certified if certificate.certified is not None else certificate.safest
    trial = history.get(number) if number is not None else None
    if best is None or best.value is None or trial is None or trial.value is None:
        return searched
    if searched is not None and searched.configuration == trial.configuration:
        return searched
    alike = [t for t in history.completed if t.configuration == trial.configuration]
    expected = sum(t.value or 0.0 for t in alike) / len(alike)
    differs = trial.configuration != best.configuration
    if certificate.certified is not None:
        why = f"It is the best certified to keep {certificate.limit.text}"
    else:
        why = f"Nothing is certified to keep {certificate.limit.text}, and this is the safest by the search"
    found = Recommendation(
        trial=trial.number,
        configuration=trial.configuration,
        expected=expected,
        runs=len(alike),
        best_trial=best.number,
        best_value=best.value,
        best_expected=best.value if differs else None,
        instead=why if differs else "",
    )
    emit(Recommended(recommendation=found, text=found.text(history)))
    return found


def _times(before: Certificate | None, now: Certificate) -> int:
    """How often these items have been tested on; the same tests once more count once."""
    if before is None:
        return 1
    same = (before.limit, before.planned, before.tested) == (now.limit, now.planned, now.tested)
    return before.times if same else before.times + 1
