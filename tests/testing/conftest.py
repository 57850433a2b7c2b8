import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # right_plugin and wrong_plugins are modules beside the tests


@pytest.fixture(autouse=True)
def examples_of_a_plugin_author() -> Iterator[None]:
    """A plugin author runs the kit with 100 examples, the default of Hypothesis; what it catches is tested with as many."""
    chosen = settings.get_current_profile_name()
    if chosen == "limner":
        settings.load_profile("hundred")
    yield
    settings.load_profile(chosen)
