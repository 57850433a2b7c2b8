"""The command ``limner bedrock-emulator``; loads the server only when it runs."""

from __future__ import annotations

import click


def _mapping(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """Read ``IDENTIFIER=MODEL``; model ids hold no ``=``."""
    split = [pair.rpartition("=") for pair in pairs]
    if not all(identifier and model for identifier, _, model in split):
        raise click.BadParameter("must be IDENTIFIER=MODEL, such as arn:aws:...=amazon.titan-image-generator-v2:0")
    return {identifier: model for identifier, _, model in split}


@click.command("bedrock-emulator", short_help="Run Amazon Bedrock's InvokeModel on this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 selects a free one.")
@click.option("--painter", type=click.Choice(["sketch", "invert"]), default="sketch", show_default=True, help="What paints.")
@click.option("--fault", "faults", multiple=True, metavar="FAULT", help="Failure to simulate, e.g. throttle*2; repeatable.")
@click.option(
    "--serve",
    "served",
    multiple=True,
    callback=_mapping,
    metavar="ID=MODEL",
    help="Serve an opaque identifier (an ARN) as a model; repeatable.",
)
@click.option(
    "--allow-undocumented",
    is_flag=True,
    help="Accept undocumented keys that public programs send, each with a warning.",
)
def command(port: int, painter: str, faults: tuple[str, ...], served: dict[str, str], allow_undocumented: bool) -> None:
    """Run Amazon Bedrock's InvokeModel on this machine, for Stability AI's models and Titan Image Generator.

    The first line of standard output is the address. Runs until interrupted.
    """
    from aiohttp import web
    from limner_fakes.painters import PAINTERS
    from limner_fakes.serving import SERVER, address, listen

    from limner_bedrock_emulator.faults import Faults
    from limner_bedrock_emulator.service import Service

    try:
        service = Service(PAINTERS[painter](), Faults(faults), served, allow_undocumented=allow_undocumented)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        listening = listen(port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}") from error
    with listening:
        click.echo(address(listening))  # click flushes
        web.run_app(service.application(), sock=listening, print=None, **SERVER)
