from __future__ import annotations

import pytest

from tunesmith.objective import Objective
from tunesmith.tools.execution.base import Resources
from tunesmith.tools.execution.preload import discover_preload
from tunesmith.trial import TrialState

TRAIN = """
import torch
def train(config, trial):
    torch.set_grad_enabled(True)
    model = torch.nn.Linear(4, 1).to(config["device"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for epoch in range(3):
        loss = model(torch.ones(8, 4, device=config["device"])).square().mean()
        optimizer.zero_grad(); loss.backward(); optimizer.step()
        trial.report(loss, epoch)
        trial.should_prune()
    return {"accuracy": loss.detach(), "threads": torch.get_num_threads()}
"""


@pytest.fixture
def torch_bench(own_bench):
    bench = own_bench(1)
    script = bench.script(TRAIN)
    return own_bench(1, discover_preload(Objective(function=f"{script}:train")))


@pytest.mark.long
def test_forked_trials_train_with_torch_and_repeat_exactly_for_one_seed(torch_bench):
    outcomes = [
        torch_bench.run(TRAIN, configuration={"device": "cpu"}, resources=Resources(cpus=n))
        for n in (1, 1, 2)
    ]
    assert torch_bench.executor.start_method == "fork" and torch_bench.executor.warnings == []
    assert [o.state for o in outcomes] == [TrialState.COMPLETED] * 3, outcomes[0].traceback
    assert outcomes[0].curve == outcomes[1].curve and len(outcomes[0].curve) == 3
    assert [o.values["threads"] for o in outcomes] == [1.0, 1.0, 2.0]
    assert max(o.seconds for o in outcomes[1:]) < 1.0, "nothing heavy is imported again"


@pytest.mark.gpu
def test_forked_trials_use_a_gpu_and_running_out_of_its_memory_is_told(torch_bench):
    assert torch_bench.run(TRAIN, configuration={"device": "cuda"}).state is TrialState.COMPLETED
    greedy = "import torch\ndef train(config, trial): return torch.empty(2**50, device='cuda').sum()"
    assert torch_bench.run(greedy).state is TrialState.OUT_OF_MEMORY
    assert torch_bench.run(TRAIN, configuration={"device": "cuda"}).state is TrialState.COMPLETED
    assert torch_bench.executor.start_method == "fork"
