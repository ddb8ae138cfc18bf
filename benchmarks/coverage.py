"""How often what is promised holds: races on items, and certificates that a bound is kept; simulated runs.

.venv/bin/python -P benchmarks/coverage.py            # two CPU minutes; prints, writes results/coverage.json
.venv/bin/python -P benchmarks/coverage.py --link     # Link-and-Add's samples too (made on first use)

Synthetic: configurations of an ability, items of a hardness, a score of 1 with the logistic probability of
their difference; half of the draws are shared by all, as by stages in common. The truth is known.

    certificate     40 trials on 50 search items, then fixed-sequence tests on 150 fresh items, confidence
                    95 %. Wrong: what is delivered has a true mean below the bound. "just below": the hardest
                    case, in which nearly all configurations break the bound by .001.
    race            50 trials on 50 items. Wrong: one was stopped by the rule `worse` that is level with its
                    opponent over all items, or better. "level": all configurations are equally good.
                    "adversary": the 50 of 300 level configurations that do worst on the first items, which
                    nobody can know: the guarantee does not cover it.
    cost and loss   what the default race saves against complete trials, and how much worse what it chose is.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tunesmith.goals import Limit
from tunesmith.history import History
from tunesmith.items import Items
from tunesmith.space import Int, Space
from tunesmith.tools.analysis.certificate import Rule, best_certified, candidates, decided, judged, plan
from tunesmith.tools.analysis.racing import Race
from tunesmith.trial import Origin, Proposal, Trial, TrialState

CONFIDENCE = 0.95
SEARCHED, FRESH, TRIALS = 50, 150, 40
SPACE = Space({"x": Int(0, 100_000)})
Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray, np.ndarray, float]]
"""(scores on search items, on fresh items, both (configurations, items); true means; bound) of a run, the
configurations from the dearest to the cheapest."""


def scores(rng: np.random.Generator, chances: np.ndarray) -> np.ndarray:
    """0 or 1, shape of `chances`; for half of the entries the draw of the item is that of all rows."""
    own, shared = rng.random(chances.shape), rng.random((1, chances.shape[1]))
    drawn = np.where(rng.random(chances.shape) < 0.5, shared, own)
    return (drawn < chances).astype(float)


def chances_of(abilities: np.ndarray, hardness: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(abilities[:, None] + hardness)))


def ordinary(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The dearer the better, on the whole; a third of the configurations keep the bound."""
    abilities = np.linspace(3, 0, TRIALS) + rng.normal(0, 0.4, TRIALS)
    chances = chances_of(abilities, rng.normal(0, 1.5, 4000))
    true = chances.mean(axis=1)
    items = rng.choice(4000, SEARCHED + FRESH, replace=False)
    drawn = scores(rng, chances[:, items])
    return drawn[:, :SEARCHED], drawn[:, SEARCHED:], true, float(np.quantile(true, 2 / 3))


def just_below(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    true = np.concatenate([[0.97, 0.95], np.full(TRIALS - 2, 0.849)])
    chances = np.repeat(true[:, None], SEARCHED + FRESH, axis=1)
    drawn = scores(rng, chances)
    return drawn[:, :SEARCHED], drawn[:, SEARCHED:], true, 0.85


def fractions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Scores between 0 and 1, most of them near the ends."""
    true = np.concatenate([[0.97, 0.92], np.full(TRIALS - 2, 0.799)])
    drawn = rng.beta(0.5 * true[:, None], 0.5 * (1 - true[:, None]), (TRIALS, SEARCHED + FRESH))
    return drawn[:, :SEARCHED], drawn[:, SEARCHED:], true, 0.8


def recorded() -> Draw:
    """Link-and-Add: 400 allocations on the 800 items of all splits; items are drawn anew for every run."""
    from tunesmith.bench.pipelines.link_and_add.kept import kept
    from tunesmith.bench.pipelines.link_and_add.measured import EIGHT, add, link, table_of

    known, counts = kept(True), (1, 2, 4, 8, 16)
    choices = [
        (link(slots, first), add(hidden, second))
        for slots in EIGHT["link"]
        for first in counts
        for hidden in EIGHT["add"]
        for second in counts
    ]
    tables = [table_of(bank, known.parameters, "majority") for bank in known.banks.values()]
    replayed = [[table.evaluate(choice) for choice in choices] for table in tables]
    whole = np.concatenate([[one.scores for one in of_split] for of_split in replayed], axis=1)
    costs = np.mean([[one.cost for one in of_split] for of_split in replayed], axis=0)

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        chosen = rng.choice(len(whole), TRIALS, replace=False)
        chosen = chosen[np.argsort(-costs[chosen])]
        items = rng.choice(whole.shape[1], SEARCHED + FRESH, replace=False)
        drawn, true = whole[np.ix_(chosen, items)], whole[chosen].mean(axis=1)
        return drawn[:, :SEARCHED], drawn[:, SEARCHED:], true, float(np.quantile(true, 2 / 3))

    return draw


def history(rows: np.ndarray, bound: float) -> History:
    trials = []
    for number, row in enumerate(rows):
        proposal = Proposal(configuration=SPACE.validate({"x": number}), origin=Origin.RANDOM, reason="")
        cost = float(len(rows) - number)
        values = {"cost": cost, "quality": float(row.mean())}
        packed = {"quality": Items(tuple(row.tolist())).pack()}
        state = TrialState.COMPLETED
        trials.append(
            Trial(number=number, proposal=proposal, state=state, value=cost, values=values, items=packed)
        )
    return History(SPACE, "cost", "minimize", trials=tuple(trials))


def certificates(draw: Draw, runs: int, failures: int) -> dict[str, Any]:
    broken = delivered = 0
    saved = []
    for seed in range(runs):
        rng = np.random.default_rng([seed, failures, 7])
        search, fresh, true, bound = draw(rng)
        limit = Limit(metric="quality", operator=">=", bound=bound)
        rule = Rule(limit, CONFIDENCE, (0.0, 1.0), 6, failures)
        results = []
        for one in plan(candidates(history(search, bound), rule), rule, "minimize"):
            results.append(judged(one, fresh[one.trial].tolist(), rule))
            if decided(results, rule):
                break
        best = best_certified(results, "minimize")
        if best is not None:
            delivered += 1
            broken += bool(true[best] < bound)
            cheapest = int(np.flatnonzero(true >= bound).max(initial=0))
            saved.append((len(true) - best) / (len(true) - cheapest))
    extra = {
        "delivered": delivered,
        "cost against the cheapest that keeps it": round(float(np.mean(saved)), 2),
    }
    return {**row(broken, runs, 1 - CONFIDENCE), **extra}


def row(wrong: int, runs: int, promised: float) -> dict[str, Any]:
    """With the exact 95 % interval of the share."""
    ends = stats.binomtest(wrong, runs).proportion_ci(0.95, "exact")
    interval = [round(float(end), 4) for end in ends]
    return {
        "runs": runs,
        "wrong": wrong,
        "share": wrong / runs,
        "interval": interval,
        "promised": round(promised, 3),
    }


def level_rows(rng: np.random.Generator, many: int, adversary: bool) -> Iterator[np.ndarray]:
    """Scores of 50 trials with the same mean, 30 of 50, in an order drawn at random."""
    base = np.repeat([1.0, 0.0], [30, 20])
    rows = np.array([rng.permutation(base) for _ in range(many)])
    if adversary:
        rows = np.concatenate([rows[:1], rows[1:][np.argsort(rows[1:, :10].sum(axis=1))]])
    yield from rows[:50]


def raced(
    rows: Iterator[np.ndarray], race: Race, startup: int
) -> tuple[int, int, list[tuple[bool, str]], int]:
    """Item evaluations; the best; for each stopped trial whether it is level with the best, why; items."""
    spent, best, mean, stopped, total = 0, -1, -1.0, [], 0
    for number, scored in enumerate(rows):
        racer, why, count = None if number < startup else race.start(), None, 0
        for score in scored:
            count += 1
            why = None if racer is None else racer.add(float(score))
            if why is not None:
                break
        spent, total = spent + count, total + len(scored)
        if why is not None:
            stopped.append((float(scored.mean()) >= mean, why))
        else:
            race.complete(scored)
            if scored.mean() > mean:
                best, mean = number, float(scored.mean())
    return spent, best, stopped, total


def race_errors(adversary: bool, runs: int, alpha: float = 0.05) -> dict[str, Any]:
    wrong = 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, 11, adversary])
        race = Race(alpha=alpha, futility=0, trials=50)
        *_, stopped, _ = raced(level_rows(rng, 300 if adversary else 50, adversary), race, startup=1)
        wrong += any(level and why == "worse" for level, why in stopped)
    return row(wrong, runs, alpha)


def cost_and_loss(kind: str, runs: int) -> dict[str, Any]:
    """The default race against complete trials, 50 trials on 50 items."""
    shares, lost, outran = [], [], 0
    for seed in range(runs):
        rng = np.random.default_rng([seed, 13])
        abilities = 1.5 - np.abs(rng.normal(0, 0.25, 50))
        if kind == "converging":
            abilities = (
                1.5 - np.abs(rng.normal(0, 0.15, 50)) - 2 * np.exp(-np.arange(50) / 6) * rng.random(50)
            )
        elif kind == "weak start":  # of easy items, on which the first trials say little
            abilities = 3.0 - np.abs(rng.normal(0, 0.15, 50)) - np.array([3.0] * 3 + [0.3] + [0.0] * 46)
        elif kind == "a third poor":
            abilities -= np.where(rng.random(50) < 0.3, rng.uniform(0.5, 2, 50), 0)
        chances = chances_of(abilities, rng.normal(0, 1.5, 4000))
        true, rows = chances.mean(axis=1), scores(rng, chances[:, :50])
        spent, best, stopped, total = raced(iter(rows), Race(), startup=4)
        shares.append(spent / total)
        lost.append(true[int(np.argmax(rows.mean(axis=1)))] - true[best])
        outran += sum(level and why != "futile" for level, why in stopped)
    error = float(np.std(lost) / np.sqrt(runs))
    return {
        "runs": runs,
        "share of item evaluations": round(float(np.mean(shares)), 3),
        "true loss": round(float(np.mean(lost)), 4),
        "standard error": round(error, 4),
        "one-sided p of a loss of .005 or more": round(
            float(stats.norm.cdf((np.mean(lost) - 0.005) / error)), 4
        ),
        "level trials stopped by the controlled rules": outran,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--link", action="store_true")
    options = parser.parse_args()
    began, runs = time.process_time(), options.runs
    draws: dict[str, Draw] = {
        "ordinary": ordinary,
        "just below": just_below,
        "scores in between": fractions,
        **({"Link-and-Add": recorded()} if options.link else {}),
    }
    found: dict[str, Any] = {}
    for name, draw in draws.items():
        for failures in (0, 2):
            found[f"certificate, {name}, {failures} failures allowed"] = certificates(draw, runs, failures)
    found["race, level configurations"] = race_errors(False, runs)
    found["race, adversary (not covered)"] = race_errors(True, runs // 5)
    for kind in ("most within .05", "a third poor", "converging", "weak start"):
        found[f"race against complete trials, {kind}"] = cost_and_loss(kind, runs // 5)
    for name, values in found.items():
        print(f"{name}\n    " + ", ".join(f"{key} {value}" for key, value in values.items()))
    print(f"{time.process_time() - began:.0f} CPU seconds")
    path = Path(__file__).with_name("results") / "coverage.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
