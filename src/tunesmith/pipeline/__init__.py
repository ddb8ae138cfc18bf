"""Pipelines of model calls as tasks: stages, allocations, their costs, and the kind of problem `pipeline`.

A stage's callable may return a `Sample`, which says more than the output alone:

    from tunesmith.pipeline import Sample
"""

from tunesmith.pipeline.sample import Sample as Sample
