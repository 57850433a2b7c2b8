"""The kit refuses no right plugin, however unusual its provider.

``pytest tests/testing/test_unusual.py --hypothesis-seed=N`` with ten values of N is ten runs with other examples;
``--hypothesis-profile=hundred`` has as many of them as a plugin author.
"""

from __future__ import annotations

import contextlib

import attrs
import pytest
from limner.testing import conformance as kit
from unusual_plugins import UNUSUAL, Unusual


@pytest.mark.parametrize("plugin", UNUSUAL, ids=lambda plugin: plugin.__name__)
def test_an_unusual_plugin_passes_every_check(plugin: type[Unusual]) -> None:
    given = plugin.conformance()
    if plugin.send is Unusual.send and plugin is not UNUSUAL[0] and not given.recorded:
        given = attrs.evolve(given, endpoint=None)  # one transport, which the first shows
    for name in kit.__all__:
        with contextlib.suppress(pytest.skip.Exception):
            getattr(kit, name)(given)
