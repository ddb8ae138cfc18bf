"""What of the caller's environment a trial is given, and what it is told where it misses something."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.tiny_job import tunesmith
from tunesmith.errors import TaskError
from tunesmith.objective import Objective
from tunesmith.outcome import Outcome, TrialState
from tunesmith.task import load_task
from tunesmith.text.secrets import is_secret_name
from tunesmith.tools.execution.environment import WITHHELD, naming_what_it_missed, trial_environment

_NEEDED = """
PATH HOME LANG LC_ALL TMPDIR VIRTUAL_ENV CONDA_PREFIX CUDA_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES
OMP_NUM_THREADS MKL_NUM_THREADS LD_LIBRARY_PATH PYTHONPATH PYTHONHASHSEED XDG_CACHE_HOME HF_HOME
TRANSFORMERS_CACHE WANDB_DIR WANDB_MODE http_proxy HTTPS_PROXY NO_PROXY SLURM_JOB_ID TORCH_HOME
PYTORCH_CUDA_ALLOC_CONF NCCL_DEBUG
TOKENIZERS_PARALLELISM DATA_DIR DATASET_ROOT MASTER_ADDR XLA_FLAGS MPLBACKEND SSL_CERT_FILE JAVA_HOME
"""
_SECRET = """
OPENAI_API_KEY ANTHROPIC_API_KEY OPENAI_BASE_URL TUNESMITH_API_KEY TUNESMITH_BASE_URL WANDB_API_KEY HF_TOKEN
AWS_SECRET_ACCESS_KEY GITHUB_TOKEN DB_PASSWORD MY_SECRET KEY_DIR TOKEN_PATH SSH_AUTH_SOCK MY_DATA EDITOR
"""
NEEDED, SECRET = _NEEDED.split(), _SECRET.split()


def test_a_trial_gets_what_training_needs_and_no_secrets():
    got = trial_environment(Objective(), {name: "/x" for name in NEEDED + SECRET})
    assert sorted(got.keys() - {WITHHELD}) == sorted(NEEDED)
    assert got[WITHHELD].split() == sorted(SECRET)


@given(
    st.lists(
        st.from_regex(r"[A-Z][A-Z_]{0,8}(_KEY|_TOKEN|_SECRET|_PASSWORD|_DIR)?", fullmatch=True), max_size=8
    ),
    st.lists(st.sampled_from(["*", "A*", "*_DIR", "*KEY"]), max_size=2),
)
def test_no_pattern_passes_a_secret_and_what_is_passed_keeps_its_value(names, patterns):
    caller = {name: f"value of {name}" for name in names}
    got = trial_environment(Objective(pass_env=tuple(patterns)), caller)
    got.pop(WITHHELD)
    assert all(caller[name] == value and not is_secret_name(name) for name, value in got.items())
    by_name = trial_environment(Objective(pass_env=tuple(names)), caller)
    assert {name: by_name[name] for name in caller} == caller


def test_what_a_task_sets_and_passes_arrives_also_through_a_filtered_environment():
    objective = Objective(pass_env=("MY_*", "HF_TOKEN"), set_env=(("STAGE", "tuning"), ("PATH", "/p")))
    first = trial_environment(objective, {"MY_DATA": "d", "HF_TOKEN": "t", "PATH": "/bin", "OTHER": "o"})
    second = trial_environment(objective, first)
    assert (
        second
        == first
        == {
            "MY_DATA": "d",
            "HF_TOKEN": "t",
            "PATH": "/p",
            "STAGE": "tuning",
            WITHHELD: "OTHER",
        }
    )


HEAD = """
metric: accuracy
direction: maximize
space: {x: {type: float, low: 0, high: 1}}
budget: {trials: 1}
tuner: random
"""
SCRIPT = """
import os
SEEN = os.environ.get("MY_DATA", "none")
def train(config, trial):
    if os.environ.get("HIDDEN_KEY") or os.environ.get("OPENAI_API_KEY"):
        return {"accuracy": -1}
    print("seen", SEEN, os.environ["STAGE"])
    return {"accuracy": 1.0 if os.environ["MY_DATA"] == SEEN == "here" else 0.0}
"""
KEYS = {"MY_DATA": "here", "HIDDEN_KEY": "abcdefgh", "OPENAI_API_KEY": "sk-abcdefgh"}


def test_a_run_passes_and_sets_what_the_task_says(tmp_path: Path):
    (tmp_path / "train.py").write_text(SCRIPT)
    env = "env: {pass: [MY_*], set: {STAGE: 7}}\n"
    (tmp_path / "task.yaml").write_text(HEAD + env + "objective: train.py:train\n")
    done = tunesmith("run", "task.yaml", "--no-model", "-q", cwd=tmp_path, **KEYS)
    (log,) = tmp_path.rglob("log.txt")
    assert log.read_text() == "seen here 7\n", done
    assert '"accuracy": 1.0' in next(tmp_path.rglob("result.json")).read_text()
    again = load_task(next((tmp_path / "runs").rglob("task.yaml")))
    assert (again.env.passed, again.env.given) == (("MY_*",), {"STAGE": "7"})


@pytest.mark.parametrize(
    ("objective", "script"),
    [
        pytest.param(
            "train.py:train", "import os\ndef train(c, t): return os.environ['MY_DATA']", id="function"
        ),
        pytest.param("{command: 'python train.py {x}'}", "import os\nos.environ['MY_DATA']", id="command"),
    ],
)
def test_a_crash_that_names_a_withheld_variable_says_how_to_pass_it(tmp_path: Path, objective, script):
    (tmp_path / "train.py").write_text(script)
    (tmp_path / "task.yaml").write_text(HEAD + f"objective: {objective}\n")
    tunesmith("run", "task.yaml", "--no-model", "-q", cwd=tmp_path, **KEYS)
    result = next(tmp_path.rglob("trials/00000/result.json")).read_text()
    assert "MY_DATA is withheld from trials; add `env: {pass: [MY_DATA]}`" in result


def test_a_name_of_the_code_is_no_withheld_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(WITHHELD, "STAGE MY_DATA WANDB_API_KEY")
    crash = Outcome(TrialState.CRASHED, message="NameError: name 'STAGE' is not defined")
    assert naming_what_it_missed(crash) == crash
    told = naming_what_it_missed(crash.changed(message="MY_DATA is not set, and STAGEX"))
    assert told.message.endswith(
        "(MY_DATA is withheld from trials; add `env: {pass: [MY_DATA]}` to the task to pass it)"
    )
    login = naming_what_it_missed(crash.changed(message="api_key not configured. call wandb.login()"))
    assert "pass: [WANDB_API_KEY]" in login.message


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("env: [MY_DATA]", "env"),
        ("env: {pas: [A]}", "env.pas"),
        ("env: {pass: ['A B']}", "env.pass"),
        ("env: {set: {'A-B': 1}}", "env.set"),
        ("env: {set: {A: [1]}}", "env.set"),
    ],
)
def test_an_illegal_env_names_its_key(tmp_path: Path, env: str, said: str):
    (tmp_path / "task.yaml").write_text(HEAD + "objective: train.py:train\n" + env + "\n")
    with pytest.raises(TaskError) as fault:
        load_task(tmp_path / "task.yaml")
    assert (fault.value.line, fault.value.key) == (8, said)
