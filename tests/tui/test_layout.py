"""Where panes are, at every size, without a screen."""

from __future__ import annotations

import random

import pytest

from tunesmith.tui.layout import Arrangement, arrange

NAMES = ("talk", "trials", "beliefs", "plots", "front", "details", "log", "incidents", "cost")


@pytest.mark.parametrize("seed", range(40))
def test_panes_fill_the_body_and_never_overlap(seed: int) -> None:
    rng = random.Random(seed)
    names = [name for name in (*NAMES, "another") if rng.random() < 0.8] or ["talk"]
    hidden = frozenset(name for name in names if rng.random() < 0.2)
    recent = tuple(rng.sample(names, rng.randrange(len(names))))
    width, height = rng.choice([(80, 24), (120, 40), (200, 60), (250, 70), (rng.randint(1, 250), 9)])
    body = (width, max(height - 7, 1))
    placed = arrange((width, height), body, names, Arrangement(recent, hidden))
    taken: set[tuple[int, int]] = set()
    for each in placed:
        cells = {
            (x, y) for x in range(each.x, each.x + each.width) for y in range(each.y, each.y + each.height)
        }
        assert cells and not cells & taken
        taken |= cells
    visible = {each.name for each in placed}
    assert not visible & hidden and len(visible) == len(placed)
    if len(names) > len(hidden):
        assert len(taken) == body[0] * body[1]
        reached = {name for each in placed for name in each.tabs}
        if width >= 80:
            assert reached == set(names) - hidden, "every pane has a place"


def shown(window: tuple[int, int], chosen: Arrangement = Arrangement()) -> list[str]:  # noqa: B008
    return [each.name for each in arrange(window, (window[0], window[1] - 7), NAMES, chosen)]


def test_small_windows_show_one_pane_larger_ones_all_that_matters() -> None:
    assert shown((80, 24)) == ["talk"]
    assert shown((120, 40)) == ["talk", "trials", "beliefs"]
    assert {"talk", "trials", "beliefs", "plots"} < set(shown((200, 60)))
    assert {"talk", "trials", "beliefs", "plots", "details", "log"} <= set(shown((250, 70)))


@pytest.mark.parametrize("window", [(80, 24), (120, 40), (200, 60), (250, 70)])
@pytest.mark.parametrize("name", NAMES)
def test_an_opened_pane_is_seen_a_zoomed_one_alone_a_hidden_one_not(
    window: tuple[int, int], name: str
) -> None:
    assert name in shown(window, Arrangement().opened(name))
    zoomed = Arrangement().zoom(name)
    assert shown(window, zoomed) == [name] and shown(window, zoomed.zoom(name)) != [] != [name]
    assert name not in shown(window, Arrangement().opened(name).without(name))
    assert name in shown(window, Arrangement().without(name).opened(name))
