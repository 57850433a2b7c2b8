"""The command line: ``limner``.

group       the commands, found when they are asked for
options     what the options mean
painting    generate, vary, inpaint, outpaint, remove-background, upscale
inspecting  models, show, plugins
doctoring   doctor
scaffolding new-plugin
provenance  info, rerun
carrying    from a task to files: dry run, run, report
files       pictures in and out
working     long work: progress, and Ctrl-C at any time
failing     errors in a line, and the exit status
speaking    lines on stderr, JSON on stdout
rendering   tables
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command that the program's arguments name, and exit."""
    import signal

    from limner.cli.failing import terminate
    from limner.cli.group import cli

    signal.signal(signal.SIGTERM, terminate)
    cli.main(prog_name="limner")
