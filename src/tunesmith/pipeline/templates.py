"""Pipelines shaped like the six tasks of AgentTTS (Wang et al., 2025): stages, lengths, models and budgets.

`problem: {name: pipeline, template: 2wiki, stages: {retrieve: {call: stages.py:retrieve}}}` in a task: what
the task states beside the template is added to it, stage by stage, and counts where both state something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.problem import SettingsFault, settings_faults
from tunesmith.text.suggestions import did_you_mean

_QWEN = {"qwen2.5-7b": 7e9, "qwen2.5-32b": 32e9, "qwen2.5-72b": 72e9}
_QWEN_ENDS = {"qwen2.5-7b": 7e9, "qwen2.5-72b": 72e9}
_LLAMA = {"llama-3-3b": 3e9, "llama-3-8b": 8e9, "llama-3-70b": 70e9}
_LLAMA_UPPER = {"llama-3-8b": 8e9, "llama-3-70b": 70e9}
_LLAMA_ENDS = {"llama-3-3b": 3e9, "llama-3-70b": 70e9}
_SHAPES: dict[str, tuple[float, dict[str, tuple[int, int, dict[str, float]]]]] = {
    "2wiki": (929, {"retrieve": (2048, 128, _QWEN), "answer": (256, 64, _LLAMA)}),
    "hotpot": (929, {"retrieve": (2048, 128, _QWEN), "answer": (256, 64, _LLAMA)}),
    "cwq": (521, {"retrieve": (1024, 64, _QWEN_ENDS), "answer": (256, 64, _LLAMA_UPPER)}),
    "webqsp": (474, {"retrieve": (1024, 64, _QWEN_ENDS), "answer": (128, 64, _LLAMA_UPPER)}),
    "taskbench": (
        1978,
        {
            "decompose": (1024, 64, _LLAMA_UPPER),
            "select": (1024, 256, _LLAMA_UPPER),
            "parameters": (1024, 2048, _LLAMA_UPPER),
        },
    ),
    "chatdev": (
        1768,
        {
            "code": (1024, 1024, _LLAMA_ENDS),
            "static_test": (1024, 512, _LLAMA_ENDS),
            "dynamic_test": (1024, 256, _LLAMA_ENDS),
        },
    ),
}
"""For each the budget (one sample of every stage's largest model), and the stages: tokens of a call's prompt
and completion, and numbers of weights."""
NAMES = tuple(_SHAPES)


def template(name: str) -> dict[str, Any]:
    """The settings of a pipeline, as the key `problem` has them beside its name; KeyError for no template."""
    budget, stages = _SHAPES[name]
    return {
        "cost_model": "agenttts",
        "item_budget": float(budget),
        "stages": {
            stage: {
                "models": {model: {"parameters": weights} for model, weights in models.items()},
                "samples": {"low": 1, "high": 100},
                "temperature": 0.9,
                "tokens": {"prompt": prompt, "completion": completion},
            }
            for stage, (prompt, completion, models) in stages.items()
        },
    }


def merged(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that name a template, with what it has and they do not.

    Raises:
        ValidationError: There is no such template.
    """
    name = given["template"]
    if not isinstance(name, str) or name not in _SHAPES:
        hint = did_you_mean(name, NAMES)
        raise settings_faults([SettingsFault(("template",), f"names no template; {hint}", "")])
    stated = {key: value for key, value in given.items() if key != "template"}
    made = {**template(name), **stated}
    stages = stated.get("stages")
    if isinstance(stages, Mapping):
        shape = template(name)["stages"]
        made["stages"] = {
            stage: {**shape.get(stage, {}), **own}
            if isinstance(own := stages.get(stage, {}), Mapping)
            else own
            for stage in (*shape, *(one for one in stages if one not in shape))
        }
    return made


def _added(shape: Mapping[str, Any], own: Any) -> Any:
    return {**shape, **own} if isinstance(own, Mapping) else own
