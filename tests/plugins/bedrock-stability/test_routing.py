"""The router: which service a task goes to, that plan and account say so, and that it is that service's own call."""

from __future__ import annotations

import limner
import pytest
from limner import Generate, Inpaint, Outpaint, RemoveBackground, TaskRefused, Upscale, Vary
from limner.testing.pictures import mask, picture
from limner_bedrock_stability.models import MODELS
from limner_bedrock_stability.routing import ROUTES, Stability, choose

PICTURE = picture((96, 64))
HALF = mask((96, 64), (0, 0, 48, 64))
ROUTED = [
    (Generate(prompt="a fox"), "core"),
    (Generate(prompt="a fox", size=(16, 9), negative_prompt="snow", n=3), "core"),
    (Generate(prompt="a fox", options={"output_format": "webp"}), "core"),
    (Generate(prompt="a fox", options={"sketch_image": PICTURE}), "control-sketch"),
    (Generate(prompt="a fox", options={"structure_image": PICTURE, "control_strength": 0.2}), "control-structure"),
    (Generate(prompt="a fox", options={"style_image": PICTURE, "fidelity": 0.2}), "style-guide"),
    (Generate(prompt="a fox", options={"service": "ultra"}), "ultra"),
    (Vary(image=PICTURE, prompt="a fox", strength=0.2), "sd3-5-large"),
    (Vary(image=PICTURE, prompt="a fox", options={"service": "ultra"}), "ultra"),
    (Vary(image=PICTURE, options={"style_image": PICTURE}), "style-transfer"),
    (Inpaint(image=PICTURE, prompt="a fox", mask=HALF), "inpaint"),
    (Inpaint(image=PICTURE, mask=HALF, preserve=False), "erase-object"),
    (Inpaint(image=PICTURE, prompt="a fox", mask_prompt="a cat"), "search-replace"),
    (Inpaint(image=PICTURE, prompt="red", mask_prompt="a cat", options={"service": "search-recolor"}), "search-recolor"),
    (Outpaint(image=PICTURE, expand=(8, 0, 0, 0)), "outpaint"),
    (RemoveBackground(image=PICTURE), "remove-background"),
    (Upscale(image=PICTURE), "fast-upscale"),
    (Upscale(image=PICTURE, prompt="a fox"), "conservative-upscale"),
    (Upscale(image=PICTURE, prompt="a fox", options={"style_preset": "anime"}), "creative-upscale"),
]


@pytest.mark.parametrize(("task", "name"), ROUTED)
def test_a_task_goes_to_its_service(task, name):
    model = Stability()
    if "service" not in task.options:
        assert choose(task).service == name
    if task.options.get("output_format") == "webp":
        with pytest.raises(TaskRefused, match=r"stable-image-core.* refuses the task: options.output_format"):
            model.plan(task)
        return
    planned = model.plan(task)
    service = next(service for service in ROUTES[type(task)] if service.service == name)
    assert {request.model_id for request in planned.requests} == {service.id}
    assert planned.model == service.id
    outcome = "sent" if "service" in task.options else "defaulted"
    assert planned.account[0] == limner.Entry("options.service", outcome, task.options.get("service"), name)
    assert planned.task.options["service"] == name
    assert model.plan(planned.task).requests == planned.requests
    assert not list(model.check(task))


def test_every_current_service_can_be_reached():
    assert {name for _, name in ROUTED} == {model.service for model in MODELS}


def test_what_a_service_lacks_is_refused_in_its_own_name():
    with pytest.raises(TaskRefused, match=r"stable-image-core-v1:1 refuses the task: options.fidelity.*not supported"):
        Stability().plan(Generate(prompt="a fox", options={"fidelity": 0.5}))
    with pytest.raises(TaskRefused, match=r"options.service='titan': must be one of core, sd3-5-large, ultra"):
        Stability().plan(Generate(prompt="a fox", options={"service": "titan"}))
    assert list(Stability().check(Generate(prompt="a fox", options={"fidelity": 0.5})))


def test_nearest_is_the_services_own():
    planned = Stability().plan(Generate(prompt="a fox", size=(1366, 768), steps=30), fit="nearest")
    entries = {entry.parameter: entry for entry in planned.account}
    assert (entries["size"].outcome, entries["size"].used) == ("adjusted", (16, 9))
    assert entries["steps"].outcome == "dropped"


def test_the_router_stands_for_no_single_id():
    with pytest.raises(TaskRefused, match="use the alias of one, such as stability-core"):
        limner.get_model("stability", model_id="arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abc")


def test_the_limits_name_the_services():
    for task, limits in Stability.limits.items():
        source = limits.options["service"].source
        for service in ROUTES[task]:
            assert f"{service.service} is {service.id}" in source


# ---------------------------------------------------------------------------------------------- ids, lifecycle, regions


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_id_works_by_itself_with_and_without_prefix(model):
    bare = model.id.removeprefix("us.")
    for name in (bare, f"us.{bare}", f"arn:aws:bedrock:us-west-2::foundation-model/{bare}", *model.aliases):
        found = limner.get_model(name)
        assert type(found) is model
        assert found.model_id == (name if name not in model.aliases and model.id == bare else model.id)


@pytest.mark.parametrize(
    ("named", "region"),
    [
        ("stability.stable-outpaint-v1:0", None),
        ("arn:aws:bedrock:us-east-2::foundation-model/stability.stable-outpaint-v1:0", "us-east-2"),
    ],
)
def test_a_bare_id_of_an_image_service_becomes_its_profile_and_says_so(account, named, region):
    model = limner.get_model(named)
    profile = "us.stability.stable-outpaint-v1:0"
    said = f"{named} cannot be called directly, only through its inference profile; {profile} is called"
    task = Outpaint(image=PICTURE, expand=(8, 0, 0, 0))
    for one in (model, model.with_settings(fit="nearest")):
        assert (one.model_id, one.settings.region) == (profile, region)
        planned = one.plan(task)
        assert [request.model_id for request in planned.requests] == [profile]
        assert planned.warnings == (said,)
    assert limner.get_model(named, region="us-west-2").settings.region == "us-west-2"
    for name in (profile, f"arn:aws:bedrock:us-west-2:123456789012:inference-profile/{profile}", "stability-outpaint"):
        assert limner.get_model(name).plan(task).warnings == ()


def test_only_superseded_ids_are_legacy():
    legacy = {model.id: model for model in MODELS if model.lifecycle.state() != "active"}
    assert {name: model.lifecycle.replacement for name, model in legacy.items()} == {
        "stability.stable-image-core-v1:0": "stability.stable-image-core-v1:1",
        "stability.stable-image-ultra-v1:0": "stability.stable-image-ultra-v1:1",
        "stability.sd3-large-v1:0": "stability.sd3-5-large-v1:0",
    }
    for model in MODELS:
        assert model.lifecycle.end_of_life is None
        assert bool(model().notices()) == (model.id in legacy)


@pytest.fixture
def account(monkeypatch, tmp_path):
    """Credentials that exist nowhere, and no configuration of this machine."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "region", "right"),
    [
        ("stability-core", "us-east-1", "us-west-2"),
        ("stability", "eu-central-1", "us-west-2"),
        ("stability-inpaint", "eu-west-1", "us-east-1 and us-east-2 and us-west-2"),
    ],
)
@pytest.mark.parametrize("way", ["setting", "environment"])
def test_a_wrong_region_is_refused_before_anything_is_sent(account, name, region, right, way):
    account.setenv("AWS_DEFAULT_REGION", region if way == "environment" else "us-west-2")
    model = limner.get_model(name, **({"region": region} if way == "setting" else {}))
    task = Inpaint(image=PICTURE, prompt="a fox", mask=HALF) if "inpaint" in name else Generate(prompt="a fox")
    with pytest.raises(TaskRefused) as refused:
        model.run(task)
    (problem,) = refused.value.problems
    assert (problem.parameter, problem.value) == ("setting region", repr(region))
    assert problem.limit == f"the model is in {right}; set region='us-west-2'"


def test_no_region_at_all_is_said_too(account):
    with pytest.raises(TaskRefused, match="no AWS region is known"):
        limner.get_model("stability-core").generate("a fox")
