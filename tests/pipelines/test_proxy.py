"""The proxy between an unchanged program and its provider, over real HTTP on both sides."""

from __future__ import annotations

import ast
import gzip
import http.client
import json
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fakes.chat_server import ChatRequest, ChatServer, Reply, disconnecting, free_port, rate_limited, text
from tunesmith.text import own_server
from tunesmith.tools.pipelines import program
from tunesmith.tools.pipelines.proxy.answering import Answering, ItemRun, Plan
from tunesmith.tools.pipelines.proxy.calls import Calls
from tunesmith.tools.pipelines.proxy.matching import system_digest
from tunesmith.tools.pipelines.proxy.prices import Prices
from tunesmith.tools.pipelines.proxy.rewriting import Route
from tunesmith.tools.pipelines.proxy.server import Proxy
from tunesmith.tools.pipelines.proxy.upstream import Pool, Provider

KEY = "sk-real-0123456789abcdef"
PLAN = [{"role": "system", "content": "You plan."}, {"role": "user", "content": "2+2?"}]
CHAT = {"model": "asked", "messages": PLAN}
PRICES = Prices({"big": {"prompt": 10.0, "completion": 30.0}, "asked": {"prompt": 1.0, "completion": 1.0}})


def plan(url: str, **more: Any) -> Plan:
    routes = {"plan": Route(model="big", name="large", temperature=0.2)}
    matches = {"plan": {"system": "You plan"}, "solve": {"header": "solve"}}
    return replace(Plan(matches, routes, PRICES, lambda route: Provider(url, KEY)), **more)


@contextmanager
def proxied(plan: Plan, path: Path, limit: float | None = None) -> Iterator[tuple[str, ItemRun, Calls]]:
    calls, pool = Calls(path / "samples.sqlite", limit), Pool()
    proxy = Proxy(Answering(plan, calls, pool))
    try:
        with proxy.item(0, "item-1") as (url, run):
            yield url, run, calls
    finally:
        proxy.close()
        pool.close()
        calls.close()


def ask(
    url: str, body: Any, path: str = "/chat/completions", **headers: str
) -> tuple[int, Any, dict[str, str]]:
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.netloc, timeout=30)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    line.request("POST", parts.path + path, data, {"Authorization": "Bearer sk-own", **headers})
    got = line.getresponse()
    whole = got.read()
    line.close()
    shown = {name.lower(): value for name, value in got.getheaders()}
    return got.status, json.loads(whole) if whole[:1] == b"{" else whole, shown


def test_a_call_goes_to_its_stages_model_is_recorded_and_then_answered_from_the_bank(tmp_path: Path):
    with ChatServer(
        lambda request: text(f"{request.body['model']} {request.number}", usage=(100, 10))
    ) as server:
        with proxied(plan(server.url), tmp_path) as (url, run, _):
            first = ask(url, CHAT)[1]["choices"][0]["message"]["content"]
            again = ask(url, {**CHAT, "user": "someone"})[1]["choices"][0]["message"]["content"]
            other = ask(url, {**CHAT, "messages": PLAN[1:]}, **{"X-Tunesmith-Stage": "solve"})[0]
            assert ask(url, {"model": "asked", "input": "x"}, "/embeddings")[0] == 404  # this server has none
        assert (first, again, other) == ("big 0", "big 1", 200)  # the second draw is a new one
        got = server.chats[0]
        assert got.headers["authorization"] == f"Bearer {KEY}" and got.body["temperature"] == 0.2
        assert not [name for name in server.chats[2].headers if name.startswith("x-tunesmith")]
        assert [(c.stage, c.requested, c.model, c.sample, c.status) for c in run.calls] == [
            ("plan", "asked", "big", 0, 200),
            ("plan", "asked", "big", 1, 200),
            ("solve", "asked", "asked", 0, 200),
            ("other", "asked", "asked", 0, 404),
        ]
        assert run.calls[0].dollars == pytest.approx((100 * 10 + 10 * 30) / 1e6)
        with proxied(plan(server.url), tmp_path) as (url, run, _):
            assert ask(url, CHAT)[1]["choices"][0]["message"]["content"] == "big 0"
        assert len(server.chats) == 4 and run.calls[0].source == "bank"
    with proxied(plan(server.url, bank="replay"), tmp_path) as (url, run, calls):
        assert ask(url, CHAT)[1]["choices"][0]["message"]["content"] == "big 0"
        status, missing, _ = ask(url, {**CHAT, "max_tokens": 7})
        assert status == 404 and missing["error"]["code"] == "tunesmith_replay_miss"
        assert "item-1, stage plan, model big" in missing["error"]["message"] and len(run.faults) == 1
        assert run.calls[0].seconds > 0 and calls.spent() == pytest.approx(2 * 0.0013 + 0.00011)
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes() and b"sk-own" not in file.read_bytes()


def test_a_stream_passes_as_it_arrives_and_its_usage_is_read_and_hidden(tmp_path: Path):
    released = threading.Event()

    def script(request: ChatRequest) -> Reply:
        def wait(chunk: int) -> None:
            if chunk == 2:
                assert released.wait(20)

        return text("one two three", before=wait, usage=(50, 3))

    streamed = {**CHAT, "stream": True}
    with ChatServer(script) as server:
        with proxied(plan(server.url), tmp_path) as (url, run, _):
            parts = urlsplit(url)
            line = http.client.HTTPConnection(parts.netloc, timeout=30)
            line.request("POST", parts.path + "/chat/completions", json.dumps(streamed))
            got = line.getresponse()
            begun = b""
            while b"one" not in begun:
                begun += got.read1(1000)
            assert not released.is_set()  # words are here while the provider still waits
            released.set()
            whole = begun + got.read()
            line.close()
            assert b'"usage"' not in whole and whole.rstrip().endswith(b"[DONE]")
            asked = ask(url, {**streamed, "stream_options": {"include_usage": True}})[1]
            assert b'"usage"' in asked
        assert server.chats[0].body["stream_options"] == {"include_usage": True}
        assert [(c.prompt, c.completion, c.estimated) for c in run.calls] == [(50, 3, False)] * 2
    with proxied(plan(server.url, bank="replay"), tmp_path) as (url, _, _):
        assert ask(url, streamed)[1] == whole  # byte by byte
    with ChatServer(["words", "words"], rejects=["stream_options"]) as server:
        (tmp_path / "old").mkdir()
        with proxied(plan(server.url), tmp_path / "old") as (url, run, _):
            assert b"words" in ask(url, streamed)[1] and run.calls[0].estimated


def test_faults_of_the_provider_pass_and_are_no_samples(tmp_path: Path):
    script = [rate_limited(7), "good", disconnecting("a b c d e f", 3)]
    script.append(text(f"your key is {KEY}"))
    with ChatServer(script) as server:
        with proxied(plan(server.url), tmp_path) as (url, run, _):
            status, body, headers = ask(url, CHAT)
            assert (
                status == 429 and headers["retry-after"] == "7" and "Rate limit" in body["error"]["message"]
            )
            assert ask(url, CHAT)[0] == 200
            with pytest.raises(http.client.IncompleteRead):
                ask(url, {**CHAT, "stream": True})
            told = ask(url, {**CHAT, "seed": 5})[1]["choices"][0]["message"]["content"]
            assert told == "your key is [key]"
        assert [c.sample for c in run.calls] == [0, 0, 0, 0] and "broke off" in run.calls[2].error
    with proxied(plan(f"http://127.0.0.1:{free_port()}/v1"), tmp_path) as (url, _, _):
        assert ask(url, CHAT)[1]["choices"]  # recorded
        status, body, _ = ask(url, CHAT)
        assert status == 502 and body["error"]["code"] == "upstream_unreachable"


def test_the_money_limit_is_kept_by_parallel_calls_and_restarts(tmp_path: Path):
    body = {**CHAT, "max_tokens": 100}  # 100 * 30 + some 1,200 * 10, of a million: about a cent and a half
    with ChatServer(lambda request: text("x", usage=(100, 100))) as server:
        with proxied(plan(server.url), tmp_path, limit=0.1) as (url, run, calls):

            def one(k: int) -> int:
                return ask(url, {**body, "seed": k})[0]

            with ThreadPoolExecutor(8) as pool:
                statuses = list(pool.map(one, range(40)))
            assert set(statuses) == {200, 402} and calls.spent() <= 0.1
            assert statuses.count(200) == len(server.chats) and calls.spent() == pytest.approx(
                0.004 * len(server.chats)
            )
            unlimited = ask(url, CHAT)[1]["error"]
            assert unlimited["code"] == "tunesmith_unbounded" and "answer_limit" in unlimited["message"]
        before = len(server.chats)
        # A process that is killed while a call is under way leaves its worst case behind.
        with sqlite3.connect(tmp_path / "samples.sqlite") as file:
            file.execute("UPDATE money SET dollars = 0.095")
        with proxied(plan(server.url), tmp_path, limit=0.1) as (url, run, _):
            status, refused, _ = ask(url, {**body, "seed": 99})
            assert status == 402 and "$0.0950 is spent or reserved" in refused["error"]["message"]
            assert ask(url, {**body, "seed": statuses.index(200)})[0] == 200  # recorded ones are free
        assert len(server.chats) == before
    paid = plan("https://api.example.com/v1", routes={})
    with proxied(replace(paid, prices=Prices({})), tmp_path, limit=5) as (url, run, _):
        status, refused, _ = ask(url, {**body, "model": "new"})
        assert (
            status == 403 and "prices: {new: {prompt: 0.3, completion: 1.2}}" in refused["error"]["message"]
        )
    with proxied(plan(f"http://127.0.0.1:{free_port()}/v1"), tmp_path / "", limit=5) as (url, _, calls):
        spent = calls.spent()
        assert ask(url, {**body, "seed": 1000})[0] == 502 and calls.spent() == pytest.approx(spent)


def raw(url: str, head: str, body: bytes = b"") -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 20) as line:
        line.sendall(head.replace("BASE", parts.path).replace("\n", "\r\n").encode() + body)
        answer = b""
        while data := line.recv(1 << 16):
            answer += data
            if b'"error"' in answer or b"chatcmpl" in answer:
                break
        return answer


ODD = {
    "both lengths": "POST BASE/chat/completions HTTP/1.1\nContent-Length: 2\nTransfer-Encoding: chunked\n\n",
    "two lengths": "POST BASE/chat/completions HTTP/1.1\nContent-Length: 2\nContent-Length: 3\n\n",
    "signed length": "POST BASE/chat/completions HTTP/1.1\nContent-Length: +2\n\n",
    "other coding": "POST BASE/chat/completions HTTP/1.1\nTransfer-Encoding: gzip, chunked\n\n",
    "blank in a name": "POST BASE/chat/completions HTTP/1.1\nContent-Length : 2\n\n",
    "no chunk": "POST BASE/chat/completions HTTP/1.1\nTransfer-Encoding: chunked\n\nxyz\n",
    "huge chunk": "POST BASE/chat/completions HTTP/1.1\nTransfer-Encoding: chunked\n\nFFFFFFFF\n",
    "too long": "POST BASE/chat/completions HTTP/1.1\nContent-Length: 99999999999\n\n",
    "dots": "POST BASE/../v1/chat/completions HTTP/1.1\nContent-Length: 2\n\n",
    "escaped dots": "POST BASE/%2e%2e/files HTTP/1.1\nContent-Length: 2\n\n",
    "absolute": "POST http://example.com/v1/chat/completions HTTP/1.1\nContent-Length: 2\n\n",
    "connect": "CONNECT example.com:443 HTTP/1.1\n\n",
    "no token": "POST /v1/chat/completions HTTP/1.1\nContent-Length: 2\n\n",
    "other token": f"POST /{'A' * 43}/v1/chat/completions HTTP/1.1\nContent-Length: 2\n\n",
    "files": "POST BASE/files HTTP/1.1\nContent-Length: 2\n\n",
    "wrong verb": "DELETE BASE/models/x HTTP/1.1\n\n",
    "unknown verb": "BREW BASE/models HTTP/1.1\n\n",
    "no JSON": "POST BASE/chat/completions HTTP/1.1\nContent-Length: 2\nConnection: close\n\nab",
    "no object": "POST BASE/chat/completions HTTP/1.1\nContent-Length: 2\nConnection: close\n\n[]",
}


def test_what_could_be_read_in_two_ways_or_leads_elsewhere_is_refused(tmp_path: Path):
    with ChatServer(["never"]) as server:
        with proxied(plan(server.url), tmp_path) as (url, run, _):
            for name, head in ODD.items():
                answer = raw(url, head)
                assert answer.startswith(b"HTTP/1.1 4") or answer.startswith(b"HTTP/1.1 501"), (name, answer)
                assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["message"], name
            parts = urlsplit(url)
            assert run.calls == []
        assert server.requests == []
        assert ask_after_the_end(url) == 0
        assert parts.hostname == "127.0.0.1"


def ask_after_the_end(url: str) -> int:
    try:
        return ask(url, CHAT)[0]
    except OSError:
        return 0  # nobody listens any more


def test_bodies_in_chunks_compressed_and_large(tmp_path: Path):
    large = {**CHAT, "messages": [*PLAN, {"role": "user", "content": "x" * (10 << 20)}]}
    packed = gzip.compress(b'{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}')
    script = ["a", "b", "c", Reply(raw=packed, headers={"Content-Encoding": "gzip"})]
    with ChatServer(script) as server:
        with proxied(plan(server.url), tmp_path) as (url, run, _):
            data = json.dumps(CHAT).encode()
            chunks = (
                b"".join(b"%x;ext=1\r\n%b\r\n" % (len(p), p) for p in (data[:9], data[9:]))
                + b"0\r\nTrail: 1\r\n\r\n"
            )
            head = "POST BASE/chat/completions HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n"
            assert raw(url, head, chunks).startswith(b"HTTP/1.1 200")
            assert ask(url, gzip.compress(data), **{"Content-Encoding": "gzip"})[0] == 200
            assert ask(url, gzip.compress(bytes(70 << 20)), **{"Content-Encoding": "gzip"})[0] == 413
            assert ask(url, large)[0] == 200 and len(str(server.chats[2].body)) > 10 << 20
            status, body, headers = ask(url, CHAT)
            assert status == 200 and body["usage"]["prompt_tokens"] == 3 and "content-encoding" not in headers
        assert (run.calls[-1].prompt, run.calls[-1].completion) == (3, 4)


def test_a_program_that_goes_away_in_the_middle_of_a_stream_ends_the_call(tmp_path: Path):
    gone = threading.Event()
    script = [text("w " * 4000, before=lambda chunk: chunk < 5 or gone.wait(20))]
    with ChatServer(script) as server:
        with proxied(plan(server.url), tmp_path, limit=5) as (url, run, calls):
            parts = urlsplit(url)
            line = socket.create_connection((parts.hostname or "", parts.port or 0), 20)
            body = json.dumps({**CHAT, "stream": True, "max_tokens": 9000})
            head = f"POST {parts.path}/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            line.sendall(f"{head}{body}".encode())
            assert line.recv(100)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            line.close()
            gone.set()
        assert "the program broke off" in run.calls[0].error
        with sqlite3.connect(tmp_path / "samples.sqlite") as file:
            assert file.execute("SELECT count(*) FROM answers").fetchone() == (0,)
            (spent,) = file.execute("SELECT dollars FROM money").fetchone()
        assert spent == pytest.approx(file_reserved(tmp_path))  # what it was billed is not known


def file_reserved(path: Path) -> float:
    with sqlite3.connect(path / "samples.sqlite") as file:
        return float(file.execute("SELECT sum(reserved) FROM calls").fetchone()[0])


def test_the_proxies_of_the_environment_lead_to_the_provider_but_not_to_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A server that is asked for `http://elsewhere.example/...` is what a proxy sees.
    with ChatServer(["x"], root="http://elsewhere.example/v1") as proxy, ChatServer(["local"]) as local:
        monkeypatch.setenv("http_proxy", f"http://me:pw@127.0.0.1:{proxy.port}")
        with proxied(plan("http://elsewhere.example/v1"), tmp_path) as (url, _, _):
            assert ask(url, CHAT)[0] == 200
        assert proxy.chats[0].headers["host"] == "elsewhere.example"
        assert proxy.chats[0].headers["proxy-authorization"].startswith("Basic ")
        with proxied(plan(local.url), tmp_path) as (url, _, _):
            assert ask(url, {**CHAT, "seed": 1})[0] == 200
        assert len(local.chats) == 1 and len(proxy.chats) == 1
        monkeypatch.setenv("no_proxy", "elsewhere.example")
        with proxied(plan("http://elsewhere.example:9/v1"), tmp_path) as (url, _, _):
            assert ask(url, {**CHAT, "seed": 2})[0] == 502 and len(proxy.chats) == 1


def test_the_digest_of_a_system_prompt_is_that_of_all_of_it():
    chat = {"messages": [{"role": "system", "content": [{"type": "text", "text": "You plan."}]}]}
    assert system_digest(chat) == system_digest({"instructions": "You plan."}) == system_digest(CHAT)
    assert system_digest({"messages": [{"role": "user", "content": "You plan."}]}) == ""


RESERVES = """
import sys
from dataclasses import replace
from pathlib import Path
from tunesmith.tools.pipelines.proxy.calls import CallRecord, Calls, LimitReached
calls, done = Calls(Path(sys.argv[1]), 1.0), 0
call = CallRecord(0, "i", "s", "/chat/completions", "m", "m", None, "d", 0, "provider")
for _ in range(40):
    try:
        number = calls.reserve(call, 1 / 128)
    except LimitReached:
        break
    done += 1
    if done % 2:  # the others are under way when the process ends
        calls.settle(number, replace(call, dollars=1 / 128), 1 / 128, 1 / 128)
print(done)
"""


def test_four_processes_that_make_one_file_keep_one_limit(tmp_path: Path):
    words = [sys.executable, "-P", "-c", RESERVES, str(tmp_path / "c.sqlite")]
    workers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(worker.communicate()[0]) for worker in workers) == 128
    assert Calls(tmp_path / "c.sqlite").spent() == pytest.approx(1.0)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run(
        ["openssl", *made.split(), "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with ChatServer(["x"]) as server:
        server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
        url = f"https://localhost:{server.port}/v1"
        with proxied(plan(url), tmp_path) as (base, _, _):
            status, refused, _ = ask(base, CHAT)
            assert status == 502 and "CERTIFICATE_VERIFY_FAILED" in refused["error"]["message"]
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        with proxied(plan(url), tmp_path) as (base, _, _):
            assert ask(base, CHAT)[0] == 200


def test_what_workers_import_is_python_3_9_and_the_standard_library():
    folder = Path(program.__file__).parent
    files = [*folder.glob("p*.py"), *(folder / "proxy").glob("*.py"), Path(own_server.__file__)]
    assert len(files) > 12
    for file in files:
        tree = ast.parse(file.read_text(), feature_version=(3, 9))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {name.split(".")[0] for name in names}
            assert roots <= sys.stdlib_module_names | {"tunesmith"}, (file, roots)
    found = [sys.executable, "-P", "-X", "importtime", "-c", "import tunesmith.tools.pipelines.program"]
    loaded = subprocess.run(found, capture_output=True, text=True, check=True).stderr
    assert not [name for name in ("numpy", "pydantic", "httpx", "openai") if f" {name}\n" in loaded]
