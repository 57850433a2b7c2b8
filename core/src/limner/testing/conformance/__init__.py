"""Every check of the conformance kit.

A plugin's test file imports them all::

    import pytest
    from limner.testing import Conformance
    from limner.testing.conformance import *

    @pytest.fixture(scope="module")
    def conformance():
        return Conformance(model=MyModel())

They stand in the order in which a newcomer meets them: names and signatures first, then behaviour.
"""

from limner.testing.conformance import (
    answers,
    changes,
    encoding,
    ends_of_limits,
    failures,
    hostile,
    interface,
    jobs,
    masks,
    meaning,
    offline,
    offline_settings,
    painting,
    recorded,
    refusals,
    said,
    secrets,
    seeds,
    sending,
    settings,
    side_effects,
)

_GROUPS = (
    interface,
    side_effects,
    encoding,
    ends_of_limits,
    changes,
    meaning,
    refusals,
    seeds,
    masks,
    answers,
    hostile,
    recorded,
    said,
    sending,
    failures,
    jobs,
    settings,
    secrets,
    offline,
    offline_settings,
    painting,
)

_CHECKS = {name: check for group in _GROUPS for name, check in vars(group).items() if name.startswith("test_")}

globals().update(_CHECKS)
__all__ = list(_CHECKS)
