"""Black Forest Labs' API: unknown fields and wrong sizes are refused.

A mask of the wrong polarity, or a picture in the wrong place, shows as a wrong picture.
"""

from limner_fakes.bfl.contract import SCHEMAS, problems
from limner_fakes.bfl.service import BflService, paint, ready, refusal

__all__ = ["SCHEMAS", "BflService", "paint", "problems", "ready", "refusal"]
