"""Hypothesis profiles: ``--hypothesis-profile=fast`` for a quick look, ``hundred`` and ``long`` for longer ones."""

from __future__ import annotations

import os
import tempfile

from hypothesis import HealthCheck, settings

os.environ["LIMNER_CONFIG_DIR"] = tempfile.mkdtemp(prefix="limner-test-")  # nothing of the developer's own configuration

# Hundreds of tests start processes of their own: without this variable they compile each module once, and not each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile(
    "limner", max_examples=20, deadline=None, derandomize=False, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fast", settings.get_profile("limner"), max_examples=10)
settings.register_profile("hundred", settings.get_profile("limner"), max_examples=100)
settings.register_profile("long", settings.get_profile("limner"), max_examples=500, print_blob=True)
settings.load_profile("limner")
