"""Cheapest paths over a small picture: how hard each pixel is to reach from a set of starting pixels."""

import heapq
import operator
from array import array
from collections.abc import Callable, Iterable

from PIL import Image


def path_costs(
    costs: Image.Image, starts: Iterable[tuple[int, int]], total: Callable[[float, float], float] = operator.add
) -> Image.Image:
    """Return the cost of the cheapest path to every pixel, as "F" (Dijkstra's algorithm).

    Args:
        costs: A float picture, the cost of entering each pixel; no negative values.
        starts: The pixels where every path begins, at no cost.
        total: How a path's cost grows by a step: the sum, or `max` for the costliest step alone.
    """
    (width, height), steps = costs.size, array("f", costs.tobytes())
    best = [float("inf")] * (width * height)
    queue = [(0.0, y * width + x) for x, y in starts]
    for _, place in queue:
        best[place] = 0.0
    heapq.heapify(queue)
    while queue:
        cost, place = heapq.heappop(queue)
        if cost > best[place]:
            continue
        x = place % width
        for step, inside in ((-1, x > 0), (1, x < width - 1), (-width, place >= width), (width, place < len(best) - width)):
            if inside and (further := total(cost, steps[place + step])) < best[place + step]:
                best[place + step] = further
                heapq.heappush(queue, (further, place + step))
    return Image.frombytes("F", costs.size, array("f", best).tobytes())
