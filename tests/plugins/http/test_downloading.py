"""A picture behind a URL is downloaded once it is paid for, but never from just anywhere, and never with the key."""

import attrs
import limner
import pytest
from limner_http import download

from .conftest import KEY, Said

PNG = Said(body=b"\x89PNG picture", content_type="image/png")


def fetch(model, base, url, **more):
    return download(model(base, headers={"X-Gate": "canary"}).call(), url, **more)


def test_a_picture_comes_without_the_key(model, serving):
    server = serving(PNG)
    answer = fetch(model, server.url, f"{server.url}/pictures/1.png?sig=abc")
    assert answer.body == b"\x89PNG picture"
    assert server.seen[0].path == "/pictures/1.png?sig=abc"
    assert KEY not in str(server.seen[0].headers)
    assert "x-gate" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("base", "url", "path"), [("/v1", "/pictures/1.png", "/pictures/1.png"), ("/v1", "1.png", "/v1/1.png")]
)
def test_a_relative_url_is_below_the_base_url(model, serving, base, url, path):
    server = serving(PNG)
    fetch(model, server.url + base, url)
    assert server.seen[0].path == path


@pytest.mark.usefixtures("quick")
def test_a_failed_download_is_repeated(model, serving):
    server = serving([Said(500), Said(502), PNG])
    assert fetch(model, server.url, "/1.png").attempts == 3


def test_redirects_are_followed_without_the_key(model, serving):
    last = serving(PNG)
    first = serving(Said(302, headers={"Location": f"{last.url}/there.png"}))
    assert fetch(model, first.url, "/1.png").body == PNG.body
    assert KEY not in str(last.seen[0].headers)


def test_a_ring_of_redirects_ends(model, serving):
    server = serving(Said(302, headers={"Location": "/again"}))
    with pytest.raises(limner.BadResponse, match="redirected over 5 times"):
        fetch(model, server.url, "/1.png")
    assert len(server.seen) == 6


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "http://192.0.2.1/x", "ftp://h/x", "http://[", "//"])
def test_a_redirect_leads_nowhere_else(model, serving, location):
    server = serving(lambda seen, count: Said(302, headers={"Location": location}) if count == 1 else Said(404))
    with pytest.raises(limner.ProviderError):
        fetch(model, server.url, "/1.png")


PUBLIC = "https://api.example.com/v1"

REFUSED = {
    "http": ("http://cdn.example.com/1.png", "not an https URL"),
    "http on loopback": ("http://127.0.0.1:9/1.png", "not an https URL"),
    "loopback": ("https://127.0.0.1:9/1.png", "private address"),
    "localhost": ("https://localhost:9/1.png", "private address"),
    "private": ("https://10.0.0.1/1.png", "private address"),
    "link-local": ("https://169.254.169.254/latest/meta-data", "private address"),
    "mapped": ("https://[::ffff:10.0.0.1]/1.png", "private address"),
    "IPv6": ("https://[fd00::1]/1.png", "private address"),
    "user": ("https://user:pw@cdn.example.com/1.png", "contains a user name"),
    "file": ("file:///etc/passwd", "not a URL of http"),
    "number": (7, "is int"),
    "none": (None, "is NoneType"),
    "port": ("https://h:99999/", "not a URL of http"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_url_that_leads_where_it_should_not_is_not_opened(model, case):
    url, why = REFUSED[case]
    with pytest.raises(limner.BadResponse, match=why) as error:
        fetch(model, PUBLIC, url)
    assert "user:pw" not in str(error.value)


@pytest.mark.parametrize("hidden", ["127.0.0.1", "10.1.2.3", "::1", "169.254.169.254", "0.0.0.0", "100.64.0.1"])
def test_a_public_name_with_a_private_address_is_not_opened(model, monkeypatch, hidden):
    """The address is looked at where it is connected to, so that no second answer of a name server matters."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: [(2, 1, 6, "", (hidden, 443))])
    with pytest.raises(limner.BadResponse, match="private address; it was not opened"):
        fetch(model, PUBLIC, "https://cdn.example.com/1.png")


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/html; charset=utf-8"])
def test_what_is_no_picture_is_refused(model, serving, kind):
    server = serving(Said(body=b"<html>", content_type=kind))
    with pytest.raises(limner.BadResponse, match=r"returned (text|application)/\w+, not a picture"):
        fetch(model, server.url, "/1.png")


def test_a_download_is_bounded(model, serving):
    server = serving(attrs.evolve(PNG, body=b"x" * 100_000))
    with pytest.raises(limner.BadResponse, match="over 1,000 bytes"):
        fetch(model, server.url, "/1.png", max_bytes=1000)


def test_a_signed_url_is_in_no_error(model, serving):
    server = serving(Said(403, b"<Error>denied</Error>", content_type="application/xml"))
    with pytest.raises(limner.AccessDenied) as error:
        fetch(model, server.url, "/1.png?X-Amz-Signature=canary")
    assert "canary" not in str(error.value)
