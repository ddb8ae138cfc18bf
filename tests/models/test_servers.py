"""Servers as they are: what each says of a request that it does not take, and how it is asked then."""

# ruff: noqa: E501  bodies as servers send them
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, Field

from fakes.chat_server import ChatRequest, Reply, answer, text
from fakes.served_model import Point, ServedModel
from tunesmith.agent.models.rejections import lower_limit
from tunesmith.agent.models.schemas import keywords, plain, without
from tunesmith.agent.models.server_words import heard, is_error

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Suggest one."}]
JINJA = "\n------------\nWhile executing CallExpression at line 19, column 27 in source:\n...\nError: Jinja Exception: "


@dataclass(frozen=True)
class Server:
    """One server: what it does not take, and what it says of it."""

    refuses: Callable[[ChatRequest], bool]
    says: Any
    status: int = 400

    def __call__(self, request: ChatRequest) -> Reply | dict[str, Any]:
        if self.refuses(request):
            raw = self.says if isinstance(self.says, str) else json.dumps(self.says)
            return Reply(status=self.status, raw=raw.encode())
        return text(json.dumps(GOOD)) if request.streamed else GOOD


def roles(request: ChatRequest) -> list[str]:
    return [message["role"] for message in request.messages]


def has_system(request: ChatRequest) -> bool:
    return "system" in roles(request)


def schema_has(*names: str) -> Callable[[ChatRequest], bool]:
    def sent(request: ChatRequest) -> bool:
        form = request.body.get("response_format") or {}
        return bool(keywords(form.get("json_schema", {}).get("schema", {})) & set(names))

    return sent


def sends(*names: str) -> Callable[[ChatRequest], bool]:
    return lambda request: any(request.body.get(name) is not None for name in names)


def over(limit: int) -> Callable[[ChatRequest], bool]:
    return lambda r: max(r.body.get("max_tokens") or 0, r.body.get("max_completion_tokens") or 0) > limit


def plain_only(request: ChatRequest) -> bool:
    return has_system(request) or bool(request.tools) or "response_format" in request.body


ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/..."
SERVERS = {
    "llama.cpp, a template without a system role": Server(
        has_system, {"error": {"code": 500, "message": JINJA + "System role not supported", "type": "server_error"}}, 500
    ),
    "llama.cpp, roles that must alternate": Server(
        has_system, {"error": {"code": 500, "message": JINJA + ALTERNATE, "type": "server_error"}}, 500
    ),
    "LM Studio, a template": Server(
        has_system, {"error": "Error rendering prompt with jinja template: Only user and assistant roles are supported!"}
    ),
    "llama-cpp-python": Server(
        has_system, {"error": {"message": ALTERNATE, "type": "internal_server_error", "param": None, "code": None}}, 500
    ),
    "TGI": Server(has_system, {"error": "Template error: template not found", "error_type": "template_error"}, 422),
    "text-generation-webui, an exception": Server(has_system, "Internal Server Error", 500),
    "vLLM, an older one": Server(
        has_system, {"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400}
    ),
    "200 with an error": Server(has_system, {"error": "System role not supported"}, 200),
    "200 with a code": Server(
        has_system, {"error": {"message": "Provider returned error", "code": 400,
        "metadata": {"raw": json.dumps({"error": {"message": "System role not supported"}})}}}, 200
    ),
    "nothing but a status": Server(has_system, "", 400),
    "HTML": Server(has_system, "<html><head><title>400 Bad Request</title></head><body>nginx</body></html>"),
    "a server that takes nothing but plain questions, and does not say why": Server(plain_only, {"detail": "Bad Request"}),
    "the same with 422": Server(plain_only, {"detail": [{"loc": ["body"], "msg": "Invalid request", "type": "value_error"}]}, 422),
    "the same with 500": Server(plain_only, {"error": "Internal Server Error"}, 500),
    "FastAPI, extra fields": Server(
        sends("response_format"),
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "response_format"], "msg": "Extra inputs are not permitted",
        "input": {"temperature": 1}}]}, 422
    ),
    "Ollama, no tools and no schema": Server(
        sends("response_format", "tools"), {"error": {"message": "registry/x does not support tools", "type": "api_error"}}
    ),
    "OpenRouter, no endpoint": Server(
        sends("tools", "response_format"),
        {"error": {"message": "No endpoints found that support tool use.", "code": 404}}, 404
    ),
    "llama.cpp without --jinja": Server(
        sends("tools", "response_format"), {"error": {"code": 500, "message": "tools param requires --jinja flag"}}, 500
    ),
    "another level of schema": Server(
        lambda r: (r.body.get("response_format") or {}).get("type") == "json_schema" or bool(r.tools),
        {"error": {"code": "InvalidParameter", "message": "response_format.type: invalid value: `json_schema`, supported values "
        "are: `json_object` and `text`", "param": "response_format.type"}}
    ),
    "OpenAI, a reasoning model": Server(
        sends("max_tokens"),
        {"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
        "'max_completion_tokens' instead.", "type": "invalid_request_error", "param": "max_tokens",
        "code": "unsupported_parameter"}}
    ),
    "OpenAI, a fixed temperature": Server(
        sends("temperature"),
        {"error": {"message": "Unsupported value: 'temperature' does not support 0.7 with this model. Only the "
        "default (1) value is supported.", "type": "invalid_request_error", "param": "temperature"}}
    ),
    "Mistral": Server(
        sends("temperature"),
        {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "temperature"],
        "msg": "Extra inputs are not permitted"}]}, "type": "invalid_request_error"}, 422
    ),
    "no limit at all": Server(
        sends("max_tokens", "max_completion_tokens"), {"errors": ["max_tokens, max_completion_tokens: unknown field"]}
    ),
    "OpenAI, a small limit": Server(
        over(2048),
        {"error": {"message": "max_tokens is too large: 4096. This model supports at most 2048 completion tokens, "
        "whereas you provided 4096."}}
    ),
    "vLLM, a small context": Server(
        over(1748),
        {"message": "'max_tokens' is too large: 4096. This model's maximum context length is 2048 tokens and your "
        "request has 300 input tokens (4096 > 2048 - 300)."}
    ),
    "a limit without a number": Server(over(1100), {"error": "max_tokens exceeds what this model allows"}),
    "Gemini": Server(
        schema_has("additionalProperties"),
        [{"error": {"code": 400, "message": "Invalid JSON payload received. Unknown name \"additionalProperties\" at "
        "'generation_config.response_schema': Cannot find field.", "status": "INVALID_ARGUMENT"}}]
    ),
    "Anthropic": Server(
        schema_has("minimum", "maximum"),
        {"type": "error", "error": {"type": "invalid_request_error", "message": "output_format.schema: For 'number' type, "
        "properties maximum, minimum are not supported"}}
    ),
    "Cerebras": Server(schema_has("$defs", "$ref"), {"message": "Unsupported JSON schema fields: {'$defs'}", "code": "wrong"}),
    "a grammar": Server(schema_has("anyOf"), {"error": "The provided schema has anyOf, which is not supported"}),
    "strict": Server(
        lambda r: "strict" in (r.body.get("response_format") or {}).get("json_schema", {}),
        {"error": {"message": "Unknown parameter: 'response_format.json_schema.strict'"}}
    ),
}  # fmt: skip


class Inner(BaseModel):
    """Refers to itself from a list: a schema with definitions."""

    lr: float = Field(ge=0, le=1)


class Nested(Point):
    """A shape whose schema has the keywords that servers refuse."""

    more: list[Inner] = []
    momentum: float | None = None


def ask(served: ServedModel, **more: Any) -> Nested:
    return served.model.complete(ASKED, Nested, purpose="test", temperature=0.7, **more).value


@pytest.mark.parametrize("part", range(3))
def test_every_server_is_asked_in_a_form_that_it_takes_and_never_again_in_another(
    serve: Open, part: int
) -> None:
    for name in list(SERVERS)[part::3]:
        served = serve(SERVERS[name], exchanges=None, mode="live")
        value = ask(served)
        assert (value.lr, value.layers) == (0.01, 2), name
        assert 2 <= len(served.server.chats) <= 6, name
        renamed = "limit" in served.model._learned.refused
        assert served.degraded or renamed, f"{name}: what was changed is told"
        before = len(served.server.chats)
        assert ask(served, on_item=lambda list_name, element: None).layers == 2, name
        words = served.model.sample(ASKED, purpose="test", n=1).texts
        assert words and json.loads(words[0]) == GOOD, name
        unsure = "Internal Server Error" in str(SERVERS[name].says)  # once, it may have been a passing fault
        assert len(served.server.chats) == before + 2 + unsure, f"{name}: what was learned holds"
        spent = [(call.prompt_tokens, call.completion_tokens) for call in served.calls if not call.ok]
        assert set(spent) <= {(0, 0)}, f"{name}: a refusal costs nothing"
        assert served.model.usage.calls == len(served.server.chats), name


def test_what_was_said_is_heard_in_every_shape() -> None:
    shapes: list[Any] = [
        {"error": {"message": "the words"}},
        {"error": "the words"},
        {"error": ["the words"]},
        [{"error": {"message": "the words"}}],
        {"detail": "the words"},
        {"detail": [{"loc": ["body", "x"], "msg": "the words"}]},
        {"message": {"detail": [{"loc": ["body"], "msg": "the words"}]}},
        {"errors": [{"code": 7003, "message": "the words"}], "success": False},
        {"error": {"metadata": {"raw": '{"error": {"message": "the words"}}'}, "message": "Provider returned error"}},
        {"Message": "the words"},
        {"error": True, "message": "the words"},
        {"error": {"innererror": {"message": "the words"}}},
        {"title": "Bad Request", "detail": "the words", "status": 400},
        {"unheard_of": {"shape": "the words"}},
        "the words",
        '"{\\"error\\": \\"the words\\"}"',
        "<!DOCTYPE html><html><style>p {color: red}</style><body><h1>the words</h1></body></html>",
        {"choices": [{"error": {"message": "the words", "code": 502}, "finish_reason": "error"}]},
    ]  # fmt: skip
    for shape in shapes:
        body = shape if isinstance(shape, str) else json.dumps(shape)
        said = heard(body).words
        assert "the words" in said and "color" not in said and "{" not in said[:1] or "unheard_of" in said, (
            shape
        )
    assert heard({"error": {"code": 502, "type": "Overloaded"}}).status == 502
    assert len(heard({"error": "x" * 10**6}).words) <= 4000
    deep: Any = "the words"
    for _ in range(200):
        deep = {"error": [deep]}
    heard(json.dumps(deep))
    heard("[" * 100_000)


def test_an_error_is_told_from_an_answer() -> None:
    assert all(
        map(is_error, ({"error": "x"}, {"object": "error"}, {"detail": "x"}, [{"error": {"code": 1}}]))
    )
    said = {"choices": [{"message": {"content": "x"}}], "error": None, "message": "fine"}
    assert not any(map(is_error, (said, {}, None, [], "x", {"choices": []}, {"error": None})))


def test_numbers_of_limits_are_read() -> None:
    for words, expected in {
        "max_tokens is too large: 4096. This model supports at most 2048 completion tokens": 2048,
        "maximum context length is 4097 tokens, however you requested 5000 tokens (904 in your prompt; 4096 for the "
        "completion). Please reduce your prompt; or completion length.": 3177,
        "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1000 `inputs` tokens and 4096 `max_new_tokens`": 1032,
        "max_tokens: 9000 > 4,000, which is the maximum allowed number of output tokens": 4000,
        "Invalid max_tokens value, the valid range of max_tokens is [1, 2000]": 2000,
        "`max_tokens` must be less than or equal to `1024`": 1024,
        "max_tokens exceeds the limit": 2048,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please "
        "reduce the length of the messages.": None,
        "'max_tokens' is not supported": None,
        "the context is too long": None,
    }.items():  # fmt: skip
        assert lower_limit(words, 4096) == expected, words


def test_a_reduced_schema_describes_the_same_values() -> None:
    schema = Nested.model_json_schema()
    inlined = without(schema, {"$defs"})
    assert inlined["properties"]["more"]["items"]["properties"]["lr"]["type"] == "number"
    assert not keywords(inlined) & {"$defs", "$ref"}
    assert without(schema, {"anyOf"})["properties"]["momentum"]["nullable"] is True
    assert keywords(plain(schema)) <= {
        "type",
        "properties",
        "required",
        "items",
        "description",
        "enum",
        "nullable",
    }

    class Tree(BaseModel):
        children: list[Tree] = []

    without(Tree.model_json_schema(), {"$ref"})  # ends


def test_a_conversation_keeps_its_turns_when_roles_must_alternate(serve: Open) -> None:
    said = [
        *ASKED,
        {"role": "user", "content": "and"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "3 trials"},
    ]  # fmt: skip

    def strict(request: ChatRequest) -> Reply:
        if "tool" in roles(request) or has_system(request):
            return Reply(
                status=500, raw=b'{"error": {"message": "Only user and assistant roles are supported!"}}'
            )
        expected = ["user", "assistant"] * 4
        if roles(request) != expected[: len(request.messages)]:
            return Reply(status=400, raw=json.dumps({"detail": ALTERNATE}).encode())
        return text(" | ".join(str(m["content"]) for m in request.messages))

    served = serve(strict, exchanges=None, mode="live")
    (words,) = served.model.sample(said, purpose="test").texts
    told = "Be brief.\n\nSuggest one.\n\nand | Called look with {} | Result of look:\n3 trials"
    assert words == told
    assert len(served.server.chats) == 4 and served.model.sample(said, purpose="test").calls == 1


def test_an_error_inside_a_stream_costs_nothing_before_the_first_word(serve: Open) -> None:
    events = b'event: error\ndata: {"error": {"message": "System role not supported"}}\n\n'
    fine = b'data: {"choices": [{"delta": {"content": "fine"}}]}\n\ndata: [DONE]\n\n'

    def script(request: ChatRequest) -> Reply:
        return Reply(
            raw=events if has_system(request) else fine, headers={"Content-Type": "text/event-stream"}
        )

    served = serve(script)
    assert "".join(piece.text for piece in served.model.chat(ASKED, purpose="test")) == "fine"
    assert [(c.ok, c.prompt_tokens + c.completion_tokens > 0) for c in served.calls] == [
        (False, False),
        (True, True),
    ]


def test_a_question_that_itself_is_at_fault_changes_nothing(serve: Open) -> None:
    served = serve([Reply(status=400, raw=b'{"error": "the prompt is too long"}'), answer(GOOD)])
    assert ask(served).layers == 2
    assert served.model._learned.refused == set()


def test_two_passing_faults_cost_no_form(serve: Open) -> None:
    served = serve(lambda r: Reply(status=500, raw=b"Internal Server Error") if r.number < 2 else GOOD)
    for _ in range(2):
        assert ask(served).layers == 2
    assert len(served.server.chats) == 4
    last = served.server.chats[3]
    assert "response_format" in last.body and has_system(last) and served.model._learned.refused == set()
