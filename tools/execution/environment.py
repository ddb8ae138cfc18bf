"""The environment of trials: what training needs, by an allow-list, and no secrets. Standard library only.

A task adds to it: `env: {pass: [MY_DATA, MYLAB_*], set: {STAGE: tuning}}`. A variable whose name says that it
is secret (KEY, TOKEN, SECRET, PASSWORD and the like), or that belongs to a provider of language models, is
passed only where `pass` has its very name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from tunesmith.objective import Objective
from tunesmith.outcome import Outcome, TrialState
from tunesmith.text.secrets import is_secret_name

_ALLOWED_TEXT = """
PATH HOME USER LOGNAME SHELL HOSTNAME PWD OLDPWD TERM COLORTERM COLUMNS LINES NO_COLOR FORCE_COLOR CLICOLOR*
LANG LANGUAGE LC_* TZ TMPDIR TEMP TMP XDG_* DISPLAY WAYLAND_DISPLAY XAUTHORITY CI
LD_* DYLD_* LIBRARY_PATH CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH PKG_CONFIG_PATH CC CXX CFLAGS
CXXFLAGS LDFLAGS PYTHON* VIRTUAL_ENV* CONDA* _CE_* MAMBA_* PYENV* UV_* PIP_*
POETRY_* COVERAGE_* COV_* PYTEST_* DEBUGPY_*
OMP_* GOMP_* KMP_* MKL_* OPENBLAS_* NUMEXPR_* VECLIB_* BLIS_* TBB_* NUMBA_* POLARS_* RAYON_* MALLOC_* GLIBC_*
CUDA* CUDNN* CUBLAS* NVIDIA_* NV_* NVTE_* NCCL_* GLOO_* HIP_* ROCM_* ROCR_* HSA_* MIOPEN_* GPU_*
ONEAPI_* SYCL_* ZE_* DNNL_* ONEDNN_* TORCH* PYTORCH* TRITON_* XLA_* TF_* JAX_* KERAS_*
TPU_* LIBTPU* ORT_* FLASH_* VLLM_*
MASTER_ADDR MASTER_PORT RANK WORLD_SIZE LOCAL_RANK LOCAL_WORLD_SIZE NODE_RANK GROUP_RANK
SLURM_* PBS_* SGE_* LSB_* LSF_* PMI_* PMIX_* OMPI_* I_MPI_* MPI* FI_* UCX_* KUBERNETES_* K8S_*
HF_* HUGGINGFACE_* TRANSFORMERS_* DATASETS_* DIFFUSERS_* TOKENIZERS_* ACCELERATE_* BITSANDBYTES_* SENTENCE_*
WANDB_* MLFLOW_* COMET_* NEPTUNE_* CLEARML_* TENSORBOARD_* AIM_* DVC_* RAY_* DASK_* SPARK_* JOBLIB_* LOKY_*
SKLEARN_* MPL* IPYTHON* JUPYTER_* KAGGLE_* HYDRA_* NLTK_* AWS_* GOOGLE_* GCS_* S3_* AZURE_STORAGE_*
SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE *_PROXY *_proxy
*_HOME *_CACHE *_CACHE_* *_DIR *_FOLDER *_PATH *_ROOT
"""
_PROVIDERS_TEXT = """
OPENAI_* AZURE_OPENAI_* ANTHROPIC_* GEMINI_* GOOGLE_GENAI_* GOOGLE_GENERATIVE_* MISTRAL_* GROQ_* COHERE_*
TOGETHER_* OPENROUTER_* DEEPSEEK_* FIREWORKS_* PERPLEXITY_* XAI_* OLLAMA_* LITELLM_* LANGSMITH_* LANGCHAIN_*
TUNESMITH_*
"""
_ALLOWED, _PROVIDERS = _ALLOWED_TEXT.split(), _PROVIDERS_TEXT.split()
WITHHELD = "TUNESMITH_WITHHELD"
"""Variable with the names, not the values, of what a trial was not given, to name one that it misses."""
_MOST_NAMES = 400
_ABOUT_VARIABLES = re.compile(
    r"environ|getenv|KeyError|\bnot set\b|\bunset\b|unbound variable|required|missing", re.I
)
"""What an error that is about a variable of the environment says, rather than about a name in the code."""


def trial_environment(objective: Objective, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that training code is started in.

    Args:
        environ: The caller's; None: this process's.
    """
    given = dict(os.environ if environ is None else environ)
    kept = {name: value for name, value in given.items() if _is_passed(name, objective.pass_env)}
    kept |= dict(objective.set_env)
    withheld = [*given.get(WITHHELD, "").split(), *(name for name in given if name != WITHHELD)]
    names = sorted({name for name in withheld if name not in kept and name.isidentifier()})
    return {**kept, WITHHELD: " ".join(names[:_MOST_NAMES])}


def _is_passed(name: str, extra: Iterable[str]) -> bool:
    if name in extra:
        return True
    if is_secret_name(name) or _matches(name, _PROVIDERS):
        return False
    return _matches(name, _ALLOWED) or _matches(name, extra)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def naming_what_it_missed(outcome: Outcome) -> Outcome:
    """The outcome of a crash with the fix, where it names a variable that was withheld from the trial."""
    if outcome.state is not TrialState.CRASHED:
        return outcome
    text = f"{outcome.message}\n{outcome.traceback[-2000:]}"
    words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))
    withheld = os.environ.get(WITHHELD, "").split()
    about = _ABOUT_VARIABLES.search(text) is not None
    missed = [name for name in withheld if about and name in words and len(name) > 2]
    if not missed:  # a tracker that misses its key seldom names the variable
        lower = {word.lower() for word in words}
        login = {"login", "api_key", "authentication", "unauthorized", "credentials", "token", "401"}
        if lower & login:
            secret = filter(is_secret_name, withheld)
            missed = [name for name in secret if name.split("_")[0].lower() in lower]
    if not missed:
        return outcome
    names = ", ".join(missed[:3])
    fix = f"{names} is withheld from trials; add `env: {{pass: [{names}]}}` to the task to pass it"
    return outcome.changed(message=f"{outcome.message[:280]} ({fix})")
