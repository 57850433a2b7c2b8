"""Forms are read back by the standard library, part by part, byte by byte."""

import email.parser
import email.policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from limner_http import Part, multipart

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=20)
TYPES = st.sampled_from(["", "image/png", "image/jpeg", "application/json"])
CONTENT = st.binary(max_size=200) | st.sampled_from([b"\r\n--limner-", b"--", b"\r\n\r\n", b"a\nb\rc\r\n"])
PARTS = st.lists(st.builds(Part, NAMES, CONTENT, st.just("") | NAMES, TYPES), min_size=1, max_size=6)


def read(body, content_type):
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    assert not message.defects
    return list(message.iter_parts())


@given(PARTS)
@example([Part("image[]", b"\x89PNG", "a.png", "image/png"), Part("image[]", b"", "b.png", "image/png")])
def test_what_is_written_is_what_is_read(parts):
    body, content_type = multipart(parts)
    boundary = content_type.partition("boundary=")[2].encode()
    assert body.count(b"--" + boundary) == len(parts) + 1
    # The email package changes line ends of text parts: contents are compared in the raw body, heads through the package.
    raw = body.split(b"--" + boundary)[1:-1]
    for part, piece, found in zip(parts, raw, read(body, content_type), strict=True):
        assert piece.partition(b"\r\n\r\n")[2] == part.content + b"\r\n"
        assert found["content-disposition"].params["name"] == part.name
        assert found["content-disposition"].params.get("filename", "") == part.filename
        assert (found["content-type"] or "") == part.content_type


@given(PARTS)
def test_the_same_parts_make_the_same_bytes(parts):
    assert multipart(parts) == multipart(list(parts))


def test_other_parts_have_another_boundary():
    seen = {multipart([Part("a", b"xy"), Part("b", b"")])[1], multipart([Part("a", b"x"), Part("b", b"y")])[1]}
    assert len(seen) == 2


def test_a_text_is_sent_in_utf8():
    assert "füchsin".encode() in multipart([Part("prompt", "füchsin")])[0]


@pytest.mark.parametrize("name", ["", 'a"b', "a\r\nb", "a\\b", "ä"])
def test_a_name_that_could_break_a_head_is_refused(name):
    with pytest.raises(ValueError, match="printable ASCII"):
        Part(name, b"")


@pytest.mark.parametrize("kind", ["image/png\r\nX: y", "png"])
def test_a_media_type_that_could_break_a_head_is_refused(kind):
    with pytest.raises(ValueError, match="image/png"):
        Part("a", b"", "a.png", kind)


def test_an_empty_form_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        multipart([])
