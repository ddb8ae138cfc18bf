"""What the proxy adds to a call over loopback: the same requests to a server directly and through the proxy.

    python -P benchmarks/proxy_overhead.py

Prints medians and 95th percentiles in milliseconds, and the difference of the medians. The server answers at
once, so what is measured is the way alone. Calls come one after another on one kept connection, as those of a
program do, and then from eight threads that never pause: those wait for each other in the proxy. Client and
server are processes of their own, so that what is measured is the proxy's time and not theirs.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.queues import Queue
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tunesmith.tools.pipelines.proxy.answering import Answering, Plan
from tunesmith.tools.pipelines.proxy.calls import Calls
from tunesmith.tools.pipelines.proxy.prices import Prices
from tunesmith.tools.pipelines.proxy.rewriting import Route
from tunesmith.tools.pipelines.proxy.server import Proxy
from tunesmith.tools.pipelines.proxy.upstream import Pool, Provider

CALLS, THREADS = 400, 8
_MESSAGE = {"role": "assistant", "content": "word " * 200}
ANSWER = json.dumps(
    {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 700},
    }
).encode()


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def seconds(url: str, first: int, calls: int) -> list[float]:
    """How long each of some different calls takes, on one connection."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.netloc)
    taken = []
    for k in range(first, first + calls):
        messages = [
            {"role": "system", "content": "You solve. " * 50},
            {"role": "user", "content": f"{k} " * 300},
        ]
        body = json.dumps({"model": "asked", "messages": messages, "max_tokens": 500})
        started = time.perf_counter()
        line.request("POST", f"{parts.path}/chat/completions", body)
        line.getresponse().read()
        taken.append(time.perf_counter() - started)
    return taken


def in_threads(url: str, first: int) -> list[float]:
    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda k=k: found.append(seconds(url, first + 1000 * k, CALLS // THREADS)))  # type: ignore[misc]
        for k in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [value for values in found for value in values]


def show(name: str, direct: list[float], through: list[float]) -> None:
    for label, values in (("direct", direct), ("proxy", through)):
        middle, high = 1e3 * np.percentile(values, [50, 95])
        print(f"{name:34} {label:7} median {middle:6.2f} ms   p95 {high:6.2f} ms")
    print(f"{name:34} adds    median {1e3 * (np.median(through) - np.median(direct)):6.2f} ms")


def serve(told: Queue[int]) -> None:
    """The provider, in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    told.put(server.server_address[1])
    server.serve_forever()


def main() -> None:
    context = multiprocessing.get_context("spawn")
    told: Queue[int] = context.Queue()
    process = context.Process(target=serve, args=(told,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{told.get()}/v1"
    prices = Prices({"big": {"prompt": 1.0, "completion": 3.0}})
    plan = Plan(
        {"solve": {"system": "You solve"}}, {"solve": Route(model="big")}, prices, lambda _: Provider(url)
    )
    for limit in (None, 1000.0):
        with tempfile.TemporaryDirectory() as folder, context.Pool(1) as client:
            proxy = Proxy(Answering(plan, Calls(Path(folder) / "calls.sqlite", limit), Pool()))
            name = "no money limit" if limit is None else "under a money limit"
            with proxy.item(0, "item") as (through, _):
                client.apply(seconds, (through, -50, 50))
                begun = time.process_time()
                alone = client.apply(seconds, (through, 0, CALLS))
                print(
                    f"{name:34} takes   {1e3 * (time.process_time() - begun) / CALLS:6.2f} ms of CPU a call"
                )
                show(name, client.apply(seconds, (url, 0, CALLS)), alone)
                both = [client.apply(in_threads, (where, 100_000)) for where in (url, through)]
                show(f"{name}, {THREADS} threads", *both)
            proxy.close()
    process.terminate()


if __name__ == "__main__":
    main()
