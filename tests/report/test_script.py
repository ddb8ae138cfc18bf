"""The script of the report's page: sorting, filtering, and what it does with a page."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tunesmith.tools.report.interactive import embedded, script

NODE = shutil.which("node")
PARTS = """
const report = require(process.argv[1]);
const names = ["trial", "state", "loss", "lr", "optimizer"];
const rows = [
  [0, "completed", 0.5, 0.001, "adam"], [1, "crashed", null, 0.1, "sgd"],
  [2, "completed", 0.25, 1e-5, "sgd"], [3, "pruned", 10, 0.02, "adam"],
];
const kept = (filter) => rows
  .filter((row) => report.matches(report.parse(filter, names), row, row.join(" "))).map((row) => row[0]);
const sorted = (at, down) => [...rows]
  .sort((a, b) => report.compare(a[at], b[at], down)).map((row) => row[0]);
console.log(JSON.stringify({
  filters: ["", "loss<1", "optimizer=SGD", "optimizer!=sgd", "lr<=0.001 completed", "crash", "nosuch=1",
    "loss>=10", "((((", "loss<"].map(kept),
  up: sorted(2, false), down: sorted(2, true), words: sorted(4, false),
}));
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed: the script cannot be run here")
def test_rows_are_sorted_and_filtered(tmp_path: Path):
    path = tmp_path / "report.js"
    path.write_text(script())
    told = subprocess.run(
        [NODE or "", "-e", PARTS, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    found = json.loads(told.stdout)
    assert found["filters"] == [[0, 1, 2, 3], [0, 2], [1, 2], [0, 3], [0, 2], [1], [], [3], [], []]
    assert found["up"] == [2, 0, 3, 1] and found["down"] == [3, 0, 2, 1], "what is missing comes last"
    assert found["words"] == [0, 3, 1, 2]


def test_the_script_makes_no_markup_asks_for_nothing_and_evaluates_nothing():
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
    ):
        assert word not in script()
    for word in (
        "Function(",
        "XMLHttp",
        "import(",
        "WebSocket",
        "setTimeout",
        "localStorage",
        "http",
        "</",
        "<!--",
    ):
        assert word not in script()


@pytest.mark.parametrize("text", ["</script><script>x", "<!--", "\u2028\u2029", "]]>&amp;", "\ud800", "\x00"])
def test_data_cannot_end_their_block(text):
    made = embedded({"a": text})
    assert made.isascii() and not set("<>&") & set(made)
    assert json.loads(made) == {"a": text}
