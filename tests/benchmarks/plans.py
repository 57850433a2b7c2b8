"""fit and encode: plans a second of one process, by process CPU.

python tests/benchmarks/plans.py
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import limner
import PIL.Image


def rate(work: Callable[[], object], seconds: float = 2.0) -> float:
    """How often a second of CPU allows the work."""
    work()
    done, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        work()
        done += 1
    return done / (time.process_time() - started)


def main() -> None:
    """Measure and print."""
    buffer = io.BytesIO()
    PIL.Image.effect_noise((1024, 1024), 60).convert("RGB").save(buffer, "PNG")
    photo = limner.Image(buffer.getvalue())
    mask = limner.Mask.box((100, 100, 600, 600), size=(1024, 1024))
    tasks: dict[str, limner.Task] = {
        "generate": limner.Generate(prompt="a fox", n=4, seed=1, size=(512, 512)),
        f"vary, {len(photo.data) / 1e6:.1f} MB picture": limner.Vary(image=photo, prompt="a fox", seed=1),
        f"inpaint, {len(photo.data) / 1e6:.1f} MB picture": limner.Inpaint(image=photo, prompt="a fox", mask=mask, seed=1),
    }
    for alias in ("sketch", "sdxl", "titan", "stability"):
        ready = limner.get_model(alias)
        for name, task in tasks.items():
            if type(task) in ready.limits:
                plans = rate(lambda ready=ready, task=task: ready.plan(task, fit="nearest"))  # type: ignore[misc]
                print(f"{alias:10} {name:24} {plans:10.0f} plans a second")


if __name__ == "__main__":
    main()
