"""Fast answers of OpenAI's Images API and of Gemini for benchmarks, over loopback HTTP.

    python tests/benchmarks/provider_stub.py

The first line of output is the address. It does nothing but answer, so that what is measured is the client.
"""

from __future__ import annotations

import asyncio
import base64
import json

from stub import picture


def answers() -> dict[str, bytes]:
    """A body for each service: one picture of about 1.5 MB."""
    text = base64.b64encode(picture()).decode()
    usage = {"input_tokens": 8, "output_tokens": 100, "total_tokens": 108}
    details = {"input_tokens_details": {"text_tokens": 8, "image_tokens": 0}}
    openai = {"created": 1_790_000_000, "data": [{"b64_json": text}], "usage": usage | details, "size": "1024x1024"}
    part = {"inlineData": {"mimeType": "image/png", "data": text}}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    counted = {"promptTokenCount": 9, "candidatesTokenCount": 1290, "totalTokenCount": 1299}
    gemini = {"candidates": [candidate], "usageMetadata": counted, "modelVersion": "m", "responseId": "r"}
    return {"images": json.dumps(openai).encode(), "generateContent": json.dumps(gemini).encode()}


class Stub(asyncio.Protocol):
    """One connection."""

    bodies = answers()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember it."""
        self.transport, self.received = transport, bytearray()

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole."""
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.received[:end]).decode("latin-1")
        headers = {name.lower(): value for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
        if len(self.received) < end + 4 + int(headers.get("content-length", 0)):
            return
        self.received.clear()
        body = self.bodies["images" if "/images/" in head.partition("\r\n")[0] else "generateContent"]
        answer = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        self.transport.write(answer + body)  # type: ignore[attr-defined]


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
