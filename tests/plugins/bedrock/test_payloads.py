import base64
import contextlib
import io
import json
import tracemalloc

import limner
import orjson
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner_bedrock import dump_json, parse_json, picture_from_base64
from limner_bedrock.payloads import _CHUNK_BYTES, Base64


def to_base64(data):
    return base64.b64encode(data).decode()


def png():
    data = io.BytesIO()
    PIL.Image.new("RGB", (3, 2)).save(data, "PNG")
    return data.getvalue()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_json_goes_and_comes(content):
    assert parse_json(dump_json(content)) == content


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "a JSON list, not an object"),
        (b"null", "a JSON NoneType, not an object"),
        (b'"text"', "a JSON str, not an object"),
    ],
)
def test_anything_but_a_json_object_is_a_bad_response(body, why):
    with pytest.raises(limner.BadResponse, match=why) as caught:
        parse_json(body)
    assert len(str(caught.value)) < 200


def encoded(value):
    """The same with every bytes as the base64 that it becomes."""
    match value:
        case bytes():
            return to_base64(value)
        case list():
            return [encoded(item) for item in value]
        case dict():
            return {name: encoded(item) for name, item in value.items()}
    return value


@given(
    st.dictionaries(st.text(), st.recursive(JSON | st.binary(), lambda inner: st.lists(inner, max_size=3)), max_size=4),
)
def test_bytes_become_base64(content):
    body = dump_json(content)
    assert type(body) is bytes
    assert json.loads(body) == encoded(content)


@pytest.mark.parametrize(
    "size", [0, 1, 2, 3, _CHUNK_BYTES - 1, _CHUNK_BYTES, _CHUNK_BYTES + 1, 2 * _CHUNK_BYTES, 2 * _CHUNK_BYTES + 2]
)
def test_pictures_of_any_length_are_one_base64(size):
    data = bytes(range(256)) * (size // 256 + 1)
    content = {"first": data[:size], "between": "a text", "second": [data[:size], data[: size // 2]]}
    assert json.loads(dump_json(content)) == encoded(content)


@contextlib.contextmanager
def peak():
    """The most memory that was held at once, in bytes."""
    held = []
    tracemalloc.start()
    try:
        yield held
        held.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


def test_a_body_takes_the_memory_of_a_body():
    picture = bytes(3_000_000)
    with peak() as held:
        body = dump_json({"image": picture})
    assert len(body) == 4_000_012
    assert held[0] < 1.2 * len(body)


def test_an_answer_takes_the_memory_of_its_picture():
    body = dump_json({"image": png() + bytes(3_000_000)})
    with peak() as held:
        picture = picture_from_base64(parse_json(body)["image"])
    assert held[0] < 1.2 * len(picture.data)


@pytest.mark.parametrize("value", [object(), {1, 2}, bytearray(b"x"), 1j])
def test_what_is_no_json(value):
    with pytest.raises(TypeError, match="JSON"):
        dump_json({"a": value})


def test_picture():
    assert picture_from_base64(to_base64(png())).size == (3, 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "picture 2 is NoneType, not base64 text"),
        (7, "picture 2 is int, not base64 text"),
        (b"aGk=", "picture 2 is bytes, not base64 text"),
        ("a*b=", "not base64"),
        ("ü" * 8, "not base64"),
        ("abc", "not base64"),
        (to_base64(png())[:40] + "\n" + to_base64(png())[40:], "not base64"),
        ("data:image/png;base64," + to_base64(png()), "not base64"),
        ("", "empty"),
        (to_base64(b"no picture at all"), "picture 2 cannot be read"),
        (to_base64(png()[:-20]), "cut short"),
    ],
)
def test_a_picture_that_is_none(text, why):
    with pytest.raises(limner.BadResponse, match=why) as caught:
        picture_from_base64(text, "picture 2")
    assert len(str(caught.value)) < 200


LONG = 5000
PIECES = st.sampled_from(["A", '"', "\\", "/", "ü", "\n", ":", ","])
TEXTS = st.lists(PIECES, max_size=4).map("".join) | st.lists(PIECES, max_size=3).map(lambda p: "".join(p) + "B" * LONG)


def plain(value):
    """A parsed answer with every Base64 as the text that it is."""
    match value:
        case list():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(item) for name, item in value.items()}
    return str(value) if isinstance(value, Base64) else value


@given(st.dictionaries(TEXTS, st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=4))
def test_long_texts_stay_in_the_body_and_mean_the_same(content):
    body = dump_json(content)
    assert plain(parse_json(body)) == content
    spaced = json.dumps(content, indent=1).encode()  # escapes all that is not ASCII
    assert plain(parse_json(spaced)) == content


def test_a_long_text_without_escapes_is_not_copied():
    found = parse_json(dump_json({"images": ["A" * LONG], "short": "A"}))
    assert isinstance(found["images"][0], Base64)
    assert isinstance(found["images"][0].text, memoryview)
    assert found["short"] == "A"


@given(st.binary(max_size=40), st.integers(0, 40))
def test_json_with_a_long_text_is_wrong_where_it_would_be_without(inside, at):
    """What is between the long texts is read by the same reader as ever."""
    body = inside[:at] + b'"' + b"A" * LONG + b'"' + inside[at:]
    try:
        expected = orjson.loads(body)
    except orjson.JSONDecodeError:
        expected = None
    if isinstance(expected, dict):
        assert plain(parse_json(body)) == expected
    else:
        with pytest.raises(limner.BadResponse):
            parse_json(body)


@pytest.mark.parametrize(
    "body", [b'{"\xff' + b"A" * LONG + b'": 1}', b'{"a": ' + b"[" * 900 + b'"' + b"A" * LONG + b'"' + b"]" * 900 + b"}"]
)
def test_odd_json_with_a_long_text_is_an_answer_or_a_bad_response(body):
    try:
        found = parse_json(body)
    except limner.BadResponse:
        return
    assert plain(found) == json.loads(body)


def test_a_picture_is_decoded_from_where_it_is():
    data = png() + b"\0" * LONG
    found = parse_json(dump_json({"picture": data}))["picture"]
    assert picture_from_base64(found).data == data
    broken = parse_json(dump_json({"picture": to_base64(data)[:-2] + "*="}))["picture"]
    with pytest.raises(limner.BadResponse, match="not base64"):
        picture_from_base64(broken)
