"""Settings: how to connect to a provider and how to handle its responses."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, Self

import attrs

from limner.errors import Problem, TaskRefused, did_you_mean
from limner.fitting import MODES, Mode


def _one_of(*values: str) -> Any:
    return attrs.validators.in_(values)


def _real(value: float | str) -> float:  # attrs reads the signature of a converter, which takes long for float itself
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError("must be a number") from None


def _whole(value: int | str) -> int:
    try:
        return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        raise ValueError("must be a whole number") from None


@attrs.frozen(kw_only=True)
class Settings:
    """How to connect to a provider and how to handle its responses.

    Plugins add their own settings in subclasses. Strings, such as those from the command line, are converted.

    Args:
        fit: ``strict`` refuses unsupported values, ``nearest`` replaces them with the nearest supported value.
        on_filtered: if the provider's filter held a picture back, ``raise`` ContentFiltered or ``return`` the result.
        timeout: deadline in seconds for one whole response, from connecting to the last byte.
        max_in_flight: maximum number of concurrent requests.
        max_n: maximum number of pictures in one task.
        strip_metadata: remove EXIF (including GPS), XMP, IPTC, text metadata and anything after the end of the file
            (such as a motion photo's video) from pictures before they are sent.
    """

    fit: Mode = attrs.field(default="strict", validator=_one_of(*MODES))
    on_filtered: str = attrs.field(default="raise", validator=_one_of("raise", "return"))
    timeout: float = attrs.field(
        default=300.0, converter=_real, validator=[attrs.validators.gt(0), attrs.validators.lt(math.inf)]
    )
    max_in_flight: int = attrs.field(default=8, converter=_whole, validator=attrs.validators.ge(1))
    max_n: int = attrs.field(default=20, converter=_whole, validator=attrs.validators.ge(1))
    strip_metadata: bool = attrs.field(default=False, converter=attrs.converters.to_bool)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from names and values.

        Raises:
            TaskRefused: a name is unknown, or a value is invalid.
        """
        shown = {field.name: field.repr for field in attrs.fields(cls)}
        for name in values:
            if name not in shown:
                meant = did_you_mean(name, shown) or f"there are {', '.join(shown)}"
                raise TaskRefused([Problem(f"setting {name}", "", f"is not a setting; {meant}")])
        for name, value in values.items():
            try:
                cls(**{name: value})
            except (TypeError, ValueError) as error:
                if not shown[name]:  # maybe a secret, which the validator's own words may quote
                    words = str(error.args[0])
                    safe = "is not as it must be (not shown)" if str(value) in words else words
                    raise TaskRefused([Problem(f"setting {name}", "", safe)]) from None
                show = shown[name]
                problem = Problem.of(f"setting {name}", value, str(error.args[0]))
                raise TaskRefused([attrs.evolve(problem, value=show(value)) if callable(show) else problem]) from error
        return cls(**values)
