"""A fake of Black Forest Labs' API that refuses unknown fields and unsupported sizes.

An inverted mask or a misplaced picture gives a wrong result.
"""

from limner_fakes.bfl.contract import SCHEMAS, problems
from limner_fakes.bfl.service import BflService, paint, ready, refusal

__all__ = ["SCHEMAS", "BflService", "paint", "problems", "ready", "refusal"]
