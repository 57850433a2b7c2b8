"""The command ``limner fake``; loads the server only when it runs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from limner_fakes.services import SERVICES

if TYPE_CHECKING:
    from limner_fakes.service import Service


@click.command("fake")
@click.argument("service", type=click.Choice(list(SERVICES)), metavar="SERVICE")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 selects a free one.")
@click.option("--painter", type=click.Choice(["sketch", "invert"]), default="sketch", show_default=True, help="What paints.")
@click.option("--fault", "faults", multiple=True, metavar="FAULT", help="Failure to simulate, e.g. throttle*2; repeatable.")
@click.option("--dialect", metavar="NAME", help="With openai: the kind of server, such as azure or sglang.")
@click.option("--login", metavar="USER:PASSWORD", help="With sdapi: require HTTP Basic authentication.")
def command(service: str, port: int, painter: str, faults: tuple[str, ...], **own: str | None) -> None:
    """Run a strict fake server for a provider's API.

    SERVICE is openai, gemini, bfl or sdapi. The first line of standard output is the base URL. The next lines show
    how to point limner and other programs to it. Runs until interrupted.
    """
    from aiohttp import web

    from limner_fakes.serving import SERVER, address, listen

    made = _made(service, painter=painter, faults=faults, **{name: value for name, value in own.items() if value})
    try:
        listening = listen(port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}") from error
    with listening:
        made.address = address(listening)
        click.echo("\n".join(_lines(made)))  # click flushes
        web.run_app(made.application(), sock=listening, print=None, **SERVER)


def _made(service: str, **arguments: Any) -> Service:
    from limner_fakes.openai.contract import SERVERS
    from limner_fakes.services import make

    for option, owner in (("dialect", "openai"), ("login", "sdapi")):
        if option in arguments and service != owner:
            raise click.UsageError(f"--{option} goes with {owner}")
    if arguments.get("dialect") not in {None, *SERVERS}:
        raise click.UsageError(f"{arguments['dialect']!r} is not a dialect; available: {', '.join(SERVERS)}")
    if "login" in arguments and ":" not in arguments["login"]:
        raise click.UsageError("--login must be USER:PASSWORD")
    try:
        return make(service, **arguments)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _lines(service: Service) -> list[str]:
    """Return the base URL, the command that sets the environment, and an example command."""
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in service.environment().items())
    given = " ".join(f"-S {shlex.quote(f'{name}={value}')}" for name, value in service.settings().items())
    return [
        service.base_url,
        f"export {variables}",
        f'limner generate "a red fox in the snow" -m {service.model} {given} -o fox.png',
    ]
