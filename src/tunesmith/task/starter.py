"""`starter_task`: the first draft of a task file for somebody's script, commented, ready to run or edit."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.space.values import is_number, show
from tunesmith.task.command import RESERVED
from tunesmith.task.guesses import NOT_TUNED, Guess, guess
from tunesmith.task.script import Option, Script, read_script

_SMALLER_IS_BETTER = re.compile(r"loss|err|rmse|mse|mae|perplexity|ppl|bpb|regret|latency|nll|cost|distance")
_LARGER_IS_BETTER = re.compile(r"acc|auc|f1|score|r2|reward|precision|recall|iou|dice|bleu|rouge|map")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = frozenset({"true", "false", "null"})


def starter_task(script: Path, function: str | None) -> str:
    """Text of a task file to be put beside `script`.

    Finds a function with the signature `(config, trial)` and the keys it reads from `config`, or else the
    options that the script gives to argparse; guesses a range around each default. The script is parsed,
    never run.

    Args:
        script: The training script.
        function: Name of the training function; None to look for one.
    Returns:
        YAML that `load_task` accepts, with comments.
    Raises:
        ObjectiveError: The script cannot be read, is not Python, or has no such function.
    """
    source = read_script(script)
    found = source.training_function(function)
    if found is None and source.options:
        return _for_command(source)
    found_keys = source.config_keys(found) if found is not None else {}
    guesses = {name: made for name, today in found_keys.items() if (made := guess(name, today))}
    unsure = [name for name in found_keys if name not in guesses]
    notes = [
        f"The script also reads {', '.join(unsure[:10])} from its configuration: add what should be tuned."
    ]
    target = f"{script.name}:{found.name if found is not None else 'train'}"
    missing = [f"No function (config, trial) was found in {script.name}: write one, or use `command`."]
    objective = [f"function: {_quoted(target)}  # called as {target.split(':')[-1]}(config, trial)"]
    return _text(
        script,
        source.metric_names(found) if found is not None else [],
        guesses or {"lr": _the_learning_rate()},
        objective,
        notes=(missing if found is None else []) + (notes if unsure else []),
        found=bool(guesses),
    )


def _for_command(source: Script) -> str:
    guesses: dict[str, Guess] = {}
    argv = ["python", source.path.name]
    required: list[str] = []
    for option in source.options:
        made = _tunable(option)
        if made is not None:
            guesses[option.name] = made
            argv += [option.flag, f"{{{option.name}}}"]
        elif option.name in RESERVED and option.takes_value:
            argv += [option.flag, f"{{{option.name}}}"]
        elif option.required:
            required.append(option.flag)
    found = bool(guesses)
    if not found:
        guesses["lr"] = _the_learning_rate()
        argv += ["--lr", "{lr}"]
    # shlex would quote the braces, which mean nothing to us as quotes and confuse a reader.
    command = " ".join(part if _is_placeholder(part) else shlex.quote(part) for part in argv)
    notes = ["The script should print a line of JSON that holds the metric, as its last such line."]
    if required:
        notes.append(f"The script also requires {', '.join(required)}: add it to the command.")
    return _text(
        source.path, source.metric_names(None), guesses, [f"command: {_quoted(command)}"], notes, found
    )


def _tunable(option: Option) -> Guess | None:
    """A parameter for an option, unless its name or kind says that it is no hyperparameter."""
    if not option.takes_value or option.name in RESERVED:
        return None
    known = guess(option.name) is not None
    if NOT_TUNED.search(option.name.casefold()) and not known:
        return None
    if option.choices:
        return guess(option.name, option.default, option.choices) if _plain_choices(option.choices) else None
    return guess(option.name, option.default) if is_number(option.default) else None


def _plain_choices(choices: list[Any]) -> bool:
    """Distinct words or numbers, several of them."""
    fit = all(
        isinstance(c, int | float) or (isinstance(c, str) and re.fullmatch(r"[\w.+-]{1,60}", c))
        for c in choices
    )
    return fit and len(set(choices)) == len(choices) > 1


def _text(
    script: Path,
    metrics: list[str],
    guesses: Mapping[str, Guess],
    objective: list[str],
    notes: list[str],
    found: bool,
) -> str:
    metric = _choose_metric(metrics)
    direction = "minimize" if _SMALLER_IS_BETTER.search(metric) else "maximize"
    about_metric = "returned by the script" if metrics else "CHANGE ME: the name of the value to optimise"
    lines = [
        f"# What to tune in {_comment(script.name)}. Every key: docs/task-file.md.",
        "# Check it without training: tunesmith check task.yaml",
        *(f"# NOTE: {_comment(note)}" for note in notes),
        "",
        "# Words help the language model, and the priors by hyperparameter name.",
        f"description: {_quoted(f'Tune {script.name}.')}",
        'model: ""  # such as: small CNN trained with Adam',
        'data: ""  # such as: 300 grey images of 8x8, 10 classes',
        "# data_file: {path: train.csv, target: label}  # figures of the data, computed from it",
        "",
        f"metric: {_quoted(metric)}  # {about_metric}",
        f"direction: {direction}  # or {'maximize' if direction == 'minimize' else 'minimize'}",
        "",
        "objective:",
        *(f"  {line}" for line in objective),
        "",
        "# The search space" + (": guessed around the script's own values; look it over." if found else "."),
        "# Kinds: float, int (scale: linear, log; float also logit; step), categorical, ordinal, bool.",
        "# A parameter for some cases only: add `when: {optimizer: sgd}`.",
        *([] if found else ["# CHANGE ME: no hyperparameters were recognised in the script."]),
        "space:",
        *(f"  {_key(name)}: {_flow(made)}" for name, made in guesses.items()),
        "",
        "# Today's values: tried first, and what the best configuration is compared with.",
        "default:",
        *(
            f"  {_key(name)}: {_scalar(made.default)}"
            + ("" if made.stated else "  # CHANGE ME: a usual value; the script states none")
            for name, made in guesses.items()
        ),
        "",
        "budget:",
        "  trials: 30",
        "  wall_time: 1h  # the whole run; also 45s, 10m, 1h30m",
        "  # trial_time: 10m  # one trial",
        "  # model: {calls: 60, tokens: 300000, dollars: 2}  # caps on the language model, if one is used",
        "",
        "# At the end: best against default again, on fresh seeds.",
        "confirm:",
        "  seeds: 5",
        "",
        "seed: 0",
        "workers: 1  # trials at the same time",
        "threads: 1  # CPU threads for each",
    ]
    return "\n".join(lines) + "\n"


def _choose_metric(names: list[str]) -> str:
    """The most telling name: validation before training, a known word before others."""

    def rank(name: str) -> tuple[bool, bool, bool]:
        word = name.casefold()
        return (
            "train" in word or "test" in word,
            not (_LARGER_IS_BETTER.search(word) or _SMALLER_IS_BETTER.search(word)),
            not word.startswith("val"),
        )

    return min(names, key=rank) if names else "val_accuracy"


def _the_learning_rate() -> Guess:
    made = guess("lr")
    assert made is not None
    return made


def _flow(made: Guess) -> str:
    """`{type: float, low: 1e-5, high: 0.1, scale: log}`."""
    parts = []
    for key, value in made.parameter.to_dict().items():
        shown = "[" + ", ".join(map(_scalar, value)) + "]" if isinstance(value, list) else _scalar(value)
        parts.append(f"{key}: {shown}")
    return "{" + ", ".join(parts) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _key(value) if isinstance(value, str) else show(value)


def _key(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.casefold() not in _SPECIAL else json.dumps(text)


def _quoted(text: str) -> str:
    """Bare where YAML reads it so."""
    bare = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./]*(:[A-Za-z0-9_]+)?", text) and text.casefold() not in _SPECIAL
    return text if bare else json.dumps(text)


def _comment(text: str) -> str:
    return " ".join(text.split())[:300]


def _is_placeholder(part: str) -> bool:
    return part.startswith("{") and part.endswith("}")
