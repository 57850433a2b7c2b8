"""A procedural painter for limner: offline pictures for demos and tests, no AI model."""

from limner_sketch.plugin import Sketch

__all__ = ["Sketch"]
