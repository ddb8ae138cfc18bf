"""The benchmark: contenders on suites of tasks, over seeds, resumable. `tunesmith bench` is its command.

    suites/ (tasks) x contenders/ (optimisers) x seeds
        -> plan.py (which runs are missing) -> pool.py (worker.py processes)
        -> store.py (one JSON line a run) -> metrics.py, summary.py -> show.py (table), pages.py (HTML, SVG)

To add a suite: a file in `suites/` that ends in `SUITE = Suite(...)`, and its line in `suites/__init__.py`.
"""
