"""CPU that `limner serve` adds to a run: whole requests against `model.run` alone, by the size of the picture.

    python tests/benchmarks/server.py [ROUNDS]

The model answers at once with a picture that is ready, in the server's process. The client is another process and
reuses its connection. CPU is that of all threads of the server's process; medians of rounds.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any, ClassVar
from urllib.parse import urlsplit

import limner
import PIL.Image
from limner import Generate, Model, Picture, Request, Response, Task, hookimpl
from limner.limits import Choice, Count, PromptText, Seed, TaskLimits

SOURCE = "a benchmark"
MEGABYTES = (0.01, 0.5, 1.5, 4.0)
CALLS = 40
TARGET = 2.0


def noise(megabytes: float) -> bytes:
    """A PNG of about that size: noise does not compress."""
    side = int((megabytes * 1e6 / 3) ** 0.5)
    buffer = BytesIO()
    PIL.Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURES = {str(megabytes): noise(megabytes) for megabytes in MEGABYTES}


class Ready(Model):
    """Has its pictures ready."""

    id = "benchmark.ready-1"
    aliases = ("ready",)
    limits: ClassVar = {
        Generate: TaskLimits(
            {"prompt": PromptText(20, source=SOURCE), "n": Count(1, source=SOURCE), "seed": Seed(0, 9, source=SOURCE)},
            {"quality": Choice(("low", "high"), source=SOURCE)},
        )
    }

    def encode(self, task: Task) -> Request:
        return Request(self.model_id, task.prompt.encode())  # type: ignore[attr-defined]

    def send(self, request: Request) -> Response:
        return Response(PICTURES[request.body.decode()], request_id="one")

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return [Picture(image=limner.Image(response.body))]


class _Plugin:
    @staticmethod
    @hookimpl
    def limner_models() -> list[type[Model]]:
        return [Ready]


def serve() -> None:
    """The server's process: each line of input is a command, each line of output its answer."""
    from limner.plugins import registry
    from limner_server import serving
    from limner_server.settings import ServerSettings

    registry().register(_Plugin, "benchmark")
    model = limner.get_model("ready")
    with serving.serve(ServerSettings()) as url:
        print(url, flush=True)
        for line in sys.stdin:
            command, _, size = line.strip().partition(" ")
            if command == "run":
                for _ in range(CALLS):
                    model.run(Generate(prompt=size, seed=1, options={"quality": "low"}))
            print(time.process_time(), flush=True)


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of CPU of a run alone, and of a request, by megabytes."""
    command = [sys.executable, __file__, "--serve"]
    environment = {**os.environ, "LIMNER_MODEL": ""}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        connection = http.client.HTTPConnection(urlsplit(url).netloc)

        def cpu(line: str = "time") -> float:
            print(line, file=server.stdin, flush=True)
            return float(server.stdout.readline())  # type: ignore[union-attr]

        def request(size: str) -> None:
            body: dict[str, Any] = {"model": "ready", "prompt": size, "seed": 1, "quality": "low"}
            connection.request("POST", "/v1/images/generations", json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
            assert len(base64.b64decode(answer["data"][0]["b64_json"])) == len(PICTURES[size])

        found: dict[str, list[tuple[float, float]]] = {size: [] for size in PICTURES}
        for round_number in range(rounds + 1):  # the first warms up
            for size, times in found.items():
                start = cpu()
                alone = cpu(f"run {size}") - start
                start = cpu()
                for _ in range(CALLS):
                    request(size)
                served = cpu() - start
                if round_number:
                    times.append((alone / CALLS * 1000, served / CALLS * 1000))
        server.stdin.close()
    return {
        size: (statistics.median(alone for alone, _ in times), statistics.median(served for _, served in times))
        for size, times in found.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=7)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return
    print(f"{'picture':>9} {'run':>9} {'request':>9} {'added':>9}")
    for size, (alone, served) in measure(arguments.rounds).items():
        print(f"{size:>6} MB {alone:6.2f} ms {served:6.2f} ms {served - alone:6.2f} ms")
    print(f"target: {TARGET} ms and one pass over the bytes")


if __name__ == "__main__":
    main()
