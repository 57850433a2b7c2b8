"""What grows: CPU with the number of pictures and with their bytes, memory over 2,000 calls, and the cost of `preserve`.

python tests/benchmarks/growth.py
"""

from __future__ import annotations

import io
import os
import random
import statistics
import warnings

import limner
import PIL.Image
from calls import cpu, memory, stub


def median_ms(work: object, rounds: int = 9) -> float:
    """Median CPU of a work in milliseconds."""
    assert callable(work)
    work()
    return statistics.median(cpu(work) for _ in range(rounds)) * 1000


def by_count(model: limner.Model) -> None:
    """CPU against the number of pictures of 1.5 MB in one call."""
    line = {n: median_ms(lambda n=n: model.generate("a fox", seed=1, n=n)) for n in range(1, 6)}
    print("CPU by pictures:", ", ".join(f"{n}: {ms:.1f} ms" for n, ms in line.items()), "(1.5 MB each)")


def by_bytes(model: limner.Model) -> None:
    """CPU of a variation against the bytes of the picture that is sent."""
    line = {}
    for side in (256, 512, 724, 1024):
        picture = PIL.Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3))
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        photo = limner.Image(buffer.getvalue())
        line[len(photo.data) / 1e6] = median_ms(lambda photo=photo: model.vary(photo, "empty", seed=1))
    print("CPU by bytes sent:", ", ".join(f"{size:.1f} MB: {ms:.1f} ms" for size, ms in line.items()))


def over_many_calls(model: limner.Model, calls: int = 2000) -> None:
    """Memory after 500 calls and after all of them."""
    seen = {}
    for done in range(1, calls + 1):
        model.generate("empty", seed=done)
        if done in {500, 1000, 1500, calls}:
            seen[done] = memory("VmRSS")
    print("memory:", ", ".join(f"after {done} calls {size:.1f} MiB" for done, size in seen.items()))


def preserving() -> None:
    """The composite of `preserve` on 1408 x 1408, against the same by hand with Pillow."""
    from limner.images.compositing import keep_outside

    side = 1408
    scene = limner.get_model("sketch").generate("a mountain by a lake", size=(side, side), seed=3).image.pil()
    buffer = io.BytesIO()
    scene.save(buffer, "PNG")
    original, painted = buffer.getvalue(), buffer.getvalue()
    mask = limner.Mask.box((200, 200, 900, 900), size=(side, side))

    def by_hand() -> None:
        below = PIL.Image.open(io.BytesIO(original)).convert("RGB")
        above = PIL.Image.open(io.BytesIO(painted)).convert("RGB")
        below.paste(above, None, mask.pil())
        below.save(io.BytesIO(), "PNG")

    def by_limner() -> None:
        limner.Image(original).pil()  # seen to be whole before anything is sent
        keep_outside(limner.Image(original), mask, limner.Image(painted))

    hand, ours = median_ms(by_hand, 5), median_ms(by_limner, 5)
    print(f"preserve, {side}x{side}: by hand {hand:.0f} ms, limner {ours:.0f} ms, ratio {ours / hand:.2f} (target 1.1)")


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    with stub() as address:
        os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = address
        model = limner.get_model("titan")
        by_count(model)
        by_bytes(model)
        over_many_calls(model)
        preserving()


if __name__ == "__main__":
    main()
