"""Running an unchanged program on items, its calls led through the proxy: what a trial of such a pipeline is.

The program is started once for each item and prints its score. It finds the proxy in OPENAI_BASE_URL, and no
key of a provider. Workers import this file: Python 3.9, standard library only.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Optional

from tunesmith.errors import PipelineError
from tunesmith.pipeline.allocation import StageChoice, allocation
from tunesmith.pipeline.rates import Call, Rates, measured_cost, read_rates
from tunesmith.text.cleaning import log_line
from tunesmith.tools.execution.programs import command_fault
from tunesmith.tools.execution.starting import search_path, started
from tunesmith.tools.pipelines.items import Item, check_leak, load_items, split_items
from tunesmith.tools.pipelines.printed_score import printed_score
from tunesmith.tools.pipelines.program_command import arguments, program_environment
from tunesmith.tools.pipelines.proxy.answering import Answering, Plan
from tunesmith.tools.pipelines.proxy.asking import Refused
from tunesmith.tools.pipelines.proxy.calls import FILE, Bank, CallRecord, Calls
from tunesmith.tools.pipelines.proxy.matching import OTHER
from tunesmith.tools.pipelines.proxy.prices import Prices
from tunesmith.tools.pipelines.proxy.rewriting import Route
from tunesmith.tools.pipelines.proxy.server import Proxy
from tunesmith.tools.pipelines.proxy.upstream import Pool, Provider, checked_base_url

QUALITY, COST = "quality", "cost"
OPENAI = "https://api.openai.com/v1"
HOPELESS = 5
"""Items that fail one after another, from the first on, after which a trial is given up."""
SILENT = 20
"""Items without any call, from the first on, after which a trial is given up."""
LARGEST_OUTPUT = 4 << 20
"""Bytes at the end of what a program prints that are read."""
NO_CALL = (
    "the program made no call: does it go by OPENAI_BASE_URL? A base URL in its code passes the proxy by, "
    "and a cache of its own answers without one"
)


@dataclass(frozen=True)
class Ran:
    """What one run of an item came to."""

    item: Item
    score: float
    calls: Sequence[CallRecord]
    fault: str = ""
    """Why it failed; the score is 0 then. Empty where it did not."""
    log: bytes = b""
    prompts: Mapping[str, str] = field(default_factory=dict)
    """How the system prompts of its calls begin, by digest."""


@dataclass(frozen=True)
class _Ended:
    """A run of an item that ended well, and has no score yet."""

    item: Item
    calls: Sequence[CallRecord]
    printed: bytes
    said: bytes
    prompts: Mapping[str, str]


class ItemPrograms:
    """Starts the program on items, several at once where the task says so.

    Args:
        program: `problem.program` of the task, as JSON.
        folder: Where it runs.
        proxy: What its calls go to.
        keys: Variables with the keys of providers.
        trial: The trial's number.
    """

    def __init__(
        self, program: Mapping[str, Any], folder: Path, proxy: Proxy, keys: Sequence[str], trial: int
    ) -> None:
        self._program, self._folder, self._proxy = program, folder, proxy
        self._keys, self._trial = tuple(keys), trial
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._lock = threading.Lock()  # guards the two above

    def run(self, items: Sequence[Item]) -> Generator[Ran, None, None]:
        """The results of items, in their order. Leaving the loop early ends what runs.

        Raises:
            PipelineError: A call could not be answered as the task says, an answer that the bank lacks for
                instance; or every item failed, or the first `HOPELESS` did.
        """
        failed = 0
        with ThreadPoolExecutor(self._program["parallel"]) as pool:
            waiting: list[Future[Ran | _Ended]] = [pool.submit(self._one, item) for item in items]
            try:
                for done in waiting:
                    ended = done.result()
                    ran = self._scored(ended) if isinstance(ended, _Ended) else ended
                    failed = failed + 1 if ran.fault and failed >= 0 else failed if ran.fault else -1
                    if ran.fault and failed == min(HOPELESS, len(items)):
                        few = "every item" if failed == len(items) else f"each of the first {failed} items"
                        raise PipelineError(f"the program failed for {few}; {ran.item.id}: {ran.fault}")
                    yield ran
            finally:
                self._stop(waiting)

    def _stop(self, waiting: Sequence[Future[Ran | _Ended]]) -> None:
        for future in waiting:
            future.cancel()
        with self._lock:
            self._stopped = True
            for process in self._running:
                _kill(process)

    def _one(self, item: Item) -> Ran | _Ended:
        with tempfile.TemporaryDirectory(prefix="tunesmith-item-") as place, ExitStack() as files:
            path = Path(place) / "item.json"
            path.write_text(json.dumps(item.value), "utf-8")
            out, err = (files.enter_context(open(Path(place) / name, "w+b")) for name in ("stdout", "stderr"))
            with self._proxy.item(self._trial, item.id) as (url, run):
                fault = self._ended(item, path, url, out, err)
            if run.faults:
                raise run.faults[0]
            printed, said = _end_of(out), _end_of(err)
        if fault:
            last = _last_line(said) or _last_line(printed)
            error = next((call.error for call in reversed(run.calls) if call.error), "")
            last = f"{last} (its last call was answered {error})" if error else last
            return Ran(
                item, 0.0, run.calls, f"{fault}: {last}" if last else fault, printed + said, run.prompts
            )
        return _Ended(item, run.calls, printed, said, run.prompts)

    def _scored(self, ended: _Ended) -> Ran:
        """In the main thread, where a pattern that takes too long is broken off."""
        item, log = ended.item, ended.printed + ended.said
        score, why = printed_score(ended.printed, ended.said, self._program["regex"])
        if score is None:
            return Ran(item, 0.0, ended.calls, why, log, ended.prompts)
        if not 0 <= score <= 1:
            raise PipelineError(
                f"item {item.id}: the program printed the score {score:g}; it has to be between 0 and 1. "
                "Print a share, such as points / most points."
            )
        return Ran(item, score, ended.calls, log=log, prompts=ended.prompts)

    def _ended(self, item: Item, path: Path, url: str, out: IO[bytes], err: IO[bytes]) -> str:
        """Run it to its end; why it failed, empty where it did not."""
        argv = started(_arguments(self._program["command"], item, path), self._folder, None)
        environment = program_environment(os.environ, url, self._keys)
        more: dict[str, Any] = (
            {"process_group": 0} if sys.version_info >= (3, 11) else {"preexec_fn": os.setpgrp}
        )
        with self._lock:
            if self._stopped:
                return "stopped"
            try:
                process = subprocess.Popen(
                    argv,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=environment,
                    **more,
                )
            except FileNotFoundError as error:
                raise PipelineError(f"the program cannot be started: {error}") from None
            except (OSError, ValueError) as error:  # such as an argument that is too long for the system
                return f"it cannot be started: {error}"
            self._running.add(process)
        try:
            code = process.wait(self._program["timeout"])
        except subprocess.TimeoutExpired:
            return f"it took more than {self._program['timeout']:g} s"
        finally:
            _kill(process)  # and what it has left in its group
            process.wait()
            with self._lock:
                self._running.discard(process)
        if code < 0:
            return f"it was ended by signal {-code}"
        return f"it ended with status {code}" if code else ""


def prepare_program(pipeline: Mapping[str, Any], folder: Path) -> None:
    """Look whether the program can be started on every item, and start it on none.

    Raises:
        PipelineError: The program is not there, or an item lacks a field of its command.
        ObjectiveError: The command cannot be what is meant.
    """
    command = pipeline["program"]["command"]
    items = load_items(pipeline["items"], folder)
    split_items(items, seed=pipeline["split_seed"], **pipeline["split"])
    fault = command_fault(started(command, folder, None), folder, search_path(os.environ, None))
    if fault is not None:
        raise PipelineError(f"`program.command`: {fault}")
    for item in items:
        _arguments(command, item, folder)
    if pipeline["bank"] is not None:
        _bank(folder / pipeline["bank"]).close()


def run_program(config: Mapping[str, Any], trial: Any, *, confirming: bool) -> dict[str, float]:
    """Run the allocation `config` on the items of `trial.given`; see `objective.evaluate`.

    Args:
        confirming: Whether the items are those that no trial has met, and all answers are drawn anew.
    """
    given = trial.given
    pipeline, folder = given["pipeline"], Path.cwd()
    split = split_items(
        load_items(pipeline["items"], folder), seed=pipeline["split_seed"], **pipeline["split"]
    )
    check_leak(split)
    choices = allocation(given["fixed"], config)
    measured = Measured(given, choices)
    with ExitStack() as stack:
        store = trial.folder.parent.parent / FILE
        programs = stack.enter_context(opened(given, choices, folder, store, trial.number, fresh=confirming))
        items = (split.confirm or split.search) if confirming else split.search
        running = programs.run(items)
        stack.callback(running.close)
        for ran in running:
            sys.stdout.write(ran.log.decode(errors="backslashreplace"))
            sys.stdout.flush()
            measured.add(ran)
            if not confirming and len(measured.ran) == min(SILENT, len(items)) and measured.silent:
                raise PipelineError(f"on each of the first {len(measured.ran)} items {NO_CALL}")
            trial.report(measured.means(), len(measured.ran))
            if trial.should_prune():
                break
    metrics = (trial.metric, *trial.reports.further)
    for metric, scores in ((QUALITY, measured.scores()), (COST, measured.costs())):
        if metric in metrics:
            trial.report_items(scores, metric)
    trial.notes.extend(measured.notes())
    return measured.values()


class opened(ExitStack):  # noqa: N801 - read as `with opened(...) as programs`
    """The program behind a proxy of its own, for one allocation; a context manager.

    Args:
        given: What the worker is given of the task.
        store: The file of the run's calls.
        fresh: Whether all answers are drawn anew, and none is taken from recorded ones.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        choices: Sequence[StageChoice],
        folder: Path,
        store: Path,
        trial: int,
        *,
        fresh: bool = False,
    ) -> None:
        super().__init__()
        pipeline = given["pipeline"]
        program = pipeline["program"]
        routes = {choice.stage: _route(pipeline, choice) for choice in choices}
        replay = bool(pipeline["replay"])
        plan = Plan(
            matches={name: stage["match"] for name, stage in pipeline["stages"].items()},
            routes=routes,
            prices=Prices(given["prices"]),
            provider=lambda route: provider_of(program, route),
            bank="replay" if replay else "record" if fresh else "use",
            unmatched=program["unmatched"],
            answer_limit=program["answer_limit"],
        )
        calls = Calls(store, program["money_limit"])
        self.callback(calls.close)
        banks = []
        if pipeline["bank"] is not None:
            banks.append(_bank(folder / pipeline["bank"]))
            self.callback(banks[0].close)
        pool = Pool()
        self.callback(pool.close)
        proxy = Proxy(Answering(plan, calls, pool, banks))
        self.callback(proxy.close)
        models = [model for stage in pipeline["stages"].values() for model in stage["models"].values()]
        keys = [program["key_env"], *(model["key_env"] for model in models if model.get("key_env"))]
        self._programs = ItemPrograms(program, folder, proxy, keys, trial)

    def __enter__(self) -> ItemPrograms:  # type: ignore[override]
        super().__enter__()
        return self._programs


class Measured:
    """What the runs of a trial's items come to."""

    def __init__(self, given: Mapping[str, Any], choices: Sequence[StageChoice]) -> None:
        self.ran: list[Ran] = []
        self._stages = [choice.stage for choice in choices]
        self._rates = {c.stage: read_rates(given["rates"][c.stage][c.model]) for c in choices}
        self._dollars = given["cost_model"] == "price"
        self._by_stage: list[dict[str, float]] = []
        self._notes: dict[str, str] = {}
        self.drawn = 0.0
        """Cost of what came from a provider rather than from recorded answers, all items together."""

    def add(self, ran: Ran) -> None:
        self.ran.append(ran)
        costs = dict.fromkeys((*self._stages, OTHER), 0.0)
        for call in ran.calls:
            if call.status < 300 and call.endpoint[:7] != "/models":
                cost = self._cost(call)
                costs[call.stage] += cost
                self.drawn += cost if call.source == "provider" else 0.0
        self._by_stage.append(costs)

    def means(self) -> dict[str, float]:
        return {QUALITY: _mean([r.score for r in self.ran]), COST: _mean(list(self.costs().values()))}

    def scores(self) -> dict[str, float]:
        return {ran.item.id: ran.score for ran in self.ran}

    def costs(self) -> dict[str, float]:
        return {ran.item.id: sum(by.values()) for ran, by in zip(self.ran, self._by_stage)}  # noqa: B905

    @property
    def silent(self) -> bool:
        """Whether no call was seen at all."""
        return not any(ran.calls for ran in self.ran)

    def values(self) -> dict[str, float]:
        """All metrics, means over the items."""
        values = self.means()
        for stage in (*self._stages, OTHER):
            counts = [float(len(self._calls(ran, stage))) for ran in self.ran]
            if stage == OTHER and not any(counts):
                continue
            values[f"{stage}.cost"] = _mean([by[stage] for by in self._by_stage])
            values[f"{stage}.calls"] = _mean(counts)
            values[f"{stage}.share"] = _mean([float(count > 0) for count in counts])
        dollars = [call.dollars for ran in self.ran for call in ran.calls]
        if None not in dollars:
            values["dollars"] = math.fsum(filter(None, dollars)) / len(self.ran)
        return values

    def notes(self) -> list[str]:
        """What a person should know of the trial."""
        found = list(self._notes.values())
        failed = [ran for ran in self.ran if ran.fault]
        if failed:
            found.append(
                f"{len(failed)} of {len(self.ran)} items failed and score 0; the first, {failed[0].item.id}: "
                f"{failed[0].fault}"
            )
        others = [call for ran in self.ran for call in self._calls(ran, OTHER)]
        if others:
            models = ", ".join(dict.fromkeys(call.model for call in others))[:100]
            found.append(f"{len(others)} calls belong to no stage and were passed as they are ({models}).")
        silent = [stage for stage in self._stages if not any(self._calls(ran, stage) for ran in self.ran)]
        if self.silent:
            found.append(f"{NO_CALL[0].upper()}{NO_CALL[1:]}.")
        elif silent:
            found.append(f"The program made no call of stage {', '.join(silent)}: is its `match` right?")
        broken = [call for ran in self.ran for call in ran.calls if call.status >= 300 or call.error]
        if broken:
            found.append(
                f"{len(broken)} calls had an error, the first of them {broken[0].error or broken[0].status}."
            )
        if any(call.estimated for ran in self.ran for call in ran.calls):
            found.append("The provider did not count the tokens of some calls; they are estimated.")
        return found

    def _cost(self, call: CallRecord) -> float:
        rates: Optional[Rates] = self._rates.get(call.stage)  # noqa: UP045 - Python 3.9
        if rates is not None:
            lengths = Call(call.prompt, call.completion, call.seconds, call.cached)
            return measured_cost(rates, [lengths])
        if self._dollars and call.dollars is not None:
            return call.dollars
        what = "their price is not known" if self._dollars else "the cost model says nothing of their models"
        self._notes["other"] = f"Calls that belong to no stage count nothing in `cost`: {what}."
        return 0.0

    @staticmethod
    def _calls(ran: Ran, stage: str) -> list[CallRecord]:
        return [c for c in ran.calls if c.stage == stage and c.status < 300 and c.endpoint[:7] != "/models"]


def provider_of(program: Mapping[str, Any], route: Route) -> Provider:
    """Where the calls of a route go, by the task and this process's environment.

    Raises:
        Refused: The environment's base URL is none.
    """
    environ = os.environ
    stated = route.base_url or program["base_url"]
    base_url = stated or environ.get("OPENAI_BASE_URL") or environ.get("OPENAI_API_BASE") or OPENAI
    name = route.key_env or program["key_env"]
    try:
        return Provider(checked_base_url(base_url), (environ.get(name) or "").strip() or None)
    except ValueError as error:
        raise Refused(502, "upstream_unreachable", f"The provider's base URL {error}.") from None


def _route(pipeline: Mapping[str, Any], choice: StageChoice) -> Route:
    model = pipeline["stages"][choice.stage]["models"][choice.model]
    return Route(
        model=model["id"] or choice.model,
        name=choice.model,
        temperature=choice.temperature,
        base_url=model.get("base_url"),
        key_env=model.get("key_env"),
    )


def _arguments(command: Sequence[str], item: Item, path: Path) -> list[str]:
    try:
        return arguments(command, item.value, path)
    except KeyError as error:
        raise PipelineError(
            f"{item.place or item.id}: the item has no field for `{{{error.args[0]}}}` of `program.command`"
        ) from None


def _bank(path: Path) -> Bank:
    try:
        return Bank(path)
    except ValueError as error:
        raise PipelineError(f"`problem.bank`: {error}") from None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_of(file: IO[bytes]) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LARGEST_OUTPUT))
    data = file.read()
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _last_line(data: bytes) -> str:
    lines = [line for line in data[-20_000:].decode(errors="replace").splitlines() if line.strip()]
    return log_line(lines[-1], 300) if lines else ""


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)
