"""Fresh processes whose modules are compiled, as those of an installed package are, whatever this process's own setting."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def compiled() -> Iterator[dict[str, str]]:
    """An environment in which the first process compiles, and the others find it done."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield environment | {"PYTHONPYCACHEPREFIX": folder}
