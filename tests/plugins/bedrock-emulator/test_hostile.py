"""Hostile requests: each is answered with an error, or the connection closed, and the server lives on."""

import base64
import gzip
import io
import json
import random
import socket
import struct
import urllib.error
import urllib.request
import zlib
from urllib.parse import urlsplit

import pytest
from limner_bedrock_emulator import pictures, service
from limner_bedrock_emulator.refusals import RequestRefused
from PIL import Image

SDXL, TITAN, NOVA = "stability.stable-diffusion-xl-v1", "amazon.titan-image-generator-v2:0", "amazon.nova-canvas-v1:0"
ULTRA, SD35 = "stability.stable-image-ultra-v1:1", "stability.sd3-5-large-v1:0"
ERASE, FAST = "us.stability.stable-image-erase-object-v1:0", "us.stability.stable-fast-upscale-v1:0"
SIGNED = "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c"
BODY = {"text_prompts": [{"text": "a fox"}], "width": 640, "height": 1536}
PATIENCE = 30


@pytest.fixture
def post(emulator):
    """POST bytes; give status and message."""

    def post(data, model=SDXL, **headers):
        headers = {"Authorization": SIGNED, "Content-Type": "application/json"} | headers
        request = urllib.request.Request(f"{emulator.url}/model/{model}/invoke", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["message"]

    return post


@pytest.fixture
def refused(post, caplog):
    """Refuse a body with 400 and a short message, log no failure, and answer the next request."""

    def refused(body, model=SDXL, **headers):
        status, message = post(body if isinstance(body, bytes) else json.dumps(body).encode(), model, **headers)
        assert status == 400, message
        assert len(message) < 10_000
        assert caplog.records == []
        assert post(json.dumps(BODY).encode())[0] == 200
        return message

    return refused


@pytest.mark.parametrize("depth", [50, 300, 900, 5_000, 1_000_000])
@pytest.mark.parametrize("place", ['{"style_preset": %s}', '{"text_prompts": %s}', '{"x": %s}', "%s"])
def test_deep_nesting(refused, depth, place):
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        refused((place % (opening * depth + "0" + closing * depth)).encode())


@pytest.mark.parametrize(
    "number", ["9" * 4000, "-" + "9" * 4000, "9" * 1_000_000, "1e999", "-1e999", "1e-9999", "1e400000000"]
)
@pytest.mark.parametrize(
    ("model", "body"),
    [
        (SDXL, '{"text_prompts": [], "seed": %s, "steps": %s, "cfg_scale": %s, "width": %s, "height": %s}'),
        (
            TITAN,
            '{"taskType": "TEXT_IMAGE", "imageGenerationConfig": {"seed": %s, "width": %s, "height": %s, "cfgScale": %s}}',
        ),
        (NOVA, '{"taskType": "TEXT_IMAGE", "imageGenerationConfig": {"seed": %s, "width": %s, "height": %s}}'),
        (ERASE, '{"image": "x", "grow_mask": %s, "seed": %s}'),
        (ERASE.replace("stable-image-erase-object", "stable-outpaint"), '{"image": "x", "left": %s, "creativity": %s}'),
        (TITAN, "%s"),
    ],
)
def test_giant_numbers(refused, number, model, body):
    refused(body.replace("%s", number).encode(), model)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (SDXL, {"text_prompts": [{"weight": "x"}] * 3_000}),
        (SDXL, {"text_prompts": [{"text": "x"}], **{f"key{at}": 1 for at in range(100_000)}}),
        (SDXL, {"text_prompts": [{"text": "x"}], "style_preset": "x" * 10_000_000}),
        (SDXL, {"text_prompts": [{"text": "x"}], "k" * 10_000_000: 1}),
        (ULTRA, {"k" * 10_000_000: 1}),
        (SDXL, {"text_prompts": [{"text": "[[fault:" * 1_000_000}]}),
        (SDXL, {"text_prompts": [{"text": "[[fault:" + "x" * 99 + "]]"}]}),
        (SDXL, {"text_prompts": [{"text": "\ud800"}], "seed": "\ud800\x00"}),
    ],
    ids=["many errors", "many keys", "long value", "long key", "long field", "fault markers", "no fault", "surrogates"],
)
def test_much_of_everything(refused, model, body):
    refused(body, model)


def test_truncated_and_broken_json(refused):
    whole = json.dumps(BODY).encode()
    for at in range(0, len(whole), 5):
        refused(whole[:at])
    chance = random.Random(3)
    for _ in range(10):
        refused(bytes(chance.randrange(128, 256) for _ in range(40)))


def png(width, height, *chunks):
    """Write a PNG whose header may lie; one row's worth of pixels at most."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    written = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def bomb(side):
    """Write a whole PNG of one bit a pixel, which is small however many there are."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


def saved(kind, **options):
    file = io.BytesIO()
    Image.new("RGB", (512, 512), "red").save(file, kind, **options)
    return file.getvalue()


def bodies(picture):
    """Put a picture in every place that takes one; with it, the pointer to the place."""
    text = base64.b64encode(picture).decode()
    fine = base64.b64encode(saved("PNG")).decode()
    prompts = [{"text": "a fox"}]
    edit = {"taskType": "INPAINTING", "inPaintingParams": {"image": fine, "maskImage": text}}
    return [
        (SDXL, {"text_prompts": prompts, "init_image": text}),
        (SDXL, {"text_prompts": prompts, "init_image": fine, "mask_image": text, "mask_source": "MASK_IMAGE_WHITE"}),
        (TITAN, {"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": [text]}}),
        (TITAN, edit),
        (NOVA, {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": text}}),
        (ULTRA, {"prompt": "a", "image": text}),
        (SD35, {"prompt": "a", "image": text, "strength": 1}),
        (ERASE, {"image": text}),
        (ERASE, {"image": fine, "mask": text}),
        (FAST, {"image": text}),
    ]


PS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 512 512\n%%EndComments\nshowpage\n"
PICTURES = {
    "eps": lambda: PS,
    "pdf": lambda: b"%PDF-1.4\n",
    "svg": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='512' height='512'/>",
    "psd": lambda: b"8BPS\0\1" + bytes(300),
    "icns": lambda: b"icns" + bytes(300),
    "gif": lambda: saved("GIF"),
    "bmp": lambda: saved("BMP"),
    "tiff": lambda: saved("TIFF"),
    "ppm": lambda: saved("PPM"),
    "ico": lambda: saved("ICO"),
    "nothing": lambda: b"",
    "truncated png": lambda: saved("PNG")[:200],
    "truncated jpeg": lambda: saved("JPEG")[:200],
    "header alone": lambda: png(512, 512),
    "giant header": lambda: png(2**31 - 1, 2**31 - 1),
    "wide header": lambda: png(2**31 - 1, 1),
    "empty header": lambda: png(0, 0),
    "text bomb": lambda: png(512, 512, (b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000_000)))),
    "profile bomb": lambda: png(512, 512, (b"iCCP", b"k\0\0" + zlib.compress(bytes(100_000_000)))),
    "bomb": lambda: bomb(9_000),
    "larger bomb": lambda: bomb(30_000),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(refused, monkeypatch, name):
    asked, loaded = bodies(PICTURES[name]()), []
    monkeypatch.setattr(Image.Image, "load", _watching(Image.Image.load, loaded))
    for model, body in asked:
        assert "expected" in refused(body, model), model
    assert max((width * height for width, height in loaded), default=0) <= pictures.MOST_PIXELS


def _watching(load, loaded):
    def watching(picture):
        loaded.append(picture.size)
        return load(picture)

    return watching


def test_webp_is_for_stabilitys_newer_models_alone(post, refused):
    for model, body in bodies(saved("WEBP")):
        if model in (SDXL, TITAN, NOVA):
            refused(body, model)
        else:
            assert post(json.dumps(body).encode(), model)[0] == 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_no_decoder_but_the_allowed_is_asked(kind):
    """Header mutations: whatever the bytes claim to be, it is read as that format or refused."""
    whole, chance = saved(kind), random.Random(5)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(min(len(data), 120))] = chance.randrange(256)
        try:
            picture = pictures.read(base64.b64encode(data).decode(), "#/image", formats=(kind,))
        except RequestRefused:
            continue
        assert picture.format in (kind, "MPO")
        assert picture.width * picture.height <= pictures.MOST_PIXELS


def test_a_compressed_body_is_not_unpacked(refused):
    for unpacked in (json.dumps(BODY).encode(), bytes(100_000_000)):
        refused(gzip.compress(unpacked, 1), **{"Content-Encoding": "gzip"})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x"])
def test_a_body_that_is_not_encoded_as_it_says(refused, encoding):
    refused(b"no such encoding", **{"Content-Encoding": encoding})


@pytest.fixture
def wire(emulator):
    """Open a connection and send bytes as they are."""
    opened = []

    def wire(data):
        parts = urlsplit(emulator.url)
        connection = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
        opened.append(connection)
        connection.sendall(data)
        return connection

    yield wire
    for connection in opened:
        connection.close()


HEAD = f"POST /model/{SDXL}/invoke HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {SIGNED}\r\n".encode()


def status_of(connection):
    """Read the status of the answer; 0 where the connection was closed without one."""
    with connection.makefile("rb") as answer:
        line = answer.readline().split()
    return int(line[1]) if line else 0


def test_a_slow_body_is_not_waited_for(wire, post, monkeypatch):
    monkeypatch.setattr(service, "SLOWEST_BODY", 0.2)
    connections = [wire(HEAD + b"Content-Length: 1000\r\n\r\n{") for _ in range(20)]
    assert [status_of(connection) for connection in connections] == [408] * 20
    assert post(json.dumps(BODY).encode())[0] == 200


def test_a_slow_body_does_not_delay_other_requests(wire, post):
    for _ in range(50):
        wire(HEAD + b"Content-Length: 1000\r\n\r\n{")
        wire(HEAD)
    assert post(json.dumps(BODY).encode())[0] == 200


def test_a_body_that_breaks_off_is_no_failure_of_the_server(wire, post, caplog):
    for _ in range(5):
        wire(HEAD + b"Content-Length: 1000\r\n\r\n{").close()
        wire(HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{").close()
    assert post(json.dumps(BODY).encode())[0] == 200
    assert caplog.records == []


def test_a_chunked_body_has_the_same_limit(wire):
    connection = wire(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(26):
            connection.sendall(b"f4240\r\n" + b" " * 1_000_000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
    except ConnectionError:
        pass  # it may stop listening before the end
    assert status_of(connection) == 400


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),  # TLS
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"POST /model/x/invoke HTTP/1.0\r\n\r\n", 421),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (HEAD.replace(b"127.0.0.1", b"127.0.0.1\r\nHost: evil.example") + b"\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: -5\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n{}", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (HEAD + b"x: " + b"x" * 1_000_000 + b"\r\n\r\n", 400),
        (b"POST /" + b"x" * 1_000_000 + b" HTTP/1.1\r\n\r\n", 400),
        (HEAD + b"Expect: nonsense\r\nContent-Length: 0\r\n\r\n", 417),
    ],
)
def test_broken_http(wire, post, data, status):
    try:
        answered = status_of(wire(data))
    except ConnectionError:
        answered = 0
    assert answered in (status, 0)
    assert post(json.dumps(BODY).encode())[0] == 200
