"""The server's metrics in Prometheus' format."""

from __future__ import annotations

import attrs
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)


@attrs.frozen
class Metrics:
    """The counters of one application; their labels are routes and models, never text from a client."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    pictures: Counter
    replayed: Counter
    under_way: Gauge

    @classmethod
    def create(cls) -> Metrics:
        """Create the counters, which start at 0."""
        registry = CollectorRegistry()
        return cls(
            registry,
            Counter("limner_server_requests", "Requests answered.", ["method", "route", "status"], registry=registry),
            Histogram("limner_server_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=registry),
            Counter("limner_server_pictures", "Pictures by outcome.", ["model", "outcome"], registry=registry),
            Counter("limner_server_replayed", "Requests that got the result of an earlier one.", registry=registry),
            Gauge("limner_server_runs", "Runs in progress.", registry=registry),
        )


METRICS = web.AppKey("METRICS", Metrics)


async def metrics(request: web.Request) -> web.Response:
    """Handle ``GET /metrics``."""
    return web.Response(
        body=generate_latest(request.app[METRICS].registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
    )
