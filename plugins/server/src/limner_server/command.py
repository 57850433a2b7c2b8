"""The commands ``limner serve`` and ``limner playground``; they load the server only when they run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_VARIABLE = "LIMNER_SERVER_KEY"
LOG_FORMAT = "%(asctime)s %(message)s"


def _names(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """Read ``NAME=MODEL``."""
    split = [pair.partition("=") for pair in pairs]
    if not all(name and model for name, _, model in split):
        raise click.BadParameter("must be NAME=MODEL, such as gpt-image-1=sketch")
    return {name: model for name, _, model in split}


def _origins(_context: click.Context, _option: click.Parameter, origins: tuple[str, ...]) -> tuple[str, ...]:
    """Check that each value is an origin as browsers send it."""
    for origin in origins:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/*]+", origin):
            raise click.BadParameter(f"{origin!r} is not an origin, such as https://app.example.com")
    return origins


OPTIONS = [
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="Port; 0: any free one."),
    click.option(
        "--as", "names", multiple=True, callback=_names, metavar="NAME=MODEL", help="Serve a model under the name NAME."
    ),
    click.option(
        "--max-n", type=click.IntRange(1), default=4, show_default=True, help="Maximum number of pictures in one request."
    ),
    click.option(
        "--key-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"File with the accepted keys, one per line; instead of {KEY_VARIABLE}.",
    ),
    click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Also accept this name in Host headers."),
    click.option(
        "--allow-origin",
        "origins",
        multiple=True,
        callback=_origins,
        metavar="ORIGIN",
        help="Allow web pages of this origin to call the server (CORS).",
    ),
]


def _options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(OPTIONS):
        function = option(function)
    return function


@click.command()
@_options
def serve(**options: Any) -> None:
    """Serve all models through OpenAI's Images API.

    The first line of standard output is the address. Clients use it with /v1 as their base URL. Runs until interrupted.
    A host that other machines can reach requires a key.
    """
    _run(options, playground=False, browser=False)


@click.command()
@_options
@click.option("--open", "browser", is_flag=True, help="Open the page in a browser.")
def playground(browser: bool, **options: Any) -> None:
    """Serve a web page to try every model.

    The same process serves OpenAI's Images API. The first line of standard output is the page's URL, with a key.
    Runs until interrupted.
    """
    _run(options, playground=True, browser=browser)


def _run(options: dict[str, Any], *, playground: bool, browser: bool) -> None:
    import limner

    from limner_server.app import make_app
    from limner_server.hosts import is_loopback
    from limner_server.serving import address, listen, run
    from limner_server.settings import ServerSettings

    keys = _keys(options.pop("key_file"))
    if not keys and not is_loopback(options["host"]):
        wanted = f"set {KEY_VARIABLE} or give --key-file"
        raise click.UsageError(f"--host {options['host']} can be reached from other machines and needs a key: {wanted}")
    for model in options["names"].values():
        limner.get_model(model)  # report unknown models at start
    if playground and not keys:
        import secrets

        keys = (secrets.token_urlsafe(24),)
    settings = ServerSettings(**options, keys=keys, playground=playground)
    try:
        listening = listen(settings.host, settings.port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error
    url = address(listening)
    if playground:
        url = f"{url}/playground/#key={quote(keys[0], safe='')}"
    _log_to_stderr()
    with listening:
        run(make_app(settings), listening, lambda: _announce(url, browser=browser))


def _keys(file: Path | None) -> tuple[str, ...]:
    text = os.environ.get(KEY_VARIABLE, "") if file is None else file.read_text("utf-8")
    keys = tuple(filter(None, map(str.strip, text.splitlines())))
    if file is not None and not keys:
        raise click.UsageError(f"--key-file {file} has no key")
    return keys


def _announce(url: str, *, browser: bool) -> None:
    click.echo(url)  # click flushes
    if browser:
        click.launch(url)


def _log_to_stderr() -> None:
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    logger = logging.getLogger("limner.server")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
