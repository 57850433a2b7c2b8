"""The commands. A built-in one is imported when it is asked for; plugins are loaded for a name that is not built in."""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any, NoReturn

import click

import limner
from limner.cli import console, errors

BUILT_IN = {
    "generate": "tasks",
    "vary": "tasks",
    "inpaint": "tasks",
    "outpaint": "tasks",
    "remove-background": "tasks",
    "upscale": "tasks",
    "compare": "compare",
    "models": "inspect",
    "show": "inspect",
    "plugins": "inspect",
    "doctor": "doctor",
    "new-plugin": "new_plugin",
    "info": "provenance",
    "rerun": "provenance",
}
"""Each command and the module it lives in."""


class Limner(click.Group):
    """The group of all commands; it turns every error into a line on stderr and an exit status."""

    debug = False

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name the built-in commands; ``limner plugins`` names the others."""
        return list(BUILT_IN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a built-in command, or ask the plugins."""
        if cmd_name in BUILT_IN:
            module = importlib.import_module(f"limner.cli.{BUILT_IN[cmd_name]}")
            command: click.Command = getattr(module, cmd_name.replace("-", "_"))
            return command
        self.ask_plugins()
        return self.commands.get(cmd_name)

    def ask_plugins(self) -> None:
        """Load every plugin, and let each add its commands."""
        from limner.plugins import registry

        self.commands.clear()
        registry().add_commands(self)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a plugin's command; a name that is taken is refused, and the plugin said to be broken."""
        name = name or cmd.name or ""
        if name in BUILT_IN or name in self.commands:
            raise ValueError(f"there is a command {name!r} already; rename this one")
        super().add_command(cmd, name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown name say which is near, and which plugins are broken."""
        name = args[0]
        if name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        command = self.get_command(ctx, name)
        if command is None:
            raise click.UsageError(self._unknown(name), ctx)
        return name, command, args[1:]

    def _unknown(self, name: str) -> str:
        from limner.errors import did_you_mean
        from limner.plugins import registry

        meant = did_you_mean(name, [*BUILT_IN, *self.commands])
        said = [f"no such command {name!r}"]
        said += [meant] if meant else []
        said += [f"plugin {plugin.name} is broken: {plugin.broken}" for plugin in registry().plugins if plugin.broken]
        return "; ".join(said)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; what it returns is not an exit status."""
        super().invoke(ctx)

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command line and exit."""
        self.debug = False
        with warnings.catch_warnings():
            warnings.showwarning = console.note_warning
            try:
                extra["standalone_mode"] = False
                status = super().main(args, prog_name or "limner", **extra) or 0
                sys.stdout.flush()
            except KeyboardInterrupt as interrupt:
                errors.leave(interrupt)
            except Exception as error:
                status = errors.report(error, debug=self.debug)
        sys.exit(status)


@click.group(
    cls=Limner,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Plugins may add commands; 'limner plugins' lists them, what each plugin offers, and what is broken.",
)
@click.option("--debug", is_flag=True, envvar="LIMNER_DEBUG", help="Show the traceback of an error.")
@click.version_option(limner.__version__, "--version", prog_name="limner")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """One command line for image-generation models: generate, vary, inpaint, outpaint.

    Which models there are depends on the plugins installed; see 'limner models'.
    """
    if isinstance(ctx.command, Limner):
        ctx.command.debug = debug
