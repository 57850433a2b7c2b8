"""``python -m limner_bedrock_emulator``: the command without limner's command line."""

from limner_bedrock_emulator.command import command

if __name__ == "__main__":
    command(prog_name="python -m limner_bedrock_emulator")
