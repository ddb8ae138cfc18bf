"""What the configurations of a pipeline can ask of a sample bank, stage by stage."""

from __future__ import annotations

from typing import Any

from tunesmith.pipeline.offered import FloatRange, Range
from tunesmith.pipeline.settings import PipelineSettings


def asked_of_bank(options: PipelineSettings) -> dict[str, dict[str, Any]]:
    """By stage, as JSON: `models` (ids by name), `temperatures`, `prompts` and `samples`.

    Of a range of temperatures its ends. `samples` is the most that are always drawn, so 1 where they may
    agree early. A stage that is always left out is missing.
    """
    asked = {}
    for name, stage in options.stages.items():
        if _most(stage.offered("rounds")) == 0:
            continue
        temperatures = stage.offered("temperature")
        if isinstance(temperatures, Range | FloatRange):
            temperatures = (temperatures.low, temperatures.high)
        models = stage.offered("model")
        prompts = stage.offered("prompt")
        assert isinstance(models, tuple) and isinstance(prompts, tuple)
        asked[name] = {
            "models": {str(model): stage.models[str(model)].id or str(model) for model in models},
            "temperatures": [float(one) for one in temperatures] if temperatures else [None],
            "prompts": list(prompts) or [None],
            "samples": _most(stage.offered("samples")) if stage.offered("agree") in ((), (0,)) else 1,
        }
    return asked


def _most(offered: Any) -> int:
    return int(offered.high if isinstance(offered, Range | FloatRange) else max(offered))
