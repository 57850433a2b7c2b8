"""limner.describe: a model as a document that is enough for a form."""

from __future__ import annotations

import json

import jsonschema
import limner
import pytest

from tests.core.fakes import FakePlugin, LIMITS, Fake, registered
