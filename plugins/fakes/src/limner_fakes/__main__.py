"""``python -m limner_fakes``: the command ``limner fake`` without limner's command line."""

from limner_fakes.command import command

if __name__ == "__main__":
    command(prog_name="python -m limner_fakes")
