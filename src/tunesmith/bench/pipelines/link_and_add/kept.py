"""Banks of the whole pool in both orders: built on first use, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock

from tunesmith.bench.pipelines.link_and_add.bank import BY_STATE, Bank, record_split

SEED = 1
"""Of the models."""
SPLITS = {"search": 200, "validation": 200, "test": 400}
"""Items of each; no two splits share an item or a sample."""


class Kept(NamedTuple):
    """What is known of one order of the stages."""

    parameters: dict[str, dict[int, int]]
    """Number of weights, by kind of model and size."""
    banks: dict[str, Bank]
    """By split."""


@cache
def kept(link_first: bool) -> Kept:
    """The banks of one order; from disk, or trained and recorded now, which one process does for all."""
    folder = cache_folder()
    file = folder / f"{_version()}-{'link' if link_first else 'add'}-first.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            if not file.exists():
                _build(folder)
    return read(file)


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/tunesmith/link_and_add`; files there can be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tunesmith" / "link_and_add"


def stream_of(split: str, repeat: int = 0) -> int:
    """The stream of random numbers of a split's items and samples."""
    return 1000 * (repeat + 1) + list(SPLITS).index(split)


def write(file: Path, parameters: dict[str, dict[int, int]], banks: dict[str, Bank]) -> None:
    """Write banks, atomically."""
    arrays: dict[str, np.ndarray] = {}
    for split, bank in banks.items():
        for name in BY_STATE:
            arrays[f"{split}/{name}"] = getattr(bank, name)
        arrays |= {f"{split}/states/{stage}/{turn}": a for (stage, turn), a in bank.states.items()}
        arrays |= {f"{split}/leads/{s}/{turn}/{size}": a for (s, turn, size), a in bank.leads.items()}
    about = {
        "parameters": parameters,
        "banks": {name: [bank.link_first, bank.n] for name, bank in banks.items()},
    }
    being_written = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(being_written, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
    being_written.replace(file)


def read(file: Path) -> Kept:
    """What `write` wrote."""
    with np.load(file, allow_pickle=False) as stored:
        about = json.loads(stored["about"].tobytes())
        banks = {
            split: Bank(*given, *(stored[f"{split}/{name}"] for name in BY_STATE))
            for split, given in about["banks"].items()
        }
        for name in stored.files:
            match name.split("/"):
                case [split, "states", stage, turn]:
                    banks[split].states[stage, int(turn)] = stored[name]
                case [split, "leads", stage, turn, size]:
                    banks[split].leads[stage, int(turn), int(size)] = stored[name]
    parameters = {
        kind: {int(size): count for size, count in of.items()} for kind, of in about["parameters"].items()
    }
    return Kept(parameters, banks)


def _build(folder: Path) -> None:
    from tunesmith.bench.pipelines.link_and_add.pool import train_pool  # PyTorch takes seconds

    pool = train_pool(SEED)
    for link_first in (True, False):
        banks = {split: record_split(pool, link_first, n, stream_of(split)) for split, n in SPLITS.items()}
        order = "link" if link_first else "add"
        write(folder / f"{_version()}-{order}-first.npz", pool.parameters, banks)


@cache
def _version() -> str:
    """Changes with the code that draws banks, and with the libraries whose numbers may differ."""
    digest = hashlib.blake2b(f"{SEED} {SPLITS} {np.__version__} {version('torch')}".encode(), digest_size=6)
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
