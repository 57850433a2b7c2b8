import base64
import io

import limner
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner_bedrock import dump_json, parse_json, picture_from_base64, to_base64


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


@given(st.binary())
def test_base64(data):
    assert base64.b64decode(to_base64(data), validate=True) == data


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
