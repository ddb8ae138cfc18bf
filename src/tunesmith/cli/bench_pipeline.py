"""`tunesmith bench pipeline`: what `tunesmith bench` does for the suite of pipelines."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from tunesmith.cli.errors import FAILED
from tunesmith.text.literal import literal
from tunesmith.text.terminal import print_json


def bench_pipeline(*, as_json: bool, **options: Any) -> None:
    """Run it and print; options as of `bench.pipelines.bench.bench`."""
    from tunesmith.bench.pipelines.bench import bench
    from tunesmith.bench.pipelines.show import show

    outcome = bench(**options)
    if as_json:
        from tunesmith.bench.pipelines.pages import as_document

        print_json(json.dumps(as_document(outcome.summary), indent=1))
    else:
        show(outcome.summary, sys.stdout)
        print()
        for file in outcome.files:
            if file.suffix in (".md", ".json"):
                print(literal(file))
    sys.stdout.flush()
    for failure in outcome.failures:
        where = f"{failure.spec.contender} on {failure.spec.task}, seed {failure.spec.seed}"
        print(literal(f"tunesmith: {where}: {failure.cause}"), file=sys.stderr)
    if outcome.failures:
        raise typer.Exit(FAILED)
