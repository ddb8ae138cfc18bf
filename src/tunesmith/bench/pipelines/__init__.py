"""Benchmarks on pipelines of model calls."""
