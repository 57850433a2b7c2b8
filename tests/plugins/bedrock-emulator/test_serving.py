"""How users start it: the context manager, the pytest fixture, the command, the plugin; and what it may import."""

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import click
import limner_bedrock_emulator
import pytest
from click.testing import CliRunner
from limner_bedrock_emulator import plugin
from limner_bedrock_emulator.command import command
from limner_bedrock_emulator.faults import BROKEN, REFUSALS
from limner_fakes.painters import PAINTERS

SDXL = "stability.stable-diffusion-xl-v1"
BODY = {"text_prompts": [{"text": "a fox"}], "width": 640, "height": 1536}
ROOT = Path(__file__).parents[3]
PACKAGE = Path(limner_bedrock_emulator.__file__).parent
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def invoke_at(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    def invoke_at(url, body=BODY):
        client = boto3.client("bedrock-runtime", endpoint_url=url)
        answer = json.loads(client.invoke_model(modelId=SDXL, body=json.dumps(body))["body"].read())
        client.close()
        return answer

    return invoke_at


def test_the_fixture_shows_the_requests(bedrock_emulator, invoke_at):
    assert bedrock_emulator.requests == []
    assert invoke_at(bedrock_emulator.url)["result"] == "success"
    (request,) = bedrock_emulator.requests
    assert isinstance(request, limner_bedrock_emulator.ReceivedRequest)
    assert (request.model_id, request.body, json.loads(request.raw)) == (SDXL, BODY, BODY)
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test/")
    bedrock_emulator.clear()
    assert bedrock_emulator.requests == []


def test_several_emulators_do_not_meet(bedrock_emulator, invoke_at):
    with limner_bedrock_emulator.serve(faults=["quota"]) as other:
        assert other.url != bedrock_emulator.url
        invoke_at(bedrock_emulator.url)
        with pytest.raises(Exception, match="quota"):
            invoke_at(other.url)
        assert [len(emulator.requests) for emulator in (bedrock_emulator, other)] == [1, 1]


def test_the_port_is_free_again_after_the_block():
    with limner_bedrock_emulator.serve() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), limner_bedrock_emulator.serve(port=port):
            pass
    with limner_bedrock_emulator.serve(port=port) as again:
        assert again.url == emulator.url


def test_an_error_in_the_block_passes_through():
    with pytest.raises(ZeroDivisionError), limner_bedrock_emulator.serve():
        _ = 1 / 0


@pytest.mark.parametrize(("arguments", "error"), [({"painter": "oil"}, KeyError), ({"faults": ["oil"]}, ValueError)])
def test_wrong_arguments_are_said(arguments, error):
    with pytest.raises(error, match="oil"), limner_bedrock_emulator.serve(**arguments):
        pass


@pytest.fixture
def started():
    """Start the command as a program and give it with its address."""
    running = []

    def started(*arguments):
        program = [sys.executable, "-m", "limner_bedrock_emulator", *arguments]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process, process.stdout.readline().strip()

    yield started
    for process in running:
        process.kill()
        process.communicate()


def test_the_command_lets_known_undocumented_keys_pass_with_a_warning_each(started, invoke_at):
    process, url = started("--painter", "invert", "--allow-undocumented")
    assert invoke_at(url, {"text_prompts": [{"text": "a fox"}], "start_schedule": 0.6})["result"] == "success"
    with pytest.raises(Exception, match=r"#: extraneous key \[start\] is not permitted"):
        invoke_at(url, {"text_prompts": [{"text": "a fox"}], "start": 0.6})
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    (line,) = err.splitlines()
    assert line.startswith("limner-bedrock-emulator: 'start_schedule' is undocumented for sdxl; sent by ")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_tells_its_address_and_stops_cleanly(started, invoke_at, stop):
    process, url = started("--painter", "invert", "--fault", "error-result*1")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
    assert invoke_at(url)["result"] == "error"
    assert invoke_at(url)["result"] == "success"
    hanging = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    asked = json.dumps(BODY)
    head = (
        f"POST /model/{SDXL}/invoke HTTP/1.1\r\nHost: localhost\r\nx-limner-fault: hang\r\nContent-Length: {len(asked)}\r\n"
    )
    signed = "Authorization: AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c\r\n\r\n"
    hanging.sendall((head + signed + asked).encode())
    invoke_at(url)
    process.send_signal(stop)
    out, err = process.communicate(timeout=20)
    hanging.close()
    assert (process.returncode, out, err) == (0, "", "")


def test_the_command_serves_a_mapped_arn(started, monkeypatch):
    arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc"
    _, url = started("--painter", "invert", "--serve", f"{arn}={SDXL}")
    client = boto3.client(
        "bedrock-runtime", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    assert client.invoke_model(modelId=arn, body=json.dumps(BODY))["body"].read()
    client.close()


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--fault", "oil"], 2, "'oil' is no fault"),
        (["--painter", "oil"], 2, "'oil' is not one of"),
        (["--serve", "arn:x"], 2, "must be IDENTIFIER=MODEL"),
        (["--serve", "arn:x=oil"], 2, "cannot serve as 'oil': The provided model identifier is invalid"),
        (["--port", "70000"], 2, "70000 is not in the range"),
    ],
)
def test_the_command_refuses_wrong_options(arguments, status, text):
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == status
    assert text in result.output


def test_the_command_says_that_a_port_is_taken(bedrock_emulator):
    port = bedrock_emulator.url.rpartition(":")[2]
    result = CliRunner().invoke(command, ["--port", port])
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: cannot listen on port {port}: ")


def test_the_command_knows_the_painters():
    (choice,) = (option.type for option in command.params if option.name == "painter")
    assert list(choice.choices) == list(PAINTERS)


def test_the_plugin_adds_the_command():
    cli = click.Group()
    plugin.limner_commands(cli)
    assert cli.commands == {"bedrock-emulator": command}


def test_plugins_load_nothing_heavy():
    modules = ["plugin", "command", "pytest_plugin"]
    imports = "; ".join(f"import limner_bedrock_emulator.{module}" for module in modules)
    heavy = {"aiohttp", "PIL", "jsonschema", "referencing", "boto3"}
    program = f"import sys; {imports}; print(sorted({heavy} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert ran.stdout.strip() == "[]"


def test_the_wall_around_the_emulator():
    """It knows neither provider plugin, and of limner only what everyone may."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            else:
                continue
            assert node.__class__ is ast.Import or node.level == 0
            for name in names:
                assert name.partition(".")[0] not in {"limner_bedrock", "limner_bedrock_sdxl", "limner_bedrock_titan"}
                assert not name.startswith("limner."), f"{file.name} imports {name}"
        used = set(re.findall(r"\blimner\.(\w+)\(", file.read_text()))
        used |= set(re.findall(r"^from limner import (.+)$", file.read_text(), re.MULTILINE))
        assert used <= {"get_model", "hookimpl"}


@pytest.mark.parametrize("page", [ROOT / "docs" / "emulator.md", ROOT / "plugins" / "bedrock-emulator" / "README.md"])
def test_the_pages_name_every_fault(page):
    text = page.read_text()
    missing = [name for name in REFUSALS | BROKEN if f"`{name}`" not in text]
    assert missing == []
    for name, refusal in REFUSALS.items():
        assert re.search(rf"`{name}`.*{refusal.status}.*`{refusal.code}`", text), name


def test_the_script_of_the_docs_page_runs(bedrock_emulator, monkeypatch, tmp_path):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", bedrock_emulator.url)
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "emulator.md").read_text()
    script = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "boto3.client" in block)
    exec(compile(script, "emulator.md", "exec"), {})
    assert [file.name for file in tmp_path.iterdir()] == ["fox.png"]
    assert len(bedrock_emulator.requests) == 1
