"""The panes of the terminal.

To add one:

1. Write `tui/panes/NAME.py` with a subclass of `base.Pane`: `NAME`, `TITLE`, `KEY` (function key), `HELP`,
   `show(view, changes)`, `hints()`. It takes no arguments; `compose` or `render` draws it. It gets a line of
   title from the frame, and `self.selection` (the trial under the cursor, the trials marked for comparison).
2. Add one line to `PANES` in `all.py`. `tui/layout.py` has a place for `talk`, `trials`, `beliefs`, `plots`,
   `front`, `details`, `log`, `incidents` and `cost`; another name takes turns with the last slot.
3. What it needs to know of changes that `Changes` does not say yet is a field more there.

Its own keys are ordinary `BINDINGS` of the pane or of a widget in it, except `z`, `x`, `?` and `/`, which the
frame has. To act on other panes it posts a message: `Pane.Choose(number)`, `Mark(number)`, `Open(name)`,
`Fill(text)`. The app calls `show` only while the pane is visible.
"""
