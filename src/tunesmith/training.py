"""For training code: small helpers, and the exceptions that end a trial.

    from tunesmith.training import Pruned, best_device, load_checkpoint, save_checkpoint, seed_everything
    from tunesmith.training import count_parameters

Training code needs none of it: `def train(config, trial)` runs as it is. PyTorch is imported when a
helper that needs it is called.
"""

from tunesmith.tools.execution.handle import Diverged, Pruned, TrialHandle
from tunesmith.tools.training.checkpoints import load_checkpoint, save_checkpoint
from tunesmith.tools.training.device import best_device
from tunesmith.tools.training.seeding import seed_everything
from tunesmith.tools.training.size import count_parameters

__all__ = [
    "Diverged",
    "Pruned",
    "TrialHandle",
    "best_device",
    "count_parameters",
    "load_checkpoint",
    "save_checkpoint",
    "seed_everything",
]
