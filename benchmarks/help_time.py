"""How long `tunesmith --help` and `--version` take as whole processes. Goal: under 0.3 s.

.venv/bin/python benchmarks/help_time.py            # prints, and writes benchmarks/results/help_time.json
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15


def seconds(arguments: list[str]) -> list[float]:
    command = [sys.executable, "-P", "-m", "tunesmith", *arguments]
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return times[1:]  # the first one warms the disk cache


def main() -> None:
    rows = {}
    for name, arguments in {
        "python -c pass": None,
        "--help": ["--help"],
        "--version": ["--version"],
    }.items():
        if arguments is None:
            times = []
            for _ in range(RUNS):
                began = time.perf_counter()
                subprocess.run([sys.executable, "-c", "pass"], check=True)
                times.append(time.perf_counter() - began)
        else:
            times = seconds(arguments)
        rows[name] = {
            "median_s": round(statistics.median(times), 3),
            "min_s": round(min(times), 3),
            "max_s": round(max(times), 3),
        }
        print(
            f"{name:<16} median {rows[name]['median_s']:.3f} s  ({rows[name]['min_s']}-{rows[name]['max_s']})"
        )
    result = {
        "command": "python benchmarks/help_time.py",
        "runs": RUNS,
        "goal": "median of --help and --version at most 0.3 s",
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "help_time.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
