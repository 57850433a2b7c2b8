"""What helps to test plugins: Hypothesis strategies made from declared limits, and the conformance kit.

A plugin's whole test file::

    import pytest
    from limner.testing import Conformance
    from limner.testing.conformance import *

    @pytest.fixture(scope="module")
    def conformance():
        return Conformance(model=MyModel())

Needs the extra ``testing``.
"""

from limner.testing.kit import Conformance, Recorded

__all__ = ["Conformance", "Recorded"]
