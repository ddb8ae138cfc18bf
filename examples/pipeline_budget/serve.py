"""The example's models behind an OpenAI-compatible endpoint, for programs such as program.py.

`python serve.py --port 8000`. The last message holds what a stage of stages.py is given, as JSON; the answer
is one sample of that stage.
"""

from __future__ import annotations

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock
from typing import Any

import stages

SEEDS = count()
ONE_AT_A_TIME = Lock()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """A chat completion of one of the models; KeyError for a model that is none of them."""
    model, temperature = request["model"], request.get("temperature")
    given = json.loads(request["messages"][-1]["content"])
    with ONE_AT_A_TIME:  # every call draws anew, whoever asks
        seed = [next(SEEDS)]
        if model in stages.SLOTS:
            drawn: Any = stages.link([given], model, seed, temperature)[0]
        else:
            stages.UNITS[model]
            drawn = stages.add([given], model, seed, temperature)[0]
    text = json.dumps(drawn)
    message = {"role": "assistant", "content": text}
    asked, said = len(request["messages"][-1]["content"].split()), len(text.split())
    return {
        "id": f"chatcmpl-{seed[0]}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self._send(200, answer(json.loads(body)))
        except KeyError as error:
            self._send(404, {"error": {"message": f"there is no model {error}", "type": "not_found"}})

    def _send(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Requests are not printed."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    stages.links(), stages.adders()  # trained now, not at the first request
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()
