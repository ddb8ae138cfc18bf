"""Reads `certify.json` of a run folder: what of the task's key `certify` was shown."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from tunesmith.task import Certify, Task
from tunesmith.tools.analysis.certificate import Certificate, Rule
from tunesmith.tools.records.plain_files import read_plain
from tunesmith.tools.records.trial_folder import LARGEST_RECORD

CERTIFICATE = "certify.json"


def rule_of(certify: Certify) -> Rule:
    """The task's key as the rule of the tests."""
    return Rule(certify.limit, certify.confidence, certify.scores, certify.most, certify.failures)


def read_certificate(run: Path) -> Certificate | None:
    """That of the run in folder `run`; None where there is none that can be read."""
    try:
        data = json.loads(read_plain(run / CERTIFICATE, LARGEST_RECORD))
        known = {name: data[name] for name in Certificate.model_fields if name in data}
        return Certificate.model_validate(known)
    except (OSError, ValueError, TypeError, RecursionError, ValidationError):
        return None


def certificate_now(run: Path, task: Task) -> Certificate | None:
    """The same as far as it is about what the task asks for now."""
    found = None if task.certify is None else read_certificate(run)
    if found is None or task.certify is None:
        return None
    rule = rule_of(task.certify)
    return found if (found.limit, found.level) == (rule.limit, rule.level) else None


def certificate_due(run: Path, task: Task) -> bool:
    """Whether a run that has ended lacks the certificate that its task asks for."""
    return task.certify is not None and certificate_now(run, task) is None
