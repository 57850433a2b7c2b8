"""The command line: ``limner``.

app         the program: finds commands, built in or from plugins
tasks       generate, vary, inpaint, outpaint, remove-background, upscale
compare     compare
batch       batch
inspect     models, show, plugins
doctor      doctor
provenance  info, rerun
logs        logs
examples    examples
keys        keys
aliases     aliases
config      config
install     install, uninstall
completion  completion
new_plugin  new-plugin

commands    the base class of the commands: help in sections, extra arguments explained
options     the options, and how their values are parsed
completing  what a shell offers to complete
defaults    arguments of tasks from the configuration file
inputs      the pictures that a command reads
runner      dry run, run, and the report of the result
output      the pictures that a command writes
sheets      contact sheets and pages of pictures
batch_view  progress, summary and index of a batch
progress    long work in a thread, with progress
errors      error messages and exit statuses
console     lines on stderr, JSON on stdout
tables      tables on stdout
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command given by the program's arguments, and exit."""
    import signal

    from limner.cli.app import cli
    from limner.cli.errors import handle_sigterm

    signal.signal(signal.SIGTERM, handle_sigterm)
    cli.main(prog_name="limner")
