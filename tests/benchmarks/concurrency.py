"""Many calls at once against a stub that answers after half a second: wall time against the ideal.

python tests/benchmarks/concurrency.py
"""

from __future__ import annotations

import asyncio
import math
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import limner
from calls import stub

DELAY, CALLS = 0.5, 200


def in_threads(in_flight: int) -> float:
    """Seconds for all calls from the caller's own threads."""
    model = limner.get_model("titan", max_in_flight=in_flight)
    model.generate("empty")
    started = time.perf_counter()
    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(lambda seed: model.generate("empty", seed=seed), range(CALLS)))
    return time.perf_counter() - started


async def in_tasks(in_flight: int) -> float:
    """Seconds for all calls as asyncio tasks."""
    model = limner.get_model("titan", max_in_flight=in_flight)
    await model.agenerate("empty")
    started = time.perf_counter()
    await asyncio.gather(*(model.agenerate("empty", seed=seed) for seed in range(CALLS)))
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    with stub(DELAY) as address:
        os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = address
        for name, in_flight, run in (
            ("threads, 32 in flight", 32, in_threads),
            ("async, 32 in flight", 32, lambda n: asyncio.run(in_tasks(n))),
            ("async, 200 in flight", 200, lambda n: asyncio.run(in_tasks(n))),
        ):
            taken, cpu = [], []
            for _ in range(3):
                before = time.process_time()
                taken.append(run(in_flight))
                cpu.append(time.process_time() - before)
            ideal = math.ceil(CALLS / in_flight) * DELAY
            best, used = min(taken), min(cpu)
            print(f"{name:22} {best:6.2f} s, ideal {ideal:5.2f} s, ratio {best / ideal:5.2f}, CPU {used:5.2f} s", end="; ")
            print(f"{used / CALLS * 1000:.2f} ms CPU a call")


if __name__ == "__main__":
    main()
