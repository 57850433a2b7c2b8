"""The command line: ``limner``.

app         the program: finds commands, built in or from plugins
tasks       generate, vary, inpaint, outpaint, remove-background, upscale
compare     compare
inspect     models, show, plugins
doctor      doctor
provenance  info, rerun
new_plugin  new-plugin

options     the options of the commands, and how their values are parsed
runner      from a task to files: dry run, run, report
output      pictures in and out of files
progress    runs work in a thread and shows that it is busy
errors      error messages and exit statuses
console     lines on stderr, JSON on stdout
tables      tables on stdout
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command that the program's arguments name, and exit."""
    import signal

    from limner.cli.app import cli
    from limner.cli.errors import terminate

    signal.signal(signal.SIGTERM, terminate)
    cli.main(prog_name="limner")
