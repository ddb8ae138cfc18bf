"""Every pane, in the order that tab goes through them."""

from __future__ import annotations

from tunesmith.tui.panes.base import Pane
from tunesmith.tui.panes.beliefs import BeliefsPane
from tunesmith.tui.panes.cost import CostPane
from tunesmith.tui.panes.front import FrontPane
from tunesmith.tui.panes.incidents import IncidentsPane
from tunesmith.tui.panes.log import LogPane
from tunesmith.tui.panes.plots import PlotsPane
from tunesmith.tui.panes.talk import TalkPane
from tunesmith.tui.panes.trial_details import TrialDetailsPane
from tunesmith.tui.panes.trials import TrialsPane

PANES: tuple[type[Pane], ...] = (
    TalkPane,
    TrialsPane,
    BeliefsPane,
    PlotsPane,
    FrontPane,
    TrialDetailsPane,
    LogPane,
    IncidentsPane,
    CostPane,
)
