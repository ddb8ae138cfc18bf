"""Pipelines of model calls as tasks: stages, allocations, their costs, and the kind of problem `pipeline`."""
