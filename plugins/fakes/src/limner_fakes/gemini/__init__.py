"""Google's ``generateContent`` with image models: unknown fields and wrong values are refused.

It paints a picture of the ratio and class that were asked for, or varies the last reference picture.
"""

from limner_fakes.gemini.contract import MODELS, problems, schema
from limner_fakes.gemini.service import GeminiService, answer, error, good

__all__ = ["MODELS", "GeminiService", "answer", "error", "good", "problems", "schema"]
