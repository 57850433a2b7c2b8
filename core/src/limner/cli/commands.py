"""The base class of the commands: help in sections with an example, and extra arguments explained."""

from __future__ import annotations

import re
from typing import Any

import click

EXTRA_SECTION = "Other options"


class Option(click.Option):
    """An option that help lists under a section of its own."""

    def __init__(self, *args: Any, section: str = EXTRA_SECTION, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class _WithExample(click.Command):
    """A command whose help ends with an example."""

    def __init__(self, *args: Any, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example."""
        super().format_epilog(ctx, formatter)
        if self.example:
            with formatter.section("Example"):
                formatter.write(f"{'':{formatter.current_indent}}{self.example}\n")


class Command(_WithExample):
    """A command whose help lists the options in sections and ends with an example."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "section", EXTRA_SECTION), []).append(record)
        for title, records in sorted(sections.items(), key=lambda section: section[0] == EXTRA_SECTION):
            with formatter.section("Options" if len(sections) == 1 else title):
                formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; explain those that are left over."""
        ctx.allow_extra_args = True
        extra = super().parse_args(ctx, args)
        if extra and not ctx.resilient_parsing:
            raise click.UsageError(_explain_extra(extra, ctx.params.get("prompt")), ctx)
        return extra


class Group(_WithExample, click.Group):
    """A command with commands of its own, such as ``keys``; an unknown one is answered with the nearest."""

    command_class = Command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for an unknown name suggest the nearest."""
        from limner.errors import did_you_mean

        name = args[0]
        if name.startswith("-") or ctx.resilient_parsing or name in self.commands:
            return super().resolve_command(ctx, args)
        hint = did_you_mean(name, self.commands) or f"available: {', '.join(self.commands)}"
        raise click.UsageError(f"no such command {name!r}; {hint}", ctx)


def quote_prompt(words: list[str]) -> str:
    """Explain that a prompt of several words needs quotation marks."""
    from limner.errors import shorten

    return f"quote the prompt: {shorten(' '.join(words)).replace(chr(39), chr(34))}"


def looks_like_file(word: str) -> bool:
    """Tell whether a word has the form of a picture's file name, even where there is no such file."""
    return word == "-" or re.search(r"^\S+\.[A-Za-z]{3,4}$", word) is not None


def _explain_extra(extra: list[str], prompt: str | None) -> str:
    if len(extra) == 1 and looks_like_file(extra[0]):
        return f"unexpected argument {extra[0]!r}; to name the output file, use '-o {extra[0]}'"
    if prompt is not None:
        return quote_prompt([prompt, *extra])
    return f"unexpected argument{'s' if len(extra) > 1 else ''} {' '.join(map(repr, extra))}"
