"""The task: what to tune, read from a file or built in Python."""

from tunesmith.task.certify import Certify
from tunesmith.task.reading import load_task
from tunesmith.task.specs import Confirm, ObjectiveSpec, PrunerSpec
from tunesmith.task.starter import starter_task
from tunesmith.task.task import Task

__all__ = ["Certify", "Confirm", "ObjectiveSpec", "PrunerSpec", "Task", "load_task", "starter_task"]
