"""Record `model.jsonl` anew: the scripted model of the tests, over the local server, answers one whole run.

    python benchmarks/digests/record_conversation.py

Needed when what a run asks its model changes. `digests.py --record` after it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from fakes.chat_server import ChatServer
from fakes.plausible_model import PlausibleModel
from tunesmith.api import run_task
from tunesmith.settings import ModelSettings
from tunesmith.task import load_task

HERE = Path(__file__).parent
CENTRE = {"lr": 10**-2.3, "width": 56}
"""Near the best (10^-2.5, 48), as a model that knows something would say."""


def main() -> None:
    task = load_task(HERE / "model.yaml")
    with tempfile.TemporaryDirectory() as runs, ChatServer(PlausibleModel(task.space, CENTRE, 0.0)) as server:
        settings = ModelSettings(base_url=server.url, model="scripted", api_key=SecretStr("not-needed"))
        result = run_task(task, runs=runs, model=settings)
        shutil.copyfile(next(Path(runs).rglob("exchanges.jsonl")), HERE / "model.jsonl")
    print(f"{len(result.history)} trials recorded")


if __name__ == "__main__":
    main()
