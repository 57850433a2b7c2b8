"""What real providers need of the seam: refusals, progress, usage, metadata, remarks, multipart."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import ClassVar

import limner
import pytest
from limner import ContentFiltered, Decoded, Generate, Model, Picture, Progress, RateLimited, Request, Response
from limner.limits import Count, PromptText, Seed, TaskLimits
from limner.previews import preview

from .fakes import png

SOURCE = "test"


class Service(Model):
    """Fails, filters and reports as its prompt says."""

    id = "service.painter-1"
    provider = "service"
    limits: ClassVar = {
        Generate: TaskLimits(
            {
                "prompt": PromptText(source=SOURCE),
                "n": Count(2, source=SOURCE),
                "seed": Seed(0, 99, source=SOURCE),
            }
        )
    }

    def encode(self, task):
        return Request(self.model_id, json.dumps([task.prompt, task.n, task.seed]).encode(), path="/v1/pictures")

    def send(self, request):
        prompt, n, seed = json.loads(request.body)
        if "refused" in prompt or (prompt == "half" and seed == 5):
            raise ContentFiltered("the prompt was refused: violence", request_ids=["r-1"])
        for step in range(3):
            limner.progress(step + 1, 3, preview=limner.Image(png()) if step == 1 else None, message=f"step {step + 1}")
        return Response(json.dumps([n]).encode(), f"r-{seed}", usage={"seconds": 2}, metadata={"job": f"job-{seed}"})

    def decode(self, task, response):
        return Decoded([Picture(image=limner.Image(png()))] * task.n, usage={"tokens": 100}, metadata={"version": "7"})

    def remarks(self, task):
        return {"prompt": f"{len(task.prompt)} characters were read"}


def test_a_refusal_that_comes_as_an_error_gives_filtered_pictures_when_they_are_wanted():
    result = Service().generate("refused", n=3, seed=5, on_filtered="return")
    assert [(picture.outcome, picture.seed, picture.index) for picture in result.pictures] == [
        ("filtered", 5, 0),
        ("filtered", 5, 1),
        ("filtered", 7, 0),
    ]
    assert all("violence" in picture.reason for picture in result.pictures)
    with pytest.raises(ContentFiltered, match="violence") as error:
        Service().generate("refused", n=3)
    assert error.value.request_ids == ("r-1",)


def test_a_refusal_of_one_call_keeps_the_pictures_of_the_others():
    result = Service().generate("half", n=4, seed=5, on_filtered="return")
    assert [picture.outcome for picture in result.pictures] == ["filtered", "filtered", "ok", "ok"]
    with pytest.raises(ContentFiltered) as error:
        Service().generate("half", n=4, seed=5)
    assert len(error.value.pictures) == 2


def test_usage_is_added_up_and_metadata_kept_for_each_call():
    result = Service().generate("a", n=4, seed=5)
    assert result.usage == {"seconds": 4, "tokens": 200}
    assert result.metadata == ({"job": "job-5", "version": "7"}, {"job": "job-7", "version": "7"})
    assert limner.from_json(limner.to_json(result)).usage == result.usage


@pytest.mark.parametrize("call", ["sync", "async"])
def test_progress_is_reported_for_every_call_and_from_one_thread_at_a_time(call):
    seen, inside = [], threading.Lock()

    def watch(progress):
        assert inside.acquire(blocking=False), "two threads report at once"
        seen.append(progress)
        inside.release()

    model = Service()
    if call == "sync":
        model.generate("a", n=4, on_progress=watch)
    else:
        asyncio.run(model.agenerate("a", n=4, on_progress=watch))
    assert [progress.done for progress in seen if progress.call is None] == [1, 2]
    assert {progress.calls for progress in seen} == {2}
    for number in (0, 1):
        steps = [progress for progress in seen if progress.call == number]
        assert [(progress.step, progress.of, progress.message) for progress in steps] == [
            (1, 3, "step 1"),
            (2, 3, "step 2"),
            (3, 3, "step 3"),
        ]
        assert [progress.preview is not None for progress in steps] == [False, True, False]


def test_a_callback_that_fails_loses_no_picture(caplog):
    def broken(progress: Progress) -> None:
        raise ValueError("no terminal")

    assert len(Service().generate("a", n=4, on_progress=broken).images) == 4
    assert "on_progress failed" in caplog.text


def test_progress_outside_a_run_does_nothing():
    limner.progress(1, 2)
    Service().generate("a")


def test_a_remark_is_in_the_account():
    account = {entry.parameter: entry for entry in Service().generate("a fox", seed=1).account}
    assert str(account["prompt"]) == "prompt: sent 'a fox'; 5 characters were read"
    assert Service().plan(Generate(prompt="a fox", seed=1)).account == tuple(account.values())


def test_a_rate_limit_says_when_to_come_back():
    error = RateLimited("slow down", retry_after=7.5)
    assert error.retry_after == 7.5
    assert RateLimited("slow down").retry_after is None


def test_a_preview_shows_the_path_and_shortens_pictures():
    plan = Service().plan(Generate(prompt="A" * 200, seed=1))
    assert preview(plan.requests[0]) == {
        "model_id": Service.id,
        "path": "/v1/pictures",
        "body": [f"{'A' * 40}... (200 characters)", 1, 1],
    }


def test_a_preview_shows_the_parts_of_a_multipart_body():
    body = (
        b'--cut\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na f\xc3\xb6x\r\n'
        b'--cut\r\nContent-Disposition: form-data; name="image[]"; filename="image.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + png() + b"\r\n--cut--\r\n"
    )
    request = Request("m", body, content_type="multipart/form-data; boundary=cut")
    assert preview(request) == {
        "model_id": "m",
        "content_type": "multipart/form-data; boundary=cut",
        "body": [
            {"name": "prompt", "value": "a föx"},
            {
                "name": "image[]",
                "filename": "image.png",
                "content_type": "image/png",
                "content": f"({len(png()):,} bytes)",
            },
        ],
    }


def test_a_preview_of_other_bytes_tells_their_size():
    assert preview(Request("m", b"\xff\xfe"))["body"] == "(2 bytes)"


def test_an_all_black_mask_is_refused():
    black = limner.Mask((8, 8), bytes(64))
    with pytest.raises(limner.TaskRefused, match="all black"):
        limner.Inpaint(image=png((8, 8)), mask=black)
    assert limner.Inpaint(image=png((8, 8)), mask=black.inverted())
