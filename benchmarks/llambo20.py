"""Our tuner without a model on LLAMBO's 20 exactly repeatable scikit-learn tasks, beside its recorded runs.

.venv/bin/python benchmarks/llambo20.py --check       # do recorded configurations give the recorded values?
.venv/bin/python benchmarks/llambo20.py               # runs what is missing, prints, writes results
.venv/bin/python benchmarks/llambo20.py --seconds 60  # starts no run after 60 s; call again to go on
.venv/bin/python benchmarks/llambo20.py --report      # only prints and writes what the stored runs say

Every contender starts from the same 5 recorded configurations per seed and makes 25 further evaluations one
after another; evaluation 6 is scikit-learn's default moved into the space. Given are normalised regret (not
clipped; bounds from all recorded runs of all optimisers), as mean over evaluations 6 to 30 and at 30, with
95 % intervals by bootstrap over tasks, and ratios to Optuna's GPSampler of the same run. Runs are kept in
results/llambo20_runs.json after each one. See data/README.md for the source of the recorded data.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from llambo_tasks import MODELS, LlamboTask, tasks
from threadpoolctl import threadpool_limits

SEEDS, INITIAL, EVALUATIONS = 5, 5, 30
WINDOWS = {"6-30": slice(INITIAL, EVALUATIONS), "30": slice(EVALUATIONS - 1, EVALUATIONS)}
OURS, PLAIN, GP = "ours", "ours, no priors", "optuna GP, default first"
GP_AT_ONCE = "optuna GP, default first, no start-up"
LLAMBO = "LLAMBO with GPT-3.5, recorded"
RESULTS = Path(__file__).parent / "results"
STORE = RESULTS / "llambo20_runs.json"
KNOWN = {
    LLAMBO: (0.0717, 0.0469, 0.081),
    "the tuner's prototype": (0.0563, 0.0267, 0.036),
    "Optuna 5 GP from the default, an earlier run": (0.0750, 0.0424, 0.032),
    "SMAC, recorded": (0.112, 0.062, 0.039),
    "TPE, recorded": (0.139, 0.076, 0.045),
    "random, recorded": (0.166, 0.114, 0.099),
}
"""Regret on all 20 tasks over evaluations 6 to 30 and at 30, and on SVM at 30, not computed here."""


def ours(task: LlamboTask, seed: int, **options: Any) -> list[float]:
    from tunesmith.agent.strategies.gaussian_process import GaussianProcessStrategy
    from tunesmith.history import History
    from tunesmith.trial import Origin, Proposal, Trial, TrialState

    strategy = GaussianProcessStrategy(task.space, seed, words=task.words, **options)
    default = task.space.validate(task.default)
    history = History(task.space, task.metric, task.direction, default=default)
    values: list[float] = []
    initial = [task.space.validate(configuration) for configuration in task.initial(seed)]
    for number in range(EVALUATIONS):
        if number < INITIAL:
            reason = "An initial configuration that all optimisers share."
            proposal = Proposal(configuration=initial[number], origin=Origin.RANDOM, reason=reason)
        else:
            proposal = strategy.propose(history, 1)[0]
        assert number != INITIAL or proposal.configuration == default
        value = task.value(dict(proposal.configuration))
        values.append(value)
        diverged = np.isnan(value)
        trial = Trial(
            number=number,
            proposal=proposal,
            state=TrialState.DIVERGED if diverged else TrialState.COMPLETED,
            value=None if diverged else value,
        )
        history = history.with_trial(trial)
    return values


def no_priors(task: LlamboTask, seed: int) -> list[float]:
    return ours(task, seed, priors=False)


def optuna_gp(task: LlamboTask, seed: int, **options: Any) -> list[float]:
    """Optuna's GPSampler as it comes: its 10 start-up trials are the 6 given ones and 4 random ones."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction=task.direction, sampler=optuna.samplers.GPSampler(seed=seed, **options)
    )
    distributions = task.space.to_distributions()
    for configuration in (*task.initial(seed), task.default):
        study.enqueue_trial(configuration)
    values = []
    for _ in range(EVALUATIONS):
        trial = study.ask(distributions)
        values.append(task.value(trial.params))
        failed = np.isnan(values[-1])
        state = optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE
        study.tell(trial, None if failed else values[-1], state=state)
    return values


def optuna_gp_at_once(task: LlamboTask, seed: int) -> list[float]:
    """The same from evaluation 7 on, without the 4 random ones."""
    return optuna_gp(task, seed, n_startup_trials=INITIAL + 1)


CONTENDERS: dict[str, Callable[[LlamboTask, int], list[float]]] = {
    OURS: ours,
    GP: optuna_gp,
    GP_AT_ONCE: optuna_gp_at_once,
    PLAIN: no_priors,
}


def run_missing(runs: dict[str, Any], contenders: list[str], seconds: float) -> int:
    """Adds runs to `runs` and the store; returns how many are still missing. Cheap tasks come first."""
    stop = time.monotonic() + seconds
    wanted = [(t, c, s) for t in tasks() for c in contenders for s in range(SEEDS)]
    wanted = [(t, c, s) for t, c, s in wanted if f"{t.name}/{c}/{s}" not in runs]
    for done, (task, contender, seed) in enumerate(wanted):
        if time.monotonic() > stop:
            return len(wanted) - done
        began = time.process_time()
        values = CONTENDERS[contender](task, seed)
        assert len(values) == EVALUATIONS
        cost = round(time.process_time() - began, 2)
        runs[f"{task.name}/{contender}/{seed}"] = {
            "values": [None if np.isnan(v) else round(v, 10) for v in values],
            "cpu_s": cost,
        }
        save(runs)
    return 0


def save(runs: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)}: {json.dumps(runs[key])}" for key in sorted(runs)]
    fresh = STORE.with_suffix(".tmp")
    fresh.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    fresh.replace(STORE)


def regrets(runs: dict[str, Any], contender: str) -> dict[str, np.ndarray]:
    """Regret curves (seeds, evaluations) by task, of the tasks on which every seed is done."""
    table = {}
    for task in tasks():
        if contender == LLAMBO:
            values = [task.recorded(seed) for seed in range(SEEDS)]
        else:
            found = [runs.get(f"{task.name}/{contender}/{seed}") for seed in range(SEEDS)]
            values = [np.array(run["values"], dtype=float) for run in found if run is not None]
        if len(values) == SEEDS:
            table[task.name] = np.array([task.regret(v) for v in values])
    return table


def summarise(runs: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each contender on the tasks it shares with ours; ratios on the tasks shared with the GP."""
    tables = {contender: regrets(runs, contender) for contender in (*CONTENDERS, LLAMBO)}
    rows = []
    for contender, table in tables.items():
        names = [name for name in table if name in tables[OURS]]
        groups = {"all": names, **{m: [n for n in names if n.endswith(f"/{m}")] for m in MODELS}}
        row: dict[str, Any] = {"contender": contender, "tasks": len(names)}
        for label, window in WINDOWS.items():
            row[label] = {g: _figures(tables, contender, window, n) for g, n in groups.items() if n}
            row[label]["by task"] = {n: round(float(table[n][:, window].mean()), 4) for n in names}
        rows.append(row)
    return rows


def _figures(
    tables: dict[str, dict[str, np.ndarray]], contender: str, window: slice, names: list[str]
) -> dict[str, Any]:
    mine = np.array([tables[contender][name][:, window].mean(axis=1) for name in names])  # (tasks, seeds)
    means = mine.mean(axis=1)
    figures: dict[str, Any] = {
        "regret": round(float(means.mean()), 4),
        "regret, 95 %": _interval(_resampled(means).mean(axis=1)),
        "sd over seeds": round(float(mine.mean(axis=0).std(ddof=1)), 4),
    }
    shared = [i for i, name in enumerate(names) if name in tables[GP]]
    if shared and contender != GP:
        here, other = means[shared], np.array([tables[GP][names[i]][:, window].mean() for i in shared])
        figures["tasks in ratio"] = len(shared)
        if other.mean() > 0:
            figures["ratio"] = round(float(here.mean() / other.mean()), 3)
        # With a handful of tasks a resample can have next to no regret at all, and its ratio says nothing.
        if len(shared) >= 10:
            figures["ratio, 95 %"] = _interval(_resampled(here).mean(axis=1) / _resampled(other).mean(axis=1))
    return figures


def _resampled(values: np.ndarray) -> np.ndarray:
    """10,000 bootstrap samples of values (n,), the same tasks in each for every contender: (10000, n)."""
    n = len(values)
    return np.asarray(values[np.random.default_rng(0).integers(n, size=(10_000, n))])


def _interval(draws: np.ndarray) -> list[float]:
    return [round(float(q), 4) for q in np.quantile(draws, [0.025, 0.975])]


def show(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(f"\n{row['contender']}, {row['tasks']} of 20 tasks")
        for label in WINDOWS:
            for group, figures in row[label].items():
                if group == "by task":
                    continue
                line = f"  {label:>4}  {group:<13} {figures['regret']:.4f}{_span(figures, 'regret, 95 %', 4)}"
                if "ratio" in figures:
                    line += f"  ratio {figures['ratio']:.2f}{_span(figures, 'ratio, 95 %', 2)}"
                print(line)
    print(
        f"\nratio: to {GP!r}, on the tasks that it has done too. Known from elsewhere, 6-30, 30, SVM at 30:"
    )
    for name, known in KNOWN.items():
        print(f"  {name:<46}" + "".join(f"{figure:8.4f}" for figure in known))


def _span(figures: dict[str, Any], key: str, digits: int) -> str:
    if key not in figures:
        return ""
    low, high = figures[key]
    return f" [{low:.{digits}f}, {high:.{digits}f}]"


def check() -> None:
    """Prints how far recorded values are from ours, and LLAMBO's regret from what is known of it."""
    for task in tasks():
        gaps = [
            abs(task.value(configuration) - task.recorded(seed)[i])
            for seed in range(SEEDS)
            for i, configuration in enumerate(task.initial(seed))
        ]
        print(f"{task.name:<24} largest difference over {len(gaps)} configurations {max(gaps):.1e}")
    table = regrets({}, LLAMBO)
    for label, known in zip(WINDOWS, KNOWN[LLAMBO], strict=False):
        mean = np.mean([curves[:, WINDOWS[label]].mean() for curves in table.values()])
        print(f"LLAMBO's recorded regret {label}: {mean:.4f}, known {known}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--contenders", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    if given.check:
        check()
        return
    runs = json.loads(STORE.read_text()) if STORE.exists() else {}
    missing = 0 if given.report else run_missing(runs, given.contenders, given.seconds)
    if missing:
        print(f"{missing} runs are missing; call again to go on")
    rows = summarise(runs)
    show(rows)
    result = {
        "command": "python benchmarks/llambo20.py",
        "protocol": "5 shared recorded configurations, then scikit-learn's default, then 24 more; 5 seeds",
        "scales": "parameters that LLAMBO calls logit are on a log scale",
        "regret": "best so far against the bounds of all recorded runs, not clipped",
        "interval": "95 %, bootstrap over tasks",
        "ratio": f"to {GP}, paired by task",
        "versions": {name: version(name) for name in ("scikit-learn", "optuna", "numpy", "scipy")},
        "python": platform.python_version(),
        "contenders": rows,
    }
    (RESULTS / "llambo20.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
