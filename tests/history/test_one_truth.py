"""Everything that names a best or recommended trial agrees, whatever the limits, ties and repeated runs."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.changed_runs import V1, run_trials, task
from fakes.histories import Log
from tunesmith.agent.methods.random import RandomStrategy
from tunesmith.api.earlier import end_is_stale
from tunesmith.api.recommending import recommend
from tunesmith.api.result import Result
from tunesmith.api.winner import find_winner
from tunesmith.budget import Budget, Spend
from tunesmith.errors import NoWinner, UsageError
from tunesmith.goals import Goal, Limit
from tunesmith.history import History
from tunesmith.recommendation import by_best_value, none_recommended
from tunesmith.runs import configurations
from tunesmith.space import Categorical, Float, Int, Space
from tunesmith.stopping import why_over
from tunesmith.tools.analysis.excerpt import best_trials, ranked_by
from tunesmith.tools.analysis.health import health
from tunesmith.trial import Origin, Proposal, Trial, TrialState

SPACE = Space({"x": Int(0, 9)})


def study(chance: random.Random) -> History:
    """Few configurations, run several times, with few different values: ties, luck, nothing feasible."""
    trials = []
    for number in range(chance.randint(0, 12)):
        configuration = SPACE.validate({"x": chance.randint(0, chance.choice([1, 4, 9]))})
        values = {name: chance.randint(0, 4) / 4 for name in ("acc", "ms", "mib")}
        done = chance.random() < 0.8
        trials.append(
            Trial(
                number=number,
                proposal=Proposal(configuration=configuration, origin=Origin.SURROGATE, reason=""),
                state=TrialState.COMPLETED if done else chance.choice([TrialState.CRASHED, TrialState.LOST]),
                value=values["acc"] if done else None,
                values=values if done else {},
            )
        )
    limits = [
        Limit(metric="ms", operator="<=", bound=0.5),
        Limit(metric="mib", operator=">=", bound=0.25),
        Limit(metric="acc", operator="<=", bound=0.75),
    ]
    return History(
        SPACE,
        "acc",
        chance.choice(["maximize", "minimize"]),
        trials=tuple(trials),
        others=chance.choice([(), (Goal(metric="ms", direction="minimize"),)]),
        limits=tuple(chance.sample(limits, chance.randint(0, 3))),
    )


def test_what_is_best_and_what_is_recommended_agree_and_keep_every_limit():
    chance, nothing, instead = random.Random(4), 0, 0
    for case in range(400):
        seen = study(chance)
        result = Result("finished", "done", seen, Path("runs/t"), Spend())
        found, why = by_best_value(seen), none_recommended(seen)
        assert (result.recommended is None) == (found is None), case
        over = why_over(seen, Budget(target=0.5), "none")
        if over is not None and not over.startswith("no "):
            told = int(re.search(r"trial (\d+) has", over)[1])
            assert told in {t.number for t in seen.feasible}, case
        if not seen.feasible:
            assert (seen.ranked, found, why, result.best) == ((), None, "", None), case
            continue
        best = seen.incumbent
        assert seen.ranked[0] is ranked_by(seen, "acc")[0] is best_trials(seen, 4)[0] is best, case
        assert int(re.search(r"</tr><tr><td>(\d+)</td>", result._repr_html_())[1]) == best.number, case
        assert sorted(t.number for t in seen.ranked) == [t.number for t in seen.feasible], case
        assert (found is None) == bool(why), case
        # By the definition: means keep every limit, and so does the trial that stands for them.
        kept = [runs for runs in configurations(seen) if not seen.goals.broken(runs.means(seen.goals))]
        kept = [runs for runs in kept if any(t in seen.feasible for t in runs.trials)]
        assert (found is None) == (not kept), case
        nothing += found is None
        if found is not None:
            instead += found.differs
            assert found.best_trial == best.number and seen.get(found.trial) in seen.feasible, case
            assert found.configuration in [runs.configuration for runs in kept], case
            own = best.configuration == found.configuration
            assert own or best.configuration not in [runs.configuration for runs in kept], case
            front = {t.configuration for t in seen.front} & {runs.configuration for runs in kept}
            assert not seen.others or not front or found.configuration in front, case
    assert nothing > 5 and instead > 20


def test_what_kept_a_limit_by_luck_is_the_best_value_seen_and_not_recommended(tmp_path):
    limited = task(V1, limits={"ms": "<= 20"})
    lucky, steady = {"lr": 2e-2, "opt": "adam"}, {"lr": 1e-2, "opt": "adam"}
    run_trials(tmp_path, limited, [lucky], others={"ms": 19.0})
    run_trials(tmp_path, limited, [lucky], others={"ms": 30.0})
    history = run_trials(tmp_path, limited, [])
    assert (history.incumbent.number, by_best_value(history)) == (0, None)
    assert none_recommended(history) in health(history, limited, ())[0]
    with pytest.raises(NoWinner) as none:
        find_winner(tmp_path / "t")
    assert "by the mean of its runs: that of trial 0 did in 1 of 2" in str(none.value)
    assert none.value.seen == 0 and "--seen" in str(none.value) and none.value.exit_code == 1
    seen = find_winner(tmp_path / "t", seen=True)
    assert (seen.trial, seen.values["ms"], seen.why) == (0, 19.0, "best feasible value seen")

    run_trials(tmp_path, limited, [steady], others={"ms": 10.0})
    assert find_winner(tmp_path / "t").trial == 2
    seen = find_winner(tmp_path / "t", seen=True)
    assert (seen.trial, seen.why) == (0, "best feasible value seen")
    found = by_best_value(run_trials(tmp_path, limited, []))
    assert found.text(history).startswith("best feasible acc seen: trial 0, 0.2; recommended: trial 2")
    counts = tuple(t.model_copy(update={"value": 98017.0}) for t in history.trials[:1])
    whole = replace(history, trials=counts, limits=(), others=(Goal(metric="ms", direction="minimize"),))
    assert by_best_value(whole).text(whole).startswith("best acc seen and recommended: trial 0, 98017, ")
    plain = replace(history, limits=())
    assert by_best_value(plain).text(plain).startswith("best value seen and recommended: trial 0, 0.2,")

    with pytest.raises(UsageError, match="the run has no trial 9; they are 0 to 2"):
        find_winner(tmp_path / "t", trial=9)
    narrower = task({**V1, "lr": Float(1e-2, 1e-1, scale="log"), "opt": Categorical(["sgd"])})
    run_trials(tmp_path, narrower, [{"lr": 3e-2, "opt": "sgd"}])
    with pytest.raises(UsageError, match="trial 0 is of a search space that the run had before"):
        find_winner(tmp_path / "t", trial=0)


def test_a_search_that_recommends_nothing_says_why(tmp_path):
    limited = task(V1, limits={"ms": "<= 20"})
    for ms in (19.0, 30.0):
        run_trials(tmp_path, limited, [{"lr": 2e-2, "opt": "adam"}], others={"ms": ms})
    history = run_trials(tmp_path, limited, [])
    log = Log()
    assert recommend(RandomStrategy(limited.space, 0), history, log) is None
    (noted,) = log.events
    assert noted.text == f"Nothing is recommended: {none_recommended(history)}."
    assert not end_is_stale((), Spend(), limited, history, tmp_path / "t")
