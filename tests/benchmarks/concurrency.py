"""Many calls at once against a stub that answers after half a second: wall time against the ideal, boto3 alone beside it.

python tests/benchmarks/concurrency.py
"""

from __future__ import annotations

import asyncio
import math
import os
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import limner
from calls import TITAN, stub

DELAY, CALLS = 0.5, 200


@contextmanager
def clock() -> Iterator[list[float]]:
    """Wall time and CPU of this process, in seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    taken: list[float] = []
    yield taken
    taken += [time.perf_counter() - wall, time.process_time() - cpu]


def in_threads(in_flight: int) -> list[float]:
    """All calls from the caller's own threads."""
    model = limner.get_model("titan", max_in_flight=in_flight)
    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(lambda _: model.generate("empty"), range(in_flight)))  # threads and connections are there
        with clock() as taken:
            list(pool.map(lambda seed: model.generate("empty", seed=seed), range(CALLS)))
    return taken


def boto3_alone(in_flight: int) -> list[float]:
    """The same calls with nothing but boto3's client: what there is below limner."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime", config=Config(max_pool_connections=in_flight, retries={"total_max_attempts": 1})
    )
    body = limner.get_model("titan").plan(limner.Generate(prompt="empty", seed=1)).requests[0].body

    def call(_: int) -> bytes:
        content: bytes = client.invoke_model(modelId=TITAN, body=body)["body"].read()
        return content

    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(call, range(in_flight)))
        with clock() as taken:
            list(pool.map(call, range(CALLS)))
    return taken


async def in_tasks(in_flight: int) -> list[float]:
    """All calls as asyncio tasks."""
    model = limner.get_model("titan", max_in_flight=in_flight)
    await asyncio.gather(*(model.agenerate("empty") for _ in range(in_flight)))
    with clock() as taken:
        await asyncio.gather(*(model.agenerate("empty", seed=seed) for seed in range(CALLS)))
    return taken


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    with stub(DELAY) as address:
        os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = address
        for name, in_flight, run in (
            ("threads, 32 in flight", 32, in_threads),
            ("async, 32 in flight", 32, lambda n: asyncio.run(in_tasks(n))),
            ("threads, 200 in flight", 200, in_threads),
            ("async, 200 in flight", 200, lambda n: asyncio.run(in_tasks(n))),
            ("boto3 alone, 200", 200, boto3_alone),
        ):
            best, used = map(min, zip(*(run(in_flight) for _ in range(3)), strict=True))
            ideal = math.ceil(CALLS / in_flight) * DELAY
            print(f"{name:22} {best:6.2f} s, ideal {ideal:5.2f} s, ratio {best / ideal:5.2f}", end="; ")
            print(f"{used / CALLS * 1000:.2f} ms CPU a call")


if __name__ == "__main__":
    main()
