"""Results in the output of commands, in the forms that scripts, loggers and progress bars give them."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import MissingMetric
from tunesmith.metric import Reading
from tunesmith.tools.execution.printed import pattern, terminal_lines
from tunesmith.tools.execution.printed.output import Output

EPOCHS = r"epoch (?P<step>\d+) .*val_acc (?P<value>[0-9.]+)"


class Read:
    """What was made of some output."""

    def __init__(
        self, text="", *, err="", metric="val_acc", take=None, regex=None, maximize=True, piece=1 << 16
    ):
        self.reports, self.recorded, self.log, self.notes, self.why = [], [], b"", (), ""
        self.values = None
        output = Output(
            metric,
            Reading(take, regex, None, maximize),
            report=lambda value, step: self.reports.append((step, value)),
            record=lambda value, step: self.recorded.append((step, value)),
            log=self._log,
        )
        for stream, data in (("stderr", err.encode()), ("stdout", text.encode())):
            for start in range(0, len(data), piece):
                output.feed(stream, data[start : start + piece])
        output.end()
        try:
            self.values, self.notes, _ = output.result()
        except MissingMetric as error:
            self.why = str(error)

    def _log(self, data):
        self.log += data

    @property
    def value(self):
        assert self.values is not None, self.why
        return self.values.get("val_acc")


TQDM = "".join(f"\rEpoch {i}: {i * 20}%|{'#' * i}| {i}/5 [00:00<00:00, loss={i:.3f}]" for i in range(5))
RESULTS = {
    "plain": '{"val_acc": 0.5}',
    "tqdm before": TQDM + '{"val_acc": 0.5}',
    "tqdm, then a carriage return": TQDM + '\r{"val_acc": 0.5}',
    "rich, erasing the line": '\x1b[2K\r\x1b[33mworking\x1b[0m ━━━━ 40%\r\x1b[2K{"val_acc": 0.5}',
    "keras, with backspaces": "1/5 [==>...]" + "\x08" * 12 + '5/5 [=====] {"val_acc": 0.5}',
    "coloured": '\x1b[32m{"val_acc": 0.5}\x1b[0m',
    "coloured inside": '{\x1b[1m"val_acc"\x1b[0m: \x1b[36m0.5\x1b[0m}',
    "logging": 'INFO 2026-01-01 12:00:00 train.py:12 - {"val_acc": 0.5}',
    "a prefix with braces": '[{"run"}] {x} done: {"val_acc": 0.5} (final)',
    "torchrun": '[rank0]: {"val_acc": 0.5}',
    "repr": "{'val_acc': 0.5, 'who': None, 'ok': True}",
    "numpy repr": "{'val_acc': np.float64(0.5), 'std': np.float32(nan)}",
    "tensor repr": "{'val_acc': tensor(0.5, device='cuda:0', grad_fn=<MeanBackward0>)}",
    "array of one": "{'val_acc': array([0.5], dtype=float32)}",
    "a text": '{"val_acc": "0.5"}',
    "a list of one": '{"val_acc": [0.5]}',
    "an int": '{"val_acc": 5e-1, "n": 12345678901234567890123}',
    "indented": '{\n  "val_acc": 0.5,\n  "inner": {"a": {\n "b": 1}}\n}',
    "pprint": "{'loss': 0.2,\n 'note': 'a {brace',\n 'val_acc': 0.5}",
    "an open brace before": 'config = {\n{"val_acc": 0.5}',
    "an open brace long before": "def f() {\n" + "text\n" * 5 + '{\n"val_acc": 0.5\n}',
    "an object that was never closed": '{"a": 1,\n"b": {"val_acc": 0.5}',
    "windows": 'start\r\n{"val_acc": 0.5}\r',
    "a byte order mark": '\ufeff{"val_acc": 0.5}',
    "a NUL": '\x00{"val_acc": 0.5}\x00',
}


@pytest.mark.parametrize("text", RESULTS.values(), ids=RESULTS)
def test_a_result_is_found_in_whatever_surrounds_it(text):
    assert Read(f"hello\n{text}\nbye\n").value == 0.5
    assert Read(f"hello\n{text}", piece=3).value == 0.5, "in pieces, and without an end"
    assert Read("hello\n", err=f"{text}\n").value == 0.5, "Python's logging writes to stderr"


@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(list(range(5)))),
        min_size=1,
    ),
    st.sampled_from(["step", "epoch", "iteration", "iter", "global_step", "batch"]),
    st.integers(0, 3),
    st.integers(1, 50),
)
@settings(max_examples=40)
def test_reports_in_any_form_are_the_same_reports(values, key, first, piece):
    lines = []
    for step, (value, form) in enumerate(values, start=first):
        record = {key: step, "val_acc": value}
        lines.append(
            [
                json.dumps(record),
                repr(record),
                f"\r 50%|##| \x1b[1m{json.dumps(record)}\x1b[0m",
                json.dumps(record, indent=2),
                f"12:00 INFO {record!r} done",
            ][form]
        )
    read = Read("\n".join(lines), piece=piece)
    assert read.reports == [(step, value) for step, (value, _) in enumerate(values, start=first)]
    assert read.value == values[-1][0]


@settings(max_examples=40)
@given(st.binary(max_size=400), st.integers(1, 60))
def test_no_output_at_all_breaks_the_reading_and_the_log_has_all_of_it(data, piece):
    text = data.decode("latin-1")
    read = Read(text, piece=piece)
    if read.values is None:
        assert read.log.rstrip(b"\r\n") == text.encode().rstrip(b"\r\n")


def test_a_line_that_comes_in_small_pieces_is_split_once(monkeypatch):
    ending, split = terminal_lines._ENDING, []
    counting = SimpleNamespace(split=lambda data: split.append(len(data)) or ending.split(data))
    monkeypatch.setattr(terminal_lines, "_ENDING", counting)
    lines = terminal_lines.TerminalLines()
    drawn = [piece for _ in range(20_000) for piece in lines.feed(b".")] + list(lines.feed(b"\r\nx\n"))
    assert [piece.text for piece in drawn] == ["." * 20_000, "x"]
    assert sum(split) < 100_000


def test_a_value_drawn_over_on_its_line_counts_as_it_was_left():
    text = "epoch 3 x val_acc 0.1\repoch 3 x val_acc 0.5\repoch 4 x val_acc 0.2\repoch 4 x val_acc 0.7\n"
    assert Read(text, regex=EPOCHS).reports == [(3, 0.5), (4, 0.7)]
    assert Read('{"epoch": 3, "val_acc": 0.1}\r{"epoch": 3, "val_acc": 0.5}\r\n').reports == [(3, 0.5)]


@pytest.mark.parametrize(
    ("steps", "reported"),
    [
        (["0", "1", "2"], [0, 1, 2]),
        (["1", "2", "3"], [1, 2, 3]),
        (["1.0", "2.0", "3.0"], [1, 2, 3]),
        (["0.5", "1.0", "1.5"], [0, 1, 2]),
        (["1", "2.5", "3"], [1, 2, 3]),
        (['"1/9"', '"2/9"', '"3/9"'], [1, 2, 3]),
        (["5", "3", "4"], [5, 3, 4]),
        (["9223372036854775808", "9223372036854775809", "1"], [0, 0, 1]),
        (["-1", '"x"', "2"], [0, 0, 1]),
    ],
    ids=str,
)
def test_steps_in_any_form_become_whole_numbers_that_every_store_can_hold(steps, reported):
    read = Read("".join(f'{{"epoch": {step}, "val_acc": 0.{i}}}\n' for i, step in enumerate(steps, start=1)))
    assert [step for step, _ in read.reports] == reported
    assert read.value == 0.3


def test_a_null_step_is_none_and_values_without_steps_are_counted():
    read = Read("".join(f'{{"epoch": null, "val_acc": 0.{i}}}\n' for i in (1, 2, 3)))
    assert (read.reports, read.recorded) == ([], [(0, 0.1), (1, 0.2), (2, 0.3)])
    assert read.value == 0.3


@pytest.mark.parametrize(
    ("take", "maximize", "value", "said"),
    [
        (None, True, 0.4, "last of 3 values of val_acc is taken, at step 2; the best one is 0.8"),
        ("last", True, 0.4, "last of 3 values"),
        ("best", True, 0.8, "best of 3 values of val_acc is taken, at step 1; the last one is 0.4"),
        ("best", False, 0.2, "at step 0"),
    ],
)
def test_the_last_or_the_best_of_a_curve_is_taken_and_said(take, maximize, value, said):
    lines = "".join(f'{{"epoch": {i}, "val_acc": {v}, "loss": {v}}}\n' for i, v in enumerate([0.2, 0.8, 0.4]))
    read = Read(lines, take=take, maximize=maximize)
    assert read.values == {"val_acc": value, "loss": value}
    assert said in read.notes[0]
    assert Read(lines + '{"val_acc": 0.9}\n').notes == (), "a result is no question"
    assert Read(lines + '{"val_acc": 0.9}\n', take="best").value == 0.9


@pytest.mark.parametrize(
    ("text", "value", "both"),
    [
        ('{"val_acc": 0.91}\n{"val_acc": 0.89}\n', 0.89, ("0.91 (line 1)", "0.89 (line 2)")),
        (
            '[rank1]: {"val_acc": 0.91}\n[rank0]: {"val_acc": 0.89}\n',
            0.89,
            ("0.91 (rank 1)", "0.89 (rank 0)"),
        ),
        (
            '[rank0]: {"val_acc": 0.89}\n[rank1]: {"val_acc": 0.91}\n',
            0.89,
            ("0.91 (rank 1)", "0.89 (rank 0)"),
        ),
        (
            '{"step": 9, "val_acc": 0.91}\n{"step": 9, "val_acc": 0.89}\n',
            0.89,
            ("0.91 (line 1)", "0.89 (line 2)"),
        ),
        ('{"val_acc": 0.91}\n{"step": 9, "val_acc": 0.89}\n', 0.91, ("0.91 (line 1)", "0.89 (line 2)")),
    ],
    ids=["two results", "ranks", "ranks the other way", "one step twice", "a report after the result"],
)
def test_two_different_final_values_are_both_named(text, value, both):
    read = Read(text)
    assert read.value == value
    assert any(all(one in note for one in both) for note in read.notes), read.notes
    assert not Read('{"val_acc": 0.9}\n{"val_acc": 0.9}\n').notes, "the same value twice is no question"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "printed nothing"),
        ("hello\nbye\n", "line 2, `bye`, is no JSON"),
        ('x\n{"val_accuracy": 0.9}\nbye 3\n', "line 2 has `val_accuracy`, the task asks for `val_acc`"),
        ('{"Val/Acc": 0.9}', "has `Val/Acc`"),
        ('{"eval_accuracy": 0.9}', "has `eval_accuracy`"),
        ('{"loss": 1, "valid_acc": 0.9}\n{"loss": 2}', "has `valid_acc`"),
        ('{"metrics": {"val_acc": 0.9}}', "has `metrics/val_acc`"),
        ('{"loss": 1}', '`{"loss": 1}`, has no `val_acc`'),
        ('{"val_acc": null}', "`val_acc` = None, which is no number"),
        ('{"val_acc": "91%"}', "'91%', which is no number"),
        ('{"val_acc": [1, 2]}', "[1, 2], 2 numbers; `metric: {name: val_acc, take: last}`"),
        ("x" * 300 + " epoch 3 val_acc: 0.91 " + "y" * 300, "x epoch 3 val_acc: 0.91 y"),
        ('{"val_acc": 0.9 0.8}', "is no JSON that can be read"),
        ("step 1\nepoch 3 val_acc: 0.91\nbye 3\n", r"regex: 'val_acc\W{1,3}(?P<value>"),
        ("x" * (1 << 21), "longer than can be read; a `file` may have more"),
        (str({"val_acc": [1, 0] * 12_000}), "a printed dict is read up to 65,536 characters"),
    ],
)
def test_where_nothing_counted_the_closest_line_is_quoted_with_the_reason(text, said):
    assert said in Read(text).why


def test_the_pattern_that_is_suggested_reads_the_line():
    why = Read("epoch 3 val_acc = 0.91 ok\n").why
    assert Read("epoch 3 val_acc = 0.91 ok\n", regex=why.split("regex: '")[1].split("'")[0]).value == 0.91


def test_a_pattern_reads_lines_with_and_without_a_step():
    assert Read("epoch 3 of val_acc 0.91\nepoch 4 of val_acc 0.93\n", regex=EPOCHS).reports == [
        (3, 0.91),
        (4, 0.93),
    ]
    read = Read("acc=0.5\nacc=0.75\n", regex=r"acc=([\d.]+)")
    assert (read.reports, read.value) == ([(0, 0.5), (1, 0.75)], 0.75)
    assert Read("acc nan\n", regex=r"acc (\S+)").reports[0][1] != 0
    assert "line 1, `nothing`, does not match" in Read("nothing\n", regex=EPOCHS).why
    loss = Read(
        "epoch 1 loss 0.25 val_acc 0.5\n",
        regex=r"epoch (?P<epoch>\d+) loss (?P<loss>\S+) val_acc (?P<value>\S+)",
    )
    assert loss.values == {"val_acc": 0.5, "loss": 0.25}


def test_a_match_that_takes_for_ever_is_broken_off_and_told(monkeypatch):
    monkeypatch.setattr(pattern, "ONE_MATCH_S", 0.02)
    hostile = "a" * 3000 + "\n"
    read = Read(hostile * 5 + "aaab0.5\n", regex=r"a.*a.*a.*a.*a.*b(?P<value>[\d.]+)")
    assert read.values is None
    slow = pattern.Pattern(r"a.*a.*a.*a.*a.*b(?P<value>[\d.]+)")
    for _ in range(4):
        assert slow.groups(hostile) is None
    assert (slow.slow, slow.given_up) == (3, True)


def test_the_log_has_everything_but_lines_of_metrics():
    text = 'start\nINFO {"val_acc": 0.5}\n{"val_acc": 0.5}\n{"other": 1}\n\x1b[1mend\r\n'
    assert Read(text).log == b'start\nINFO {"val_acc": 0.5}\n{"other": 1}\n\x1b[1mend\r\n'


def test_the_history_of_a_metric_is_a_curve_where_the_task_says_which_value_to_take():
    history = "{'loss': [3, 2, 1], 'val_acc': [0.1, np.float32(0.7), '0.5']}\n"
    best = Read(history, take="best")
    assert (best.value, best.reports, best.recorded) == (0.7, [], [(0, 0.1), (1, 0.7), (2, 0.5)])
    assert Read(history, take="last").value == 0.5
    assert Read(history).values is None, "the folds of a cross-validation would look the same"


def test_nan_at_the_end_is_kept_and_the_best_is_a_number():
    text = '{"epoch": 1, "val_acc": 0.5}\n{"val_acc": NaN}\n'
    assert math.isnan(Read(text).value)
    assert Read(text, take="best").value == 0.5


@pytest.mark.parametrize("regex", [r"loss\D+(?P<value>[0-9.]+)", r"loss\D*([\d.]+)", r"(?<=loss = )[\d.-]+"])
@given(st.floats(-1e9, 1e9), st.sampled_from(["{:,.3f}", "{:e}", "{:g}", "{!r}", "{:.2f}."]))
def test_a_pattern_for_a_part_of_a_number_reads_the_whole(regex, number, form):
    text = form.format(number)
    value = Read(f"epoch 3 loss = {text}, 7 of 12\n", regex=regex).reports[0][1]
    assert value == float(text.rstrip(".").replace(",", ""))


def test_a_hyphen_a_list_and_a_share_are_no_part_of_a_number():
    for text, value in {"1-3": 1, "x - 3": 3, "0,5": 0, "1,2": 1, "9000/10000": 9000, "91%": 91}.items():
        assert Read(f"acc {text}\n", regex=r"acc (?:x - )?(?P<value>[\d.]+)").reports == [(0, value)]
