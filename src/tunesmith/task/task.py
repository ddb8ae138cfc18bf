"""What to tune: the model behind a task file, and the same in Python."""

from __future__ import annotations

import io
import math
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tunesmith.budget import Budget
from tunesmith.data_card import DataCard
from tunesmith.errors import DataError, ObjectiveError
from tunesmith.goals import Goals, Limit
from tunesmith.history import Direction, History
from tunesmith.metric import Reading
from tunesmith.noise import Noise
from tunesmith.objective import Objective
from tunesmith.registry import POLICIES
from tunesmith.space import Space
from tunesmith.space.values import is_number, legal_text
from tunesmith.task import costs, faults
from tunesmith.task.certify import Certify, certify_faults
from tunesmith.task.data_file import DataFile
from tunesmith.task.goal_keys import read_goals
from tunesmith.task.member import ExecutorChoice, ProblemChoice, SinkChoice
from tunesmith.task.metric_spec import FurtherMetric, MetricSpec
from tunesmith.task.passing import Passing, passing
from tunesmith.task.specs import (
    AS_TUPLE,
    Confirm,
    EnvironmentSpec,
    ObjectiveSpec,
    PrunerSpec,
    Strings,
)
from tunesmith.task.tuner import Tuner
from tunesmith.text.durations import write_duration
from tunesmith.text.sizes import read_size
from tunesmith.trial import Configuration, Frozen, Value

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MOST_FIXED = 50
"""Settings that `fixed` may name."""
Words = Annotated[str, Field(max_length=10_000)]
Sinks = Annotated[tuple[SinkChoice, ...], AS_TUPLE]


class Task(Frozen):
    """What to tune. From a file by `load_task`, or built in Python.

    Raises:
        TaskError: On anything illegal; `also` has the further faults.
    """

    model_config = ConfigDict(strict=True)

    name: str = "task"
    """Name of the run folder. In a file: its stem, or its folder's name for task.yaml, unless given."""
    description: Words = ""
    """The job as text; read by the language model and by the priors."""
    model: Words = ""
    """The model being trained, such as `small CNN, Adam`."""
    data: Words = ""
    """Facts about the data, such as `300 grey images of 8x8, 10 classes`."""
    evaluation: Annotated[str, Field(max_length=1000)] = ""
    """How a trial is measured, such as `5-fold cross-validation on 120 samples`; for the language model."""
    fixed: dict[str, Value] = {}
    """Settings of the model that are not tuned, such as `max_iter: 40`; for the language model."""
    data_file: DataFile | None = None
    """The file that `data_card` is computed from, when the task is made."""
    data_card: DataCard | None = None
    """Figures of the data. Given together with `data_file`, as in a run's own task file, they stand."""
    metric: str
    """Name of the value to optimise; a dict that the training code returns must hold it. May be given as a
    mapping, such as `{name: val_accuracy, take: best}`: see `MetricSpec`."""
    metric_spec: MetricSpec | None = None
    """What `metric` said as a mapping; None: just the name. In a file this is no key of its own."""
    direction: Direction
    """`minimize` or `maximize`."""
    further: Annotated[tuple[FurtherMetric, ...], AS_TUPLE] = ()
    """The metrics beside the primary one. In a file, and where a task is made in Python, `metrics` stands for
    these four: `metrics={"accuracy": "maximize", "latency_ms": "minimize"}`."""
    limits: tuple[Limit, ...] = ()
    """What a trial's metrics must keep, such as `latency_ms: "<= 20"`."""
    cost: str | None = None
    """What a trial costs, in units of the problem: arithmetic over the numeric parameters, such as
    `epochs * width / 1000`; known before the trial is run. None: nothing is known."""
    space: Space
    """The parameters to tune, and `constraints` between them."""
    default: Configuration | None = None
    """The configuration in use today: tried first, and what the best one is compared with."""
    objective: ObjectiveSpec | None = None
    """The training code; None for a function given from Python."""
    confirm: Confirm | None = None
    """A comparison of best and default at the end; None for none."""
    certify: Certify | None = None
    """A bound that what is delivered at the end keeps with a stated confidence; None: nothing is promised."""
    budget: Budget = Budget()
    """What the run may spend."""
    noise: Noise | None = None
    """How much the metric of one configuration varies between seeds; None: nothing is known."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Every random number derives from it."""
    workers: int = Field(default=1, ge=1, le=1024)
    """Trials to run at the same time."""
    threads: int = Field(default=1, ge=1, le=1024)
    """CPU threads for each trial."""
    trial_memory: str | None = None
    """Main memory that one trial may use, such as `2GB`; a trial that uses more is ended as out of memory. It
    counts what its processes hold of their own, not files that they map. None: no limit of ours."""
    python: str | None = None
    """The Python that runs the trials: its path, or that of a virtual environment, relative to the task
    file's folder, or a program on PATH. None: the active environment's (VIRTUAL_ENV, CONDA_PREFIX, PATH)."""
    env: EnvironmentSpec = EnvironmentSpec()
    """Environment variables that trials get beyond the usual ones; see docs."""
    executor: ExecutorChoice = Field(default_factory=ExecutorChoice.default)
    """Where trials run, with its settings."""
    pruner: PrunerSpec = PrunerSpec()
    """How poor trials are stopped early, by the primary metric. With several metrics none is, unless it is
    stated: what is poor in one of them may be good in another."""
    checkpoints: Literal["all", "best"] = "all"
    """Whose checkpoints stay on disk: every trial's, or as trials end that of the best value so far alone."""
    preload: Strings | None = None
    """Modules the parent of the trials imports once; None: chosen from the script's own imports."""
    in_step: bool | None = None
    """Whether launching waits for the policy's decision; None: where its model proposes every trial, and with
    one worker where it asks no model."""
    tuner: Tuner = Field(default_factory=Tuner.default)
    """The method that proposes the trials, with its settings."""
    policy: str | None = None
    """Which registered policy decides in place of the method's own; None: the method's own."""
    problem: ProblemChoice | None = None
    """The kind of problem, which may fill in other keys; None: `training`, which leaves them as they are."""
    sinks: Sinks = ()
    """Consumers of the run's events, such as `[jsonl]`; the report is always one."""
    path: Path | None = None
    """The file it came from; not written in it."""

    @model_validator(mode="wrap")
    @classmethod
    def _with_task_errors(
        cls, data: Any, handler: ModelWrapValidatorHandler[Task], info: ValidationInfo
    ) -> Task:
        if not isinstance(data, Mapping):
            return handler(data)
        as_run = bool(info.context and info.context.get("as_run"))
        data = faults.compiled(data, as_run)
        # These are read first: their faults have keys of their own to point at.
        prepared, problems = faults.prepare(data)
        if (given := prepared.pop("tuner", None)) is not None:
            tuner, wrong = Tuner.read(given)
            problems += wrong
            prepared |= {} if tuner is None else {"tuner": tuner}
        several = prepared.get("metrics") is not None
        problems += read_goals(prepared) + costs.read_cost(prepared)
        costs.restrict(prepared)
        try:
            task = handler(prepared)
        except ValidationError as error:
            skip = {fault.key.split(".")[0] for fault in problems if fault.key}
            skip |= {"metric", "direction"} if several else set()  # what `metrics` would have filled in
            problems += faults.from_pydantic(error, cls, skip)
            raise faults.joined(problems) from None
        problems += faults.across(task.objective, task.confirm, task.space)
        if task.certify is not None:
            fresh = task.confirm is not None and task.confirm.separate
            problems += certify_faults(task.certify, [name for name, _ in task.readings], fresh=fresh)
        for name in sorted(set(task.fixed) & set(task.space.names)):
            problem = "is a parameter of the space, so it is tuned."
            problems.append(faults.fault(("fixed", name), problem, "Remove it from one of the two."))
        if task.policy is not None and task.tuner.member.proposes_every_trial:
            problem = f"cannot replace that of {task.tuner.name}, which proposes every trial by its own."
            problems.append(faults.fault(("policy",), problem, "Remove it."))
        problems += task.tuner.beyond(task.goals)
        problems += [] if as_run else costs.faults_across(task)
        if (data := task.data_file) is not None and task.data_card is None:
            try:
                task = task.model_copy(update={"data_card": data.card(task.folder)})
            except DataError as error:
                problems.append(faults.of_data(error, task.folder / data.path))
        if problems:
            raise faults.joined(problems)
        return task

    @field_validator("sinks")
    @classmethod
    def _sinks_differ(cls, sinks: tuple[SinkChoice, ...]) -> tuple[SinkChoice, ...]:
        if len({sink.name for sink in sinks}) < len(sinks):
            raise ValueError("should name every sink once")
        return sinks

    @field_validator("name")
    @classmethod
    def _name_is_a_folder_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"should be letters, digits, `.`, `_`, `-`, such as {slug(name)!r}")
        return name

    @field_validator("fixed", mode="before")
    @classmethod
    def _fixed_are_named_settings(cls, fixed: Any) -> Any:
        if not isinstance(fixed, Mapping) or len(fixed) > MOST_FIXED:
            raise ValueError(f"should map at most {MOST_FIXED} names to values, such as `max_iter: 40`")
        for name, value in fixed.items():
            if not (isinstance(name, str) and legal_text(name, 100)):
                raise ValueError(f"should have short names such as `max_iter`, not {str(name)[:60]!r}")
            number = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
            if not number and not (isinstance(value, str) and legal_text(value, 200)):
                raise ValueError(f"should have numbers, short texts or true and false as values: {name}")
        return dict(fixed)

    @field_validator("metric")
    @classmethod
    def _metric_is_one_word(cls, metric: str) -> str:
        if not legal_text(metric, 100):
            raise ValueError("should be a short name such as `val_accuracy`")
        return metric

    @field_validator("noise", mode="before")
    @classmethod
    def _noise_is_a_size(cls, noise: Any) -> Any:
        if noise is None or (isinstance(noise, str) and noise in ("measure", "none")):
            return noise
        if is_number(noise) and math.isfinite(noise) and noise >= 0:
            return float(noise) or "none"  # training that varies by 0 is deterministic
        raise ValueError(
            "should be the metric's standard deviation between seeds, such as 0.004, or `measure` or `none`"
        )

    @field_validator("trial_memory")
    @classmethod
    def _memory_is_a_size(cls, size: str | None) -> str | None:
        if size is not None:
            read_size(size)
        return size

    @field_validator("policy")
    @classmethod
    def _policy_is_registered(cls, name: str | None) -> str | None:
        if name is not None and name not in POLICIES.names:
            raise ValueError(f"should be one of {', '.join(POLICIES.names)}")
        return name

    @property
    def folder(self) -> Path:
        """The folder that relative paths count from: the task file's, or the current one."""
        return (Path.cwd() if self.path is None else self.path.parent).resolve()

    @property
    def reading(self) -> Reading:
        """How the metric's value is read from what the training code prints, writes or returns."""
        maximize = self.direction == "maximize"
        spec = self.metric_spec
        return Reading(maximize=maximize) if spec is None else spec.reading(maximize=maximize)

    @property
    def readings(self) -> tuple[tuple[str, Reading], ...]:
        """Every metric that a completed trial has, the primary one first, and how it is read."""
        stated = {one.name: one.reading for one in self.further}
        named = {name: stated.get(name, Reading()) for name in (*self.goals.names, *stated)}
        return tuple((named | {self.metric: self.reading}).items())

    @property
    def goals(self) -> Goals:
        """The metrics that are optimised, and the limits."""
        return self.empty_history().goals

    def empty_history(self) -> History:
        """A study of this task before its first trial."""
        others = tuple(goal for one in self.further if (goal := one.goal) is not None)
        return History(
            self.space, self.metric, self.direction, self.default, others=others, limits=self.limits
        )

    def cost_of(self, configuration: Mapping[str, Value]) -> float | None:
        """What running a configuration costs, in units of the problem, known before it is run.

        By the kind of problem, else by `cost`, in which an inactive parameter counts as 0.

        Returns:
            A finite number above 0; None where neither says one.

        Args:
            configuration: Legal in `space`.
        """
        return costs.cost_of(self, configuration)

    @property
    def uses_model(self) -> bool:
        """Whether the method or the policy uses a language model where there is one."""
        policy = None if self.policy is None else POLICIES.get(self.policy)
        return bool(self.tuner.member.uses_model or (policy is not None and policy.uses_model))

    def decides_in_step(self, *, asks_model: bool) -> bool:
        """`in_step` or what its None stands for.

        Args:
            asks_model: Whether the policy may wait for a language model, which no trial ever does.
        """
        if self.in_step is not None:
            return self.in_step
        return bool(self.tuner.member.proposes_every_trial) or (self.workers == 1 and not asks_model)

    def objective_ref(self) -> Objective:
        """Where the training code is, with absolute paths.

        Raises:
            ObjectiveError: The task's training function was given from Python.
        """
        if self.objective is None:
            raise ObjectiveError(
                "the training function was given from Python, not in a file. "
                "Call tunesmith.tune() with it again."
            )
        return self.surrounded(self.objective.resolved(self.folder, self.space))

    def confirm_ref(self) -> Objective | None:
        """The confirmation's own training code with absolute paths; None where it is the objective itself."""
        spec = None if self.confirm is None else self.confirm.spec
        return None if spec is None else self.surrounded(spec.resolved(self.folder, self.space))

    def surrounded(self, objective: Objective) -> Objective:
        """Training code with the task's own Python and environment variables, as far as it names them."""
        changed = replace(objective, pass_env=self.env.passed, set_env=tuple(self.env.given.items()))
        changed = replace(
            changed,
            given=costs.given_to_objective(self.problem),
            code=tuple(str(self.folder / file) for file in costs.code_of(self.problem)),
        )
        if self.trial_memory is not None:
            changed = replace(changed, memory_limit=read_size(self.trial_memory))
        if self.python is None or objective.pickle is not None:
            return changed
        named = Path(self.python).expanduser()
        is_path = os.sep in self.python or (self.folder / named).exists()
        return replace(changed, python=os.path.abspath(self.folder / named) if is_path else self.python)

    def passings(self) -> dict[str, Passing]:
        """How the hyperparameters are passed to each of the task's command lines, by its key.

        Raises:
            ObjectiveError: An option of a script cannot be told a value of the space.
        """
        confirm = None if self.confirm is None else self.confirm.command
        commands = {
            "objective": None if self.objective is None else self.objective.command,
            "confirm": confirm,
        }
        return {
            key: passing(command, self.space, self.folder)
            for key, command in commands.items()
            if command is not None
        }

    def objective_text(self) -> str:
        """The training code as the task file names it."""
        return "a Python function" if self.objective is None else self.objective.text()

    def words(self, *, card: bool = True) -> str:
        """Description, model and data as text; empty when the task has none.

        Args:
            card: Whether the data card's words are among them: without names of classes, which come from the
                data and must not decide which prior fits.
        """
        figures = "" if self.data_card is None or not card else self.data_card.words(names=False)
        parts = [("", self.description), ("Model: ", self.model), ("Data: ", self.data), ("", figures)]
        return "\n".join(label + text.strip() for label, text in parts if text.strip())

    def to_yaml(self) -> str:
        """The task as a file that `load_task` reads back: keys in the model's order, defaults left out.

        Relative paths stay relative.
        """
        from ruamel.yaml import YAML

        data: dict[str, Any] = {"name": self.name}
        dumped = self.model_dump(
            mode="json",
            exclude_defaults=True,
            exclude={"path", "name", "space", "default", "budget", "metric_spec", "further", "limits"},
        )
        for key in type(self).model_fields:
            if key == "space":
                data[key] = self.space.to_dict()
            elif key in ("metric", "direction") and self.further:
                data["metrics"] = self._metrics_to_yaml()
            elif key == "limits" and self.limits:
                data[key] = self._limits_to_yaml()
            elif key == "metric" and self.metric_spec is not None:
                data[key] = self.metric_spec.model_dump(mode="json", exclude_defaults=True)
            elif key == "default" and self.default is not None:
                data[key] = dict(self.default)
            elif key == "budget":
                data |= {key: budget} if (budget := self._budget_to_yaml()) else {}
            elif key == "objective" and self.objective is None:
                data[key] = None  # explicit: the function came from Python
            elif key == "pruner" and self.goals.several:  # where the default is none
                data[key] = {"kind": self.pruner.kind, **dumped.get(key, {})}
            elif key in dumped:
                # A Confirm with nothing but defaults is still a Confirm.
                data[key] = dumped[key]
        stream = io.StringIO()
        writer = YAML(typ="safe", pure=True)
        writer.default_flow_style = False
        writer.allow_unicode = True
        writer.width = 110
        writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
        writer.dump(data, stream)
        return stream.getvalue()

    def _metrics_to_yaml(self) -> dict[str, Any]:
        spec = self.metric_spec or MetricSpec(name=self.metric)
        primary = FurtherMetric(spec=spec, direction=self.direction)
        return {one.name: one.stated() for one in (primary, *self.further)}

    def _limits_to_yaml(self) -> dict[str, Any]:
        stated: dict[str, list[str]] = {}
        for limit in self.limits:
            stated.setdefault(limit.metric, []).append(limit.comparison)
        return {name: texts[0] if len(texts) == 1 else texts for name, texts in stated.items()}

    def _budget_to_yaml(self) -> dict[str, Any]:
        dumped = self.budget.model_dump(exclude_defaults=True)
        for key, field in faults.DURATIONS.items():
            if field in dumped:
                dumped[key] = write_duration(dumped.pop(field))
        return dumped


def slug(text: str) -> str:
    """A legal task name made from any text; letters lose their accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")
    return kept[:60] or "task"
