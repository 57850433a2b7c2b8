"""The program. Built-in commands are imported when they are used, plugins when a command is not built in."""

from __future__ import annotations

import contextlib
import importlib
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

import click

import limner
from limner.cli import console, errors
from limner.errors import LimnerError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS = {
    "Tasks": {
        "generate": "tasks",
        "vary": "tasks",
        "inpaint": "tasks",
        "outpaint": "tasks",
        "remove-background": "tasks",
        "upscale": "tasks",
        "compare": "compare",
        "batch": "batch",
    },
    "Models and plugins": {
        "models": "inspect",
        "show": "inspect",
        "plugins": "inspect",
        "doctor": "doctor",
        "new-plugin": "new_plugin",
    },
    "Pictures": {"info": "provenance", "rerun": "provenance", "logs": "logs", "examples": "examples"},
    "Setup": {
        "keys": "keys",
        "aliases": "aliases",
        "config": "config",
        "install": "install",
        "uninstall": "install",
        "completion": "completion",
    },
}
"""The built-in commands by section of the help, each with the module that defines it."""

COMMANDS_OF_PLUGINS = {
    "serve": "server",
    "playground": "server",
    "fake": "fakes",
    "bedrock-emulator": "bedrock-emulator",
}
"""Commands that first-party plugins add, and the name with which each is installed."""

BUILT_IN = {name: module for commands in SECTIONS.values() for name, module in commands.items()}


class Limner(click.Group):
    """The group of all commands; it turns errors into lines on stderr and an exit status."""

    debug = False

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """List the built-in commands, then those of plugins as far as these are loaded."""
        return [*BUILT_IN, *sorted(self.commands)]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete the commands of plugins too."""
        with contextlib.suppress(LimnerError):
            self.load_plugin_commands()
        return super().shell_complete(ctx, incomplete)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a built-in command, or load the plugins' commands."""
        if cmd_name in BUILT_IN:
            module = importlib.import_module(f"limner.cli.{BUILT_IN[cmd_name]}")
            command: click.Command = getattr(module, cmd_name.replace("-", "_"))
            return command
        self.load_plugin_commands()
        return self.commands.get(cmd_name)

    def load_plugin_commands(self) -> None:
        """Load every plugin and let each add its commands."""
        from limner.plugins import registry

        self.commands.clear()
        registry().add_commands(self)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a plugin's command; a name that is taken marks the plugin as broken."""
        name = name or cmd.name or ""
        if name in BUILT_IN or name in self.commands:
            raise ValueError(f"a command {name!r} already exists; rename this one")
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section; all with the same column widths. Those of plugins come last."""
        with contextlib.suppress(LimnerError):  # a wrong configuration file does not keep anyone from reading help
            self.load_plugin_commands()
        sections: dict[str, Iterable[str]] = {
            **SECTIONS,
            **({"From plugins": sorted(self.commands)} if self.commands else {}),
        }
        width = max(map(len, [*BUILT_IN, *self.commands]))
        for title, names in sections.items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            limit = formatter.width - width - 6
            rows = [(f"{name:{width}}", command.get_short_help_str(limit)) for name, command in commands if command]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown name suggest the nearest and name broken plugins."""
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

        suggestion = did_you_mean(name, [*BUILT_IN, *self.commands])
        parts = [f"no such command {name!r}"]
        parts += [suggestion] if suggestion else []
        if name in COMMANDS_OF_PLUGINS:
            package = COMMANDS_OF_PLUGINS[name]
            parts.append(f"it comes with limner-{package}: run 'limner install {package}'")
        parts += [f"plugin {plugin.name} is broken: {plugin.broken}" for plugin in registry().plugins if plugin.broken]
        return "; ".join(parts)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; its return value is not an exit status."""
        super().invoke(ctx)

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command line and exit."""
        self.debug = False
        with warnings.catch_warnings():
            warnings.showwarning = console.show_warning
            try:
                extra["standalone_mode"] = False
                status = super().main(args, prog_name or "limner", **extra) or 0
                sys.stdout.flush()
            except KeyboardInterrupt as interrupt:
                errors.exit_interrupted(interrupt)
            except Exception as error:
                status = errors.report_error(error, debug=self.debug)
        sys.exit(status)


@click.group(
    cls=Limner,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Plugins add models and commands; 'limner plugins' lists both.\n\n"
    '\b\nExample:\n  limner generate "a fox in the snow" -o fox.png',
)
@click.option("--debug", is_flag=True, envvar="LIMNER_DEBUG", help="Show the traceback of errors, as LIMNER_DEBUG=1 does.")
@click.version_option(limner.__version__, "--version", prog_name="limner")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Generate and edit pictures with any image-generation model.

    The models come from the installed plugins; 'limner models' lists them. 'limner COMMAND --help' explains a command.
    """
    if isinstance(ctx.command, Limner):
        ctx.command.debug = debug
