"""A fake of Google's ``generateContent`` for image models that refuses unknown fields and wrong values.

It paints a picture with the requested aspect ratio and size class, or varies the last reference picture.
"""

from limner_fakes.gemini.contract import MODELS, problems, schema
from limner_fakes.gemini.service import GeminiService, answer, error, good

__all__ = ["MODELS", "GeminiService", "answer", "error", "good", "problems", "schema"]
