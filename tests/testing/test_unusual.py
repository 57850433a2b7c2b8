"""The kit refuses no right plugin, however unusual its provider.

``pytest tests/testing/test_unusual.py --hypothesis-seed=N`` with ten values of N is ten runs with other examples.
"""

from __future__ import annotations

import contextlib

import pytest
from limner.testing import conformance as kit
from unusual_plugins import UNUSUAL, Unusual


@pytest.mark.parametrize("plugin", UNUSUAL, ids=lambda plugin: plugin.__name__)
def test_an_unusual_plugin_passes_every_check(plugin: type[Unusual]) -> None:
    given = plugin.conformance()
    for name in kit.__all__:
        with contextlib.suppress(pytest.skip.Exception):
            getattr(kit, name)(given)
