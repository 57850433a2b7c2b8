"""The hook that registers the models."""

from __future__ import annotations

from collections.abc import Sequence

from limner import Model, hookimpl

from limner_bedrock_stability.models import MODELS
from limner_bedrock_stability.routing import Stability


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Register the router and a model for each id."""
    return [Stability, *MODELS]
