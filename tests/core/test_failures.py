"""When a part of a run fails, nothing that came is lost, and who is to blame is named."""

from __future__ import annotations

import json

import limner
import pytest
from limner import (
    BadResponse,
    ContentFiltered,
    Generate,
    Image,
    Inpaint,
    Picture,
    PluginError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Request,
    Response,
)

from .fakes import DRASTIC, Fake, answer, fake, png
from .transports import caught, failing_at, seed_of


def test_one_failed_call_keeps_the_pictures_of_the_others(run):
    error = caught(run, fake(failing_at(2, error=RateLimited("slow down"))), Generate(prompt="a", n=6, seed=0), RateLimited)
    assert [picture.seed for picture in error.pictures] == [0, 0, 4, 4]
    assert error.result.request_ids == error.request_ids == ("id-0", "id-4")
    assert error.model == "fake.painter-1"
    assert str(error) == "fake.painter-1: slow down (request id-0, id-4)"


def test_the_first_of_several_failures_is_told(run):
    def respond(request: Request) -> Response:
        raise ProviderUnavailable(f"call {seed_of(request)}")

    error = caught(run, fake(respond), Generate(prompt="a", n=6, seed=0), ProviderUnavailable)
    assert error.message == "call 0"
    assert error.pictures == ()


@pytest.mark.parametrize("step", ["send", "decode"])
def test_a_plugins_own_fault_keeps_the_pictures_of_the_other_calls(run, step):
    class Faulty(Fake):
        def send(self, request):
            if step == "send" and seed_of(request) == 2:
                raise ZeroDivisionError("oh")
            return super().send(request)

        def decode(self, task, response):
            if step == "decode" and task.seed == 2:
                raise ZeroDivisionError("oh")
            return super().decode(task, response)

    error = caught(run, fake(base=Faulty), Generate(prompt="a", n=6, seed=0), PluginError)
    assert [picture.seed for picture in error.pictures] == [0, 0, 4, 4]
    assert f"Faulty.{step}" in str(error)


def test_a_provider_error_of_decode_keeps_its_request(run):
    class Refusing(Fake):
        def decode(self, task, response):
            raise limner.RequestRejected("bad weather")

    assert caught(run, fake(base=Refusing), Generate(prompt="a", seed=3), limner.RequestRejected).request_ids == ("id-3",)


def test_timeouts_mean_the_same(run):
    class Slow(Fake):
        def send(self, request):
            raise ProviderTimeout(f"no answer in {self.settings.timeout:g} seconds")

    error = caught(run, fake(base=Slow, timeout="2.5"), Generate(prompt="a"), ProviderTimeout)
    assert "no answer in 2.5 seconds" in str(error)


FAULTS = [ValueError("oh"), KeyError("oh"), RecursionError("oh"), StopIteration("oh"), AssertionError(), *DRASTIC]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize("step", ["check", "encode", "send", "decode", "notices", "warnings"])
def test_whatever_a_plugin_raises_names_it(run, step, fault):
    def fail(*_):
        raise fault

    broken = type("Broken", (Fake,), {step: fail, "__module__": "some_plugin.models"})
    error = caught(run, fake(base=broken), Generate(prompt="a"), PluginError)
    assert f"some_plugin.models.Broken.{step}" in str(error)
    assert "fake.painter-1" in str(error)
    assert error.__cause__ is fault or error.__cause__.__cause__ is fault  # a generator wraps StopIteration


@pytest.mark.parametrize("fault", DRASTIC, ids=repr)
def test_a_drastic_fault_keeps_the_pictures_of_the_other_calls(run, fault):
    error = caught(run, fake(failing_at(2, error=fault)), Generate(prompt="a", n=6, seed=0), PluginError)
    assert [picture.seed for picture in error.pictures] == [0, 0, 4, 4]


@pytest.mark.parametrize("step", ["check", "encode", "send", "decode", "notices"])
def test_an_interrupt_stays_an_interrupt(step):
    def interrupted(*_):
        raise KeyboardInterrupt

    broken = type("Broken", (Fake,), {step: interrupted})
    with pytest.raises(KeyboardInterrupt):
        fake(base=broken).run(Generate(prompt="a"))


@pytest.mark.parametrize(
    ("step", "value"),
    [
        ("check", None),
        ("check", ["words"]),
        ("encode", b"body"),
        ("encode", None),
        ("send", b"body"),
        ("send", None),
        ("decode", None),
        ("decode", [b"picture"]),
        ("decode", [Image(png())]),
    ],
)
def test_what_a_plugin_returns_is_checked(run, step, value):
    broken = type("Broken", (Fake,), {step: lambda *_: value, "__module__": "some_plugin.models"})
    error = caught(run, fake(base=broken), Generate(prompt="a"), PluginError)
    assert f"some_plugin.models.Broken.{step}" in str(error)


def test_fewer_pictures_than_asked_for(run):
    def one(request: Request) -> Response:
        body = json.loads(answer(request).body)
        return Response(json.dumps({"pictures": body["pictures"][:1]}).encode())

    error = caught(run, fake(one), Generate(prompt="a", n=4, seed=0), BadResponse)
    assert [picture.outcome for picture in error.result.pictures] == ["ok", "failed", "ok", "failed"]
    assert len(error.pictures) == 2
    assert "2 of 4 pictures failed" in str(error)
    assert "fewer" in str(error)


def test_more_pictures_than_asked_for(run):
    def three(request: Request) -> Response:
        body = json.loads(answer(request).body)
        wanted = body["pictures"] + body["pictures"][:1] * (seed_of(request) == 2)
        return Response(json.dumps({"pictures": wanted}).encode())

    error = caught(run, fake(three), Generate(prompt="a", n=4, seed=0), BadResponse)
    assert "3 pictures came, 2 were asked for" in str(error)
    assert [picture.seed for picture in error.pictures] == [0, 0]


class Filtering(Fake):
    """Holds the second picture of each call back."""

    def decode(self, task, response):
        pictures = super().decode(task, response)
        return [pictures[0], *(Picture(outcome="filtered", reason="too foxy") for _ in pictures[1:])]


class FilteringAndFailing(Fake):
    """Holds a picture of the first call back, and fails to paint one of the second."""

    def decode(self, task, response):
        bad = (
            Picture(outcome="filtered", reason="too foxy")
            if task.seed == 0
            else Picture(outcome="failed", reason="no paint")
        )
        return [super().decode(task, response)[0], bad]


def test_filtered_pictures_count_more_than_failed_ones(run):
    task = Generate(prompt="a", n=4, seed=0)
    error = caught(run, fake(base=FilteringAndFailing), task, ContentFiltered)
    assert [picture.outcome for picture in error.result.pictures] == ["ok", "filtered", "ok", "failed"]
    assert "1 of 4 pictures: too foxy, and 1 failed: no paint" in str(error)
    kept = caught(run, fake(base=FilteringAndFailing, on_filtered="return"), task, BadResponse)
    assert "1 of 4 pictures failed" in str(kept)


def test_filtered_pictures_raise_and_carry_the_others(run):
    error = caught(run, fake(base=Filtering), Generate(prompt="a", n=3, seed=0), ContentFiltered)
    assert "1 of 3" in str(error)
    assert "too foxy" in str(error)
    assert "on_filtered" in str(error)
    assert [picture.seed for picture in error.pictures] == [0, 2]
    assert [picture.outcome for picture in error.result.pictures] == ["ok", "filtered", "ok"]


def test_filtered_pictures_can_be_returned(run):
    for result in (
        run(fake(base=Filtering, on_filtered="return"), Generate(prompt="a", n=3)),
        run(fake(base=Filtering), Generate(prompt="a", n=3), on_filtered="return"),
    ):
        assert [picture.outcome for picture in result.pictures] == ["ok", "filtered", "ok"]
        filtered = result.pictures[1]
        with pytest.raises(BadResponse, match="filtered: too foxy"):
            filtered.pil()
        assert "<img" not in filtered._repr_html_()


def test_no_picture_at_all(run):
    class Nothing(Fake):
        def decode(self, task, response):
            return [Picture(outcome="filtered")]

    result = run(fake(base=Nothing, on_filtered="return"), Generate(prompt="a", seed=3))
    assert result.images == ()
    assert "<img" not in result._repr_html_()
    with pytest.raises(BadResponse, match="request id-3"):
        _ = result.image


def test_failed_pictures_raise_even_where_filtered_ones_are_returned(run):
    class Failing(Fake):
        def decode(self, task, response):
            return [Picture(outcome="failed", reason="out of paint")]

    error = caught(run, fake(base=Failing, on_filtered="return"), Generate(prompt="a"), BadResponse)
    assert "out of paint" in str(error)


def test_a_damaged_picture_keeps_the_others(run):
    whole = png((32, 32), "red")
    at = whole.index(b"IDAT") + 10
    damaged = Image(whole[:at] + bytes(8) + whole[at + 8 :])

    class Damaging(Fake):
        def decode(self, task, response):
            return [Picture(image=damaged if task.seed == 2 else Image(png()))] * task.n

    task = Inpaint(image=png(), mask=limner.Mask.box((0, 0, 8, 8), size=(32, 32)), n=3, seed=0)
    error = caught(run, fake(base=Damaging), task, BadResponse)
    assert "damaged" in str(error)
    assert error.model == "fake.painter-1"
    assert len(error.pictures) == 2


def test_a_run_may_be_billed_if_one_of_its_calls_may():
    """Of several calls, one that was throttled says nothing about the others."""

    def transport(*errors):
        waiting = list(errors)

        def send(request):
            error = waiting.pop()
            if error is not None:
                raise error
            return answer(request)

        return send

    def billed(*errors):
        with pytest.raises(limner.LimnerError) as caught:
            fake(transport(*errors)).run(limner.Generate(prompt="a", n=2 * len(errors)))
        return caught.value.may_be_billed

    assert billed(limner.RateLimited("a")) is False
    assert billed(limner.RateLimited("a"), limner.RequestRejected("b")) is False
    assert billed(limner.RateLimited("a"), limner.ProviderTimeout("b")) is True
    assert billed(limner.RateLimited("a"), None) is True
    assert billed(limner.ProviderUnavailable("a")) is True
