"""botocore sessions that create clients faster, by botocore's extension points; docs/benchmarks.md has the figures."""

from __future__ import annotations

import gzip
import os
from typing import Any

import botocore.session
import limner
import orjson
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader


def new_session(profile: str | None) -> botocore.session.Session:
    """Create a session that finds credentials and region as boto3 does, and creates the same clients."""
    session = botocore.session.Session(profile=profile)
    paths = session.get_component("data_loader").search_paths  # includes AWS_DATA_PATH
    session.register_component("data_loader", _DataLoader(paths, _JSONFileLoader(), include_default_search_paths=False))
    session.set_default_client_config(Config(user_agent=_user_agent(session)))
    return session


def _user_agent(session: botocore.session.Session) -> str:
    """Build the user agent once for all calls; botocore would build its own twice per call."""
    app = session.get_config_variable("user_agent_appid")
    return f"limner/{limner.__version__} {session.user_agent()}" + (f" app/{app}" if app else "")


class _JSONFileLoader(JSONFileLoader):  # type: ignore[misc]
    """Reads botocore's data files with orjson."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of a file; ``None`` if it does not exist."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(file_path + ending, "rb") as file:
                    return orjson.loads(file.read())
            except FileNotFoundError:
                continue
        return None


class _DataLoader(Loader):  # type: ignore[misc]
    """Lists services by their folders' names; botocore would open the folders of all 400."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002
        """Return the name of every service folder."""
        return [name for path in self.search_paths if os.path.isdir(path) for name in os.listdir(path)]  # noqa: PTH112, PTH208
