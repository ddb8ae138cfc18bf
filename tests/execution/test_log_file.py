from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.tools.execution.log_file import CAP, CappedLog
from tunesmith.trial import TrialState


@pytest.mark.parametrize("size", [1, 7, 64, 1000, 5000])
def test_a_log_below_its_cap_is_whole(tmp_path: Path, size: int):
    log = CappedLog(tmp_path / "log.txt", cap=4096)
    text = bytes(i % 251 for i in range(4096))
    for start in range(0, len(text), size):
        log.write(text[start : start + size])
    assert (tmp_path / "log.txt").read_bytes() == text


@pytest.mark.parametrize("size", [1, 7, 64, 1000, 5000])
def test_a_log_above_its_cap_keeps_head_and_tail_and_counts_what_was_cut(tmp_path: Path, size: int):
    log = CappedLog(tmp_path / "log.txt", cap=4096)
    text = b"".join(b"%08d\n" % i for i in range(5000))
    for start in range(0, len(text), size):
        log.write(text[start : start + size])
        assert (tmp_path / "log.txt").stat().st_size <= 4096
    kept = (tmp_path / "log.txt").read_bytes()
    head, _, rest = kept.partition(b"\n[... ")
    count, _, tail = rest.partition(b" bytes cut here ...]\n")
    assert text.startswith(head) and len(head) == 1024
    assert text.endswith(tail) and len(tail) >= 1024
    assert int(count.replace(b",", b"")) == len(text) - len(head) - len(tail)
    assert log.tail(100).splitlines()[-1] == "00004999"


def test_a_trial_that_prints_without_end_is_neither_blocked_nor_kept_whole(bench):
    outcome = bench.run(
        """
        import os, sys
        def train(config, trial):
            print("the first line")
            for _ in range(400):
                os.write(1, b"x" * 50_000)
            print("the last line")
            return 0.5
        """
    )
    assert outcome.state is TrialState.COMPLETED
    log = bench.log()
    assert len(log) <= CAP
    assert log.startswith("the first line\n") and log.endswith("the last line\n")


def test_any_text_can_be_printed_whatever_the_locale(own_bench, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    bench = own_bench(1)
    outcome = bench.run("def train(config, trial): print('\\u00e9 \\ud800 \\u4f60'); return 0.5")
    assert outcome.state is TrialState.COMPLETED
    assert "é" in bench.log()
