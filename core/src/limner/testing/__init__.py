"""Tools to test plugins: the conformance kit, and Hypothesis strategies derived from declared limits.

A plugin's complete test file::

    import pytest
    from limner.testing import Conformance
    from limner.testing.conformance import *

    @pytest.fixture(scope="module")
    def conformance():
        return Conformance(model=MyModel())

Requires the extra ``testing``.
"""

from limner.testing.kit import Conformance, Recorded
from limner.testing.loopback import Call, Reply

__all__ = ["Call", "Conformance", "Recorded", "Reply"]
