"""Repeat five runs with one worker and a seed, and compare the configurations they try with those recorded.

    python benchmarks/digests/digests.py            compares; exits 1 and names the first difference
    python benchmarks/digests/digests.py --record   writes expected.json anew; say why in the commit

A change that is meant to leave behaviour alone must pass this. Two of the runs take a model's answers from a
recording. Compare on the machine that recorded: another processor rounds differently, and a search that
follows its own results turns a difference in the last digit into another configuration.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
EXPECTED = HERE / "expected.json"
RUNS: dict[str, list[object]] = {
    "digits": [HERE / "digits.yaml", "--trials", 10, "--no-model"],
    "command line": [EXAMPLES / "command_line" / "task.yaml", "--trials", 12, "--no-model"],
    "branches": [HERE / "branches.yaml", "--no-model"],
    "model": [HERE / "model.yaml", "--replay", HERE / "model.jsonl"],
    "llambo": [HERE / "llambo.yaml", "--replay", HERE / "llambo.jsonl"],
}
KEPT = ("number", "origin", "configuration", "state", "value")


def repeat(arguments: list[object]) -> list[dict[str, Any]]:
    """The trials of one run, in order."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "TUNESMITH_"))}
    with tempfile.TemporaryDirectory() as runs:
        words = ["run", *arguments, "--workers", 1, "--runs", runs, "--json", "--quiet"]
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tunesmith", *map(str, words)],
            env={**kept, "OMP_NUM_THREADS": "1", "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{words[1]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return [{key: trial[key] for key in KEPT} for trial in json.loads(done.stdout)["trials"]]


def main() -> None:
    recording = "--record" in sys.argv
    expected = {} if recording else json.loads(EXPECTED.read_text())
    wrong = False
    for name, arguments in RUNS.items():
        trials = repeat(arguments)
        if recording:
            expected[name] = trials
        pairs = list(zip(expected[name], trials, strict=False))
        first = next(((a, b) for a, b in pairs if a != b), None)
        if first is None and len(trials) == len(expected[name]):
            print(f"{name}: {len(trials)} trials, as recorded")
            continue
        wrong = True
        print(f"{name}: differs ({len(trials)} trials, {len(expected[name])} recorded)")
        for label, trial in zip(("recorded", "now"), first or (), strict=False):
            print(f"  {label}: {json.dumps(trial)}")
    if recording:
        EXPECTED.write_text(json.dumps(expected, indent=1) + "\n")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
