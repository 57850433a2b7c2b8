"""A fast InvokeModel for benchmarks: recorded bodies over loopback HTTP, after a delay where one is asked for.

    python tests/benchmarks/stub.py [--delay SECONDS]

The first line of output is the address. It does nothing but answer, so that what is measured is the client.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import random
from urllib.parse import unquote

import PIL.Image

PICTURE_BYTES = 1_500_000


def picture() -> bytes:
    """A PNG of about 1.5 MB: noise does not compress."""
    side = int((PICTURE_BYTES / 3) ** 0.5)
    noise = PIL.Image.frombytes("RGB", (side, side), random.Random(1).randbytes(side * side * 3))
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    return buffer.getvalue()


def answers() -> dict[str, bytes]:
    """A body for each model and number of pictures."""
    text = base64.b64encode(picture()).decode()
    sdxl = {"result": "success", "artifacts": [{"seed": 1, "base64": text, "finishReason": "SUCCESS"}]}
    bodies = {"stability": json.dumps(sdxl).encode()}
    dot = io.BytesIO()
    PIL.Image.new("RGB", (1, 1)).save(dot, "PNG")
    bodies["empty"] = json.dumps({"images": [base64.b64encode(dot.getvalue()).decode()]}).encode()
    return bodies | {f"amazon{n}": json.dumps({"images": [text] * n}).encode() for n in range(1, 6)}


class Stub(asyncio.Protocol):
    """One connection."""

    bodies = answers()
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember it."""
        self.transport, self.received, self.wanted = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.received[:end]).decode("latin-1")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head.split("\r\n")[1:])}
            if headers.get("expect") and not self.wanted:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # type: ignore[attr-defined]
            self.wanted = end + 4 + int(headers.get("content-length", 0))
            if len(self.received) < self.wanted:
                return
            request = bytes(self.received[end + 4 : self.wanted])
            del self.received[: self.wanted]
            self.wanted = 0
            asyncio.get_running_loop().call_later(self.delay, self.answer, unquote(head.split(" ")[1]), request)

    def answer(self, path: str, request: bytes) -> None:
        """Send the recorded body."""
        name = "stability"
        if "/amazon." in path:
            count = json.loads(request).get("imageGenerationConfig", {}).get("numberOfImages", 1)
            name = "empty" if b'"empty"' in request else f"amazon{count}"
        body = self.bodies[name]
        headers = f"content-type: application/json\r\nx-amzn-requestid: 1\r\ncontent-length: {len(body)}"
        head = f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n"
        self.transport.write(head.encode() + body)  # type: ignore[attr-defined]


async def serve(delay: float) -> None:
    """Serve until killed."""
    Stub.delay = delay
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--delay", type=float, default=0.0)
    asyncio.run(serve(arguments.parse_args().delay))
