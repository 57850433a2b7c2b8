"""TLS: certificates are checked, SSL_CERT_FILE is respected, and the deadline holds there too."""

import shutil
import ssl
import subprocess
import time

import limner
import pytest

from .conftest import AT_ONCE, REQUEST, Said

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = [folder / "key.pem", folder / "cert.pem"]
    more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(files[0]), "-out", str(files[1])]
    subprocess.run([*command.split(), *more], check=True, capture_output=True, timeout=60)
    return files


@pytest.fixture
def secure(certificate, serving):
    def start(answer):
        server = serving(answer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[1], certificate[0])
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        server.url = server.url.replace("http://127.0.0.1", "https://localhost")
        return server

    return start


def test_a_known_certificate_is_trusted(model, secure, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    server = secure(Said(body=b"x" * 300_000))
    tested = model(server.url)
    assert len(tested.send(REQUEST).body) == 300_000
    assert len(tested.send(REQUEST).body) == 300_000


def test_an_unknown_certificate_is_not_trusted_and_not_tried_again(model, secure):
    call = model(secure(Said(body={})).url).call()
    with pytest.raises(limner.ProviderUnavailable, match=r"TLS failed: .*; check base_url, this machine's clock"):
        call.post(REQUEST)
    assert call.attempts == 1


def test_a_slow_answer_is_cut_off_at_the_deadline(model, secure, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))

    def slow(_seen, _count):
        time.sleep(2)
        return Said(body={})

    started = time.monotonic()
    with pytest.raises(limner.ProviderTimeout):
        model(secure(slow).url, timeout=0.5).send(REQUEST)
    assert time.monotonic() - started < AT_ONCE
