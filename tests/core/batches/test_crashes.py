"""SIGKILL at every step of the driver, and resume: nothing is paid for twice, and nothing is lost from sight."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the driver is killed in a forked child")


def test_a_driver_killed_at_any_step_pays_for_nothing_twice():
    """At every step once, and 20 drawn histories of several kills."""
    program = Path(__file__).with_name("crashing.py")
    done = subprocess.run([sys.executable, program, "20"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.splitlines()[-1] == "every history is survived"
