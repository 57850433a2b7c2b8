"""examples: copy pictures to try things with."""

from __future__ import annotations

import click

from limner.cli.commands import Command
from limner.cli.completing import complete_folders


@click.command(cls=Command, example="limner examples pictures")
@click.argument("folder", default=".", shell_complete=complete_folders)
def examples(folder: str) -> None:
    """Copy example pictures to a folder.

    They are house.jpg with house-mask.png (its door), scene.jpg and photo.jpg. FOLDER is made if needed; by default it is
    the current one. No file is overwritten.
    """
    from limner import examples as pictures
    from limner.cli.console import print_message

    for file in pictures.copy(folder):
        print_message(f"wrote {file}")
