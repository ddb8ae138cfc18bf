"""What a language model costs in the hybrid: tokens of a run, prompt size and control time as trials grow.

.venv/bin/python -P benchmarks/model_cost.py       # prints, and writes benchmarks/results/model_cost.json

Three tables, all against the local protocol server with a scripted model that answers sensibly:

- tokens of a whole run of 30 trials, ours and LLAMBO's protocol (preset llambo-code: upstream's constants) on
  one task, counted by the server at four characters a token, prompts with answer schemas and tools;
- prompt tokens of each kind of question after 30 to 3000 trials: bounded by a constant;
- control time of a proposal without the model's own, CPU seconds on one thread, gate open and shut.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import tempfile
import time
from math import log10
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fakes.chat_server import ChatServer
from fakes.plausible_model import PlausibleModel
from tunesmith.agent.methods.gp.strategy import GaussianProcessStrategy
from tunesmith.agent.methods.hybrid.elicited_priors import ElicitedPriors
from tunesmith.agent.methods.hybrid.gate import ShareGate
from tunesmith.agent.methods.hybrid.proposer import ModelProposer
from tunesmith.agent.methods.hybrid.strategy import HybridStrategy
from tunesmith.agent.methods.hybrid.suggester import HybridSuggester
from tunesmith.agent.models import open_model
from tunesmith.agent.policy.langchain_agent import AgentPolicy
from tunesmith.api import run_task
from tunesmith.budget import Spend
from tunesmith.events import ElicitedPrior
from tunesmith.history import History
from tunesmith.interfaces import Briefing
from tunesmith.settings import ModelSettings
from tunesmith.space import Float, Int, Space
from tunesmith.task import Task
from tunesmith.tools.toolbox.study_toolbox import StudyToolbox
from tunesmith.trial import Configuration, Origin, Prediction, Proposal, Provenance, Trial, TrialState

TRIALS = 30
SIZES = (30, 100, 300, 1000, 3000)
REPEATS = 7
NO_CAPS = {"calls": None, "tokens": None, "dollars": None}
SPACE = Space(
    {
        "hidden_layer_sizes": Int(50, 200),
        "alpha": Float(1e-5, 10, scale="log"),
        "batch_size": Int(10, 250),
        "learning_rate_init": Float(1e-5, 0.1, scale="log"),
        "power_t": Float(0.1, 0.9, scale="logit"),
        "momentum": Float(0.001, 0.999, scale="logit"),
    }
)
CENTRE = {
    "hidden_layer_sizes": 120,
    "alpha": 1e-3,
    "batch_size": 60,
    "learning_rate_init": 5e-3,
    "power_t": 0.5,
    "momentum": 0.9,
}
DEFAULT = SPACE.validate({**CENTRE, "learning_rate_init": 1e-3})
BELIEF = ElicitedPrior(parameter="learning_rate_init", low=1e-3, best=5e-3, high=2e-2, why="usual")


def accuracy(values: Any) -> float:
    rate, decay = log10(float(values["learning_rate_init"])) + 2, log10(float(values["alpha"])) + 3
    return 0.95 - 0.05 * rate**2 - 0.01 * decay**2 - 0.1 * (float(values["momentum"]) - 0.9) ** 2


def task(**more: Any) -> Task:
    return Task.model_validate(
        {
            "name": "cost",
            "description": "A multilayer perceptron that recognises handwritten digits.",
            "model": "MLP classifier trained with SGD",
            "data": "1797 images of 8 x 8 pixels, 10 classes",
            "metric": "accuracy",
            "direction": "maximize",
            "space": SPACE,
            "default": DEFAULT,
            "budget": {"trials": TRIALS, "model": NO_CAPS},
            "in_step": True,  # these trials take no time, so that no answer would come before the last
            **more,
        }
    )


def whole_run(tuner: str | None) -> dict[str, Any]:
    """Calls and tokens of a run, by the server's count."""
    model = PlausibleModel(SPACE, CENTRE)

    def train(config: Any, trial: Any) -> float:
        return accuracy(config)

    with tempfile.TemporaryDirectory() as runs, ChatServer(model) as server:
        settings = ModelSettings(base_url=server.url, model="scripted", api_key=SecretStr("not-needed"))
        result = run_task(task(tuner=tuner), runs=runs, train=train, model=settings)
    return {
        "trials": len(result.history),
        "calls": model.calls,
        "by_kind": model.kinds,
        "prompt_tokens": model.prompt_tokens,
        "completion_tokens": model.completion_tokens,
        "tokens": model.tokens,
    }


def history(n: int) -> History:
    configurations = [DEFAULT, *SPACE.sample(np.random.default_rng(0), n)][:n]
    return History(SPACE, "accuracy", "maximize", DEFAULT, tuple(map(trial, range(n), configurations)))


def trial(number: int, configuration: Configuration) -> Trial:
    proposal = Proposal(configuration=configuration, origin=Origin.SURROGATE, reason="It looked good.")
    value = accuracy(configuration)
    return Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)


def prompt_sizes(n: int) -> dict[str, int]:
    """Prompt tokens of each kind of question after `n` trials."""
    model, past = PlausibleModel(SPACE, CENTRE), history(n)
    about = task(budget={"trials": n + 100, "model": NO_CAPS})
    briefing = Briefing(about, past, about.budget, Spend(trials=n), ("plateau",), turn=1)
    with ChatServer(model) as server:
        settings = ModelSettings(base_url=server.url, model="scripted", api_key=SecretStr("not-needed"))
        language_model = open_model(settings, about.budget.model, lambda e: e, mode="live")
        proposer = ModelProposer(language_model, about, lambda e: e)
        proposer.opening(past, 5)
        strategy = HybridStrategy(GaussianProcessStrategy(SPACE, 0))
        box = StudyToolbox(
            briefing,
            suggest=HybridSuggester(strategy, proposer, lambda e: e, ElicitedPriors(SPACE, [BELIEF])),
            launch=lambda proposals: list(range(n, n + len(proposals))),
            gate=ShareGate(),
        )
        AgentPolicy(language_model, lambda e: e).decide(briefing, box)
        language_model.close()
    return model.largest


def control_time(n: int) -> dict[str, float]:
    """CPU seconds of `HybridStrategy.propose` with six candidates, as the history grows by one each time."""
    past = history(n + REPEATS)
    rng = np.random.default_rng(1)
    guests = [
        Proposal(
            configuration=c,
            origin=Origin.MODEL,
            reason="?",
            provenance=Provenance(model_prediction=Prediction(mean=0.9)),
        )
        for c in SPACE.sample(rng, 6)
    ]
    found: dict[str, float] = {}
    for name, side in (("gate open", "surrogate"), ("gate shut", "model")):
        strategy = HybridStrategy(
            GaussianProcessStrategy(SPACE, 0, words="MLP with SGD"), ElicitedPriors(SPACE, [BELIEF])
        )
        costs = []
        for k in range(REPEATS):
            last = past.trials[n + k - 1]
            proposal = last.proposal.model_copy(update={"provenance": Provenance(side=side)})
            trials = (*past.trials[: n + k - 1], last.model_copy(update={"proposal": proposal}))
            here = History(SPACE, "accuracy", "maximize", DEFAULT, trials, past._rows)
            began = time.process_time()
            strategy.propose(here, 1, guests)
            costs.append(time.process_time() - began)
        found[f"{name}, resumed"] = round(costs[0], 4)
        found[f"{name}, next"] = round(statistics.median(costs[1:]), 4)
    return found


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    ours, theirs = whole_run(None), whole_run("llambo-code")
    ratio = theirs["tokens"] / ours["tokens"]
    for name, run in (("hybrid", ours), ("llambo-code", theirs)):
        print(f"{name:<12} {run['calls']:>5} calls {run['tokens']:>8} tokens in {run['trials']} trials")
    print(f"{ratio:.1f} times fewer tokens")
    sizes = {str(n): prompt_sizes(n) for n in SIZES}
    for n, kinds in sizes.items():
        print(f"n={n:<5} prompt tokens " + "  ".join(f"{kind} {size}" for kind, size in kinds.items()))
    control_time(10)  # imports and caches, once a process
    times = {str(n): control_time(n) for n in SIZES}
    for n, row in times.items():
        print(f"n={n:<5} control time  " + "  ".join(f"{name} {s * 1e3:.0f} ms" for name, s in row.items()))
    result = {
        "command": "python -P benchmarks/model_cost.py",
        "goal": "10 times fewer tokens than upstream's protocol; prompts bounded; 0.5 s at 100 trials",
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
            "load": round(os.getloadavg()[0], 1),
        },
        "run of 30 trials": {"hybrid": ours, "llambo-code": theirs, "ratio": round(ratio, 1)},
        "prompt_tokens": sizes,
        "control_cpu_s": times,
    }
    path = Path(__file__).parent / "results" / "model_cost.json"
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
