"""The tasks of the suite `pipeline`; each is drawn anew for every seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from tunesmith.bench.pipelines.landscape import Landscape
from tunesmith.bench.pipelines.link_settings import AGGREGATORS, BUDGETS

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Family:
    """Tasks that are reported together.

    Attributes:
        about: What they are, in a sentence for the page.
        noisy: Whether the search sees few items and is judged by all others.
        false: The insight that is false here; empty where all three hold as they do.
    """

    name: str
    about: str
    noisy: bool = False
    false: str = ""


@dataclass(frozen=True)
class PipelineBenchTask:
    """One setting of a family.

    Attributes:
        name: Unique in the suite.
        version: Changes with the code that draws it, so that stored runs of another one are not shown.
        make: The landscape of a seed.
    """

    name: str
    family: Family
    version: str
    make: Callable[[int], Landscape]


TWO = Family("link2", "Link-and-Add, two stages: look up three numbers, and add them")
REPAIR = Family("repair", "Link-and-Add with a third stage that repairs totals which fail their check")
NOISY = Family("noisy", "Link-and-Add, two stages, a search on 50 items, judged by all others", noisy=True)
LINKED = (TWO, REPAIR, NOISY)
"""Whose samples are those of PyTorch models that the project trains itself."""
MADE_UP = (
    Family("bigger-is-worse", "made up, two stages: capability falls with size", false="1"),
    Family("no-saturation", "made up, two stages: every doubling of samples brings as much", false="2"),
    Family("no-interaction", "made up, two stages: each solves a part of its own", false="3"),
)
SEARCH = ("landscape.py", "search.py")


@cache
def tasks() -> tuple[PipelineBenchTask, ...]:
    """All of them."""
    from tunesmith.bench.pipelines import link_tasks, made_up

    banks = sorted(f"link_and_add/{file.name}" for file in (HERE / "link_and_add").glob("*.py"))
    linked = source_digest(*SEARCH, "link_tasks.py", "link_settings.py", "variants.py", *banks)
    linked += f", torch {metadata.version('torch')}" if find_spec("torch") else ""
    every = [
        PipelineBenchTask(
            f"{family.name}/{aggregator}-{budget:g}",
            family,
            linked,
            link_tasks.maker(aggregator, place, repairs=family is REPAIR, few_items=family.noisy),
        )
        for family in LINKED
        for aggregator in AGGREGATORS
        for place, budget in enumerate(BUDGETS)
    ]
    version = source_digest(*SEARCH, "made_up.py", "synthetic.py")
    every += [PipelineBenchTask(f.name, f, version, made_up.maker(f.name)) for f in MADE_UP]
    return tuple(every)


def source_digest(*files: str) -> str:
    """8 hexadecimal digits of files beside this one."""
    digest = hashlib.blake2b(digest_size=4)
    for name in files:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()
