"""The playground without a browser: its files, its API, and tasks as code."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator
from importlib import resources
from typing import Any

import limner
import pytest
from click.testing import CliRunner
from limner.testing.pictures import picture
from limner_server.playground.pictures import Pictures
from limner_server.playground.snippets import in_python, on_the_command_line
from limner_server.serving import serve
from limner_server.settings import ServerSettings

from . import studio

STATIC = resources.files("limner_server.playground").joinpath("static")
FILES = sorted(entry.name for entry in STATIC.iterdir())
KEY = "a-key"


@pytest.fixture(scope="module")
def client() -> Iterator[studio.Client]:
    with serve(ServerSettings(playground=True, keys=(KEY,))) as url:
        yield studio.Client(url, KEY)


def plan(client: studio.Client, task: dict[str, Any], **more: Any) -> Any:
    answer = client.post("/playground/api/plan", {"models": ["studio"], "task": task, **more})
    assert answer.status == 200, answer.error
    return answer.json["plans"][0]


def events(client: studio.Client, task: dict[str, Any], **more: Any) -> list[Any]:
    answer = client.post("/playground/api/run", {"models": ["studio"], "task": task, **more})
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.body.splitlines()]


def upload(client: studio.Client, image: limner.Image) -> str:
    answer = client.call("POST", "/playground/api/pictures", image.data, content_type=image.media_type)
    assert answer.status == 200
    return answer.json["sha256"]


# ---------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_the_page_need_no_key_and_keep_to_themselves(client, name):
    answer = studio.Client(client.url).get("/playground/" if name == "page.html" else f"/playground/{name}")
    assert answer.status == 200
    assert answer.body == STATIC.joinpath(name).read_bytes()
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    known = client.get(
        "/playground/" if name == "page.html" else f"/playground/{name}", if_none_match=answer.headers["etag"]
    )
    assert (known.status, known.body) == (304, b"")


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_the_page_name_nothing_elsewhere_and_set_no_html(name):
    text = STATIC.joinpath(name).read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)
    for wanted in re.findall(r"from \"\./([\w.]+)\"|(?:src|href)=\"([\w.]+)\"", text):
        assert (wanted[0] or wanted[1]) in FILES


def test_the_api_needs_the_key(client):
    for path in ("models", "model?name=studio", "pictures/0"):
        assert studio.Client(client.url).get(f"/playground/api/{path}").status == 401
    for path in ("plan", "run", "pictures"):
        assert studio.Client(client.url).post(f"/playground/api/{path}", {}).status == 401


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "static/app.js", "app.py", "api/pictures/..%2f..%2fx"])
def test_no_other_file_is_served(client, path):
    assert client.get(f"/playground/{path}").status == 404


def test_the_address_without_its_slash_leads_to_the_page(client):
    answer = studio.Client(client.url).get("/playground")
    assert (answer.status, answer.headers["location"]) == (302, "/playground/")


def test_without_the_playground_there_is_no_page():
    with serve(ServerSettings()) as url:
        assert studio.Client(url).get("/playground/").status == 404


# ---------------------------------------------------------------------------------------------- models


def test_models_are_listed_and_described(client):
    document = client.get("/playground/api/models").json
    found = {model["id"]: model for model in document["models"]}
    assert found["studio.painter-1"]["tasks"] == ["generate", "vary", "inpaint"]
    assert document["default"] == "limner.sketch-1"
    described = client.get("/playground/api/model?name=studio").json
    assert described == limner.describe("studio")
    assert client.get("/playground/api/model?name=nobody").status == 404


def test_a_model_that_cannot_be_described_does_not_hide_the_others(client, monkeypatch):
    monkeypatch.setattr(studio.Studio, "limits", {limner.Generate: None})
    found = {model["id"]: model for model in client.get("/playground/api/models").json["models"]}
    assert "describe failed" in found["studio.painter-1"]["error"]
    assert found["limner.sketch-1"]["error"] is None


# ---------------------------------------------------------------------------------------------- pictures


def test_a_picture_is_uploaded_once_and_used_by_its_name(client):
    image = picture((48, 32))
    sha256 = upload(client, image)
    assert sha256 == image.sha256
    made = plan(client, {"task": "vary", "image": [{"$picture": sha256}], "size": [48, 32]}, names={sha256: "own.png"})
    assert 'model.vary(\n    "own.png"'.replace('"', "'") in made["python"]
    png = client.get(f"/playground/api/pictures/{sha256}")
    assert limner.Image(png.body).size == (48, 32)
    assert png.headers["content-type"] == "image/png"


def test_what_is_no_picture_is_refused(client):
    answer = client.call("POST", "/playground/api/pictures", b"no picture", content_type="image/png")
    assert (answer.status, answer.error["param"]) == (400, "image")
    assert client.call("POST", "/playground/api/pictures", picture().data, content_type="text/plain").status == 415
    packed = client.call("POST", "/playground/api/pictures", b"", content_type="image/png", content_encoding="gzip")
    assert packed.status == 415
    assert client.get(f"/playground/api/pictures/{'0' * 64}").status == 404


def test_the_oldest_pictures_are_forgotten():
    images = [picture((64, 64), colour=colour) for colour in ("red", "green", "blue")]
    kept = Pictures(most_bytes=len(images[0].data) + len(images[1].data) + 1)
    first, second, third = (image.sha256 for image in images)
    kept.add(images[0])
    kept.add(images[1])
    assert kept.get(first)  # used last
    kept.add(images[2])
    assert [kept.get(name) is not None for name in (first, second, third)] == [True, False, True]
    small = Pictures(most_bytes=1)
    small.add(images[0])
    assert small.get(first)


@pytest.mark.parametrize("name", ["0" * 64, "/etc/passwd", "http://127.0.0.1/x.png", 7, None])
def test_nothing_but_uploaded_pictures_is_ever_a_picture(client, name):
    answer = client.post(
        "/playground/api/plan", {"models": ["studio"], "task": {"task": "vary", "image": {"$picture": name}}}
    )
    assert (answer.status, answer.error["code"]) == (409, "picture_missing")


@pytest.mark.parametrize("image", ["/etc/passwd", ["picture.png"], 7, {"path": "picture.png"}])
def test_a_path_is_not_opened(client, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture().save("picture.png")
    (problem,) = plan(client, {"task": "vary", "image": image})["problems"]
    assert problem["parameter"] == "image"


# ---------------------------------------------------------------------------------------------- plans


def test_a_plan_says_everything_before_anything_is_sent(client):
    made = plan(client, {"task": "generate", "prompt": "a fox", "n": 3, "options": {"tile": True}})
    assert made["problems"] == []
    assert [request["body"]["n"] for request in made["requests"]] == [2, 1]
    assert {entry["parameter"]: entry["outcome"] for entry in made["account"]}["options.tile"] == "sent"
    assert made["cost"] is None
    assert made["seed"] is not None
    again = plan(client, {"task": "generate", "prompt": "a fox", "n": 3}, seeds={"studio": made["seed"]})
    assert again["seed"] == made["seed"]
    assert studio.CALLS == []


def test_a_drawn_seed_that_has_no_room_any_more_is_drawn_again(client):
    made = plan(client, {"task": "generate", "prompt": "a fox", "n": 3}, seeds={"studio": "99"})
    assert made["problems"] == []
    assert int(made["seed"]) <= 97


def test_all_problems_come_at_once_by_their_parameters(client):
    wrong = {"task": "generate", "prompt": "a fox", "size": [17, 16], "seed": 100, "n": 5, "options": {"quality": "best"}}
    problems = plan(client, wrong)["problems"]
    assert {problem["parameter"] for problem in problems} == {"size", "seed", "n", "options.quality"}
    assert {problem["source"] for problem in problems} >= {"a test"}
    near = plan(client, {**wrong, "n": 1, "options": {}}, fit="nearest")
    assert near["problems"] == []
    assert "fit='nearest'" in near["python"]


def test_one_model_that_is_not_there_does_not_spoil_the_others(client):
    order = {"models": ["studio", "nobody"], "task": {"task": "generate", "prompt": "a fox"}}
    good, bad = client.post("/playground/api/plan", order).json["plans"]
    assert good["problems"] == []
    assert "nobody" in bad["problems"][0]["limit"]


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        "", "no", "[]", "7", "null", DEEP, '{"a":' * 50_000, "{}",
        '{"models": "studio", "task": {}}',
        '{"models": [], "task": {}}',
        '{"models": [7], "task": {}}',
        '{"models": ["studio"]}',
        '{"models": ["studio"], "task": {}, "fit": "loose"}',
        '{"models": ["studio"], "task": {}, "fit": []}',
        '{"models": ["studio"], "task": {}, "seeds": {"studio": "x"}}',
        '{"models": ["studio"], "task": {}, "seeds": []}',
        '{"models": ["studio"], "task": {}, "names": {"a": 1}}',
        json.dumps({"models": ["studio"] * 9, "task": {}}),
    ],
    ids=lambda body: body[:30],
)  # fmt: skip
@pytest.mark.parametrize("path", ["plan", "run"])
def test_what_the_page_does_not_send_is_refused(client, path, body):
    answer = client.call("POST", f"/playground/api/{path}", body.encode(), content_type="application/json")
    assert answer.status == 400
    assert answer.error["message"]


@pytest.mark.parametrize(
    "task",
    [
        None, 7, "generate", [], {}, {"task": "paint"}, {"task": ["generate"]}, {"task": "generate", "pictures": []},
        {"task": "generate", "prompt": {"$mask": "x"}},
        {"task": "generate", "prompt": "\ud800"},
        {"task": "generate", "prompt": "a", "seed": 1e400},
        {"task": "generate", "prompt": "a", "n": 10**30},
        {"task": "generate", "prompt": "a", "mask": 1},
        {"task": "inpaint", "image": "x", "mask": {"$mask": "AAAA"}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_task_that_is_none_is_a_problem_of_the_task(client, task):
    assert plan(client, task)["problems"]
    (event,) = events(client, task)
    assert event["event"] == "error"
    assert event["problems"]
    assert studio.CALLS == []


# ---------------------------------------------------------------------------------------------- runs


def test_a_run_gives_progress_pictures_with_provenance_and_the_account(client):
    got = events(client, {"task": "generate", "prompt": "previews tokens", "n": 3, "seed": 7})
    kinds = [event["event"] for event in got]
    assert kinds[-4:] == ["picture"] * 3 + ["result"]
    assert set(kinds[:-4]) == {"progress"}
    assert any(event.get("preview") for event in got)
    pictures = [event for event in got if event["event"] == "picture"]
    assert [event["seed"] for event in pictures] == ["7", "7", "9"]
    assert pictures[1]["place"] == "2nd of 2"
    provenance = limner.read_provenance(limner.Image(base64.b64decode(pictures[0]["file"])))
    assert provenance["task"]["prompt"] == "previews tokens"
    assert got[-1]["usage"] == {"input_tokens": 22, "output_tokens": 44}
    assert len(got[-1]["request_ids"]) == 2


def test_what_is_shown_in_a_plan_is_what_a_run_sends(client):
    task = {"task": "generate", "prompt": "a fox"}
    made = plan(client, task)
    events(client, task, seeds={"studio": made["seed"]})
    assert [request["body"] for request in made["requests"]] == studio.CALLS


def test_filtered_pictures_are_told_and_the_others_come(client):
    first, second, result = events(client, {"task": "generate", "prompt": "half", "n": 2})[-3:]
    assert (first["outcome"], first["reason"], "file" in first) == ("filtered", "indecent", False)
    assert (second["outcome"], result["event"]) == ("ok", "result")


@pytest.mark.parametrize("word", studio.ERRORS)
def test_an_error_of_the_provider_is_the_last_line(client, word):
    last = events(client, {"task": "generate", "prompt": word})[-1]
    if word == "filtered":
        assert last["event"] == "result"
        return
    assert last["event"] == "error"
    assert last["kind"] == {"bug": "PluginError"}.get(word, type(studio.ERRORS[word]).__name__)
    assert last["message"]


def test_pictures_that_came_in_spite_of_an_error_are_not_lost(client, monkeypatch):
    send = studio.Studio.send

    def second_fails(self: studio.Studio, request: limner.Request) -> limner.Response:
        if json.loads(request.body)["n"] == 1:
            raise limner.ProviderUnavailable("gone")
        return send(self, request)

    monkeypatch.setattr(studio.Studio, "send", second_fails)
    got = events(client, {"task": "generate", "prompt": "a fox", "n": 3})
    assert [event["event"] for event in got if event["event"] != "progress"] == ["picture", "picture", "error"]


def test_a_run_is_for_one_model(client):
    order = {"models": ["studio", "sketch"], "task": {"task": "generate", "prompt": "a"}}
    assert client.post("/playground/api/run", order).status == 400


# ---------------------------------------------------------------------------------------------- code

OWN, OTHER = picture((32, 32)), picture((32, 32), colour="red")
TASKS = [
    limner.Generate(prompt="a 'fox' & \"hen\" $HOME\nnext", seed=0, n=2, size=(32, 48), guidance_scale=2.5, steps=7),
    limner.Generate(prompt="--version", negative_prompt="-x", seed=1),
    limner.Generate(prompt="a", seed=1, options={"quality": "premium", "tile": False, "tiles": 3}),
    limner.Vary(image=(OWN,), prompt="denser", seed=1, size=(32, 32), options={"look": OTHER}),
    limner.Vary(image=(OWN, OTHER), seed=1, size=(32, 32)),
    limner.Inpaint(image=picture((32, 32)), prompt="a door", mask=limner.Mask.box((2, 3, 9, 9), size=(32, 32)), seed=1),
    limner.Inpaint(
        image=picture((32, 32)), prompt="a", mask=limner.Mask.box((2, 3, 9, 9), size=(32, 32)), preserve=False, seed=1
    ),
]  # fmt: skip


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the pictures of a task, under the names in its code."""
    monkeypatch.chdir(tmp_path)

    def lay(task: limner.Task) -> dict[str, str]:
        names = {}
        images = [*_images(task), *(value for value in task.options.values() if isinstance(value, limner.Image))]
        for number, image in enumerate(images):
            names[image.sha256] = f"-it's {number}.png"
            (tmp_path / f"it's {number}.png").write_bytes(image.data)
        if getattr(task, "mask", None) is not None:
            (tmp_path / "mask.png").write_bytes(task.mask.png())
        return names

    return lay


def _images(task: limner.Task) -> tuple[limner.Image, ...]:
    image = getattr(task, "image", ())
    return image if isinstance(image, tuple) else (image,)


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_the_code_in_python_sends_the_same(task, desk):
    code = in_python("studio", task, "strict", desk(task))
    exec(code, {})
    assert [json.loads(request.body) for request in limner.get_model("studio").plan(task).requests] == studio.CALLS


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_the_command_sends_the_same(task, desk):
    from limner.cli.app import cli

    command = on_the_command_line("studio", task, "strict", desk(task))
    program, *words = shlex.split(command)
    assert program == "limner"
    done = CliRunner().invoke(cli, [words[0], "--dry-run", *words[1:]])
    assert done.exit_code == 0, done.output
    shown = [limner.preview(request) for request in limner.get_model("studio").plan(task).requests]
    assert json.loads(done.stdout)["requests"] == shown


def test_what_the_command_line_cannot_say_is_left_to_python():
    weighted = limner.Generate(prompt=[limner.WeightedText("fox", 0.5), limner.WeightedText("fog", -1)], seed=1)
    assert on_the_command_line("studio", weighted, "strict", {}) is None
    assert "limner.WeightedText('fox', 0.5)" in in_python("studio", weighted, "nearest", {})


def test_texts_that_look_like_json_or_files_stay_texts():
    task = limner.Generate(prompt="a", options={"a": "7", "b": "@x", "c": "plain", "d": None, "e": {"f": [1, True]}})
    words = shlex.split(on_the_command_line("studio", task, "nearest", {}))
    given = {word.partition("=")[0]: word.partition("=")[2] for word in words if "=" in word}
    assert {name: (text if name == "c" else json.loads(text)) for name, text in given.items()} == {
        "a": "7", "b": "@x", "c": "plain", "d": None, "e": {"f": [1, True]},
    }  # fmt: skip
    assert words[-3:] == ["--fit", "nearest", "a"]
