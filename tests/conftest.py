"""How properties are tried: the same examples on every run and on any machine, however slow it is.

`pytest --hypothesis-profile=random` draws new examples, ten times as many where a test states no number.
Trials of the tests run in the Python of the tests, as if its environment were active.
"""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("random", settings.get_profile("repeatable"), derandomize=False, max_examples=600)
settings.load_profile("repeatable")

os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
    os.environ.pop(name, None)
