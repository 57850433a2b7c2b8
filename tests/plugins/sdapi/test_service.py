"""Whole runs over the wire: tasks, what the server would do in silence, errors, progress, interrupts and logins."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading

import limner
import pytest
from limner import Generate, Mask
from limner.testing.pictures import picture
from limner_fakes import sdapi as fake
from limner_fakes.pictures import encoded, written
from limner_sdapi.plugin import Sdapi
from limner_sdapi.settings import SdapiSettings

SIZE = (128, 64)
PICTURE = picture(SIZE)
PASSWORD = "canary-pass-0123"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("limner_sdapi.jobs.PROGRESS_SECONDS", 0.02)


def at(server, **settings):
    return Sdapi(SdapiSettings(**{"base_url": server.url, "timeout": 30.0, **settings}))


def plain(image):
    return image.pil().convert("RGB")


# ---------------------------------------------------------------------------------------------- tasks


def test_each_picture_has_its_own_seed_and_call(serving):
    server = serving()
    result = at(server).generate("a fox", n=3, seed=11, size=SIZE, steps=20, guidance_scale=5, negative_prompt="blurry")
    assert [found.seed for found in result.pictures] == [11, 12, 13]
    assert [found.size for found in result.pictures] == [SIZE] * 3
    assert [(body["seed"], body["batch_size"], body["n_iter"]) for body in server.bodies] == [
        (11, 1, 1),
        (12, 1, 1),
        (13, 1, 1),
    ]
    assert (
        server.bodies[0].items()
        >= {"steps": 20, "cfg_scale": 5, "negative_prompt": "blurry", "width": 128, "height": 64}.items()
    )
    assert result.metadata[0]["sd_model_name"] == "sd_xl_base_1.0"


def test_vary_sends_the_pictures_size(serving):
    server = serving()
    result = at(server).vary(PICTURE, "a fox", strength=0.6)
    assert result.image.size == SIZE
    assert (server.bodies[0]["width"], server.bodies[0]["height"], server.bodies[0]["denoising_strength"]) == (128, 64, 0.6)


@pytest.mark.parametrize("full", [False, True])
def test_inpaint_repaints_what_is_white_and_nothing_else(serving, full):
    mask = Mask.box((80, 8, 120, 40), size=SIZE)
    made = at(serving()).inpaint(PICTURE, "a door", mask=mask, preserve=False, options={"inpaint_full_res": full})
    before, after = plain(PICTURE), plain(made.image)
    assert after.getpixel((100, 20)) == tuple(255 - level for level in before.getpixel((100, 20)))
    assert after.getpixel((20, 20)) == before.getpixel((20, 20))


def test_grey_of_a_mask_blends(serving):
    import PIL.Image

    mask = Mask.read(PIL.Image.linear_gradient("L").resize(SIZE))
    made = at(serving()).inpaint(PICTURE, "a door", mask=mask, preserve=False)
    before, after = plain(PICTURE).getpixel((5, 32)), plain(made.image).getpixel((5, 32))
    assert after not in {before, tuple(255 - level for level in before)}


def test_outpaint_keeps_the_picture(serving):
    server = serving()
    made = at(server).outpaint(PICTURE, "a beach", expand=(64, 0, 0, 8))
    assert made.image.size == (192, 72)
    assert plain(made.image).crop((64, 0, 192, 64)).tobytes() == plain(PICTURE).tobytes()
    assert server.bodies[0].items() >= {"inpainting_fill": 0, "denoising_strength": 1.0, "width": 192}.items()


def test_upscale_makes_a_larger_picture(serving):
    server = serving()
    assert at(server).upscale(PICTURE, options={"factor": 4, "upscaler": "ESRGAN_4x"}).image.size == (512, 256)
    assert server.paths == ["/sdapi/v1/upscalers", "/sdapi/v1/extra-single-image"]


@pytest.mark.parametrize("size", [(512, 256), (300, 150), (129, 65), (1000, 500)])
def test_upscale_makes_the_size_that_is_asked_for(serving, size):
    server = serving()
    assert at(server).upscale(PICTURE, size=size).image.size == size
    assert 1 <= server.bodies[0]["upscaling_resize"] <= 8


def test_the_high_resolution_pass_makes_a_larger_picture(serving):
    options = {"hr_scale": 1.7, "hr_upscaler": "Latent (nearest)"}
    assert at(serving()).generate("a fox", size=SIZE, options=options).image.size == (216, 104)


@pytest.mark.parametrize("name", ["Latent (worst)", "None of these"])
def test_an_unknown_upscaler_of_the_second_pass_is_refused(serving, name):
    server = serving()
    with pytest.raises(limner.RequestRejected, match=r"has no hr_upscaler.*Latent, .*ESRGAN_4x"):
        at(server).generate("a fox", size=SIZE, options={"hr_scale": 2, "hr_upscaler": name})
    assert server.bodies == []


@pytest.mark.parametrize("absent", [fake.REMBG, fake.REMBG_OF_SD_NEXT])
def test_the_background_is_removed_by_sd_next_or_by_the_extension(serving, absent):
    server = serving()
    server.no_rembg = absent
    result = at(server).remove_background(PICTURE)
    assert result.image.image.has_alpha
    assert result.image.size == SIZE
    assert len(server.bodies) == 1


def test_a_flattened_picture_has_a_background_still(serving):
    server = serving(answer=(200, {"image": encoded(written(PICTURE.pil().convert("RGB")))}))
    server.no_rembg = fake.REMBG
    with pytest.raises(limner.BadResponse, match="let it save PNG"):
        at(server).remove_background(PICTURE)


def test_a_server_without_background_removal_says_so(serving):
    server = serving(missing=("rembg",))
    with pytest.raises(limner.RequestRejected, match="does not have this endpoint"):
        at(server).remove_background(PICTURE)


# ---------------------------------------------------------------------------------------------- never in silence


@pytest.mark.parametrize(
    ("options", "there"),
    [
        ({"sampler": "Eular"}, "Euler a"),
        ({"scheduler": "Karas"}, "karras"),
        ({"checkpoint": "sd_xl"}, "sd_xl_base_1.0.safetensors"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_there_are(serving, options, there):
    server = serving()
    with pytest.raises(limner.RequestRejected, match=f"has no {next(iter(options))}.*{there}"):
        at(server).generate("a fox", size=SIZE, options=options)
    assert server.bodies == []


def test_an_unknown_upscaler_is_refused_and_none_too(serving):
    server = serving()
    with pytest.raises(limner.RequestRejected, match="has no upscaler '4x-Nothing'"):
        at(server).upscale(PICTURE, options={"upscaler": "4x-Nothing"})
    with pytest.raises(limner.TaskRefused, match="returns the picture unchanged"):
        at(server).upscale(PICTURE, options={"upscaler": "None"})
    assert server.bodies == []


@pytest.mark.parametrize(
    "name", ["dreamshaper", "dreamshaper.safetensors", "879db523c3", "dreamshaper.safetensors [879db523c3]"]
)
def test_a_checkpoint_has_several_names(serving, name):
    server = serving(changes={"override_settings": {"sd_model_checkpoint": "dreamshaper"}})
    result = at(server).generate("a fox", size=SIZE, options={"checkpoint": name})
    assert result.metadata[0]["sd_model_name"] == "dreamshaper"
    assert server.bodies[0]["override_settings"] == {"sd_model_checkpoint": name}


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        ({"checkpoint": "dreamshaper"}, {"override_settings": {}}, "checkpoint 'sd_xl_base_1.0', not with 'dreamshaper'"),
        ({"sampler": "Euler a"}, {"sampler_name": "nothing"}, "sampler 'DPM..?.? 2M', not with 'Euler a'"),
        ({}, {"width": 64}, "64x64 pixels of the 128x64 asked for"),
    ],
)
def test_what_the_server_replaces_all_the_same_is_a_failure(serving, options, changes, said):
    with pytest.raises(limner.BadResponse, match=said) as met:
        at(serving(changes=changes)).generate("a fox", size=SIZE, options=options)
    assert met.value.result.pictures[0].image is not None


def test_a_server_without_lists_is_taken_at_its_word(serving):
    server = serving(missing=("samplers", "schedulers"))
    options = {"sampler": "DPM++ 2M Karras", "scheduler": "karras"}
    assert at(server).generate("a fox", size=SIZE, options=options).image.size == SIZE


def test_a_half_done_picture_is_a_failure(serving):
    with pytest.raises(limner.BadResponse, match="interrupted on the server"):
        at(serving(interrupted=True)).generate("a fox", size=SIZE)


def test_that_the_next_job_of_somebody_else_was_interrupted_does_not_matter(serving):
    assert at(serving(interrupted=True, job_count=1)).generate("a fox", size=SIZE).image.size == SIZE


def test_a_grid_that_comes_first_is_not_the_picture(serving):
    server = serving(changes={"save_images": True})
    assert at(server).generate("a fox", size=SIZE).image.size == SIZE


def test_several_pictures_without_an_index_are_not_guessed_at(serving):
    image = encoded(written(PICTURE.pil()))
    with pytest.raises(limner.BadResponse, match="does not identify"):
        at(serving(answer=(200, {"images": [image, image], "info": ""}))).generate("a fox", size=SIZE)


def test_a_blank_mask_is_not_sent(serving):
    server = serving()
    with pytest.raises(limner.TaskRefused, match="all black"):
        at(server).inpaint(PICTURE, "a door", mask=Mask(SIZE, bytes(128 * 64)))
    assert server.paths == []


# ---------------------------------------------------------------------------------------------- errors

FOUR = {"detail": "", "body": ""}
ERRORS = {
    "memory": (
        500,
        {"error": "OutOfMemoryError", **FOUR, "errors": "CUDA out of memory"},
        limner.ProviderUnavailable,
        "smaller",
    ),
    "NaN": (500, {"error": "NansException", **FOUR, "errors": "all NaNs"}, limner.ProviderUnavailable, "no-half-vae"),
    "base64": (
        500,
        {"error": "HTTPException", "detail": "Invalid encoded image"},
        limner.RequestRejected,
        "Invalid encoded",
    ),
    "script": (422, {"error": "HTTPException", "detail": "Script 'x' not found"}, limner.RequestRejected, "Script 'x'"),
    "type": (422, {"detail": [{"loc": ["body", "steps"], "msg": "bad"}]}, limner.RequestRejected, "body.steps: bad"),
    "off": (404, {"detail": "Not Found"}, limner.RequestRejected, "--api"),
    "sampler": (404, {"detail": "Sampler not found"}, limner.RequestRejected, "Sampler not found"),
    "Forge": (500, "Internal Server Error", limner.ProviderUnavailable, "Internal Server Error"),
    "sd.cpp": (500, {"error": "server_error", "message": "no memory"}, limner.ProviderUnavailable, "no memory"),
    "sd.cpp 400": (400, {"error": "prompt required"}, limner.RequestRejected, "prompt required"),
    "busy": (503, {"detail": {"msg": "busy", "type": "x"}}, limner.ProviderUnavailable, "busy"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_every_documented_error_has_its_class_and_is_sent_once(serving, case):
    status, body, kind, words = ERRORS[case]
    server = serving(answer=(status, body))
    with pytest.raises(kind, match=words):
        at(server).generate("a fox", size=SIZE)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "body", [{}, {"images": 7}, {"images": ["!"]}, {"images": [None]}, [], "nothing", {"images": [[]]}], ids=str
)
def test_a_damaged_answer_is_a_bad_response(serving, body):
    with pytest.raises(limner.BadResponse):
        at(serving(answer=(200, body))).generate("a fox", size=SIZE)


def test_nobody_there(serving):
    with pytest.raises(limner.ProviderUnavailable, match="cannot be reached"):
        Sdapi(SdapiSettings(base_url="http://127.0.0.1:9")).generate("a fox", size=SIZE)


# ---------------------------------------------------------------------------------------------- progress, interrupts


def test_progress_is_that_of_the_own_job_with_a_preview(serving):
    preview = f"data:image/png;base64,{base64.b64encode(PICTURE.data).decode()}"
    server = serving(hold=threading.Event(), progress={"live_preview": preview})
    seen = []

    def look(progress):
        seen.append(progress)
        if progress.step is not None:
            server.hold.set()

    result = at(server, preview=True).run(Generate(prompt="a fox", size=SIZE), on_progress=look)
    assert result.image.size == SIZE
    shown = next(one for one in seen if one.step is not None)
    assert (shown.step, shown.of, shown.message) == (0.4, 1, "painting")
    assert shown.preview.data == PICTURE.data


def test_a_server_without_progress_by_job_is_asked_once(serving):
    server = serving(missing=("progress",), hold=threading.Event())

    def end_soon_after_it_was_asked():
        while "/internal/progress" not in server.paths and not server.hold.wait(0.01):
            pass
        server.hold.wait(0.3)
        server.hold.set()

    threading.Thread(target=end_soon_after_it_was_asked).start()
    assert at(server).generate("a fox", size=SIZE).image.size == SIZE
    assert server.paths.count("/internal/progress") == 1


def test_a_timeout_interrupts_the_job(serving):
    server = serving(hold=threading.Event())
    with pytest.raises(limner.ProviderTimeout):
        at(server, timeout=2).generate("a fox", size=SIZE)
    assert "/sdapi/v1/interrupt" in server.paths


def test_giving_up_interrupts_the_job(serving):
    server = serving(hold=threading.Event())

    async def give_up():
        task = asyncio.create_task(at(server).agenerate("a fox", size=SIZE))
        while not server.current:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert server.hold.wait(20)
    assert "/sdapi/v1/interrupt" in server.paths


def test_the_job_of_somebody_else_is_not_interrupted(serving):
    server = serving(hold=threading.Event(), progress={"active": False, "queued": True})
    with pytest.raises(limner.ProviderTimeout):
        at(server, timeout=2).generate("a fox", size=SIZE)
    assert "/sdapi/v1/interrupt" not in server.paths


# ---------------------------------------------------------------------------------------------- logins


@pytest.mark.parametrize("how", ["settings", "environment"])
def test_a_login_is_http_basic(serving, how, monkeypatch):
    server = serving(login=f"anna:{PASSWORD}")
    settings = {"user": "anna", "password": PASSWORD} if how == "settings" else {}
    if how == "environment":
        monkeypatch.setenv("SDAPI_AUTH", f"anna:{PASSWORD}")
    assert at(server, **settings).generate("a fox", size=SIZE).image.size == SIZE


def test_a_wrong_login_is_said_and_not_shown(serving, caplog):
    caplog.set_level(logging.DEBUG)
    server = serving(login="anna:other", answer=None)
    model = at(server, user="anna", password=PASSWORD)
    with pytest.raises(limner.AuthenticationFailed, match="SDAPI_AUTH") as met:
        model.generate("a secret prompt", size=SIZE)
    shown = f"{met.value} {caplog.text} {model.settings!r} {list(model.diagnose(live=True))}"
    assert PASSWORD not in shown
    assert base64.b64encode(f"anna:{PASSWORD}".encode()).decode() not in shown
    assert "a secret prompt" not in caplog.text


def test_a_server_that_tells_the_password_is_not_quoted(serving):
    server = serving(answer=(500, {"error": "ValueError", "detail": "", "errors": f"login anna {PASSWORD} is bad"}))
    with pytest.raises(limner.RequestRejected, match=r"login anna \[hidden\]"):
        at(server, user="anna", password=PASSWORD).generate("a fox", size=SIZE)


def test_a_user_has_no_colon():
    with pytest.raises(limner.TaskRefused, match="without colons"):
        SdapiSettings.of({"user": "a:b"})


# ---------------------------------------------------------------------------------------------- doctor


def test_doctor_asks_the_server_what_it_has(serving):
    server = serving()
    found = {finding.subject: finding for finding in at(server).diagnose(live=True)}
    assert found["endpoint"].fine is True
    assert found["checkpoints"].detail == "sd_xl_base_1.0.safetensors [31e35c80fc], dreamshaper.safetensors [879db523c3]"
    assert "DPM++ 2M" in found["samplers"].detail
    assert "R-ESRGAN 4x+" in found["upscalers"].detail
    assert server.bodies == []


def test_doctor_asks_nobody_unless_told(serving):
    server = serving()
    assert [finding.subject for finding in at(server).diagnose()] == ["credentials", "endpoint"]
    assert server.paths == []


def test_doctor_says_that_nobody_is_there():
    model = Sdapi(SdapiSettings(base_url="http://127.0.0.1:9", max_attempts=1))
    assert list(model.diagnose(live=True))[-1].fine is False


def test_settings_suit_a_server_that_paints_one_picture_at_a_time():
    settings = limner.get_model("sdxl-local").settings
    assert (settings.max_in_flight, settings.timeout, settings.base_url) == (1, 1800.0, None)
    assert Sdapi().call().base_url == "http://127.0.0.1:7860/"
