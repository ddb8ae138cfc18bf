"""The contenders of the suite `pipeline`, by name. All start from the task's default, at the same budget."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

from tunesmith.bench.pipelines.contenders.base import Contender
from tunesmith.bench.pipelines.search import Search
from tunesmith.errors import UsageError
from tunesmith.text.suggestions import perhaps

HERE = Path(__file__).parent
ABOUT = {
    "random": "the default, then uniformly among the feasible allocations",
    "tpe": "Optuna's TPE, multivariate; sample counts in order, models as categories",
    "tpe+told": "the same, told the order of models, and the budget as a constraint",
    "gp": "Optuna's Gaussian process with the budget as a constraint; two stages only, as it takes minutes",
    "evolution": "a genetic algorithm with the constants of AgentTTS's disabled one",
    "halving": "successive halving on items, 256 allocations drawn",
    "ucb": "UCB elimination of arms per item, 128 allocations drawn",
    "rule": "the three insights written down as fixed steps, before any result was seen",
    "rule+ahead": "the rule with steps of two samples as well, revised after its first result",
    "numeric": "our Gaussian process, which knows no pipelines; feasible by construction",
    "agenttts": "our method without a model: the insights as priors that trials may refute",
    "agenttts-no-capability": "the same without insight 1: sizes say nothing",
    "agenttts-no-saturation": "the same without insight 2: nothing is expected of the curve of samples",
    "agenttts-no-interaction": "the same without insight 3: stages add up",
    "agenttts-racing": "the same with racing on items: trials are stopped that cannot be the best",
    "agenttts-paper": "the published loop with its constants; a scripted model varies the best trials",
    "exhaustive": "every feasible allocation: the truth, and what it costs",
}
NUMERIC = "tunesmith.agent.methods.gp.strategy"
AGENTTTS = "tunesmith.agent.methods.agenttts.guided"
SMALL = ("link2", "bigger-is-worse", "no-saturation", "no-interaction")
PLAIN = ("link2", "repair", "bigger-is-worse", "no-saturation", "no-interaction")
WITH_NOISY = (*PLAIN, "noisy")


def contender(name: str) -> Contender:
    """The contender of that name; the optimiser itself is loaded when it runs.

    Raises:
        UsageError: There is none.
    """
    if name not in ABOUT:
        raise UsageError(
            f"there is no contender {name!r}{perhaps(name, ABOUT)}; there are " + ", ".join(ABOUT) + "."
        )
    return _MAKERS[name](name)


def _plain(module: str, function: str, name: str, *, version: str | None = None, **options: Any) -> Contender:
    def run(search: Search, seed: int) -> None:
        from importlib import import_module

        import_module(f"{__name__}.{module}").__dict__[function](search, seed)

    version = version or f"{code_digest(module)}{_optuna(module)}"
    return Contender(name, ABOUT[name], version, run, **options)


def _method(start: str, method: str, name: str, *, off: str | None = None, **options: Any) -> Contender:
    from tunesmith.bench.contenders.build import our_version

    def run(search: Search, seed: int) -> None:
        from tunesmith.bench.pipelines.contenders.strategies import run_method

        run_method(search, method, {off: False} if off else None)

    return Contender(name, ABOUT[name], our_version(start), run, **options)


def _racing(name: str, **options: Any) -> Contender:
    from tunesmith.bench.contenders.build import our_version

    def run(search: Search, seed: int) -> None:
        from tunesmith.bench.pipelines.contenders.racing import run_racing

        run_racing(search, "agenttts")

    version = f"{our_version(AGENTTTS)}, {code_digest('racing')}"
    return Contender(name, ABOUT[name], version, run, whole=False, **options)


def _paper(name: str) -> Contender:
    from tunesmith.bench.contenders.build import our_version

    version = f"{our_version('tunesmith.agent.methods.agenttts.paper')}, {code_digest('paper')}"
    return _plain("paper", "paper", name, version=version)


@cache
def code_digest(*modules: str) -> str:
    """8 hexadecimal digits of the source of modules beside this one."""
    digest = hashlib.blake2b(digest_size=4)
    for module in modules:
        digest.update((HERE / f"{module}.py").read_bytes())
    return digest.hexdigest()


def _optuna(module: str) -> str:
    return f", optuna {metadata.version('optuna')}" if module == "optuna_samplers" else ""


_MAKERS: dict[str, Callable[[str], Contender]] = {
    "random": partial(_plain, "simple", "random", families=WITH_NOISY),
    "tpe": partial(_plain, "optuna_samplers", "tpe", families=WITH_NOISY),
    "tpe+told": partial(_plain, "optuna_samplers", "tpe_told"),
    "gp": partial(_plain, "optuna_samplers", "gp", most_seeds=2, families=SMALL),
    "evolution": partial(_plain, "evolution", "evolution"),
    "halving": partial(_plain, "by_items", "halving", whole=False, families=WITH_NOISY),
    "ucb": partial(_plain, "by_items", "ucb", whole=False, families=WITH_NOISY),
    "rule": partial(_plain, "rule", "rule"),
    "rule+ahead": partial(_plain, "rule", "rule_ahead"),
    "numeric": partial(_method, NUMERIC, "numeric", most_seeds=5),
    "agenttts": partial(_method, AGENTTTS, "agenttts", families=WITH_NOISY),
    **{
        f"agenttts-no-{insight}": partial(_method, AGENTTTS, "agenttts", off=insight, most_seeds=5)
        for insight in ("capability", "saturation", "interaction")
    },
    "agenttts-racing": partial(_racing, families=("noisy",)),
    "agenttts-paper": _paper,
    "exhaustive": partial(_plain, "simple", "exhaustive", most_seeds=1),
}
