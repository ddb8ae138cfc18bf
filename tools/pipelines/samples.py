"""Where a trial's samples come from: a recorded bank, then the run's own store. Workers import this file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tunesmith.tools.pipelines.aggregation import Drawn
from tunesmith.tools.pipelines.store import SampleKey, SampleStore, Spend


class Samples:
    """Samples by key, out of a bank and a store.

    Args:
        store: Of the run; None: nothing is kept.
        bank: What was recorded before; its keys have no version of code.
        bank_name: For messages.
        only_recorded: Whether what the bank lacks is refused.
        trusted: Stages whose samples in the bank are of the code of now, or count whatever it is; None: all.
    """

    def __init__(
        self,
        store: SampleStore | None = None,
        bank: SampleStore | None = None,
        *,
        bank_name: str = "the bank",
        only_recorded: bool = False,
        trusted: frozenset[str] | None = None,
    ) -> None:
        self.store, self.bank, self.bank_name = store, bank, bank_name
        self.only_recorded, self._trusted = only_recorded, trusted
        self.notes: list[str] = []

    def get(self, keys: Sequence[SampleKey]) -> dict[SampleKey, Drawn]:
        """Those that are there."""
        found: dict[SampleKey, Drawn] = {}
        if self.bank is not None:
            asked = {
                key._replace(version=""): key
                for key in keys
                if self._trusted is None or key.stage in self._trusted
            }
            found = {asked[key]: sample for key, sample in self.bank.get(list(asked)).items()}
        if self.store is not None and not self.only_recorded and len(found) < len(keys):
            found.update(self.store.get([key for key in keys if key not in found]))
        return found

    def allow(self, calls: int, cost: float) -> None:
        """Called before calls are made, with what they may cost, in units of the cost model; for a cap."""

    def put(self, samples: Mapping[SampleKey, Drawn], spent: Iterable[Spend] = ()) -> dict[SampleKey, Drawn]:
        """Keep new ones, and what they took; returns those that another worker has stored meanwhile."""
        return {} if self.store is None else self.store.put(samples, spent)

    def close(self) -> None:
        for file in (self.store, self.bank):
            if file is not None:
                self.notes.extend(file.notes)
                file.close()
