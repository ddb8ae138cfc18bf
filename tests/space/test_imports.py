"""The shared language stays light."""

import subprocess
import sys

import pytest


@pytest.mark.long
def test_space_and_task_import_no_heavy_library():
    code = (
        "import sys, tunesmith.space, tunesmith.task, tunesmith.history, tunesmith.events\n"
        "heavy = {'torch', 'optuna', 'scipy', 'sklearn', 'langchain', 'openai'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
