"""Plugins that are wrong on purpose: each is the right one with one fault, and names the check that must catch it."""

import wrong_answers  # noqa: F401 - importing them writes their faults down
import wrong_declarations  # noqa: F401
import wrong_requests  # noqa: F401
from faults import CAUGHT_BY

FAULTS = list(CAUGHT_BY)
