"""doctor: check the installation, plugin by plugin and model by model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from limner.cli.commands import Command
from limner.cli.completing import complete_models
from limner.cli.errors import FAILED
from limner.cli.options import RUN_OPTIONS, json_option
from limner.errors import LimnerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from limner.interface import Finding
    from limner.model import Model

_STATUS = {True: "ok", False: "FAIL", None: "note"}


@click.command(cls=Command, example="limner doctor sketch")
@click.argument("model", required=False, shell_complete=complete_models)
@RUN_OPTIONS["settings"]
@click.option("--live", is_flag=True, help="Contact the provider too; makes no billed call.")
@json_option
def doctor(model: str | None, settings: Mapping[str, str], live: bool, as_json: bool) -> None:
    """Check plugins, credentials, endpoints and model states.

    Checks MODEL, or every installed model. The exit status is 1 if a check fails. Secrets are never shown.
    """
    from limner.cli.app import cli
    from limner.cli.console import print_json

    if settings and model is None:
        raise click.UsageError("-S needs a MODEL: settings belong to a model")
    cli.load_plugin_commands()
    findings = [*_plugin_findings(), *_model_findings(model, settings, live=live)]
    if as_json:
        print_json([{"of": of, "subject": f.subject, "fine": f.fine, "detail": f.detail} for of, f in findings])
    else:
        from limner.cli.tables import print_table

        print_table(("status", "check", "result"), _rows(findings))
    if any(finding.fine is False for _, finding in findings):
        click.get_current_context().exit(FAILED)


def _rows(findings: Sequence[tuple[str, Finding]]) -> Iterator[tuple[str, str, str]]:
    """Make a row for each distinct finding; models with the same finding share it."""
    names: dict[Finding, list[str]] = {}
    for of, finding in findings:
        names.setdefault(finding, []).append(of)
    for finding, subjects in names.items():
        who = _summary(subjects)
        result = finding.detail if finding.detail.startswith(who) else f"{who}: {finding.detail}"
        yield _STATUS[finding.fine], finding.subject, result


def _summary(subjects: Sequence[str]) -> str:
    """Summarise models by plugin, such as ``sketch, 16 models of bedrock-stability``."""
    from limner.catalog import models

    plugins: dict[str, list[str]] = {}
    known = {model.id: model.plugin for model in models()}
    for subject in subjects:
        plugins.setdefault(known.get(subject, ""), []).append(subject)
    return ", ".join(
        f"{len(group)} models of {plugin}" if plugin and len(group) > 1 else ", ".join(group)
        for plugin, group in plugins.items()
    )


def _plugin_findings() -> Iterator[tuple[str, Finding]]:
    from limner.folders import others_can_read
    from limner.interface import Finding
    from limner.keys import key_file
    from limner.plugins import registry

    for plugin in registry().plugins:
        yield plugin.name, Finding("plugin", not plugin.broken, plugin.broken or plugin.distribution or "in memory")
        yield from ((plugin.name, Finding("plugin", None, remark)) for remark in plugin.remarks)
    if others_can_read(key_file()):
        yield "keys", Finding("key store", False, f"other users can read {key_file()}; run 'chmod 600' on it")
    for name, claimants in registry().clashes().items():
        yield name, Finding("name", False, f"claimed by {' and '.join(claimants)}; uninstall one of them")


def _model_findings(name: str | None, settings: Mapping[str, str], *, live: bool) -> Iterator[tuple[str, Finding]]:
    from limner.catalog import configured
    from limner.catalog import models as all_models
    from limner.interface import Finding

    selected = [configured(name, settings.get("model_id"), _without_id(settings))] if name is not None else all_models()
    for model in selected:
        try:
            found = _check_model(model, live=live)
        except LimnerError as error:  # the other models are checked all the same
            found = [Finding("plugin", False, str(error))]
        yield from ((getattr(model, "model_id", model.id), finding) for finding in found)


def _without_id(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name != "model_id"}


def _check_model(model: Model | type[Model], *, live: bool) -> list[Finding]:
    from limner.catalog import configured
    from limner.interface import Finding
    from limner.isolation import blaming, checked

    kind = model if isinstance(model, type) else type(model)
    instance = configured(model.id, None, {}) if isinstance(model, type) else model
    with blaming(kind, "notices"):
        notices = [Finding("state", None, checked(notice, str)) for notice in instance.notices()]
    with blaming(kind, "diagnose"):
        findings = [checked(finding, Finding) for finding in instance.diagnose(live=live)]
    return [*(notices or [Finding("state", True, "no known problem")]), *findings]
