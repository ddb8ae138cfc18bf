"""Running pipelines of model calls: stages, items, sample banks, programs behind a proxy."""
