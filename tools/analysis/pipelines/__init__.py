"""What the trials of a pipeline say: allocations, scaling by stage and model, cost against quality."""
