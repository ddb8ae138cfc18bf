"""What a script seems to be judged by: what its training function returns, or what it prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tunesmith.task.scripts.constants import dotted, last_name
from tunesmith.task.scripts.source import Script

SMALLER_IS_BETTER = re.compile(r"loss|err|rmse|mse|mae|perplexity|ppl|bpb|regret|latency|nll|cost|distance")
LARGER_IS_BETTER = re.compile(r"acc|auc|f1|score|r2|reward|precision|recall|iou|dice|bleu|rouge|map")
_WORD = re.compile(r"([A-Za-z][\w\-/]*(?: [A-Za-z]\w*)?)\s*[:=]?\s*$")
_PHRASE = re.compile(r"([A-Za-z]\w*(?: \w+){2,7})\s*[:=]\s*$")
_PART = re.compile(
    r"\b(?P<judged>val|valid|validation|test|eval|evaluation|dev)\b|\b(?:train|training|tr)\b", re.IGNORECASE
)
"""Words of a line that say which data the values behind them are of."""

_RESOURCES = frozenset({"latency", "params", "parameters", "flops", "macs", "memory", "mib", "mb", "energy"})
"""Words in the names of what a model needs."""
_NO_NUMBERS = ("vars", "asdict", "dict", "list", "str")
"""Calls whose value is no number."""


@dataclass(frozen=True)
class Metric:
    """A guess, with where it comes from."""

    name: str
    source: str
    """A sentence's end: `returned by train()`; empty where nothing was found and the name is made up."""
    printed_in_words: bool = False
    """Whether it stands in a printed line of words rather than in JSON."""
    label: str = ""
    """The word before the value in such a line."""
    part: str = ""
    """A word such as `Val` further to the left, without which a value of other data could be meant."""
    resources: tuple[str, ...] = ()
    """Names of what is given beside it and says what the model needs, such as `latency_ms`."""

    @property
    def direction(self) -> str:
        return "minimize" if SMALLER_IS_BETTER.search(self.name.casefold()) else "maximize"

    @property
    def sure_of_direction(self) -> bool:
        return is_metric(self.name)


def returned(function: ast.FunctionDef, script: Script) -> Metric | None:
    """The value that a function returns; None where it returns nothing that has a name."""
    names: list[str] = []
    for node in _own_nodes(function):
        if isinstance(node, ast.Return) and node.value is not None:
            names += _names(node.value, function)
    source = f"returned by {function.name}()"
    return Metric(choose(names), source, resources=_resources(names)) if names else None


def returns_something(function: ast.FunctionDef) -> bool:
    """Whether a function returns a value at all."""
    return any(
        isinstance(node, ast.Return)
        and node.value is not None
        and not (isinstance(node.value, ast.Constant) and node.value.value is None)
        for node in _own_nodes(function)
    )


def printed(script: Script) -> Metric | None:
    """The value that a script prints, as JSON or else in words."""
    sources = (script, *script.beside)
    as_json = [name for source in sources for name in (*_in_json(source), *_in_dicts(source))]
    if as_json:
        return Metric(choose(as_json), "printed as JSON or a dict", resources=_resources(as_json))
    known = [seen for source in sources for seen in _in_words(source) if is_metric(_as_name(seen.label))]
    if not known:
        return None
    apart = [seen for seen in known if not seen.of_training]
    judged = [seen for seen in apart if re.search(r"val|test|eval|dev", seen.line)]
    names = {seen.name: seen for seen in reversed(judged or apart or known)}
    name = choose(list(reversed(names)))
    label, part = names[name].label, names[name].part
    source = f"printed after {label!r}" + (f", behind {part!r}" if part else "")
    return Metric(name, source, printed_in_words=True, label=label, part=part)


def assigned(script: Script) -> Metric | None:
    """A value that the script's own level binds to a name such as `val_acc`, for a launcher to print."""
    names = [
        node.targets[0].id
        for node in script.tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call | ast.BinOp | ast.Attribute | ast.Subscript)
    ]
    names = [name for name in names if is_metric(name)]
    fit = [name for name in names if not re.search(r"fn|func|criterion|optim|[^s]s$", name)]
    return Metric(choose(fit), f"the variable {choose(fit)} at the script's end") if fit else None


def suggested(script: Script) -> list[str]:
    """Names of the values that a script asks an Optuna trial for."""
    calls = [call for call in script.calls if last_name(call.func).startswith("suggest_") and call.args]
    names = [script.constants.value(call.args[0]) for call in calls]
    return [name for name in dict.fromkeys(names) if isinstance(name, str)]


def returned_tuple(function: ast.FunctionDef) -> list[str]:
    """Names of the values that a function returns as a tuple, in order; empty where it does not."""
    values = [n.value for n in _own_nodes(function) if isinstance(n, ast.Return) and n.value is not None]
    if not values or not all(isinstance(value, ast.Tuple) for value in values):
        return []
    last = values[-1]
    assert isinstance(last, ast.Tuple)
    names = [(_names(item, function) or [f"value_{i}"])[0] for i, item in enumerate(last.elts)]
    return names if len(set(names)) == len(names) else []


def is_metric(name: str) -> bool:
    """Whether a name sounds like one that is made larger or smaller."""
    return bool(SMALLER_IS_BETTER.search(name.casefold()) or LARGER_IS_BETTER.search(name.casefold()))


def choose(names: list[str]) -> str:
    """The most telling name: validation before training, a known word before others, the first of equals."""

    def rank(name: str) -> tuple[bool, bool, bool]:
        word = name.casefold()
        return (
            "train" in word or "test" in word,
            not (LARGER_IS_BETTER.search(word) or SMALLER_IS_BETTER.search(word)),
            not word.startswith("val"),
        )

    return min(names, key=rank)


def _resources(names: list[str]) -> tuple[str, ...]:
    """Those of some names that say what a model needs."""
    found = (n for n in names if _RESOURCES & set(re.split(r"[\W_]+", n.casefold())) and n != choose(names))
    return tuple(dict.fromkeys(found))[:3]


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += list(ast.iter_child_nodes(node))


def _names(node: ast.expr, scope: ast.AST, depth: int = 0) -> list[str]:
    """Names of the values that an expression stands for."""
    if depth > 5:
        return []
    if isinstance(node, ast.Dict):
        return list(_keys(node))
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name == "dict" and not node.args:
            return [k.arg for k in node.keywords if k.arg and _is_name(k.arg)]
        if name in ("float", "round", "mean", "max", "min", "sum") and node.args:
            return _names(node.args[0], scope, depth + 1)
        if name in ("item", "mean", "tolist") and isinstance(node.func, ast.Attribute):
            return _names(node.func.value, scope, depth + 1)
        return []
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return [node.slice.value] if isinstance(node.slice.value, str) and _is_name(node.slice.value) else []
    if isinstance(node, ast.Name):
        for other in ast.walk(scope):
            bound = isinstance(other, ast.Assign) and any(dotted(t) == node.id for t in other.targets)
            if bound and isinstance(other, ast.Assign) and isinstance(other.value, ast.Dict):
                return _names(other.value, scope, depth + 1)
        return [node.id]
    return [node.attr] if isinstance(node, ast.Attribute) else []


def _keys(node: ast.Dict) -> Iterator[str]:
    """Keys whose values may be numbers, those of a mapping in it as `metrics.rmse`."""
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and _is_name(key.value)):
            continue
        if isinstance(value, ast.Dict):
            yield from (f"{key.value}.{inner}" for inner in _keys(value))
        elif not (
            isinstance(value, ast.List | ast.Tuple | ast.JoinedStr | ast.ListComp | ast.DictComp)
            or (isinstance(value, ast.Constant) and isinstance(value.value, str | bool | None))
            or (isinstance(value, ast.Call) and last_name(value.func) in _NO_NUMBERS)
        ):
            yield key.value


def _in_json(script: Script) -> Iterator[str]:
    """Keys of what is turned into JSON: any that is printed at once, elsewhere only names of metrics."""
    shown = {
        id(inner)
        for call in script.calls
        if dotted(call.func) in ("print", "click.echo", "typer.echo", "sys.stdout.write")
        for inner in ast.walk(call)
    }
    for call in script.calls:
        if last_name(call.func) != "dumps" or not call.args or isinstance(call.args[0], ast.Attribute):
            continue
        names = _names(call.args[0], script.tree)
        if isinstance(call.args[0], ast.Name) and names == [call.args[0].id]:
            continue  # what it holds is not known
        yield from (name for name in names if id(call) in shown or is_metric(name))


def _in_dicts(script: Script) -> Iterator[str]:
    """Keys of dicts that are printed as they are, which is read as well."""
    for call in script.calls:
        if (
            dotted(call.func) == "print"
            and len(call.args) == 1
            and isinstance(call.args[0], ast.Dict | ast.Name)
        ):
            names = _names(call.args[0], script.tree)
            whole = isinstance(call.args[0], ast.Name) and names == [call.args[0].id]
            yield from () if whole else names


class _Seen(NamedTuple):
    """A label directly before a formatted value."""

    label: str
    line: str
    """The whole line's texts, in small letters."""
    before: str
    """What stands before the label in it."""

    @property
    def _nearest(self) -> re.Match[str] | None:
        found = None if _PART.search(self.label.replace("_", " ")) else list(_PART.finditer(self.before))
        return found[-1] if found else None

    @property
    def of_training(self) -> bool:
        found = _PART.search(self.label.replace("_", " ")) or self._nearest
        if found is not None:
            return not found["judged"]
        return "train" in self.label.casefold() or "train" in self.before.casefold()

    @property
    def part(self) -> str:
        return self._nearest["judged"] or "" if self._nearest is not None else ""

    @property
    def name(self) -> str:
        part = "val" if self.part.casefold().startswith("val") else self.part.casefold()
        return "_".join(word for word in (part, _as_name(self.label)) if word)


def _in_words(script: Script) -> Iterator[_Seen]:
    """Labels directly before a formatted value in what is printed or logged."""
    for call in script.calls:
        if last_name(call.func) not in ("print", "echo", "info", "write", "set_description", "log"):
            continue
        parts = _line(call)
        line = " ".join(parts).casefold()
        for place, part in enumerate(parts[:-1]):
            before = " ".join(parts[:place])
            for label in _label(part):
                yield _Seen(label, line, f"{before} {part[: part.rindex(label)]}")


def _line(call: ast.Call) -> list[str]:
    """The texts between the values of what a call prints or logs."""
    first = call.args[0] if call.args else None
    logged = last_name(call.func) in ("info", "log") and isinstance(first, ast.Constant)
    if logged and len(call.args) > 1:
        assert isinstance(first, ast.Constant)
        return _by_percent(str(first.value))
    parts = [""]
    for argument in call.args:
        texts = _texts(argument)
        if texts:
            parts[-1] += f" {texts[0]}"
        parts += texts[1:] or ([] if texts else [""])
    return parts


def _by_percent(text: str) -> list[str]:
    return re.split(r"%[-+.\d]*[dfegs]", text)


def _texts(node: ast.expr) -> list[str]:
    """The texts between the values of an argument, the last one behind all values; none of a value alone."""
    if isinstance(node, ast.JoinedStr):
        texts = [""]
        for part in node.values:
            if isinstance(part, ast.Constant):
                texts[-1] += str(part.value)
            else:
                texts.append("")
        return texts
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant):
        return _by_percent(str(node.left.value))
    if (
        isinstance(node, ast.Call)
        and last_name(node.func) == "format"
        and isinstance(node.func, ast.Attribute)
    ):
        text = node.func.value
        return re.split(r"\{[^{}]*\}", str(text.value)) if isinstance(text, ast.Constant) else []
    return []


def _label(text: str) -> Iterator[str]:
    """The word or two before a value; of a longer phrase, from the metric's name on."""
    found = _WORD.search(text)
    phrase = _PHRASE.search(text)
    if found is not None and (phrase is None or is_metric(found[1])):
        yield found[1]
    elif phrase is not None:
        words = phrase[1].split(" ")
        first = next((i for i, word in enumerate(words) if is_metric(word)), None)
        if first is not None:
            yield " ".join(words[first:])


def _as_name(label: str) -> str:
    """`val_acc` of `val acc`, `accuracy` of `Accuracy of the network`."""
    words = re.sub(r"[^a-z0-9_]+", "_", label.casefold()).strip("_").split("_")
    return "_".join(words if len(words) <= 3 else words[:1])


def _is_name(text: str) -> bool:
    return text.isidentifier() and text not in ("step", "epoch", "iteration")
