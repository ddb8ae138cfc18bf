"""One request of a program: its stage, its rewriting, its answer from the recorded ones or the provider."""

from __future__ import annotations

import http.client
import json
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional, Protocol

from tunesmith.errors import BankMiss, PipelineError
from tunesmith.text.cleaning import log_line
from tunesmith.tools.pipelines.proxy.asking import (
    Asked,
    Refused,
    answered_with,
    inflated,
)
from tunesmith.tools.pipelines.proxy.calls import (
    Answer,
    Bank,
    CallRecord,
    Calls,
    LimitReached,
    MoneyLimitReached,
)
from tunesmith.tools.pipelines.proxy.events import Events
from tunesmith.tools.pipelines.proxy.matching import OTHER, stage_of, system_digest, system_prompt
from tunesmith.tools.pipelines.proxy.prices import Prices
from tunesmith.tools.pipelines.proxy.rewriting import Route, digest_of, rewritten, wants_usage, worst_tokens
from tunesmith.tools.pipelines.proxy.upstream import Call, Pool, Provider, Unreachable
from tunesmith.tools.pipelines.proxy.usage import Usage, estimated, usage_of

LARGEST_ANSWER = 256 << 20
"""Bytes, decompressed."""
_REPEATABLE = (400, 413, 422)
"""Statuses of faults that the same request has again: they are recorded as answers are."""
_PIECE = 1 << 16
_SHOWN = 400
"""Characters of a system prompt that are kept for a person."""


class Out(Protocol):
    """Where an answer goes. Its methods raise OSError where the program is gone."""

    def whole(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...

    def begin(self, status: int, headers: list[tuple[str, str]]) -> None: ...

    def piece(self, data: bytes) -> None: ...

    def done(self) -> None: ...

    def broken(self) -> None:
        """End an answer that was begun and cannot be finished, so that the program sees that."""
        ...


@dataclass(frozen=True)
class Plan:
    """What the proxy does with the calls of a program."""

    matches: Mapping[str, Mapping[str, Any]]
    """For each stage in order, what its calls have (`matching.py`)."""
    routes: Mapping[str, Route]
    """By stage, what the allocation says."""
    prices: Prices
    provider: Callable[[Route], Provider]
    """Where the calls of a route go; raises Refused where that is not known."""
    bank: str = "use"
    """`use`: recorded answers are given again. `replay`: nothing is sent. `record`: all are drawn anew."""
    unmatched: str = "pass"
    """What becomes of calls of no stage: `pass` or `refuse`."""
    answer_limit: Optional[int] = None  # noqa: UP045 - dataclass fields are read by Python 3.9


@dataclass
class ItemRun:
    """The calls of one run of one item; used by the threads of its connections."""

    trial: int
    item: str
    calls: list[CallRecord] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)
    """How the system prompts begin, by digest."""
    faults: list[PipelineError] = field(default_factory=list)
    """Why the run cannot count: a sample that the bank lacks, a limit, a price that is not known."""

    def __post_init__(self) -> None:
        self._used: dict[str, set[int]] = {}
        self._under_way: set[Call] = set()
        self._open = 0
        self._changed = threading.Condition()

    def take(self, digest: str) -> int:
        """The number of a request among the identical ones, from 0."""
        with self._changed:
            used = self._used.setdefault(digest, set())
            sample = next(k for k in range(len(used) + 1) if k not in used)
            used.add(sample)
            return sample

    def give_back(self, digest: str, sample: int) -> None:
        """The request got no answer: the next identical one is in its place."""
        with self._changed:
            self._used[digest].discard(sample)

    def started(self) -> None:
        with self._changed:
            self._open += 1

    def ended(self) -> None:
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def under_way(self, call: Call, *, now: bool) -> None:
        with self._changed:
            (self._under_way.add if now else self._under_way.discard)(call)

    def close(self, wait_s: float) -> None:
        """Wait until all calls are written down; what is left then is broken off."""
        with self._changed:
            if self._changed.wait_for(lambda: self._open == 0, wait_s):
                return
            left = list(self._under_way)
        for call in left:
            call.abort()
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, wait_s)

    def add(self, record: CallRecord, asked: Asked) -> None:
        text = system_prompt(asked.document)[:_SHOWN]
        with self._changed:
            self.calls.append(record)
            if record.system:
                self.prompts.setdefault(record.system, text)

    def fault(self, error: PipelineError) -> None:
        with self._changed:
            self.faults.append(error)


class Answering:
    """Answers requests by a plan; safe to use from several threads.

    Args:
        calls: Where calls and their answers are recorded.
        banks: Further recorded answers, which are looked up after those in `calls`.
    """

    def __init__(self, plan: Plan, calls: Calls, pool: Pool, banks: Sequence[Bank] = ()) -> None:
        self.plan, self.calls, self.pool, self.banks = plan, calls, pool, tuple(banks)
        self._without_options: set[str] = set()
        """Base URLs whose server does not know `stream_options`."""

    def answer(self, run: ItemRun, asked: Asked, out: Out) -> None:
        """Answer one request.

        Raises:
            Refused: It is answered by an error of ours.
            OSError: The program is gone.
        """
        plan = self.plan
        stage = stage_of(asked, plan.matches) if asked.method == "POST" else OTHER
        if stage == OTHER and asked.method == "POST" and plan.unmatched == "refuse":
            model, digest = asked.document.get("model"), system_digest(asked.document)
            text = (
                f"a call of item {run.item} belongs to no stage (model {str(model)[:80]!r}, system prompt "
                f"{digest or 'none'}). State a `match` for it, or `unmatched: pass`."
            )
            run.fault(PipelineError(text))
            raise Refused(403, "tunesmith_no_stage", text)
        route = plan.routes.get(stage, Route())
        call = _Prepared(self, run, asked, stage, route)
        recorded = None
        if plan.bank != "record":
            banks: tuple[Calls | Bank, ...] = (self.calls, *self.banks)
            found = (bank.recorded(run.item, call.digest, call.record.sample) for bank in banks)
            recorded = next((one for one in found if one is not None), None)
        if recorded is not None:
            self._from_bank(call, recorded, out)
            return
        if plan.bank == "replay":
            run.give_back(call.digest, call.record.sample)
            text = (
                f"the bank lacks request {call.record.sample + 1} of its kind: item {run.item}, "
                f"stage {stage}, model {call.record.model}, digest {call.digest}. "
                "Nothing was sent: `replay` is on."
            )
            run.fault(BankMiss(text))
            raise Refused(404, "tunesmith_replay_miss", text)
        try:
            self._from_provider(call, out)
        except _Unanswered as error:
            raise error.refusal from None

    def _from_bank(self, call: _Prepared, recorded: Answer, out: Out) -> None:
        record = call.finished(recorded, source="bank")
        call.run.add(record, call.asked)
        self.calls.note(record)
        if call.streamed and dict(recorded.headers).get("content-type", "").startswith("text/event-stream"):
            events = Events(hide_usage=call.hides_usage)
            out.begin(recorded.status, list(recorded.headers))
            out.piece(events.feed(recorded.body) + events.end())
            out.done()
            return
        out.whole(recorded.status, list(recorded.headers), recorded.body)

    def _from_provider(self, call: _Prepared, out: Out) -> None:
        provider = self.plan.provider(call.route)
        worst = self._worst(call, provider)
        try:
            number = self.calls.reserve(call.record, worst)
        except LimitReached as error:
            call.run.give_back(call.digest, call.record.sample)
            call.run.fault(MoneyLimitReached(f"item {call.run.item}: {error}"))
            raise Refused(402, "tunesmith_money_limit", f"Not sent: {error}.") from None
        started = time.monotonic()
        sent: Call | None = None
        try:
            sent = self._send(call, provider)
            call.run.under_way(sent, now=True)
            first = time.monotonic() - started
            headers = {name.lower(): value for name, value in sent.response.getheaders()}
            if headers.get("content-type", "").startswith("text/event-stream") and sent.response.status < 300:
                self._stream(call, sent, headers, number, worst, started, first, out, provider)
            else:
                self._whole(call, sent, headers, number, worst, started, first, out, provider)
        except Unreachable as error:
            # A provider that gave no answer may have begun one all the same: what was reserved stays.
            kept = None if error.sent else 0.0
            self._unanswered(call, number, worst, kept, started, 502, str(error))
            raise _Unanswered(Refused(502, "upstream_unreachable", f"{error}.")) from None
        finally:
            if sent is not None:
                call.run.under_way(sent, now=False)

    def _send(self, call: _Prepared, provider: Provider) -> Call:
        query = f"?{call.asked.query}" if call.asked.query else ""
        path, plain = call.asked.endpoint + query, call.without_options
        body = plain if provider.base_url in self._without_options else call.body
        sent = self.pool.send(provider, call.asked.method, path, call.asked.headers, body)
        if sent.response.status != 400 or not call.hides_usage or body is plain:
            return sent
        # Perhaps a server that does not know `stream_options`: a fault costs nothing, so it is asked again.
        sent.close(reusable=_read(sent, 1 << 20) is not None)
        again = self.pool.send(provider, call.asked.method, path, call.asked.headers, plain)
        if again.response.status < 300:
            self._without_options.add(provider.base_url)
        return again

    def _whole(
        self,
        call: _Prepared,
        sent: Call,
        headers: Mapping[str, str],
        number: int | None,
        worst: float | None,
        started: float,
        first: float,
        out: Out,
        provider: Provider,
    ) -> None:
        status = sent.response.status
        body = _read(sent, LARGEST_ANSWER)
        sent.close(reusable=body is not None)
        if body is None or 300 <= status < 400:
            what = (
                "broke off"
                if body is None
                else f"answered {status}, which leads elsewhere: state that base URL"
            )
            raise Unreachable(f"{provider.base_url} {what}")
        if headers.get("content-encoding", "identity").lower() in ("gzip", "deflate"):
            body = inflated(body, LARGEST_ANSWER)
        body = _without(body, provider)
        seconds = time.monotonic() - started
        usage = Usage()
        if status < 300 and call.asked.method == "POST":
            usage = usage_of(body, streamed=False) or estimated(call.body, body, streamed=False)
        shown = answered_with(sent.response.getheaders())
        answer = Answer(status, _kept(shown), body, usage, seconds)
        paid = call.dollars(usage, provider) if status < 300 else 0.0

        def finished(counts: Answer) -> CallRecord:
            record = replace(call.finished(counts, source="provider"), first_byte=first)
            return replace(record, error=f"{status}: {_said(counts.body)}") if status >= 300 else record

        if status < 300 or status in _REPEATABLE:
            answer, record = self.calls.keep(
                number, call.record, answer, finished, worst, paid, shared=self.plan.bank == "use"
            )
        else:
            call.run.give_back(call.digest, call.record.sample)
            record = finished(answer)
            self.calls.settle(number, record, worst, paid)
        call.run.add(record, call.asked)
        out.whole(answer.status, shown, answer.body)

    def _stream(
        self,
        call: _Prepared,
        sent: Call,
        headers: Mapping[str, str],
        number: int | None,
        worst: float | None,
        started: float,
        first: float,
        out: Out,
        provider: Provider,
    ) -> None:
        shown = answered_with(sent.response.getheaders())
        packed = headers.get("content-encoding", "identity").lower() in ("gzip", "deflate")
        unpack = zlib.decompressobj(47) if packed else None
        events, parts, complete = Events(hide_usage=call.hides_usage), [], False
        gone: OSError | None = None
        try:
            out.begin(sent.response.status, shown)
            while True:
                try:
                    raw = sent.response.read1(_PIECE)
                    data = raw if unpack is None else unpack.decompress(raw)
                except (OSError, http.client.HTTPException, ValueError, zlib.error):
                    break
                if not raw:
                    complete = not sent.response.length
                    break
                parts.append(data)
                passed = events.feed(data)
                if passed:
                    out.piece(passed)
            rest = events.end()
            if complete and rest:
                out.piece(rest)
        except OSError as error:
            gone = error
        sent.close(reusable=complete and gone is None)
        body, seconds = _without(b"".join(parts), provider), time.monotonic() - started
        counted = usage_of(body, streamed=True)
        usage = counted or estimated(call.body, body, streamed=True)
        answer = Answer(sent.response.status, _kept(shown), body, usage, seconds)
        record = replace(call.finished(answer, source="provider"), first_byte=first)
        if complete:
            self.calls.keep(number, call.record, answer, lambda _: record, worst, record.dollars)
        else:
            call.run.give_back(call.digest, call.record.sample)
            why = "the program broke off" if gone is not None else f"{provider.base_url} broke off"
            record = replace(record, error=why)
            # What a provider bills for an answer that was broken off is not known: the worst case stays.
            self.calls.settle(number, record, worst, record.dollars if worst is None else None)
        call.run.add(record, call.asked)
        if gone is not None:
            raise gone
        (out.done if complete else out.broken)()

    def _worst(self, call: _Prepared, provider: Provider) -> float | None:
        """Dollars that a call takes at most; None where its price is not known, or nothing limits it."""
        if self.calls.money_limit is None or call.asked.method == "GET":
            return 0.0 if call.asked.method == "GET" else None
        model = call.record.model
        try:
            if self.plan.prices.dollars(model, provider.base_url, Usage()) is None:
                raise Refused(
                    403,
                    "tunesmith_unknown_price",
                    f"`money_limit` cannot be kept: nobody here knows the price of {model[:80]!r} at "
                    f"{provider.host}. State it: `prices: {{{model[:80]}: {{prompt: 0.3, "
                    "completion: 1.2}}`, dollars per million tokens, beside `money_limit`.",
                )
            prompt, completion = worst_tokens(call.asked.endpoint, call.document, call.body)
        except Refused as refusal:
            call.run.give_back(call.digest, call.record.sample)
            call.run.fault(PipelineError(f"item {call.run.item}: {refusal.message}"))
            raise
        return self.plan.prices.dollars(model, provider.base_url, Usage(prompt, completion))

    def _unanswered(
        self,
        call: _Prepared,
        number: int | None,
        worst: float | None,
        kept: float | None,
        started: float,
        status: int,
        error: str,
    ) -> None:
        call.run.give_back(call.digest, call.record.sample)
        record = replace(call.record, status=status, seconds=time.monotonic() - started, error=error[:500])
        call.run.add(record, call.asked)
        self.calls.settle(number, record, worst, kept)


class _Unanswered(Exception):
    """A call that ended without an answer and is settled."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class _Prepared:
    """A request that has its stage, as it is sent."""

    def __init__(self, answering: Answering, run: ItemRun, asked: Asked, stage: str, route: Route) -> None:
        self.run, self.asked, self.route = run, asked, route
        self._prices = answering.plan.prices
        self._provider: Callable[[], Provider] = lambda: answering.plan.provider(route)
        self.streamed = asked.document.get("stream") is True
        self.document: dict[str, Any] = {}
        self.body = b""
        if asked.method == "POST":
            limit = answering.plan.answer_limit
            old = route.base_url is not None or limit is None or not _is_openai(self._provider)
            self.document = rewritten(asked, route, answer_limit=limit, old_limits=old)
            self.body = asked.body if self.document == asked.document else json.dumps(self.document).encode()
        self.hides_usage = (
            self.streamed and asked.endpoint == "/chat/completions" and not wants_usage(asked.document)
        )
        self.digest = digest_of(asked.endpoint, asked.query, self.document, route.base_url)
        temperature = self.document.get("temperature")
        self.record = CallRecord(
            trial=run.trial,
            item=run.item,
            stage=stage,
            endpoint=asked.endpoint,
            requested=str(asked.document.get("model") or "")[:200],
            model=str(self.document.get("model") or "")[:200],
            temperature=float(temperature) if isinstance(temperature, (int, float)) else None,
            digest=self.digest,
            system=system_digest(asked.document),
            header=asked.stage,
            sample=run.take(self.digest),
            source="provider",
        )

    @property
    def without_options(self) -> bytes:
        """The body as the program stated its `stream_options`."""
        document = {key: value for key, value in self.document.items() if key != "stream_options"}
        if "stream_options" in self.asked.document:
            document["stream_options"] = self.asked.document["stream_options"]
        return json.dumps(document).encode()

    def dollars(self, usage: Usage, provider: Provider | None = None) -> float | None:
        """Price of what the call took."""
        if self.asked.method == "GET":
            return 0.0
        try:
            place = (provider or self._provider()).base_url
        except Refused:
            place = ""  # a replay needs no provider
        return self._prices.dollars(self.record.model, place, usage)

    def finished(self, answer: Answer, *, source: str) -> CallRecord:
        usage = answer.usage
        return replace(
            self.record,
            source=source,
            status=answer.status,
            prompt=usage.prompt,
            completion=usage.completion,
            cached=usage.cached,
            thinking=usage.thinking,
            estimated=usage.estimated,
            seconds=answer.seconds,
            dollars=self.dollars(usage) if answer.status < 300 else 0.0,
        )


def _is_openai(provider: Callable[[], Provider]) -> bool:
    """Whether the limit of a chat's answer is called `max_completion_tokens`."""
    try:
        return provider().host.endswith(("api.openai.com", ".openai.azure.com"))
    except Refused:
        return True


def _kept(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of an answer that are recorded."""
    return [(name.lower(), value) for name, value in headers if name.lower() == "content-type"]


def _without(body: bytes, provider: Provider) -> bytes:
    """An answer without the key, which a server may have quoted: it is recorded."""
    return body.replace(provider.key.encode(), b"[key]") if provider.key else body


def _said(body: bytes) -> str:
    """What a provider says of a fault."""
    try:
        error = json.loads(body)["error"]
        text = error["message"] if isinstance(error, Mapping) else error
    except (ValueError, KeyError, TypeError, RecursionError):
        text = body[:300].decode(errors="replace")
    return log_line(str(text), 300)


def _read(sent: Call, most: int) -> bytes | None:
    """An answer's body to its end; None where it is cut off or too large."""
    parts: list[bytes] = []
    total = 0
    try:
        while data := sent.response.read(_PIECE):
            parts.append(data)
            total += len(data)
            if total > most:
                return None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return None if sent.response.length else b"".join(parts)
