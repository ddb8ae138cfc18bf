"""`starter_task`: a commented task file for a training script, to be run or edited."""

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
    chosen = source.training_function(function)
    if chosen is None and source.options:
        return _for_command(source)
    keys = source.config_keys(chosen) if chosen is not None else {}
    guesses = {name: made for name, today in keys.items() if (made := guess(name, today))}
    notes = []
    if chosen is None:
        notes.append(f"No function (config, trial) was found in {script.name}: write one, or use `command`.")
    if unsure := [name for name in keys if name not in guesses]:
        names = ", ".join(unsure[:10])
        notes.append(f"The script also reads {names} from its configuration: add what should be tuned.")
    name = chosen.name if chosen is not None else "train"
    objective = f"function: {_quoted(f'{script.name}:{name}')}  # called as {name}(config, trial)"
    metrics = source.metric_names(chosen) if chosen is not None else []
    return _text(source, metrics, guesses, objective, notes)


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
    if not guesses:
        argv += ["--lr", "{lr}"]
    # shlex would quote the braces, which mean nothing to us as quotes and confuse a reader.
    command = " ".join(part if re.fullmatch(r"\{.*\}", part) else shlex.quote(part) for part in argv)
    notes = ["The script should print a line of JSON that holds the metric, as its last such line."]
    if required:
        notes.append(f"The script also requires {', '.join(required)}: add it to the command.")
    return _text(source, source.metric_names(None), guesses, f"command: {_quoted(command)}", notes)


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
    source: Script, metrics: list[str], guesses: Mapping[str, Guess], objective: str, notes: list[str]
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tunesmith.task", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    metric = _choose_metric(metrics)
    shown: Mapping[str, Guess | None] = guesses or {"lr": guess("lr")}
    return environment.get_template("starter.yaml.j2").render(
        script=_comment(source.path.name),
        notes=[_comment(note) for note in notes],
        description=_quoted(f"Tune {source.path.name}."),
        metric=_quoted(metric),
        metric_known=bool(metrics),
        direction="minimize" if _SMALLER_IS_BETTER.search(metric) else "maximize",
        objective=objective,
        guessed=bool(guesses),
        parameters=[
            {"key": _key(n), "range": _flow(g), "default": _scalar(g.default), "stated": g.stated}
            for n, g in shown.items()
            if g is not None
        ],
    )


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
