"""A small honest comparison: our tuner against Optuna's samplers, all started from the default configuration.

.venv/bin/python benchmarks/tuner_quick.py                # runs what is missing, prints, writes results
.venv/bin/python benchmarks/tuner_quick.py --seconds 100  # starts no run after 100 s; call again to go on

13 tasks (5 analytic, 8 scikit-learn; see quick_tasks.py), 30 evaluations, paired seeds. Regret is
(best - y) / (best - median of random draws), where y is the best so far and best is the best that any run of
any contender found, clipped to [0, 1]; given are its mean over evaluations 6 to 30, and at 30, with the
ratios to Optuna's GPSampler and to ours without priors, each with a 95 % interval by bootstrap over tasks.
The last three contenders are ours with wrong beliefs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from quick_tasks import QuickTask, tasks

EVALUATIONS, FROM = 30, 6
GP, PLAIN = "optuna GP", "ours, no priors"
WINDOWS = {"6-30": slice(FROM - 1, EVALUATIONS), "30": slice(EVALUATIONS - 1, EVALUATIONS)}
RESULTS = Path(__file__).parent / "results"


def ours(task: QuickTask, seed: int, **options: Any) -> list[float]:
    from tunesmith.agent.strategies.gaussian_process import GaussianProcessStrategy

    return with_strategy(task, GaussianProcessStrategy(task.space, seed, words=task.words, **options))


def with_strategy(task: QuickTask, strategy: Any) -> list[float]:
    from tunesmith.history import History
    from tunesmith.trial import Trial, TrialState

    history = History(task.space, "score", "maximize", default=task.space.validate(task.default))
    for number in range(EVALUATIONS):
        proposal = strategy.propose(history, 1)[0]
        value = task.score(dict(proposal.configuration))
        history = history.with_trial(
            Trial(number=number, proposal=proposal, state=TrialState.COMPLETED, value=value)
        )
    return history.scores.tolist()


def with_sampler(task: QuickTask, sampler: Any) -> list[float]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial(task.default)
    distributions = task.space.to_distributions()
    for _ in range(EVALUATIONS):
        trial = study.ask(distributions)
        study.tell(trial, task.score(trial.params))
    return [trial.value for trial in study.trials]


def random(task: QuickTask, seed: int) -> list[float]:
    from tunesmith.agent.strategies.random import RandomStrategy

    return with_strategy(task, RandomStrategy(task.space, seed))


def optuna_sampler(name: str) -> Callable[[QuickTask, int], list[float]]:
    def run(task: QuickTask, seed: int) -> list[float]:
        import optuna

        return with_sampler(task, getattr(optuna.samplers, name)(seed=seed))

    return run


def shifted(name: str, parameter: Any, words: str) -> Any:
    """The card moved by 3 standard deviations to the side with more room; categories turned upside down."""
    from tunesmith.agent.knowledge import Located, find_card

    card = find_card(name, parameter, words)
    if card is None:
        return None
    if not isinstance(card, Located):
        total = sum(weight for _, weight in card.weights)
        return replace(card, weights=tuple((choice, (1 - total) / 10) for choice, _ in card.weights))
    ends = parameter.numbers(np.array([0.0, 1.0]))
    if card.transform != "linear":
        ends = np.log10(ends if card.transform == "log10" else np.maximum(1 - ends, 1e-9))
    up = ends.max() - card.mean > card.mean - ends.min()
    return replace(card, mean=card.mean + (3 if up else -3) * card.sd)


def wrong_names(task: QuickTask, seed: int) -> list[float]:
    return ours(task, seed, cards=shifted)


def shuffled_names(task: QuickTask, seed: int) -> list[float]:
    from tunesmith.agent.knowledge import find_card

    names = list(task.space.names)
    other = dict(zip(names, names[1:] + names[:1], strict=True))
    return ours(task, seed, cards=lambda name, parameter, words: find_card(other[name], parameter, words))


def no_priors(task: QuickTask, seed: int) -> list[float]:
    return ours(task, seed, priors=False)


def worst_default(task: QuickTask, seed: int) -> list[float]:
    """Started from the worst of 8 corners instead of the default."""
    rng = np.random.default_rng(0)
    corners = task.space.round((rng.random((8, task.space.dimensions)) > 0.5).astype(float))
    configurations = [dict(task.space.decode(row)) for row in corners]
    return ours(replace(task, default=min(configurations, key=task.score)), seed)


CONTENDERS: dict[str, Callable[[QuickTask, int], list[float]]] = {
    "ours": ours,
    PLAIN: no_priors,
    GP: optuna_sampler("GPSampler"),
    "optuna TPE": optuna_sampler("TPESampler"),
    "random": random,
    "ours, names 3 sd wrong": wrong_names,
    "ours, names shuffled": shuffled_names,
    "ours, default in the worst corner": worst_default,
}


def one(task_name: str, contender: str, seed: int) -> tuple[str, str, int, list[float], float]:
    task = next(t for t in tasks() if t.name == task_name)
    began = time.process_time()
    scores = CONTENDERS[contender](task, seed)
    return task_name, contender, seed, [round(score, 8) for score in scores], time.process_time() - began


def run_missing(runs: dict[str, Any], seeds: int, seconds: float, jobs: int) -> int:
    """Adds runs to `runs`; returns how many are still missing."""
    wanted = [
        (task.name, contender, seed)
        for seed in range(seeds)
        for task in tasks()
        for contender in CONTENDERS
        if f"{task.name}/{contender}/{seed}" not in runs
    ]
    stop, waiting = time.monotonic() + seconds, iter(wanted)
    with ProcessPoolExecutor(jobs) as pool:
        running = set()
        while True:
            while (
                len(running) < jobs and time.monotonic() < stop and (job := next(waiting, None)) is not None
            ):
                running.add(pool.submit(one, *job))
            if not running:
                break
            finished = next(as_completed(running))
            running.remove(finished)
            task, contender, seed, scores, cost = finished.result()
            runs[f"{task}/{contender}/{seed}"] = {"scores": scores, "cpu_s": round(cost, 2)}
    return sum(f"{t}/{c}/{s}" not in runs for t, c, s in wanted)


def regrets(runs: dict[str, Any], seeds: int) -> dict[str, dict[str, np.ndarray]]:
    """Regret of the best so far, clipped to [0, 1], by contender and task: (seeds, evaluations)."""
    table: dict[str, dict[str, np.ndarray]] = {contender: {} for contender in CONTENDERS}
    for task in tasks():
        scores = {
            c: np.array([runs[f"{task.name}/{c}/{s}"]["scores"] for s in range(seeds)]) for c in CONTENDERS
        }
        best = max(s.max() for s in scores.values())
        middle = float(np.median(scores["random"][:, 1:]))
        for contender, s in scores.items():
            regret = (best - np.maximum.accumulate(s, axis=1)) / (best - middle)
            table[contender][task.name] = np.clip(regret, 0, 1)
    return table


def summarise(runs: dict[str, Any], seeds: int) -> dict[str, list[dict[str, Any]]]:
    """One table for each group of tasks."""
    table = regrets(runs, seeds)
    names = [task.name for task in tasks()]
    groups = {"all 13": names, "8 scikit-learn": names[5:], "5 analytic": names[:5]}
    return {
        group: [_row(table, contender, members) for contender in CONTENDERS]
        for group, members in groups.items()
    }


def _row(table: dict[str, dict[str, np.ndarray]], contender: str, names: list[str]) -> dict[str, Any]:
    draws = np.random.default_rng(0).integers(len(names), size=(10_000, len(names)))
    row: dict[str, Any] = {"contender": contender}
    for label, window in WINDOWS.items():
        mine = np.array([table[contender][name][:, window].mean(axis=1) for name in names])  # (tasks, seeds)
        row[label] = {
            "regret": round(float(mine.mean()), 4),
            "sd over seeds": round(float(mine.mean(axis=0).std(ddof=1)), 4),
        }
        for reference in (GP, PLAIN):
            other = np.array([table[reference][name][:, window].mean() for name in names])
            ratios = mine.mean(axis=1)[draws].mean(axis=1) / other[draws].mean(axis=1)
            row[label][f"ratio to {reference}"] = round(float(mine.mean() / other.mean()), 3)
            row[label][f"ratio to {reference}, 95 %"] = [
                round(float(q), 3) for q in np.quantile(ratios, [0.025, 0.975])
            ]
        row[label]["by task"] = {n: round(float(v), 4) for n, v in zip(names, mine.mean(axis=1), strict=True)}
    return row


def show(group: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{group} tasks: regret, ratio to {GP!r}, ratio to {PLAIN!r}")
    for row in rows:
        print(f"  {row['contender']:<34}", end="")
        for label in WINDOWS:
            cell = row[label]
            print(f" | {label:>4}: {cell['regret']:.4f}", end="")
            for reference in (GP, PLAIN):
                low, high = cell[f"ratio to {reference}, 95 %"]
                print(f"  {cell[f'ratio to {reference}']:.2f} [{low:.2f}, {high:.2f}]", end="")
        print()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    store = RESULTS / "tuner_quick_runs.json"
    runs = json.loads(store.read_text()) if store.exists() else {}
    missing = run_missing(runs, given.seeds, given.seconds, given.jobs)
    store.write_text(
        "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(runs[k])}" for k in sorted(runs)) + "\n}\n"
    )
    if missing:
        print(f"{missing} runs are missing; call again to go on")
        return
    groups = summarise(runs, given.seeds)
    for group, rows in groups.items():
        show(group, rows)
    result = {
        "command": "python benchmarks/tuner_quick.py",
        "evaluations": EVALUATIONS,
        "seeds": given.seeds,
        "regret": "(best - y) / (best - median of random), clipped to [0, 1]",
        "interval": "bootstrap over tasks",
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "groups": groups,
    }
    (RESULTS / "tuner_quick.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
