"""What is wrong with this installation: doctor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from limner.cli.options import CONTROLS
from limner.errors import LimnerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from limner.interface import Finding
    from limner.model import Model


@click.command()
@click.argument("model", required=False)
@CONTROLS["settings"]
@click.option("--live", is_flag=True, help="Ask the provider too, which needs its network; nothing that is billed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(model: str | None, settings: Mapping[str, str], live: bool, as_json: bool) -> None:
    """Look whether MODEL, or every model, can be called: plugins, credentials, endpoint, the model's state.

    Exit status 1 when something is not as it should be. Secrets are never shown.
    """
    from limner.cli.app import cli
    from limner.cli.console import print_json

    if settings and model is None:
        raise click.UsageError("-S goes with a MODEL: settings are a model's own")
    cli.ask_plugins()
    findings = [*_plugin_findings(), *_model_findings(model, settings, live=live)]
    if as_json:
        print_json([{"of": of, "subject": f.subject, "fine": f.fine, "detail": f.detail} for of, f in findings])
    else:
        from limner.cli.tables import print_table

        words = {True: "ok", False: "WRONG", None: "note"}
        print_table(("", "of", "what", "seen"), [(words[f.fine], of, f.subject, f.detail) for of, f in findings])
    if any(finding.fine is False for _, finding in findings):
        click.get_current_context().exit(1)


def _plugin_findings() -> Iterator[tuple[str, Finding]]:
    from limner.interface import Finding
    from limner.plugins import registry

    for plugin in registry().plugins:
        yield plugin.name, Finding("plugin", not plugin.broken, plugin.broken or plugin.distribution or "in memory")
        yield from ((plugin.name, Finding("plugin", None, remark)) for remark in plugin.remarks)
    for name, claimants in registry().clashes().items():
        yield name, Finding("name", False, f"claimed by {' and '.join(claimants)}; uninstall one of them")


def _model_findings(name: str | None, settings: Mapping[str, str], *, live: bool) -> Iterator[tuple[str, Finding]]:
    from limner.catalog import get_model
    from limner.catalog import models as every_model
    from limner.interface import Finding

    chosen = [get_model(name, **settings)] if name is not None else every_model()
    for model in chosen:
        try:
            found = _looked_at(model, live=live)
        except LimnerError as error:  # the others are looked at all the same
            found = [Finding("plugin", False, str(error))]
        yield from ((getattr(model, "model_id", model.id), finding) for finding in found)


def _looked_at(model: Model | type[Model], *, live: bool) -> list[Finding]:
    from limner.interface import Finding
    from limner.isolation import blaming, checked

    kind = model if isinstance(model, type) else type(model)
    with blaming(kind, "__init__"):
        made = model() if isinstance(model, type) else model
    with blaming(kind, "notices"):
        notices = [Finding("state", None, checked(notice, str)) for notice in made.notices()]
    with blaming(kind, "diagnose"):
        seen = [checked(finding, Finding) for finding in made.diagnose(live=live)]
    return [*(notices or [Finding("state", True, "nothing is known against it")]), *seen]
