"""Prompts, for those who ask for them; never a picture."""

from __future__ import annotations

import json
import os

from limner import Task, WeightedText

CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CAPTURING = {"span_only", "span_and_event", "true"}
"""Its values that put content into spans; ``true`` is what older instrumentations know."""


def captures_prompts() -> bool:
    """Tell whether prompts and messages of errors may be recorded; not unless the environment says so."""
    return os.environ.get(CAPTURE_VARIABLE, "").strip().lower() in CAPTURING


def input_messages(task: Task) -> str:
    """Write a task's prompt as the conventions' input messages, in JSON; empty where it has none."""
    prompt = getattr(task, "prompt", None)
    if prompt is None:
        return ""
    pieces = (prompt,) if isinstance(prompt, str) else prompt
    texts = [piece.text if isinstance(piece, WeightedText) else piece for piece in pieces]
    parts = [{"type": "text", "content": text} for text in texts]
    return json.dumps([{"role": "user", "parts": parts}], ensure_ascii=False)
