"""Running the stages of a pipeline on items: samples, votes, gates and rounds. Python 3.9, standard library.

One step is a *turn*: a stage run once on a state, an item with the outputs that it has so far. Trials, the
recorder of a bank and `ReplayTable` all take their turns here, so that they agree exactly.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tunesmith.errors import BankMiss, PipelineError
from tunesmith.pipeline.allocation import StageChoice
from tunesmith.pipeline.rates import Call, Rates, measured_cost
from tunesmith.pipeline.sample import Sample
from tunesmith.tools.execution.handle import Diverged, Pruned
from tunesmith.tools.pipelines.aggregation import FUSE, Drawn, still_wanted, winner
from tunesmith.tools.pipelines.calling import Called, Caller, Failed
from tunesmith.tools.pipelines.items import Item
from tunesmith.tools.pipelines.plain import digest_of, plain, seed_of
from tunesmith.tools.pipelines.samples import Samples
from tunesmith.tools.pipelines.stage_code import StageCode
from tunesmith.tools.pipelines.store import FUSION, SampleKey, Spend

ANSWER = "answer"
"""An item's field that its output has to equal where the task states no `score`."""
CONFIRMED_FROM = 1_000_000
"""Number of the first sample of a confirmation: no trial has drawn it."""
RECORDED_BLOCK = 16
"""Items that are looked up together where nothing is called."""
KEPT_EVERY_S = 0.2
"""Seconds of calls after which their samples are stored."""
HOPELESS = 20
"""Items that fail one after another, from the first on, after which a trial is given up."""


@dataclass(frozen=True)
class State:
    """An item and what the stages have made of it so far."""

    item: Item
    output: Any
    """Of the last stage that ran; before the first the item's own input."""
    text: str
    """Its one text."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """By stage, in order."""
    fault: Exception | None = None
    """What the task's code raised; nothing more is run on the item then."""


class Turned(NamedTuple):
    """What a turn made of a state."""

    state: State
    cost: float
    """In units of the cost model, as if nothing had been stored."""
    calls: int


@dataclass
class StageResult:
    """What a stage did for one item, in all its turns."""

    cost: float = 0.0
    calls: int = 0
    score: float | None = None
    """None where it has no score of its own, or did not run."""


@dataclass
class ItemResult:
    """What an allocation made of one item."""

    item: Item
    score: float
    stages: dict[str, StageResult]
    fault: Exception | None = None

    @property
    def cost(self) -> float:
        return sum(stage.cost for stage in self.stages.values())


class Runner:
    """Runs allocations on items.

    Args:
        stages: The pipeline's stages, in order.
        score: Score of (item, output) in [0, 1].
        samples: Where samples are looked up and kept.
        seed: `split_seed` of the task; every sample's own seed comes of it.
        part, trial: Whose spend it is.
        first: Number of the first sample.
    """

    def __init__(
        self,
        stages: Sequence[StageCode],
        score: Called | None,
        samples: Samples,
        *,
        seed: int = 0,
        part: str = "trials",
        trial: int = 0,
        first: int = 0,
    ) -> None:
        self.stages, self.samples = tuple(stages), samples
        self._score, self._seed, self._first = score, seed, first
        self._part, self._trial = part, trial
        self._caller = Caller()
        self._checks: dict[tuple[str, str, str], float] = {}
        self._dearest: dict[tuple[str, str], float] = {}
        self.score_faults: dict[str, Exception] = {}
        """The first that a stage's own score raised, by stage."""

    def close(self) -> None:
        self._caller.close()

    @property
    def sees_outputs(self) -> bool:
        """Whether any callable takes the outputs of all earlier stages, not of the last alone."""
        judges = [
            self._score,
            *(one for stage in self.stages for one in (stage.gate, stage.verify, stage.score)),
        ]
        return any(stage.takes_outputs for stage in self.stages) or any(
            judge is not None and "outputs" in judge.takes for judge in judges
        )

    @property
    def block(self) -> int:
        """How many items are worth running together: as many as a callable takes at once."""
        answers = [stage.answer for stage in self.stages if stage.answer is not None]
        return max((max(answer.batch, answer.parallel) for answer in answers), default=RECORDED_BLOCK)

    def run(self, choices: Sequence[StageChoice], items: Sequence[Item]) -> Iterator[ItemResult]:
        """The results of items, in their order; as many are run at a time as `block` says.

        Raises:
            BankMiss: A replay lacks a sample.
            Exception: What the task's code raised, where it failed for every item or the first `HOPELESS`.
        """
        failed = 0
        for start in range(0, len(items), self.block):
            for result in self._block(choices, items[start : start + self.block]):
                failed += result.fault is not None and failed >= 0
                if result.fault is None:
                    failed = -1  # not all fail
                elif failed == min(HOPELESS, len(items)):
                    raise result.fault
                yield result

    def start(self, item: Item) -> State:
        """An item before its first stage."""
        output, text = plain(item.input, f"{item.place or item.id}: the input")
        return State(item, output, text)

    def asked(self, stage: int, state: State) -> bool:
        """Whether a stage is to run on a state, by its gate.

        Raises:
            Exception: What the gate raises.
        """
        gate = self.stages[stage].gate
        if state.fault is not None:
            return False
        return gate is None or bool(gate.call(_given(state, output=state.output)))

    def take(self, stage: int, turn: int, choice: StageChoice, states: Sequence[State]) -> list[Turned]:
        """Run a stage once on each of some states.

        Args:
            turn: How often it has run on them before.
        Raises:
            BankMiss: A replay lacks a sample.
        """
        code = self.stages[stage]
        rates = code.rates[choice.model]
        drawn: list[list[Drawn]] = [[] for _ in states]
        faults: list[Exception | None] = [None] * len(states)
        while True:
            wanted = [
                _Wanted(i, states[i], number)
                for i, have in enumerate(drawn)
                if faults[i] is None
                for number in range(len(have), len(have) + still_wanted(choice, have))
            ]
            if not wanted:
                break
            for want, got in zip(wanted, self._draw(code, turn, choice, wanted)):  # noqa: B905 - Python 3.9
                if isinstance(got, Failed):
                    faults[want.place] = faults[want.place] or got.error
                elif faults[want.place] is None:
                    drawn[want.place].append(got)
        joined: dict[int, Any] = {}
        chosen = {i: winner(choice, have) for i, have in enumerate(drawn) if faults[i] is None}
        fuse = [
            _Wanted(i, states[i], FUSION, tuple(sample.output for sample in drawn[i]))
            for i, place in chosen.items()
            if place == FUSE
        ]
        for want, got in zip(fuse, self._draw(code, turn, choice, fuse)):  # noqa: B905 - Python 3.9
            joined[want.place] = got
        turned = []
        for i, (state, have) in enumerate(zip(states, drawn)):  # noqa: B905 - Python 3.9
            fused = joined.get(i)
            if isinstance(fused, Failed):
                faults[i], fused = fused.error, None
            cost = measured_cost(
                rates,
                [_call(sample) for sample in have],
                None if fused is None else _fusion_call(rates, fused, len(have)),
                verified=len(have) if choice.aggregator in ("best_of_n", "check_then_vote") else 0,
            )
            calls = len(have) + (fused is not None)
            if faults[i] is not None:
                turned.append(Turned(replace(state, fault=faults[i]), cost, calls))
                continue
            best = fused if fused is not None else have[chosen[i]]
            outputs = {**state.outputs, code.name: best.output}
            turned.append(Turned(State(state.item, best.output, best.text, outputs), cost, calls))
        return turned

    def score(self, state: State) -> float:
        """Score of a state as the pipeline's last; of one whose code failed 0.

        Raises:
            Exception: What the task's `score` raises, or a PipelineError: it is no number in [0, 1].
        """
        if state.fault is not None:
            return 0.0
        if self._score is None:
            value = state.item.value
            if isinstance(value, dict) and ANSWER in value:
                return float(plain(value[ANSWER], f"the answer of item {state.item.id}")[1] == state.text)
            return _unit(
                state.output,
                f"no `score` is stated and item {state.item.id} has no `{ANSWER}`; the last stage's output",
            )
        return _unit(
            self._score.call(_given(state, output=state.output)), f"{self._score.reference}: the score"
        )

    def stage_score(self, stage: int, state: State) -> float | None:
        """Score of a state as a stage's output; None where the stage has no score of its own, or that raises.

        It is for a person to see what a stage is worth, and no item fails by it.
        """
        own = self.stages[stage].score
        if own is None or state.fault is not None:
            return None
        try:
            return _unit(own.call(_given(state, output=state.output)), f"{own.reference}: the score")
        except Exception as error:
            if is_the_trials(error):
                raise
            self.score_faults.setdefault(self.stages[stage].name, error)
            return None

    def _block(self, choices: Sequence[StageChoice], items: Sequence[Item]) -> list[ItemResult]:
        states = [self.start(item) for item in items]
        results = [ItemResult(item, 0.0, {}) for item in items]
        for stage, choice in enumerate(choices):
            for result in results:
                result.stages[choice.stage] = StageResult()
            for turn in range(choice.rounds):
                places = []
                for i, state in enumerate(states):
                    asked, states[i] = _guarded(state, False, self.asked, stage, state)
                    if asked:
                        places.append(i)
                if not places:
                    break
                for i, turned in zip(places, self.take(stage, turn, choice, [states[i] for i in places])):  # noqa: B905
                    states[i] = turned.state
                    done = results[i].stages[choice.stage]
                    done.cost += turned.cost
                    done.calls += turned.calls
            for result, state in zip(results, states):  # noqa: B905 - Python 3.9
                done = result.stages[choice.stage]
                if done.calls:
                    done.score = self.stage_score(stage, state)
        for result, state in zip(results, states):  # noqa: B905
            result.score, ended = _guarded(state, 0.0, self.score, state)
            result.fault = ended.fault
        return results

    def _draw(self, code: StageCode, turn: int, choice: StageChoice, wanted: Sequence[_Wanted]) -> list[Any]:
        """Samples, each a `Drawn` or `Failed`: those that are kept, and for the rest calls."""
        model = code.models[choice.model]
        inputs: dict[int, str] = {}
        for want in wanted:
            if want.place not in inputs:
                inputs[want.place] = _input(code, want)
        keys = [self._key(code, turn, choice, model, want, inputs[want.place]) for want in wanted]
        found = self.samples.get(keys)
        missing = [i for i, key in enumerate(keys) if key not in found]
        if missing and (self.samples.only_recorded or code.answer is None):
            raise _bank_miss(keys[missing[0]], choice, len(missing), self.samples.bank_name)
        failed = self._make(_Wave(code, turn, choice, model, wanted, keys, missing), found)
        return [
            failed.get(i) or self._checked(code, choice, want.state, found[keys[i]])
            for i, want in enumerate(wanted)
        ]

    def _make(self, wave: _Wave, found: dict[SampleKey, Drawn]) -> dict[int, Failed]:
        """Make the calls that a wave needs; puts samples into `found` and returns what failed, by place.

        What was paid for is kept soon, in case the process is killed.
        """
        code, rates, missing = wave.code, wave.code.rates[wave.choice.model], wave.missing
        together = 1 if code.answer is None else max(code.answer.batch, code.answer.parallel)
        failed: dict[int, Failed] = {}
        new: dict[SampleKey, Drawn] = {}
        made_for: dict[int, list[Drawn]] = {}
        told, kept_at = _Told(stored=len(wave.wanted) - len(missing)), time.monotonic()
        for start in range(0, len(missing), together):
            part = missing[start : start + together]
            self.samples.allow(len(part), sum(self._at_most(wave, i) for i in part))
            assert code.answer is not None
            called = self._caller.each(code.answer, [self._offered(wave, i) for i in part])
            for i, (returned, seconds) in zip(part, called):  # noqa: B905 - Python 3.9
                try:
                    if isinstance(returned, Failed):
                        raise returned.error
                    what = f"{code.name}: the output for item {wave.keys[i].item}"
                    new[wave.keys[i]] = _as_drawn(returned, seconds, what)
                    made_for.setdefault(wave.wanted[i].place, []).append(new[wave.keys[i]])
                except Exception as error:
                    if is_the_trials(error):
                        raise
                    failed[i] = Failed(error)
            told.made += len(part)
            if time.monotonic() - kept_at > KEPT_EVERY_S:
                self._keep(wave, new, told, made_for, len(failed), found)
                new, kept_at = {}, time.monotonic()
        self._keep(wave, new, told, made_for, len(failed), found)
        one_call = [
            measured_cost(rates, [_call(sample)]) for of_one in made_for.values() for sample in of_one
        ]
        self._dearest[code.name, wave.model] = max(
            [self._dearest.get((code.name, wave.model), 0.0), *one_call]
        )
        return failed

    def _keep(
        self,
        wave: _Wave,
        new: Mapping[SampleKey, Drawn],
        told: _Told,
        made_for: Mapping[int, Sequence[Drawn]],
        failed: int,
        found: dict[SampleKey, Drawn],
    ) -> None:
        """Store samples with what was spent since the last time."""
        rates = wave.code.rates[wave.choice.model]
        cost = sum(measured_cost(rates, [_call(sample) for sample in of_one]) for of_one in made_for.values())
        spent = Spend(
            self._part,
            self._trial,
            wave.code.name,
            wave.choice.model,
            made=told.made,
            stored=told.stored,
            failed=failed - told.failed,
            prompt_tokens=sum(sample.prompt_tokens or 0.0 for sample in new.values()),
            completion_tokens=sum(sample.completion_tokens or 0.0 for sample in new.values()),
            seconds=sum(sample.seconds or 0.0 for sample in new.values()),
            cost=cost - told.cost,
        )
        told.made, told.stored, told.failed, told.cost = 0, 0, failed, cost
        found.update(new)
        found.update(self.samples.put(new, [spent]))

    def _offered(self, wave: _Wave, i: int) -> dict[str, Any]:
        """All that a stage's callable can be given for a sample."""
        want, key = wave.wanted[i], wave.keys[i]
        return {
            "item": _own(want.state.item.value),
            "previous": _own(want.state.output),
            "outputs": _own(dict(want.state.outputs)),
            "candidates": None if want.candidates is None else _own(list(want.candidates)),
            "model": wave.model,
            "temperature": wave.choice.temperature,
            "prompt": wave.choice.prompt,
            "seed": seed_of(self._seed, key.item, key.stage, wave.turn, key.sample),
            "sample": want.number,
            "round": wave.turn,
            "stage": key.stage,
        }

    def _at_most(self, wave: _Wave, i: int) -> float:
        """What a call may cost: as stated, or as the dearest of the model so far."""
        rates, candidates = wave.code.rates[wave.choice.model], wave.wanted[i].candidates
        known = rates.known(1, "majority")
        if candidates is not None:
            fused = rates.fusion_call(len(candidates))
            known = rates.prompt_part(fused) + rates.decode_part(fused)
        return max(known, self._dearest.get((wave.code.name, wave.model), 0.0))

    def _key(
        self, code: StageCode, turn: int, choice: StageChoice, model: str, want: _Wanted, given: str
    ) -> SampleKey:
        number = FUSION - self._first if want.number == FUSION else self._first + want.number
        return SampleKey(
            code.name,
            model,
            choice.temperature,
            choice.prompt,
            want.state.item.id,
            given,
            turn,
            number,
            "" if code.answer is None else code.answer.version,
        )

    def _checked(self, code: StageCode, choice: StageChoice, state: State, sample: Drawn) -> Any:
        """The sample with the verifier's score, where the aggregator goes by it; or `Failed`."""
        if choice.aggregator not in ("best_of_n", "check_then_vote"):
            return sample
        if code.verify is None:
            if sample.score is None:
                raise PipelineError(
                    f"stages.{code.name}: the aggregator {choice.aggregator} goes by a verifier; name one "
                    "(`verify: stages.py:check`), or have the callable return Sample(output, score=...)"
                )
            return sample
        key = (code.name, state.item.id, sample.text)
        if key not in self._checks:
            try:
                given = _given(state, output=sample.output)
                self._checks[key] = _number(code.verify.call(given), f"{code.verify.reference}: the score")
            except Exception as error:
                if is_the_trials(error):
                    raise
                return Failed(error)
        return replace(sample, score=self._checks[key])


class _Wanted(NamedTuple):
    """A sample that a state needs."""

    place: int
    """Of the state, among those of the turn."""
    state: State
    number: int
    candidates: tuple[Any, ...] | None = None
    """What a fusion joins."""


def _input(code: StageCode, want: _Wanted) -> str:
    """Digest of all that the callable is given of the item and of earlier outputs."""
    seen = dict(want.state.outputs) if code.takes_outputs else None
    return input_digest(want.state.item.digest, want.state.text, seen, want.candidates)


def input_digest(
    item: str,
    previous: str,
    outputs: Mapping[str, Any] | None = None,
    candidates: Sequence[Any] | None = None,
) -> str:
    """The digest by which a sample's input is known in stores and banks.

    Args:
        item: The item's own digest.
        previous: The output before as its one text.
        outputs: All earlier outputs by stage, where the callable takes `outputs`.
        candidates: The outputs that a fusion joins.
    """
    texts = [item, previous]
    if outputs is not None:
        texts.append(plain(dict(outputs), "earlier outputs")[1])
    if candidates is not None:
        texts.append("fuse:" + plain(list(candidates), "candidates")[1])
    return digest_of(*texts)


class _Wave(NamedTuple):
    """Samples of one stage with one setting that are needed together."""

    code: StageCode
    turn: int
    choice: StageChoice
    model: str
    """What the callable is told."""
    wanted: Sequence[_Wanted]
    keys: Sequence[SampleKey]
    missing: Sequence[int]
    """Places of those that are not there."""


@dataclass
class _Told:
    """What of a wave the store was not told yet (made, stored), and was told (failed, cost)."""

    stored: int
    made: int = 0
    failed: int = 0
    cost: float = 0.0


def _given(state: State, output: Any) -> dict[str, Any]:
    """What gates, verifiers and scores are given."""
    return {
        "item": _own(state.item.value),
        "output": _own(output),
        "outputs": _own(dict(state.outputs)),
    }


def _own(value: Any) -> Any:
    """A copy for the task's code, which may change what it is given: other samples have the same input."""
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def _guarded(state: State, otherwise: Any, work: Any, *given: Any) -> tuple[Any, State]:
    """What the task's code returns, or `otherwise` and the state with what it raised."""
    try:
        return work(*given), state
    except Exception as error:
        if is_the_trials(error):
            raise
        return otherwise, replace(state, fault=error)


def is_the_trials(error: Exception) -> bool:
    """Whether an error is about the trial as a whole, not about one item."""
    memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return memory or isinstance(error, (BankMiss, Pruned, Diverged))


def _as_drawn(returned: Any, seconds: float, what: str) -> Drawn:
    sample = returned if isinstance(returned, Sample) else Sample(returned)
    output, text = plain(sample.output, what)
    measured = {
        name: None if (value := getattr(sample, name)) is None else _number(value, f"{what}: {name}", low=0.0)
        for name in ("prompt_tokens", "completion_tokens", "thinking_tokens", "cached_tokens", "seconds")
    }
    if measured["seconds"] is None:
        measured["seconds"] = round(seconds, 6)
    weight = _number(sample.weight, f"{what}: weight", low=0.0)
    score = None if sample.score is None else _number(sample.score, f"{what}: score")
    return Drawn(output, text, **measured, weight=weight, score=score)


def _call(sample: Drawn) -> Call:
    return Call(
        prompt=sample.prompt_tokens,
        completion=sample.completion_tokens,
        seconds=sample.seconds,
        cached=sample.cached_tokens,
    )


def _fusion_call(rates: Rates, sample: Drawn, samples: int) -> Call:
    """As measured, and what it does not tell as it is stated of a call that joins so many samples."""
    told, stated = _call(sample), rates.fusion_call(samples)
    return Call(
        prompt=stated.prompt if told.prompt is None else told.prompt,
        completion=stated.completion if told.completion is None else told.completion,
        seconds=told.seconds,
        cached=stated.cached if told.cached is None else told.cached,
    )


def _number(value: Any, what: str, low: float = -math.inf) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        number = math.nan
    if not (math.isfinite(number) and number >= low) or isinstance(value, str):
        least = "" if low == -math.inf else f" of at least {low:g}"
        raise PipelineError(f"{what} is {value!r:.80}; it must be a finite number{least}")
    return number


def _unit(value: Any, what: str) -> float:
    number = _number(value, what)
    if not 0.0 <= number <= 1.0:
        raise PipelineError(f"{what} is {number:g}; it must be in [0, 1]")
    return number


def _bank_miss(key: SampleKey, choice: StageChoice, count: int, bank: str) -> BankMiss:
    asked = f"model {key.model!r}"
    if key.temperature is not None:
        asked += f", temperature {key.temperature:g}"
    if key.prompt is not None:
        asked += f", prompt {key.prompt!r}"
    which = (
        "the fusion"
        if key.sample <= FUSION
        else f"sample {key.sample % CONFIRMED_FROM + 1} of {choice.samples}"
    )
    again = f" in round {key.turn + 1}" if key.turn else ""
    more = f" (and {count - 1:,} samples more)" if count > 1 else ""
    return BankMiss(
        f"{bank} has no {key.stage}: {asked}, {which} for item {key.item!r}{again} with that input{more}. "
        "Nothing else is taken instead; leave the value out of the space, record it, or set `replay: false`."
    )
