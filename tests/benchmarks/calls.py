"""CPU of a call: limner against the plain script of boto3, json and base64 with its client reused, over real HTTP.

    python tests/benchmarks/calls.py [ROUNDS]

Both run in this process, interleaved, against `stub.py` in another; process CPU of all threads, medians, and the ratio.
Peak memory is measured in fresh processes, above the same process before its first call.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SDXL, TITAN = "stability.stable-diffusion-xl-v1", "amazon.titan-image-generator-v2:0"
TARGETS = {
    "sdxl generate": 0.45,
    "titan generate": 0.45,
    "sdxl vary": 0.5,
    "titan vary": 0.5,
    "titan inpaint": 0.5,
    "titan 5 pictures": 0.5,
}

MEMORY_TARGET = 0.8

Work = Callable[[], object]


@contextmanager
def stub(delay: float = 0.0) -> Iterator[str]:
    """Run the stub in another process; its address."""
    process = subprocess.Popen(
        [sys.executable, str(FOLDER / "stub.py"), "--delay", str(delay)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


class PlainScript:
    """What a user writes by hand: the way of AWS's documentation."""

    def __init__(self, photo: Path, mask: Path) -> None:
        import boto3
        from botocore.config import Config

        config = Config(read_timeout=300)
        self.client = boto3.client("bedrock-runtime", config=config)
        self.photo, self.mask = photo, mask

    def call(self, model_id: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self.client.invoke_model(
            body=json.dumps(body), modelId=model_id, accept="application/json", contentType="application/json"
        )
        answer: dict[str, Any] = json.loads(response["body"].read())
        return answer

    @staticmethod
    def text_of(path: Path) -> str:
        with path.open("rb") as file:
            return base64.b64encode(file.read()).decode("utf8")

    def titan(self, body: dict[str, Any], n: int = 1) -> list[bytes]:
        config = {"numberOfImages": n, "cfgScale": 8.0, "seed": 1}
        answer = self.call(TITAN, {**body, "imageGenerationConfig": config})
        return [base64.b64decode(text.encode("ascii")) for text in answer["images"]]

    def sdxl(self, body: dict[str, Any]) -> bytes:
        answer = self.call(SDXL, {"text_prompts": [{"text": "a fox"}], "cfg_scale": 7, "seed": 1, "steps": 30, **body})
        if answer["artifacts"][0]["finishReason"] in {"ERROR", "CONTENT_FILTERED"}:
            raise RuntimeError("no picture")
        return base64.b64decode(answer["artifacts"][0]["base64"].encode("ascii"))

    def works(self) -> dict[str, Work]:
        """Each work by its name."""
        return {
            "sdxl generate": lambda: self.sdxl({"height": 1024, "width": 1024}),
            "titan generate": lambda: self.titan({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}),
            "sdxl vary": lambda: self.sdxl({"init_image": self.text_of(self.photo), "image_strength": 0.6}),
            "titan vary": lambda: self.titan(
                {
                    "taskType": "IMAGE_VARIATION",
                    "imageVariationParams": {
                        "text": "a fox",
                        "images": [self.text_of(self.photo)],
                        "similarityStrength": 0.6,
                    },
                }
            ),
            "titan inpaint": lambda: self.titan(
                {
                    "taskType": "INPAINTING",
                    "inPaintingParams": {
                        "text": "a fox",
                        "image": self.text_of(self.photo),
                        "maskImage": self.text_of(self.mask),
                    },
                }
            ),
            "titan 5 pictures": lambda: self.titan({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}, 5),
            "titan empty": lambda: self.titan({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "empty"}}),
        }


class WithLimner:
    """The same with limner."""

    def __init__(self, photo: Path, mask: Path) -> None:
        import limner

        self.sdxl, self.titan = limner.get_model("sdxl"), limner.get_model("titan")
        self.photo, self.mask = photo, limner.Mask.read(mask)

    def works(self) -> dict[str, Work]:
        """Each work by its name."""
        return {
            "sdxl generate": lambda: self.sdxl.generate("a fox", seed=1).image.data,
            "titan generate": lambda: self.titan.generate("a fox", seed=1).image.data,
            "sdxl vary": lambda: self.sdxl.vary(self.photo, "a fox", seed=1, strength=0.4).image.data,
            "titan vary": lambda: self.titan.vary(self.photo, "a fox", seed=1, strength=0.4).image.data,
            "titan inpaint": lambda: (
                self.titan.inpaint(self.photo, "a fox", mask=self.mask, seed=1, preserve=False).image.data
            ),
            "titan 5 pictures": lambda: [picture.data for picture in self.titan.generate("a fox", seed=1, n=5).images],
            "titan empty": lambda: self.titan.generate("empty", seed=1).image.data,
        }


def cpu(work: Work) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def peak_above_idle(kind: str, work: str, photo: Path, mask: Path) -> float:
    """Peak memory in MiB of a fresh process that does a work three times, above what it had before."""
    script = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import calls, warnings; from pathlib import Path;"
        f"warnings.simplefilter('ignore'); works = calls.{kind}(Path({str(photo)!r}), Path({str(mask)!r})).works();"
        "works['titan empty'](); before = calls.memory('VmRSS'); calls.forget_peak();"
        f"any(works[{work!r}]() is None for _ in range(3));"
        "print(calls.memory('VmHWM') - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout)


def memory(field: str) -> float:
    """A figure of this process's memory in MiB, as Linux counts it: VmRSS now, VmHWM at its peak."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field))) / 1024


def forget_peak() -> None:
    """Let VmHWM start again from now."""
    Path("/proc/self/clear_refs").write_text("5")


def main(rounds: int) -> None:
    """Measure and print."""
    import warnings

    warnings.simplefilter("ignore")  # that these models are retired is not news here
    os.environ.update(
        AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1"
    )
    with tempfile.TemporaryDirectory() as folder, stub() as address:
        os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = address
        photo, mask = inputs(Path(folder))
        plain, ours = PlainScript(photo, mask).works(), WithLimner(photo, mask).works()
        print(f"{'work':18} {'script':>9} {'limner':>9} {'ratio':>6} {'target':>7}", end=" ")
        print(f"{'script':>11} {'limner':>11} {'ratio':>6} {'target':>7}")
        for name, target in TARGETS.items():
            taken: dict[str, list[float]] = {"plain": [], "ours": []}
            for measured in range(rounds + 2):
                for kind, work in (("plain", plain[name]), ("ours", ours[name])):
                    if (spent := cpu(work)) and measured >= 2:
                        taken[kind].append(spent)
            before, after = (statistics.median(taken[kind]) * 1000 for kind in ("plain", "ours"))
            script, limner = (peak_above_idle(kind, name, photo, mask) for kind in ("PlainScript", "WithLimner"))
            print(f"{name:18} {before:6.1f} ms {after:6.1f} ms {after / before:6.2f} {target:7}", end=" ")
            print(f"{script:7.1f} MiB {limner:7.1f} MiB {limner / script:6.2f} {MEMORY_TARGET:7}")


def inputs(folder: Path) -> tuple[Path, Path]:
    """A photo of about 1.5 MB and a mask of its size."""
    import PIL.Image
    from stub import picture

    photo, mask = folder / "photo.png", folder / "mask.png"
    photo.write_bytes(picture())
    with PIL.Image.open(photo) as opened:
        grey = PIL.Image.new("L", opened.size, 0)
    grey.paste(255, (50, 50, 300, 300))
    grey.save(mask)
    return photo, mask


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("rounds", nargs="?", type=int, default=15)
    main(arguments.parse_args().rounds)
