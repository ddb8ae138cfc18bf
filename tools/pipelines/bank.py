"""A sample bank: samples that were recorded once, for exact replay. Python 3.9, standard library.

Live it is an SQLite file, a `SampleStore` whose keys have no version of code. To be kept and shared it is
JSON lines, gzipped where the name ends in `.gz`. The first line says what it is:

    {"tunesmith_bank": 1, "versions": {"answer": "<digest of the code>"}, ...}

and each further line has the samples of one stage, with one setting, for one input:

    {"stage": "answer", "model": "small", "item": "q7", "input": "<digest>", "outputs": ["Rome", "Bern"],
     "picks": [0, 0, 1], "completion_tokens": [5, 5, 4]}

`picks[k]` is the place of sample k's output in `outputs`; without it each output is one sample. A line may
also have `temperature`, `prompt`, `turn` (else 0), `numbers` (those of the samples, where they are not 0, 1,
2, ...; -1 is the fusion), and, one for each sample or one for all, `prompt_tokens`, `completion_tokens`,
`thinking_tokens`, `cached_tokens`, `seconds`, `weight` and `score`. `input` is the digest that `input_digest`
in `running.py` makes; a line may have `previous` instead, the output that the stage was given, or neither for
the first stage.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import PipelineError
from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.items import Item
from tunesmith.tools.pipelines.plain import digest_of, plain
from tunesmith.tools.pipelines.samples import Samples
from tunesmith.tools.pipelines.stage_code import StageCode
from tunesmith.tools.pipelines.store import SAMPLES, SampleKey, SampleStore
from tunesmith.tools.records.atomic_write import publish

FORMAT = 1
MEASURES = (
    "prompt_tokens", "completion_tokens", "thinking_tokens", "cached_tokens", "seconds", "weight", "score",
)  # fmt: skip
LONGEST_LINE = 64 << 20
LARGEST_BANK = 4 << 30
"""Bytes of a bank, unpacked."""
_AT_A_TIME = 2_000


def open_samples(
    pipeline: Mapping[str, Any], stages: Sequence[StageCode], folder: Path, run: Path | None
) -> Samples:
    """Where the samples of a task come from: its bank, where it names one, and the run's own store.

    Args:
        folder: The task's.
        run: The run's; None: nothing is kept.
    Raises:
        PipelineError: The bank cannot be read.
    """
    store = None if run is None else SampleStore(run / SAMPLES)
    if pipeline["bank"] is None:
        return Samples(store)
    path = folder / pipeline["bank"]
    bank = open_bank(path, run)
    recorded = json.loads(bank.about().get("versions", "{}"))
    changed = [
        stage.name
        for stage in stages
        if stage.answer is not None and recorded.get(stage.name, "") not in ("", stage.answer.version)
    ]
    replay = pipeline["replay"]
    trusted = None if replay else frozenset(stage.name for stage in stages if stage.name not in changed)
    samples = Samples(store, bank, bank_name=path.name, only_recorded=replay, trusted=trusted)
    if changed:
        samples.notes.append(
            f"The code of {', '.join(changed)} has changed since {path.name} was recorded; "
            + ("its samples are replayed all the same." if replay else "its samples are not used.")
        )
    return samples


def open_bank(path: Path, beside: Path | None = None) -> SampleStore:
    """A bank for reading; JSON lines are made an SQLite file once.

    Args:
        beside: The folder where that file is kept; None: it is kept beside the bank.
    Raises:
        PipelineError: It cannot be read, or is no bank.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(16)
            if head.startswith(b"SQLite format 3"):
                return _checked(SampleStore(path, read_only=True), path)
            digest = hashlib.blake2b(digest_size=6)
            file.seek(0)
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise PipelineError(f"{path}: the bank cannot be read: {error.strerror or error}") from None
    compiled = (beside or path.parent) / f".{path.name}.{digest.hexdigest()}.sqlite"
    if not compiled.exists():
        import_lines(path, compiled)
    return _checked(SampleStore(compiled, read_only=True), path)


def _checked(bank: SampleStore, path: Path) -> SampleStore:
    if bank.notes or "tunesmith_bank" not in bank.about():
        why = bank.notes[0] if bank.notes else "it does not say that it is one"
        bank.close()
        raise PipelineError(f"{path}: this is no sample bank: {why}")
    return bank


def make_bank(path: Path, about: Mapping[str, str]) -> SampleStore:
    """A new bank for writing, or one that is gone on with."""
    bank = SampleStore(path)
    for name, value in {"tunesmith_bank": str(FORMAT), **about}.items():
        bank.say(name, value)
    return bank


@contextmanager
def bank_of_run(run: Path, notes: list[str]) -> Iterator[SampleStore]:
    """What a run has drawn, as a bank that is gone afterwards.

    Of a stage whose code was changed meanwhile, the code with most samples counts.

    Args:
        notes: What was left out is added.
    Raises:
        PipelineError: The run has no samples.
    """
    if not (run / SAMPLES).is_file():
        raise PipelineError(f"{run}: has no {SAMPLES}; it is no run of a pipeline, or drew nothing")
    store = SampleStore(run / SAMPLES, read_only=True)
    counts: dict[str, dict[str, int]] = {}
    for key, _ in store.everything():
        of_stage = counts.setdefault(key.stage, {})
        of_stage[key.version] = of_stage.get(key.version, 0) + 1
    versions = {
        stage: max(of_stage, key=lambda version: of_stage[version]) for stage, of_stage in counts.items()
    }
    for stage, of_stage in counts.items():
        if left := sum(of_stage.values()) - of_stage[versions[stage]]:
            notes.append(f"{stage}: {left:,} samples of other code of the stage are left out")
    with tempfile.TemporaryDirectory() as folder:
        bank = make_bank(Path(folder) / "bank.sqlite", {"versions": json.dumps(versions)})
        waiting = {}
        for key, sample in store.everything():
            if key.version == versions[key.stage]:
                waiting[key._replace(version="")] = sample
            if len(waiting) >= _AT_A_TIME:
                bank.put(waiting)
                waiting = {}
        bank.put(waiting)
        store.close()
        try:
            yield bank
        finally:
            bank.close()


@contextmanager
def new_bank(path: Path, about: Mapping[str, str]) -> Iterator[SampleStore]:
    """A bank that gets its name when it is whole; nothing is left of one that is not.

    Raises:
        PipelineError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    bank = make_bank(temporary, about)
    try:
        yield bank
        bank.close()
        if bank.notes:
            raise PipelineError(f"{path}: {bank.notes[0]}")
        publish(temporary, path)
    finally:
        bank.close()
        for end in ("", "-wal", "-shm"):
            temporary.with_name(temporary.name + end).unlink(missing_ok=True)


def import_lines(path: Path, into: Path, items: Mapping[str, Item] | None = None) -> int:
    """Read a bank of JSON lines into an SQLite file; returns the number of samples.

    Args:
        items: By id; needed where lines have `previous`, or neither that nor `input`.
    Raises:
        PipelineError: A line is none of a bank; the message has its number.
    """
    lines = _lines(path)
    _, head = next(lines, (1, {}))
    if head.get("tunesmith_bank") != FORMAT:
        raise PipelineError(
            f'{path}:1: this is no sample bank; the first line says {{"tunesmith_bank": {FORMAT}}}'
        )
    about = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in head.items()
        if name != "tunesmith_bank"
    }
    count, waiting = 0, {}
    with new_bank(into, about) as bank:
        for number, line in lines:
            for key, sample in _samples_of(line, f"{path.name}:{number}", items):
                waiting[key] = sample
            if len(waiting) >= _AT_A_TIME:
                count += len(waiting)
                bank.put(waiting)
                waiting = {}
        bank.put(waiting)
    return count + len(waiting)


def export_lines(bank: SampleStore, path: Path, tick: Callable[[int], None] | None = None) -> int:
    """Write a bank as JSON lines, the same bytes for the same samples; returns the number of samples.

    Args:
        tick: Called with the number of samples written so far.
    """
    about = bank.about()
    versions = json.loads(about.pop("versions", "{}"))
    about.pop("tunesmith_bank", None)
    head = {"tunesmith_bank": FORMAT, "versions": versions, **about}
    count = 0
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as raw:
            packed = path.name.endswith(".gz")
            # No name and no time in the header: the same samples make the same file.
            file: Any = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if packed else raw
            file.write(_line(head))
            for _, group in itertools.groupby(bank.everything(), key=lambda pair: pair[0]._replace(sample=0)):
                samples = list(group)
                file.write(_line(_group(samples)))
                count += len(samples)
                if tick is not None:
                    tick(count)
            if packed:
                file.close()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _group(samples: Sequence[tuple[SampleKey, Drawn]]) -> dict[str, Any]:
    key = samples[0][0]
    texts = list(dict.fromkeys(sample.text for _, sample in samples))
    line: dict[str, Any] = {"stage": key.stage, "model": key.model}
    if key.temperature is not None:
        line["temperature"] = key.temperature
    if key.prompt is not None:
        line["prompt"] = key.prompt
    line |= {"item": key.item, "input": key.input}
    if key.turn:
        line["turn"] = key.turn
    line["outputs"] = [json.loads(text) for text in texts]
    line["picks"] = [texts.index(sample.text) for _, sample in samples]
    numbers = [one.sample for one, _ in samples]
    if numbers != list(range(len(numbers))):
        line["numbers"] = numbers
    for name in MEASURES:
        values = [getattr(sample, name) for _, sample in samples]
        usual = 1.0 if name == "weight" else None
        if all(value == usual for value in values):
            continue
        shown = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
        line[name] = shown[0] if len(set(shown)) == 1 else shown
    return line


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file by line number, bounded in size."""
    read = 0
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file: Any = gzip.GzipFile(fileobj=raw) if packed else raw
            number = 0
            while text := file.readline(LONGEST_LINE + 1):
                number, read = number + 1, read + len(text)
                if len(text) > LONGEST_LINE or read > LARGEST_BANK:
                    raise PipelineError(f"{path}:{number}: more than a bank may hold")
                if not text.strip():
                    continue
                try:
                    value = json.loads(text)
                except (ValueError, RecursionError) as error:
                    said = "it nests too deeply" if isinstance(error, RecursionError) else error
                    raise PipelineError(f"{path}:{number}: the line is not JSON: {said}") from None
                if not isinstance(value, dict):
                    raise PipelineError(f"{path}:{number}: the line is not a JSON object")
                yield number, value
    except (OSError, EOFError, zlib.error) as error:
        raise PipelineError(f"{path}: the bank cannot be read: {error}") from None


def _samples_of(
    line: Mapping[str, Any], place: str, items: Mapping[str, Item] | None
) -> Iterator[tuple[SampleKey, Drawn]]:
    outputs, picks = line.get("outputs"), line.get("picks")
    if not isinstance(outputs, list) or not outputs:
        raise PipelineError(f"{place}: outputs must be a list of what the samples returned")
    picks = list(range(len(outputs))) if picks is None else picks
    if not isinstance(picks, list) or not all(type(one) is int and 0 <= one < len(outputs) for one in picks):
        raise PipelineError(f"{place}: picks must be places in `outputs`, from 0 to {len(outputs) - 1}")
    numbers = line.get("numbers", list(range(len(picks))))
    if (
        not isinstance(numbers, list)
        or len(numbers) != len(picks)
        or not all(type(n) is int for n in numbers)
    ):
        raise PipelineError(f"{place}: numbers must be whole numbers, one for each of {len(picks)} samples")
    measures = {name: _measure(line.get(name), len(picks), f"{place}: {name}") for name in MEASURES}
    texts = [plain(one, f"{place}: an output") for one in outputs]
    key = SampleKey(
        stage=_text(line, "stage", place),
        model=_text(line, "model", place),
        temperature=_optional_number(line.get("temperature"), f"{place}: temperature"),
        prompt=None if line.get("prompt") is None else _text(line, "prompt", place),
        item=_text(line, "item", place),
        input=_input_of(line, place, items),
        turn=line.get("turn", 0) if type(line.get("turn", 0)) is int else 0,
        sample=0,
        version="",
    )
    for i, pick in enumerate(picks):
        values = {name: given[i] for name, given in measures.items()}
        weight = values.pop("weight")
        output, text = texts[pick]
        yield (
            key._replace(sample=numbers[i]),
            Drawn(output, text, weight=1.0 if weight is None else weight, **values),
        )


def _input_of(line: Mapping[str, Any], place: str, items: Mapping[str, Item] | None) -> str:
    given = line.get("input")
    if isinstance(given, str):
        return given
    item = None if items is None else items.get(str(line.get("item")))
    if item is None:
        raise PipelineError(f"{place}: has no `input`, and the item {line.get('item')!r} is not known here")
    previous = line["previous"] if "previous" in line else item.input
    return digest_of(item.digest, plain(previous, f"{place}: previous")[1])


def _text(line: Mapping[str, Any], name: str, place: str) -> str:
    value = line.get(name)
    if not isinstance(value, str) or not value:
        raise PipelineError(f"{place}: {name} is {value!r:.60}; it must be a text")
    return value


def _measure(given: Any, count: int, what: str) -> list[float | None]:
    values = given if isinstance(given, list) else [given] * count
    if len(values) != count:
        raise PipelineError(f"{what} has {len(values)} values for {count} samples")
    return [_optional_number(one, what) for one in values]


def _optional_number(value: Any, what: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        raise PipelineError(f"{what} is {value!r:.60}; it must be a number")
    return float(value)
