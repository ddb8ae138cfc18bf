"""Which model is asked where none is named, and base URLs as people have them."""
# ruff: noqa: E501  names and bodies as servers have them

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from fakes.chat_server import ChatRequest, ChatServer, Reply, answer, failing
from fakes.served_model import KEY, Point, ServedModel
from tunesmith.agent.models import LanguageModel, open_model
from tunesmith.agent.models.addresses import address_of
from tunesmith.agent.models.choosing import listed_models
from tunesmith.budget import ModelCaps
from tunesmith.errors import ModelUnavailable
from tunesmith.settings import ModelSettings

Open = Callable[..., ServedModel]
GOOD = {"lr": 0.01, "layers": 2}
ASKED = [{"role": "user", "content": "Suggest one."}]
OTHERS = (
    "text-embedding-3-small", "nomic-embed-text:latest", "bge-m3", "all-minilm:l6", "mxbai-embed-large", "gte-large",
    "intfloat/e5-mistral-7b-instruct", "whisper-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-transcribe", "dall-e-3",
    "gpt-image-1", "gpt-4o-audio-preview", "gpt-4o-realtime-preview", "omni-moderation-latest", "llama-guard3:8b",
    "meta-llama/Llama-Guard-4-12B", "bge-reranker-v2-m3", "jina-embeddings-v3", "cohere/rerank-v3.5", "flux-1-schnell",
    "black-forest-labs/FLUX.1-dev", "stable-diffusion-xl", "sora-2", "veo-3.0", "imagen-4.0", "babbage-002",
    "davinci-002", "mistral-ocr-latest", "codestral-embed", "gpt-3.5-turbo-instruct", "playai-tts", "shieldgemma:2b",
)  # fmt: skip
CHATS = (
    "gpt-5-mini", "gpt-4o", "o4-mini", "qwen2.5:1.5b", "Qwen/Qwen3-8B", "llama-3.3-70b-versatile", "gemma3:4b",
    "mistral-small-latest", "deepseek-r1:7b", "claude-sonnet-4", "models/gemini-2.5-flash", "phi-4", "tiny-1b",
    "SmolLM2-135M-Instruct", "openai/gpt-oss-20b", "granite3.3:8b", "command-r", "codestral-latest", "gpt-4-vision",
)  # fmt: skip


def open_at(url: str, model: str | None = None) -> LanguageModel:
    settings = ModelSettings(base_url=url, model=model, api_key=SecretStr(KEY))
    return open_model(settings, ModelCaps(), lambda e: e, mode="live")


def layers(model: LanguageModel) -> int:
    try:
        return model.complete(ASKED, Point, purpose="test").value.layers
    finally:
        model.close()


def test_models_for_something_else_are_passed_over() -> None:
    listed = listed_models(json.dumps([*OTHERS, *CHATS]))
    assert (listed.chat, listed.other) == (CHATS, OTHERS)


def test_lists_are_read_in_every_shape() -> None:
    shapes: list[Any] = [
        {"object": "list", "data": [{"id": "bge-m3"}, {"id": "chat"}]},
        [{"id": "chat"}],
        ["bge-m3", "chat"],
        {"data": ["chat"]},
        {"models": ["chat"]},
        {"models": [{"name": "chat"}]},
        {"models": [{"model": "chat"}]},
        {"models": {"chat": {"size": 1}}},
        {"data": {"models": [{"id": "chat"}]}},
        {"result": [{"name": "chat"}]},
        [{"id": "x", "type": "embedding"}, {"id": "y", "type": "embeddings"}, {"id": "chat", "type": "llm"}],
        [{"id": "x", "capabilities": {"completion_chat": False}}, {"id": "chat"}],
        [{"id": "x", "capabilities": ["embedding"]}, {"id": "chat", "capabilities": ["completion", "tools"]}],
        [{"id": "x", "active": False}, {"id": "chat", "active": True}],
        [{"id": "x", "architecture": {"output_modalities": ["image"]}}, {"id": "chat"}],
        [{"id": "later", "state": "not-loaded"}, {"id": "chat", "state": "loaded"}],
        {"models": [{"name": "x", "supportedGenerationMethods": ["embedContent"]},
                    {"name": "chat", "supportedGenerationMethods": ["generateContent"]}]},
        [None, 3, {"id": 7}, {}, "chat"],
    ]  # fmt: skip
    for shape in shapes:
        assert listed_models(json.dumps(shape)).chat[:1] == ("chat",), shape
    for nothing in ("", "<html>", "{}", "null", "[" * 99_999, '{"data": []}', '{"error": "x"}'):
        assert not any(listed_models(nothing)), nothing[:20]


def test_only_models_for_something_else_are_named_in_one_line(serve: Open) -> None:
    served = serve([answer(GOOD)], model=None, server={"models": ("bge-m3", "whisper-1")})
    with pytest.raises(
        ModelUnavailable, match=r"other purposes than chats \(bge-m3, whisper-1\). Set TUNESMITH_MODEL"
    ):
        served.ask()
    assert served.server.chats == []


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, {"error": {"message": "This is not a chat model and thus not supported in the v1/chat/completions endpoint.", "param": "model"}}),
        (400, {"error": {"message": '"odd" does not support chat', "type": "api_error"}}),
        (400, {"error": {"message": "The model `odd` does not support chat completions"}}),
        (400, {"message": "The model does not support Chat Completions API", "code": 400}),
        (400, {"error": {"code": "OperationNotSupported", "message": "The chatCompletion operation does not work with the specified model, odd."}}),
        (400, {"error": "odd is an embedding model and cannot be used with the chat/completions endpoint."}),
        (200, {"error": "Model is not llm. Please use an LLM"}),
        (404, {"error": {"message": "The model `odd` does not exist or you do not have access to it.", "code": "model_not_found"}}),
    ],
)  # fmt: skip
def test_a_model_that_does_not_chat_is_followed_by_the_next(serve: Open, status: int, says: Any) -> None:
    def script(request: ChatRequest) -> Reply | dict[str, Any]:
        odd = request.body["model"] in ("odd", "odder")
        return Reply(status=status, raw=json.dumps(says).encode()) if odd else GOOD

    served = serve(script, model=None, server={"models": ("odd", "odder", "chat")})
    assert served.ask().value.layers == 2 and served.ask().value.layers == 2
    assert [chat.body["model"] for chat in served.server.chats] == ["odd", "odder", "chat", "chat"]
    assert served.model.model == "chat"
    assert [d.continuation for d in served.degraded] == [
        "odder is asked instead from here on", "chat is asked instead from here on",
    ]  # fmt: skip
    named = serve(script, model="odd", exchanges=None, mode="live")
    with pytest.raises(ModelUnavailable, match="TUNESMITH_MODEL"):
        named.ask()
    assert len(named.server.chats) == 1, "a model that a person named is not replaced"


def test_the_next_session_of_a_run_asks_the_model_that_chats(tmp_path: Any) -> None:
    def script(request: ChatRequest) -> Reply | dict[str, Any]:
        return failing(404, "This is not a chat model") if request.body["model"] == "odd" else GOOD

    with ChatServer(script, models=("odd", "chat")) as server:
        settings = ModelSettings(base_url=server.url, model=None, api_key=SecretStr(KEY))
        for _ in range(2):
            calls = tmp_path / "calls.jsonl"
            assert layers(open_model(settings, ModelCaps(), lambda e: e, mode="live", calls=calls)) == 2
        assert [chat.body["model"] for chat in server.chats] == ["odd", "chat", "chat"]


def test_the_change_of_model_replays(serve: Open, tmp_path: Any) -> None:
    def script(request: ChatRequest) -> Reply | dict[str, Any]:
        return failing(404, "This is not a chat model") if request.body["model"] == "odd" else GOOD

    served = serve(script, model=None, server={"models": ("odd", "chat")})
    served.ask()
    replay = open_model(None, ModelCaps(), lambda e: e, exchanges=tmp_path / "exchanges.jsonl", mode="replay")
    assert replay.complete(ASKED, Point, purpose="test").value.layers == 2
    assert (replay.model, replay.usage.calls) == ("chat", 2)


def test_base_urls_as_people_have_them_work() -> None:
    lost: list[Reply | None] = [
        None,
        Reply(raw=b'{"error": "Unexpected endpoint or method. (POST /chat/completions)"}'),
        Reply(raw=b"<html>Ollama is running</html>", headers={"Content-Type": "text/html"}),
        Reply(status=405, raw=b'{"detail": "Method Not Allowed"}'),
    ]
    for gone in lost:
        with ChatServer([answer(GOOD)], lost=gone, models=("chat",)) as server:
            base = server.url.removesuffix("/v1")
            for url in (
                base,
                f"{base}/",
                f"{base}/v1/",
                f"{base}/v1/chat/completions",
                f" '{base}//v1' ",
                f"{base}/api",
            ):
                for model in ("named", None):
                    assert layers(open_at(url, model)) == 2, (url, gone)
            assert {chat.path for chat in server.chats} == {"/v1/chat/completions"}
    for root in ("", "/openai/v1", "/engines/llama.cpp/v1"):
        with ChatServer([answer(GOOD)], root=root) as server:
            assert layers(open_at(server.url, "m")) == 2, "routes without /v1 stay as they are"


def test_a_server_without_a_list_is_found_at_v1_by_the_first_question() -> None:
    def script(request: ChatRequest) -> dict[str, Any]:
        return GOOD

    with ChatServer(script, listing={"error": "no list"}) as server:
        assert layers(open_at(server.url.removesuffix("/v1"), "m")) == 2


def test_a_query_goes_with_every_request_and_azure_gets_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer([answer(GOOD)], root="/openai/deployments/gpt-5-mini") as server:
        url = f"{server.url}/chat/completions?api-version=2024-10-21"
        monkeypatch.setattr("tunesmith.agent.models.addresses._AZURE", ("127.0.0.1",))
        model = open_at(url)
        assert model.model == "gpt-5-mini", "a deployment is a model"
        assert layers(model) == 2
        (chat,) = server.chats
        assert chat.path == "/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21"
        assert chat.headers["api-key"] == KEY
    with ChatServer([answer(GOOD)], root="/elsewhere") as server:
        bare = open_at(server.url.replace("elsewhere", "openai/deployments/d"))
        with pytest.raises(
            ModelUnavailable, match=r"\(404\).*Azure wants the base URL to end with \?api-version="
        ):
            layers(bare)


def test_a_missing_route_is_explained_in_one_line() -> None:
    with ChatServer([answer(GOOD)], root="/elsewhere") as server:
        url = server.url.replace("elsewhere", "v1")
        with pytest.raises(
            ModelUnavailable, match=r"404.*Requests go to .*/v1/chat/completions; base URLs mostly end in /v1"
        ):
            layers(open_at(url, "m"))
        assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("written", "url", "others"),
    [
        ("https://api.openai.com/v1/", "https://api.openai.com/v1", ()),
        ("https://API.Groq.com", "https://api.groq.com", ("https://api.groq.com/openai/v1",)),
        ("https://openrouter.ai/api", "https://openrouter.ai/api", ("https://openrouter.ai/api/v1",)),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "https://generativelanguage.googleapis.com/v1beta/openai", ()),
        ("https://x.openai.azure.com", "https://x.openai.azure.com", ("https://x.openai.azure.com/openai/v1",)),
        ("http://[::1]:8080", "http://[::1]:8080", ("http://[::1]:8080/v1",)),
        ("http://localhost:1234/v1/models#x", "http://localhost:1234/v1", ()),
        ("https://gateway/llm/proxy", "https://gateway/llm/proxy", ("https://gateway/llm/proxy/v1",)),
    ],
)  # fmt: skip
def test_an_address_is_read(written: str, url: str, others: tuple[str, ...]) -> None:
    address = address_of(written)
    assert (address.url, address.others) == (url, others)


def test_a_key_in_the_query_is_a_secret(tmp_path: Any) -> None:
    address = address_of("https://host/v1?key=AIza-canary-123456&api-version=1")
    assert address.secrets == ("AIza-canary-123456",) and address.url == "https://host/v1"
    for wrong in ("localhost:8000/v1", "ftp://x", "http://", "http://host:port/v1", ""):
        with pytest.raises(ModelUnavailable, match="is no base URL"):
            address_of(wrong)
