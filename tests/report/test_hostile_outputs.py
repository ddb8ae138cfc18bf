"""What commands print and write of a run full of hostile text: no control sequence, markup or formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fakes.histories import DEFAULT
from fakes.hostile_text import acts, hostile_texts
from fakes.pages import Page, markdown, own_script
from tunesmith.cli import app
from tunesmith.events import Degraded, Noted, RunFinished
from tunesmith.trial import TrialState


def storable(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() == text


def number_like(text: str) -> bool:
    """Whether a spreadsheet has a number there, which calculates nothing."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.long
def test_no_command_passes_on_what_acts(
    make_run: Callable[..., Any],
) -> None:
    texts = [text for text in hostile_texts().values() if storable(text) and len(text) < 5_000]
    runs = []
    for part in range(2):
        run = make_run(name=f"part-{part}", description="\n".join(texts[:100]))
        run.start(model=texts[5 + part])
        for number, text in enumerate(texts[part::8]):
            bad, (reason, message, trace) = number % 20 > 0, texts[8 * number + 1 :][:3]
            failure = {"message": message, "traceback": trace + text} if bad else {}
            run.trial(number, None if bad else 0.5 + number / 1e3, values=DEFAULT, reason=reason,
                      outcome=failure, state=TrialState.CRASHED if bad else None)  # fmt: skip
        run.tell(*(Degraded(what="fallback", where=t, cause=t, continuation=t) for t in texts[4 + part :: 8]),
                 *(Noted(text=t, by="person") for t in texts[4 + part :: 8]),
                 RunFinished(reason=texts[60 + part], status="finished"))  # fmt: skip
        runs.append(str(run.path))
    folder = str(Path(runs[0]).parent)
    for words in (
        ["ls", "--runs", folder],
        ["beliefs", runs[0]],
        ["compare", *runs],
        ["export", runs[0]],
        ["export", runs[0], "--format", "md"],
        ["export", runs[0], "--format", "json"],
        ["best", runs[0]],
        ["tell", runs[0], "why 1"],
        ["tell", runs[0], "what failed?"],
        ["tell", runs[0], "--yes", "/note " + texts[40]],
    ):
        told = CliRunner().invoke(app, words)
        assert told.exception is None or isinstance(told.exception, SystemExit), (words, told.exception)
        for out in (told.stdout, told.stderr):
            assert not acts(out.replace("\r\n", "\n").replace("\t", " ")), (words, acts(out))
        assert told.stdout.strip() or told.stderr.strip(), words
        if words[-1] == runs[0] and words[0] == "export":
            rows = list(csv.DictReader(io.StringIO(told.stdout)))
            assert len(rows) == len(texts[0::8])
            for row in rows:
                cell = row["message"]
                assert cell.lstrip()[:1] not in tuple("=+-@") or number_like(cell), row
        if words[-1] == "md":
            page = Page(markdown(told.stdout))
            assert not page.tags & {"img", "a", "script", "b", "h1"}
    CliRunner().invoke(app, ["report", runs[0]], catch_exceptions=False)
    page = (Path(runs[0]) / "report.html").read_text()
    assert not acts(page.replace("\t", " "))
    read = Page(page)
    own_script(read)
    assert not read.tags & {"link", "img", "iframe", "a", "form", "b", "i", "u"}
    summary = (Path(runs[0]) / "report.md").read_text()
    assert not acts(summary.replace("\t", " "))
    assert not Page(markdown(summary)).tags & {"img", "a", "script", "b"}
