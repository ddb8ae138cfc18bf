"""What an executor is given, and what a worker reads as JSON: standard library only, as workers are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunesmith.metric import Reading
from tunesmith.objective import Objective
from tunesmith.outcome import Stamp
from tunesmith.plain_data import restored, to_json


@dataclass(frozen=True)
class Resources:
    """What one job needs while it runs."""

    cpus: int = 1
    """Cores, at least 1; also the threads that numerical libraries may use."""
    memory_mib: int | None = None
    """Main memory to reserve, at least 1; None reserves none."""
    gpus: int = 0
    """Whole devices that no other job may use meanwhile."""

    def __post_init__(self) -> None:
        if self.cpus < 1 or self.gpus < 0 or (self.memory_mib is not None and self.memory_mib < 1):
            raise ValueError(f"a job cannot need {self}")


@dataclass(frozen=True)
class Job:
    """One configuration to train; crosses to the worker as JSON."""

    number: int
    """Trial number; negative for runs of the comparison, which are no trials."""
    folder: Path
    """The trial's own folder, absolute, on the engine's machine."""
    configuration: Mapping[str, Any]
    """As the training code receives it: None, lists, tuples and mappings among the values."""
    seed: int
    metric: str
    objective: Objective
    resources: Resources = Resources()
    time_limit_s: float | None = None
    """Seconds from the start of the worker; None for no limit."""
    attempt: int = 1
    """How often this configuration has been started, this time included; at least 1."""
    parent: int | None = None
    """Number of the trial that this one repeats or goes on from; None for neither."""
    checkpoint: Path | None = None
    """A folder on the engine's machine; its files are put into the trial's `checkpoints/` before training
    starts. None: training starts anew."""
    digest: str = ""
    """The configuration's (`Configuration.digest`); empty where the job belongs to no trial of a study."""
    reading: Reading = Reading()
    """How the metric's value is read."""
    further: tuple[tuple[str, Reading], ...] = ()
    """Further metrics that a result must have, and how each is read."""
    further_needed: bool = True
    """Whether a run without one of them has failed. False: what is missing is left out of its result."""
    judged: bool = True
    """Whether a verdict on a report may be to stop. False: nobody waits for one."""
    load_only: bool = False
    """Find out whether training could start, and start none: for `tunesmith check`."""

    @property
    def stamp(self) -> Stamp | None:
        """What marks the outcome as this job's; None without a `digest`."""
        return Stamp(self.number, self.attempt, self.digest) if self.digest else None

    @property
    def readings(self) -> tuple[tuple[str, Reading], ...]:
        """Every metric that a result must have, the primary one first, and how each is read."""
        return (self.metric, self.reading), *self.further

    @property
    def workdir(self) -> Path:
        """The folder that the training code runs in."""
        return self.objective.workdir or self.folder

    def to_data(self) -> dict[str, Any]:
        """As JSON's types."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self) | {"configuration": None}, default=str))
        configuration, types = to_json(dict(self.configuration))
        return {**plain, "configuration": configuration, "types": types}

    def to_json(self) -> str:
        return json.dumps(self.to_data())

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Job:
        """What `to_data` made; our own processes write it, so nothing is checked."""
        objective = dict(data["objective"])
        for name in ("pickle", "workdir"):
            objective[name] = _path(objective[name])
        for name in ("command", "import_path", "pass_env", "code"):
            objective[name] = None if objective[name] is None else tuple(objective[name])
        objective["set_env"] = tuple((name, value) for name, value in objective["set_env"])
        read = {
            "folder": Path(data["folder"]),
            "objective": Objective(**objective),
            "reading": Reading(**data["reading"]),
            "further": tuple((name, Reading(**reading)) for name, reading in data["further"]),
            "resources": Resources(**data["resources"]),
            "checkpoint": _path(data["checkpoint"]),
            "configuration": restored(data["configuration"], data["types"]),
        }
        return cls(**{name: value for name, value in data.items() if name != "types"} | read)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
