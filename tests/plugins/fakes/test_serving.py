"""How users start a stand-in: the context manager, the pytest fixture, the command; and what importing it costs."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import limner
import limner_fakes
import pytest
from aiohttp import web
from click.testing import CliRunner
from limner_fakes.command import command
from limner_fakes.services import SERVICES
from limner_fakes.serving import in_thread, listen

MODELS = {"openai": "openai", "gemini": "gemini", "bfl": "flux", "sdapi": "sdxl-local"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL")) or name == "SDAPI_AUTH"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("limner_http.polling.FIRST_WAIT_SECONDS", 0.02)


@pytest.mark.parametrize("name", SERVICES)
def test_the_fixture_leads_limner_there_by_the_environment_alone(limner_fake, name):
    fake = limner_fake(name)
    result = limner.generate("a fox", model=MODELS[name])
    assert result.image.size[0] > 0
    assert all(request.headers["host"] in fake.url for request in fake.requests)
    made = [request for request in fake.requests if fake.service.makes_pictures(request)]
    assert len(made) == 1
    assert "a fox" in made[0].raw.decode()
    fake.clear()
    assert fake.requests == []


@pytest.mark.parametrize("name", SERVICES)
def test_settings_lead_there_too(name):
    with limner_fakes.serve(name) as fake:
        assert limner.get_model(MODELS[name], **fake.settings).generate("a fox").image is not None


def test_the_painter_can_be_exchanged(limner_fake):
    fake = limner_fake("sdapi")
    first = limner.generate("a red fox", model="sdxl-local", size=(64, 64), seed=7).image
    fake.paint_with("sketch")
    assert limner.generate("a red fox", model="sdxl-local", size=(64, 64), seed=7).image.data != first.data


def test_several_stand_ins_do_not_meet():
    with limner_fakes.serve("openai") as one, limner_fakes.serve("openai", dialect="sglang", faults=["unavailable"]) as two:
        limner.get_model("openai", **one.settings).generate("a fox")
        model = limner.get_model("openai-compatible/a-model", **two.settings, max_attempts=1)
        with pytest.raises(limner.ProviderUnavailable):
            model.generate("a fox")
        assert [len(fake.requests) for fake in (one, two)] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"painter": "oil"}, KeyError), ({"faults": ["oil"]}, ValueError), ({"dialect": "oil"}, KeyError)],
)
def test_wrong_arguments_are_said(arguments, error):
    with pytest.raises(error, match="oil"), limner_fakes.serve("openai", **arguments):
        pass


def test_a_login_is_asked_for():
    with limner_fakes.serve("sdapi", login="anna:secret") as fake:
        limner.get_model("sdxl-local", **fake.settings).generate("a fox", size=(64, 64))
        with pytest.raises(limner.AuthenticationFailed):
            limner.get_model("sdxl-local", base_url=fake.url).generate("a fox", size=(64, 64))


@pytest.mark.parametrize("name", ["openai", "gemini", "bfl"])
def test_a_key_is_asked_for(name):
    with limner_fakes.serve(name) as fake, pytest.raises(limner.AuthenticationFailed):
        limner.get_model(MODELS[name], base_url=fake.url).generate("a fox")


def test_another_host_is_not_answered(limner_fake):
    request = urllib.request.Request(f"{limner_fake('openai').url}/models", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(request, timeout=20)


@pytest.fixture
def started():
    """Start the command as a program and give it with the lines that it prints."""
    running = []

    def started(*arguments):
        program = [sys.executable, "-m", "limner", "fake", *arguments]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process, [process.stdout.readline().strip() for _ in range(3)]

    yield started
    for process in running:
        process.kill()
        process.communicate()


def test_the_command_prints_what_leads_there_and_stops_cleanly(started, tmp_path):
    process, (url, exported, example) = started("openai", "--painter", "invert", "--dialect", "sglang")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", url)
    assert exported == f"export OPENAI_BASE_URL={url} OPENAI_API_KEY=test"
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(example)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["oil"], "'oil' is not one of"),
        (["openai", "--fault", "oil"], "'oil' is no fault"),
        (["openai", "--dialect", "oil"], "'oil' is not a dialect"),
        (["bfl", "--dialect", "xai"], "--dialect goes with openai"),
        (["bfl", "--login", "a:b"], "--login goes with sdapi"),
        (["sdapi", "--login", "a"], "USER:PASSWORD"),
        (["sdapi", "--port", "70000"], "70000 is not in the range"),
    ],
)
def test_the_command_refuses_wrong_options(arguments, text):
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert text in result.output


def test_the_command_says_that_a_port_is_taken(limner_fake):
    port = limner_fake("gemini").url.rpartition(":")[2].partition("/")[0]
    result = CliRunner().invoke(command, ["gemini", "--port", port])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: cannot listen on port {port}: ")


def test_plugins_load_nothing_heavy():
    imports = "; ".join(f"import limner_fakes.{module}" for module in ("plugin", "command", "pytest_plugin"))
    heavy = {"aiohttp", "PIL", "jsonschema"}
    program = f"import sys; {imports}; print(sorted({heavy} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_no_connection_outlives_its_server(head):
    """Whether it was accepted a moment ago, or its client does not read a large response."""

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=bytes(50_000_000))

    application = web.Application()
    application.router.add_get("/", large)
    with contextlib.ExitStack() as clients, listen(0) as listening:
        with in_thread(application, listening, "test"):
            for _ in range(10):
                client = clients.enter_context(socket.create_connection(listening.getsockname()))
                client.sendall(head)
                assert not head or client.recv(1)
        gc.collect()  # a connection that is left open warns, which fails the test
