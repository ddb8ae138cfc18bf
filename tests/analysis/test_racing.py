"""Which trials a race stops, and how seldom wrongly; seeds fixed."""

import numpy as np
import pytest

from tunesmith.tools.analysis.racing import FIRST, Race


def stop(race, scores):
    """(items, why) of a trial with these scores; all of them and None where it went to its end."""
    racer = race.start()
    for count, score in enumerate(scores, 1):
        why = racer.add(float(score))
        if why is not None:
            return count, why
    return len(scores), None


def coins(rng, chances):
    return (rng.random(len(chances)) < chances) * 1.0


def test_nothing_is_stopped_before_a_trial_has_completed_or_after_the_last_item():
    race = Race()
    assert race.start() is None and race.items is None
    assert race.complete([1, 1, 1], feasible=False) and race.start() is None and race.items == 3
    assert race.complete([1, 1, 0])
    assert stop(race, [1, 1, 0]) == (3, None)
    assert stop(race, [0, 0, 0]) == (2, "hopeless")


def test_what_cannot_reach_the_best_even_with_all_the_rest_is_hopeless():
    race = Race(alpha=0, futility=0)
    race.complete([1.0] * 8 + [0.0] * 2)
    assert stop(race, [0, 1, 0, 1, 1, 1, 1, 1, 1, 1]) == (10, None)  # 8 of 10 as well
    assert stop(race, [0, 1, 0, 1, 0, 1, 1, 1, 1, 1]) == (5, "hopeless")


@pytest.mark.parametrize(
    "given", [{"direction_sign": -1.0, "scores": (0.0, 1.0)}, {"scores": (-20.0, 30.0)}], ids=str
)
def test_direction_and_range_of_the_scores_change_no_verdict(given):
    rng = np.random.default_rng(3)
    plain, other = Race(), Race(**given)
    (low, high), sign = given["scores"], given.get("direction_sign", 1.0)

    def stated(row):
        return [float(low + (x if sign > 0 else 1 - x) * (high - low)) for x in row]

    for chance in (0.9, 0.6, 0.7, 0.8):
        row = coins(rng, np.full(40, chance))
        plain.complete(row)
        other.complete(stated(row))
    for chance in (0.2, 0.5, 0.8, 0.95):
        row = coins(rng, np.full(40, chance))
        assert stop(plain, row) == stop(other, stated(row))


def test_scores_outside_the_range_are_said_nothing_of():
    race = Race()
    assert not race.complete([0.5, 1.5]) and race.start() is None
    race.complete([1.0] * 20)
    assert not race.complete([1.0] * 19)
    assert stop(race, [70.0] + [0.0] * 19) == (20, None)


@pytest.mark.long
def test_the_test_alone_stops_no_more_level_trials_than_alpha_in_random_orders():
    """The trial has the opponent's mean, and the order is drawn anew: the boundary of the hypothesis."""
    rng = np.random.default_rng(5)
    n, runs = 50, 500
    opponent = np.repeat([1.0, 0.0], [30, 20])
    level = np.concatenate([np.repeat([1.0, 0.0], [20, 10]), np.repeat([1.0, 0.0], [10, 10])])
    assert level.mean() == opponent.mean()
    wrong = {}
    for alpha in (0.2, 0.05):
        count = 0
        for _ in range(runs):
            order = rng.permutation(n)
            race = Race(alpha=alpha, futility=0, trials=1)
            race.complete(opponent[order])
            count += stop(race, level[order])[1] is not None
        wrong[alpha] = count / runs
    assert wrong[0.2] <= 0.2 + 0.054 and wrong[0.05] <= 0.05 + 0.03, wrong


def test_a_far_worse_trial_is_stopped_by_the_test_long_before_its_end():
    rng = np.random.default_rng(6)
    items = []
    for _ in range(50):
        race = Race(futility=0, trials=50)
        race.complete(coins(rng, np.full(200, 0.9)))
        count, why = stop(race, coins(rng, np.full(200, 0.5)))
        assert why in ("worse", "hopeless")
        items.append(count if why == "worse" else 200)
    assert np.median(items) < 45


def test_against_a_bound_the_incumbent_is_of_no_account():
    rng = np.random.default_rng(7)
    race = Race(bound=0.8, futility=0, trials=1)
    race.complete(np.ones(200), feasible=False)
    assert stop(race, coins(rng, np.full(200, 0.9)))[1] is None
    count, why = stop(race, coins(rng, np.full(200, 0.5)))
    assert why == "worse" and count < 60
    below = Race(bound=0.3, direction_sign=-1.0, futility=0, trials=1)  # a share of errors of at most 0.3
    below.complete(np.zeros(200))
    assert stop(below, coins(rng, np.full(200, 0.2)))[1] is None
    assert stop(below, coins(rng, np.full(200, 0.6)))[1] == "worse"


def searched(race, rows, startup=4):
    """Item evaluations of a run over these trials' scores, and which one is the best at its end."""
    spent, best, value = 0, None, -1.0
    for number, row in enumerate(rows):
        count, why = (len(row), None) if number < startup else stop(race, row)
        spent += count
        if why is None:
            race.complete(row)
            if row.mean() > value:
                best, value = number, row.mean()
    return spent, best


@pytest.mark.long
def test_a_race_of_good_trials_takes_two_fifths_of_the_items_and_loses_next_to_nothing():
    """50 items, 50 trials, most within .05 of the best: the noisy setting of AgentTTS, full or raced."""
    lost, shares = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        ability, hardness = 1.5 - np.abs(rng.normal(0, 0.25, 50)), rng.normal(0, 1.5, 1500)
        chances = 1 / (1 + np.exp(-(ability[:, None] + hardness)))
        true = chances.mean(axis=1)
        rows = [coins(rng, row[:50]) for row in chances]
        full = int(np.argmax([row.mean() for row in rows]))
        spent, best = searched(Race(), rows)
        lost.append(true[full] - true[best])
        shares.append(spent / 2500)
    assert np.mean(shares) < 0.42
    assert np.mean(lost) < 0.005, (np.mean(lost), np.std(lost) / 60**0.5)


def test_every_trial_gets_the_first_items_unless_it_is_hopeless():
    rng = np.random.default_rng(8)
    race = Race(futility=0.9)
    race.complete(coins(rng, np.full(50, 0.7)))
    assert stop(race, np.zeros(50)) == (FIRST, "futile")


def test_weak_first_trials_do_not_make_a_perfect_start_on_easy_items_look_poor():
    """The first items are easy for all: a trial that is right on them may be as good as the best one."""
    race = Race()
    for right in (18, 20, 25, 37):
        race.complete([1.0] * 10 + [1.0] * (right - 10) + [0.0] * (40 - right))
    racer = race.start()
    assert [racer.add(1.0) for _ in range(20)] == [None] * 20 and racer.chance() >= 0.5
