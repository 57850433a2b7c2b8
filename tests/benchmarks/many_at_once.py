"""Many threads with many tasks each, of which three in ten meet a fault: none is lost, each has its own picture or error.

    python tests/benchmarks/many_at_once.py [--threads 32] [--tasks 200]

Real boto3 over HTTP to the emulator. Every second thread has an event loop of its own and all its tasks in it at once.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import os
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import limner
import PIL.Image

FAULTS: dict[str, type[limner.LimnerError]] = {
    "throttle": limner.RateLimited,
    "internal-error": limner.ProviderUnavailable,
    "reset": limner.ProviderUnavailable,
    "model-timeout": limner.ProviderTimeout,
    "access-denied": limner.AccessDenied,
    "input-filtered": limner.ContentFiltered,
    "filtered": limner.ContentFiltered,
    "truncated-json": limner.BadResponse,
    "bad-base64": limner.BadResponse,
    "not-a-picture": limner.BadResponse,
    "missing-keys": limner.BadResponse,
}
SIZE = (48, 36)


def trial(url: str, threads: int, tasks: int, **settings: Any) -> Counter[str]:
    """Run them all, and count the outcomes.

    Raises:
        AssertionError: a task has the wrong picture or the wrong error.
    """
    titan, sdxl = (limner.get_model(name, endpoint_url=url, max_attempts=2, **settings) for name in ("titan", "sdxl"))
    names = itertools.cycle(FAULTS)
    faults = [next(names) if number % 10 < 3 else None for number in range(threads * tasks)]

    def task_of(number: int) -> tuple[limner.Model, limner.Task]:
        picture, prompt = _picture(number), f"number {number}"
        if faults[number] is not None:
            prompt += f" [[fault:{faults[number]}]]"
        if number % 2:
            return titan, limner.Inpaint(image=picture, prompt=prompt, mask_prompt="all", seed=number)
        return sdxl, limner.Vary(image=picture, prompt=prompt, seed=number + 1, n=2)

    async def run_later(number: int) -> Any:
        model, task = task_of(number)
        return await model.arun(task)

    async def all_at_once(numbers: range) -> list[Any]:
        return await asyncio.gather(*map(run_later, numbers), return_exceptions=True)

    def run(number: int) -> Any:
        model, task = task_of(number)
        try:
            return model.run(task)
        except limner.LimnerError as error:
            return error

    def work(thread: int) -> list[Any]:
        numbers = range(thread * tasks, (thread + 1) * tasks)
        return asyncio.run(all_at_once(numbers)) if thread % 2 else list(map(run, numbers))

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(itertools.chain.from_iterable(pool.map(work, range(threads))))
    assert len(outcomes) == threads * tasks
    for number, outcome in enumerate(outcomes):
        _check(number, faults[number], outcome)
    return Counter(type(outcome).__name__ for outcome in outcomes)


def _check(number: int, fault: str | None, outcome: Any) -> None:
    if fault is not None:
        assert isinstance(outcome, FAULTS[fault]), (number, fault, outcome)
        return
    assert isinstance(outcome, limner.Result), (number, outcome)
    seeds = [number] if number % 2 else [number + 1, number + 2]
    assert [picture.seed for picture in outcome.pictures] == seeds
    inverted = tuple(255 - level for level in _colour(number))
    for picture in outcome.images:
        assert picture.pil().getpixel((24, 18)) == inverted, number


def _colour(number: int) -> tuple[int, int, int]:
    return number % 256, number // 256 % 256, 77


def _picture(number: int) -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", SIZE, _colour(number)).save(file, "PNG")
    return file.getvalue()


def main() -> None:
    """Run the trial and print its figures."""
    import limner_bedrock_emulator

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--tasks", type=int, default=200, help="of each thread")
    said = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    with limner_bedrock_emulator.serve() as emulator:
        started = time.perf_counter()
        outcomes = trial(emulator.url, said.threads, said.tasks)
        seconds = time.perf_counter() - started
        print(f"{outcomes.total()} tasks, {len(emulator.requests)} requests in {seconds:.0f} s; none is lost")
    for name, count in outcomes.most_common():
        print(f"{count:6} {name}")


if __name__ == "__main__":
    main()
