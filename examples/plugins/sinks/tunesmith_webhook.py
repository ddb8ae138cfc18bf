"""A sink in a package of its own: posts every event of a run as JSON to a URL.

    sinks: [{name: webhook, url: "http://localhost:8000/events"}]

A network may be slow, so it declares that it blocks, and gets a process of its own.
"""

from __future__ import annotations

from pathlib import Path
from urllib.request import Request, urlopen

from tunesmith.events import Event
from tunesmith.task import Task
from tunesmith.tools.sinks.base import Sink
from tunesmith.trial import Frozen


class WebhookSettings(Frozen):
    url: str
    timeout_s: float = 60.0


class Webhook(Sink):
    settings = WebhookSettings
    blocks = True

    def open(self, folder: Path, task: Task) -> int:
        self._handled = folder / "sinks" / "webhook.seq"
        return int(self._handled.read_text()) if self._handled.exists() else 0

    def handle(self, event: Event) -> None:
        body = event.model_dump_json().encode()
        request = Request(self.options.url, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=self.options.timeout_s):
            self._handled.write_text(str(event.seq))
