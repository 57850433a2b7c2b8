"""Dask distributed as the engine of a batch: the only module that imports it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limner.batches.engines import Engine, executed, proven
from limner.batches.work import sees
from limner.errors import LimnerError, Problem, TaskRefused

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_SECONDS = 30


@contextmanager
def connected(address: str, folder: Path, models: Iterable[str], in_flight: int | None) -> Iterator[Engine]:
    """Connect to a scheduler, or start workers on this machine, and verify that they can do the work.

    Args:
        address: such as ``tcp://10.0.0.1:8786``, or ``local:4`` for four worker processes.
        folder: the folder of the batch.
        models: ids of the models that the workers need.
        in_flight: the number of concurrent tasks; ``None`` for the number of the workers' threads.

    Raises:
        TaskRefused: there is no scheduler or no worker, a worker does not share the folder or lacks a model, or
            distributed is not installed.
    """
    try:
        import dask
        import distributed
    except ImportError as error:
        raise _refused(address, f"needs the package distributed ({error}); install limner[dask]") from error
    local = re.fullmatch(r"local:([1-9]\d{0,3})", address)
    # an external scheduler has its own configuration, so the batch does not rely on this
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), ExitStack() as resources:
        try:
            cluster = _cluster(resources, int(local[1]), in_flight) if local else address
            client = resources.enter_context(distributed.Client(cluster, timeout=_CONNECT_SECONDS))
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise _refused(address, f"there is no Dask scheduler with workers: {error}") from error
        proof = resources.enter_context(proven(folder))
        seen = _check(client, address, folder, proof, list(models))
        yield executed(client.get_executor(retries=0, pure=False), in_flight or seen, proof)


def _cluster(resources: ExitStack, workers: int, in_flight: int | None) -> Any:
    from distributed import LocalCluster

    threads = -(-(in_flight or 2 * workers) // workers)
    cluster = LocalCluster(n_workers=workers, threads_per_worker=threads, processes=True, dashboard_address=None)
    return resources.enter_context(cluster)


def _check(client: Client, address: str, folder: Path, proof: str, models: list[str]) -> int:
    """Check every worker.

    Returns:
        The number of threads of all workers.

    Raises:
        TaskRefused: a worker cannot do the work.
    """
    answers: dict[str, Any] = client.run(_seen_by_worker, folder, proof, models, on_error="return")
    for worker, answer in answers.items():
        if isinstance(answer, BaseException):
            raise _refused(address, f"limner cannot run on the worker {worker}: {answer}")
        if not answer["shares"]:
            wrong = f"the worker {worker} on {answer['host']} does not share the folder {folder}"
            raise _refused(address, f"{wrong}: put it on a file system that every worker has mounted there")
        if answer["missing"]:
            raise _refused(address, f"the worker {worker} cannot run {answer['missing']}; install the same plugins there")
    return sum(client.nthreads().values())


def _seen_by_worker(folder: Path, proof: str, models: list[str]) -> dict[str, Any]:
    import socket

    from limner.plugins import registry

    missing = ""
    for model in models:
        try:
            registry().find(model)
        except LimnerError as error:
            missing = f"{model}: {error}"
    return {"shares": sees(folder, proof), "missing": missing, "host": socket.gethostname()}


def _refused(address: str, why: str) -> TaskRefused:
    return TaskRefused([Problem("dask", address, why)])
