"""With one metric, no limit and no cost every text and schema is as it was recorded: recorded runs replay.

To record a wanted change: TUNESMITH_GOLDEN=write pytest ...
"""

from __future__ import annotations

import os
from pathlib import Path

from fakes.every_text import texts
from fakes.histories import briefing, configured, grown, history, proposal

STORED = Path(__file__).parent / "plain.txt"


def test_all_texts_and_schemas_of_a_task_with_one_metric_are_as_recorded():
    suggested = proposal(configured(width=200), expected=0.9, spread=0.1)
    shown = ""
    for case, past in (("at the start", history()), ("later", grown(14))):
        for name, text in texts(briefing(past), suggested).items():
            shown += f"########## {case}: {name}\n{text}\n"
    if os.environ.get("TUNESMITH_GOLDEN") == "write":
        STORED.write_text(shown, encoding="utf-8")
    assert shown == STORED.read_text(encoding="utf-8")
