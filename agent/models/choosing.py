"""The models that a server lists, those that answer chats first: by their entries, else by their names."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from tunesmith.text.cleaning import clean

MOST_MODELS = 2000
_NAME_KEYS = ("id", "name", "model", "model_name", "model_id", "key")
_LIST_KEYS = ("data", "models", "result", "results", "items")
_OTHER_KINDS = frozenset(
    [
        "embedding",
        "embeddings",
        "image",
        "images",
        "audio",
        "speech",
        "tts",
        "stt",
        "asr",
        "rerank",
        "reranker",
        "reranking",
        "moderation",
        "moderations",
        "transcription",
        "transcribe",
        "video",
        "ocr",
        "vision-embedding",
        "text-to-speech",
        "speech-to-text",
        "text-to-image",
        "feature-extraction",
        "sentence-similarity",
        "text-classification",
        "automatic-speech-recognition",
        "image_generation",
        "audio_transcription",
        "audio_speech",
    ]
)
"""What entries call a model that answers no chats."""
_CHATS = frozenset(
    {"chat", "completion", "completions", "text-generation", "completion_chat", "generatecontent"}
)
_KIND_KEYS = ("type", "kind", "task", "mode", "pipeline_tag", "model_type", "category")
_OTHER_NAMES = re.compile(
    r"(?<![a-z])(?:embed(?:ding|dings|der)?|bge|gte|e5|minilm|mpnet|mxbai|colbert|sentence-t5|siglip|clip"
    r"|whisper|tts|stt|asr|speech|audio|transcribe|transcription|wav2vec\d?|kokoro|parakeet|bark|xtts|orpheus"
    r"|playai|dall-?e|image|images|imagen|flux|sdxl|stable-?diffusion|diffusion|sora|veo|video|ocr|musicgen"
    r"|rerank(?:er|ing)?|ranker|moderation|guard|shieldgemma|safeguard|realtime|aqa|reward|upscaler?"
    r"|babbage|davinci|ada|curie|deep-research)(?![a-z])"
    r"|embed-|-embed|llama-?guard|gpt-3\.5-turbo-instruct|similarity-search",
    re.IGNORECASE,
)


class Listed(NamedTuple):
    """What a server lists: names, in the order in which they are to be tried."""

    chat: tuple[str, ...]
    other: tuple[str, ...]
    """Models for something else: embeddings, speech, images, ranking."""


def listed_models(text: str) -> Listed:
    """The models in the body of a list, in whatever shape: OpenAI's, Ollama's, or a bare list.

    Models that are loaded come first, since another one would have to be loaded for the first question.
    """
    try:
        entries = _entries(json.loads(text))
    except (ValueError, RecursionError):
        entries = []
    chat: dict[str, bool] = {}
    other: dict[str, None] = {}
    for entry in entries[:MOST_MODELS]:
        name = _name(entry)
        if not name:
            continue
        if _chats(entry, name):
            chat.setdefault(name, _is_loaded(entry))
        else:
            other.setdefault(name)
    return Listed(tuple(sorted(chat, key=lambda name: not chat[name])), tuple(other))


def _entries(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    if not isinstance(data, dict):
        return []
    for key in _LIST_KEYS:
        if isinstance(data.get(key), dict):
            inner = data[key]
            return _entries(inner) or [
                {"id": name, **facts} if isinstance(facts, dict) else name for name, facts in inner.items()
            ]
        if isinstance(data.get(key), list) and data[key]:
            return list(data[key])
    return []


def _name(entry: Any) -> str:
    if isinstance(entry, str):
        return clean(entry, 200)
    if not isinstance(entry, dict):
        return ""
    found = (entry[key] for key in _NAME_KEYS if isinstance(entry.get(key), str) and entry[key])
    return clean(next(found, ""), 200)


def _chats(entry: Any, name: str) -> bool:
    facts: dict[str, Any] = entry if isinstance(entry, dict) else {}
    kinds = {str(facts[key]).casefold() for key in _KIND_KEYS if isinstance(facts.get(key), str)}
    if kinds & _OTHER_KINDS or facts.get("active") is False or facts.get("chatCapable") is False:
        return False
    if kinds & {"chat", "llm", "vlm"}:
        return True
    abilities = facts.get("capabilities")
    if isinstance(abilities, dict) and isinstance(abilities.get("completion_chat"), bool):
        return bool(abilities["completion_chat"])
    methods = facts.get("supportedGenerationMethods", facts.get("supported_generation_methods"))
    for listed in (abilities, methods):
        if isinstance(listed, list) and listed:
            return bool({str(each).casefold() for each in listed} & _CHATS)
    architecture = facts.get("architecture")
    outputs = architecture.get("output_modalities") if isinstance(architecture, dict) else None
    if isinstance(outputs, list) and outputs and "text" not in outputs:
        return False
    return not _OTHER_NAMES.search(name)


def _is_loaded(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    state = entry.get("state", entry.get("status"))
    value = state.get("value") if isinstance(state, dict) else state
    return value in ("loaded", "running", "ready")
