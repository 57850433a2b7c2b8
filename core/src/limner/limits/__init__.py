"""Constraints: what a model accepts for one parameter, as data with the documented source.

Validation, fitting, ``limner show``, the tables in the documentation and the strategies of ``limner.testing``
use these objects. Each constraint

* validates a value: :meth:`~Constraint.wrong` returns what is wrong, or ``None``;
* finds the nearest allowed value: :meth:`~Constraint.nearest`, or ``None`` if there is none;
* converts a value to the form that the model expects without changing its meaning: :meth:`~Constraint.adapted`;
* describes itself as text, and as a fragment of JSON Schema.
"""

from limner.limits.base import Constraint
from limner.limits.choices import Choice, Flag, Items, JsonObject
from limner.limits.numbers import Count, Integer, Real, Seed
from limner.limits.pictures import Expand, MaskPicture, Picture, Pictures
from limner.limits.sizes import Aspects, SizeRule, Sizes, in_words
from limner.limits.tables import Limits, TaskLimits
from limner.limits.texts import NegativeText, PromptText, Text, Words

__all__ = [
    "Aspects",
    "Choice",
    "Constraint",
    "Count",
    "Expand",
    "Flag",
    "Integer",
    "Items",
    "JsonObject",
    "Limits",
    "MaskPicture",
    "NegativeText",
    "Picture",
    "Pictures",
    "PromptText",
    "Real",
    "Seed",
    "SizeRule",
    "Sizes",
    "TaskLimits",
    "Text",
    "Words",
    "in_words",
]
