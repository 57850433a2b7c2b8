"""Start-up in fresh processes: bare interpreter, boto3 and limner, interleaved; medians with the bare interpreter taken off.

python tests/benchmarks/startup.py [ROUNDS]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from fresh import compiled

BARE, BOTO3 = "bare interpreter", "import boto3"
STATEMENTS = {
    BARE: "pass",
    BOTO3: "import boto3",
    "import limner": "import limner",
    "import limner; plan with sketch": (
        "import limner; limner.get_model('sketch').plan(limner.Generate(prompt='a fox', seed=1))"
    ),
    "import limner; plan with titan": (
        "import limner, warnings; warnings.simplefilter('ignore');"
        "limner.get_model('titan').plan(limner.Generate(prompt='a fox', seed=1))"
    ),
    "limner --help": "import sys; sys.argv = ['limner', '--help']; from limner.cli import main; main()",
}
TARGETS = {"import limner": 0.25, "import limner; plan with sketch": 0.8, "import limner; plan with titan": 0.8}


def seconds(statement: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - started


def main(rounds: int) -> None:
    """Measure and print."""
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    with compiled() as environment:
        for measured in range(rounds + 1):
            for name, statement in STATEMENTS.items():
                needed = seconds(statement, environment)
                if measured:  # the first round fills the caches
                    taken[name].append(needed)
    bare = statistics.median(taken[BARE])
    boto3 = statistics.median(taken[BOTO3]) - bare
    print(f"{'statement':34} {'ms':>7} {'less bare':>10} {'of boto3':>9} {'target':>7}   ({rounds} rounds, medians)")
    for name, values in taken.items():
        median = statistics.median(values)
        print(
            f"{name:34} {median * 1000:7.1f} {(median - bare) * 1000:10.1f} "
            f"{(median - bare) / boto3:9.2f} {TARGETS.get(name, ''):>7}"
        )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("rounds", nargs="?", type=int, default=15)
    main(arguments.parse_args().rounds)
