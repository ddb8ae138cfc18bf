"""Our method with racing on items: a trial is stopped as soon as its items say that it is not the best.

The rule of the task's `pruner: race` with its defaults (`tools/analysis/racing.py`), without an engine: items
come one by one, and a trial that is stopped keeps the items that it has.
"""

from __future__ import annotations

from tunesmith.bench.pipelines.contenders.strategies import completed, deliver, strategy_of
from tunesmith.bench.pipelines.landscape import TRIALS
from tunesmith.bench.pipelines.search import Search
from tunesmith.items import Items
from tunesmith.task.specs import PrunerSpec
from tunesmith.tools.analysis.racing import Race
from tunesmith.trial import Configuration, TrialState


def run_racing(search: Search, method: str) -> None:
    """As many trials as whole evaluations would allow, each stopped where the race says so."""
    task, spec = search.landscape.task, PrunerSpec(kind="race")
    strategy = strategy_of(task, method, {})
    race = Race(alpha=spec.alpha, futility=spec.futility, scores=spec.scores, trials=TRIALS)
    history, whole = task.empty_history(), 0
    while not search.over and len(history) < search.trials:
        proposals = strategy.propose(history, 1)
        if not proposals:
            break
        configuration = proposals[0].configuration
        upto = search.n if whole < spec.startup_trials else raced(search, configuration, race)
        if upto < search.n:
            scores, values = search.look(configuration, upto), search.partial(configuration, upto)
        else:
            seen = search.evaluate(configuration)
            scores, values = seen.scores, seen.values
            race.complete(scores.tolist())
            whole += 1
        trial = completed(history, task, proposals[0], values, scores.tolist())
        if upto < search.n:
            items = {task.metric: Items(tuple(scores.tolist())).pack()}
            stopped = {"state": TrialState.PRUNED, "value": None, "items": items}
            trial = trial.model_copy(update=stopped)
        history = history.with_trial(trial)
    deliver(search, strategy, history)


def raced(search: Search, configuration: Configuration, race: Race) -> int:
    """Items after which the race stops a trial; all of them if it does not."""
    racer = race.start()
    for k in range(1, search.n + 1):
        score = float(search.look(configuration, k)[-1])
        if racer is not None and racer.add(score) is not None:
            return k
    return search.n
