"""The key `data_file`: where the data lies that the task's data card is computed from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from tunesmith.data_card import DataCard
from tunesmith.data_card.facts import TaskType
from tunesmith.trial import Frozen


class DataFile(Frozen):
    """A .csv, .tsv, .npz or .npy file that holds the data the model is trained on."""

    model_config = ConfigDict(strict=True)

    path: str = Field(min_length=1, max_length=4000)
    """Relative to the task file's folder."""
    target: str | int | None = None
    """Name or 0-based place of the target's column, or its array in a .npz; None for none."""
    task: TaskType | None = None
    """What the target is for; None: guessed from it."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str) else data

    def card(self, folder: Path) -> DataCard:
        """The data card, for a task file in `folder`.

        Raises:
            DataError: The file cannot be read as a table.
        """
        return DataCard.from_file(folder / self.path, self.target, task=self.task)
