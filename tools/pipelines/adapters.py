"""Banks of samples that were recorded elsewhere: CSV tables, and JSON of questions with models' answers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import PipelineError
from tunesmith.text.suggestions import did_you_mean
from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.bank import MEASURES, new_bank
from tunesmith.tools.pipelines.items import LARGEST_FILE, Item
from tunesmith.tools.pipelines.plain import digest_of, plain
from tunesmith.tools.pipelines.running import input_digest
from tunesmith.tools.pipelines.store import SampleKey

NEEDED = ("item", "model", "output")
COLUMNS = (*NEEDED, "stage", "temperature", "prompt", "turn", "sample", "previous", *MEASURES)
"""What a column of a table may be. `previous` is the output that the stage was given; without it, the item's
own input. Without `sample` the rows of one input are numbered as they come."""
_AT_A_TIME = 5_000


def from_csv(
    path: Path, into: Path, items: Mapping[str, Item], columns: Mapping[str, str], stage: str = ""
) -> int:
    """Make a bank of a table with a row for each sample; returns the number of samples.

    An output or `previous` that is JSON counts as such, any other as a text.

    Args:
        items: By id; the table names them in its column `item`.
        columns: What the table calls the columns that it does not call as `COLUMNS` does.
        stage: Of all rows, where the table has no such column.
    Raises:
        PipelineError: A column is missing or a row of no use; the message names both.
    """
    for name in columns:
        if name not in COLUMNS:
            raise PipelineError(f"--column {name}: no such thing is read; {did_you_mean(name, COLUMNS)}")
    counts: dict[str, int] = {}
    total, waiting = 0, {}
    with new_bank(into, {"recorded_from": path.name}) as bank:
        for place, row in _rows(path, columns, stage):
            key, sample = _sample(place, row, items, stage, counts)
            if key in waiting:
                raise PipelineError(f"{place}: sample {key.sample} of this input is there already")
            waiting[key] = sample
            total += 1
            if len(waiting) >= _AT_A_TIME:
                bank.put(waiting)
                waiting = {}
        bank.put(waiting)
        if not total:
            raise PipelineError(f"{path}: the table has no rows")
    return total


def from_json(path: Path, into: Path, stage: str, items_into: Path | None = None) -> int:
    """Make a bank, and items, of questions with what models answered; returns the number of samples.

        [{"question": "...", "answer": "42", "models": {"small": [
            {"answer": "41", "tokens": 812, "probes": ["40", "41"]}, ...]}}, ...]

    Each branch of a model is a sample of the stage: `answer` its output, `tokens` its completion tokens.
    Other names are read too: `branches` for `models`, `final_answer` for a branch's `answer`, `token_count`
    for `tokens`; and a branch may be a list [probe answers, token count, final answer].

    Args:
        items_into: Where the items are written as JSON lines: `id`, `input` (the question), `answer`.
    Raises:
        PipelineError: Something is missing; the message has its place.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PipelineError(f"{path}: more than {LARGEST_FILE:,} bytes")
        whole = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PipelineError(f"{path}: cannot be read as JSON: {error}") from None
    questions = whole.get("items", whole.get("questions")) if isinstance(whole, dict) else whole
    if not isinstance(questions, list) or not questions:
        raise PipelineError(f"{path}: should be a list of questions, or have one under `items`")
    lines, total = [], 0
    with new_bank(into, {"recorded_from": path.name}) as bank:
        for number, question in enumerate(questions):
            place = f"{path.name}[{number}]"
            asked, gold, models = _question(question, place)
            name = str(question.get("id", f"q{number}"))
            said = {"input": asked, "answer": gold}
            digest = digest_of(plain(said, place)[1])
            lines.append(json.dumps({"id": name, **said}, ensure_ascii=False))
            given = input_digest(digest, plain(asked, place)[1])
            samples = {}
            for model, branches in models.items():
                for i, drawn in enumerate(_branches(branches, f"{place}.{model}")):
                    samples[SampleKey(stage, model, None, None, name, given, 0, i, "")] = drawn
            bank.put(samples)
            total += len(samples)
    if items_into is not None:
        items_into.write_text("\n".join(lines) + "\n", "utf-8")
    return total


def _rows(path: Path, columns: Mapping[str, str], stage: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows by what their columns are, with their place; of a table that has all that is needed."""
    csv.field_size_limit(1 << 24)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            separator = max(",;\t", key=first.count)  # as spreadsheets of other languages write it
            reader = csv.DictReader(file, strict=True, delimiter=separator)
            header = reader.fieldnames or []
            called = {name: columns.get(name, name) for name in COLUMNS}
            for name in (*NEEDED, *columns, *(() if stage else ("stage",))):
                if called[name] not in header:
                    raise PipelineError(
                        f"{path.name}:1: there is no column {called[name]!r} for {name}; the table has "
                        f"{', '.join(header)}. Say which it is: --column {name}=COLUMN"
                        + ", or name the stage of all rows: --stage NAME"
                        * (name == "stage")
                    )
            for row in reader:
                place = f"{path.name}:{reader.line_num}"
                if None in row or None in row.values():
                    raise PipelineError(f"{place}: the row has not as many fields as the header")
                yield place, {name: row[column] for name, column in called.items() if column in row}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PipelineError(f"{path}: the table cannot be read: {error}") from None


def _sample(
    place: str, row: Mapping[str, str], items: Mapping[str, Item], stage: str, counts: dict[str, int]
) -> tuple[SampleKey, Drawn]:
    item = items.get(row["item"])
    if item is None:
        raise PipelineError(
            f"{place}: item is {row['item']!r:.60}, which is none of the {len(items):,} items of the task"
            + "; name the task with --task" * (not items)
        )
    previous = _value(row["previous"]) if row.get("previous") else item.input
    given = input_digest(item.digest, plain(previous, f"{place}: previous")[1])
    key = SampleKey(
        row.get("stage") or stage,
        row["model"],
        _number(row, "temperature", place),
        row.get("prompt") or None,
        item.id,
        given,
        _whole(row, "turn", place),
        0,
        "",
    )
    if row.get("sample"):
        number = _whole(row, "sample", place)
    else:
        number = counts.get(key.digest, 0)
        counts[key.digest] = number + 1
    if not key.model or not key.stage:
        raise PipelineError(f"{place}: {'model' if not key.model else 'stage'} is empty")
    output, text = plain(_value(row["output"]), f"{place}: output")
    measures = {name: _number(row, name, place) for name in MEASURES}
    weight = measures.pop("weight")
    return key._replace(sample=number), Drawn(
        output, text, weight=1.0 if weight is None else weight, **measures
    )


def _question(question: Any, place: str) -> tuple[Any, Any, dict[str, Any]]:
    if not isinstance(question, dict):
        raise PipelineError(f"{place}: should be a question with its models' answers")
    asked = question.get("question", question.get("input"))
    gold = question.get("answer", question.get("gold"))
    models = question.get("models", question.get("branches"))
    for name, value in (("question", asked), ("answer", gold)):
        if value is None:
            raise PipelineError(f"{place}: has no {name!r}")
    if not isinstance(models, dict) or not models:
        raise PipelineError(f"{place}: `models` should map each model's name to a list of its branches")
    return asked, gold, models


def _branches(branches: Any, place: str) -> Iterator[Drawn]:
    if not isinstance(branches, list) or not branches:
        raise PipelineError(f"{place}: should be a list of branches")
    for number, branch in enumerate(branches):
        where = f"{place}[{number}]"
        if isinstance(branch, list) and len(branch) == 3:  # [probe answers, token count, final answer]
            branch = {"tokens": branch[1], "answer": branch[2]}
        if not isinstance(branch, dict):
            raise PipelineError(f"{where}: should have an `answer` and `tokens`")
        answer = branch.get("answer", branch.get("final_answer"))
        tokens = branch.get("tokens", branch.get("token_count"))
        if tokens is not None and (isinstance(tokens, bool) or not isinstance(tokens, (int, float))):
            raise PipelineError(f"{where}: tokens is {tokens!r:.60}; it must be a number")
        output, text = plain(answer, f"{where}: answer")
        yield Drawn(output, text, completion_tokens=None if tokens is None else float(tokens))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _number(row: Mapping[str, str], name: str, place: str) -> float | None:
    text = (row.get(name) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PipelineError(f"{place}: {name} is {text!r:.60}; it must be a number")
    return value


def _whole(row: Mapping[str, str], name: str, place: str) -> int:
    value = _number(row, name, place) or 0.0
    if value < 0 or not value.is_integer():
        raise PipelineError(f"{place}: {name} is {row[name]!r:.60}; it must be a whole number of at least 0")
    return int(value)
