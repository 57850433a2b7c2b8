"""From a fresh process to the first saved picture: limner, the plain script of boto3, and litellm where it is installed.

    python tests/benchmarks/first_picture.py [PYTHON]

PYTHON is the interpreter of another environment with litellm in it, which cannot be installed beside the newest SDKs.
All against `stub.py`: wall time of the whole process, CPU of each later call, and peak memory of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from calls import FOLDER, SDXL, stub
from fresh import compiled

ROUNDS = 7

MEASURED = """
import json, time
first()
started = time.process_time()
for _ in range(10):
    again()
per_call = (time.process_time() - started) / 10
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"ms": per_call * 1000, "mib": int(peak.split()[1]) / 1024}))
"""

SCRIPTS = {
    "limner": """
import limner, warnings
warnings.simplefilter("ignore")
model = limner.get_model("sdxl")
def again(): return model.generate("a fox", seed=1).image
def first(): again().save(path, provenance=False)
""",
    "plain script": f"""
import base64, boto3, json, pathlib
client = boto3.client("bedrock-runtime")
body = {{"text_prompts": [{{"text": "a fox"}}], "cfg_scale": 7, "seed": 1, "steps": 30, "width": 1024, "height": 1024}}
def again():
    answer = client.invoke_model(body=json.dumps(body), modelId={SDXL!r})
    return base64.b64decode(json.loads(answer["body"].read())["artifacts"][0]["base64"].encode("ascii"))
def first(): pathlib.Path(path).write_bytes(again())
""",
    "litellm": f"""
import base64, litellm, pathlib
def again():
    answer = litellm.image_generation(prompt="a fox", model="bedrock/{SDXL}", seed=1)
    return base64.b64decode(answer.data[0].b64_json)
def first(): pathlib.Path(path).write_bytes(again())
""",
}


def run(
    python: str, script: str, folder: str, environment: dict[str, str], *, measured: bool
) -> tuple[float, dict[str, float]]:
    """Run a script in a fresh process: seconds, and what it measured of itself."""
    path = os.path.join(folder, f"{time.monotonic_ns()}.png")  # noqa: PTH118
    code = f"path = {path!r}\n{script}\n" + (MEASURED if measured else "first()")
    started = time.perf_counter()
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd=FOLDER, env=environment)
    taken = time.perf_counter() - started
    return taken, json.loads(done.stdout.splitlines()[-1]) if measured else {}


def has_litellm(python: str) -> bool:
    """Tell whether it is an interpreter with litellm."""
    if shutil.which(python) is None:
        return False
    return subprocess.run([python, "-c", "import litellm, boto3"], capture_output=True, check=False).returncode == 0


def main(other: str | None) -> None:
    """Measure and print."""
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    os.environ.update(AWS_REGION="us-east-1", AWS_REGION_NAME="us-east-1", LITELLM_LOCAL_MODEL_COST_MAP="True")
    pythons = {name: sys.executable for name in SCRIPTS if name != "litellm"} | ({"litellm": other} if other else {})
    with tempfile.TemporaryDirectory() as folder, stub() as address, compiled() as environment:
        environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = environment["AWS_BEDROCK_RUNTIME_ENDPOINT"] = address
        taken: dict[str, list[float]] = {name: [] for name in pythons}
        for done in range(ROUNDS + 1):
            for name, python in pythons.items():
                seconds, _ = run(python, SCRIPTS[name], folder, environment, measured=False)
                if done:
                    taken[name].append(seconds)
        own = {name: run(python, SCRIPTS[name], folder, environment, measured=True)[1] for name, python in pythons.items()}
    base = statistics.median(taken["limner"])
    for name, values in taken.items():
        median = statistics.median(values)
        print(f"{name:13} first picture {median * 1000:6.0f} ms (limner: {base / median:.2f} of it)", end=", ")
        print(f"CPU a call {own[name]['ms']:5.1f} ms ({own['limner']['ms'] / own[name]['ms']:.2f})", end=", ")
        print(f"peak {own[name]['mib']:6.1f} MiB ({own['limner']['mib'] / own[name]['mib']:.2f})")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("python", nargs="?", help="of an environment with litellm, boto3 and pillow")
    other = arguments.parse_args().python
    if other is not None and not has_litellm(other):
        arguments.error(f"{other} is no Python that imports litellm; docs/benchmarks.md says how to get one")
    main(other)
