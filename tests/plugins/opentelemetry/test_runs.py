"""Runs as spans and metrics, recorded by the real SDK in memory; the plugin is found as installed plugins are."""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import subprocess
import sys
from io import BytesIO
from typing import ClassVar

import limner
import PIL.Image
import pytest
from limner import ContentFiltered, Decoded, Generate, Inpaint, Mask, Model, Picture, Price, RateLimited, Request, Response
from limner.limits import Choice, Count, MaskPicture, PromptText, Seed, TaskLimits
from limner.limits import Picture as PictureLimit
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SECRET = "the heir of Dunmore in her nightgown"
SOURCE = "a test"

EXPORTER, READER = InMemorySpanExporter(), InMemoryMetricReader()
TRACERS = TracerProvider()
TRACERS.add_span_processor(SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(TRACERS)  # once in a process, as the SDK has it
metrics.set_meter_provider(MeterProvider([READER]))


def png(size=(16, 16)) -> bytes:
    buffer = BytesIO()
    PIL.Image.effect_noise(size, 90).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


PAINTED = {"prompt": PromptText(60, source=SOURCE), "n": Count(2, source=SOURCE), "seed": Seed(0, 99, source=SOURCE)}


class Service(Model):
    """Does as its option says; the answer has a request id and tokens."""

    id = "service.painter-1"
    provider = "service"
    limits: ClassVar = {
        Generate: TaskLimits(PAINTED, {"do": Choice(("paint", "fail", "refuse", "filter"), default="paint", source=SOURCE)}),
        Inpaint: TaskLimits({**PAINTED, "image": PictureLimit(source=SOURCE), "mask": MaskPicture(source=SOURCE)}),
    }
    prices: ClassVar = {Generate: (Price("0.04", as_of=datetime.date(2026, 11, 21), source=SOURCE),)}

    def encode(self, task):
        return Request(self.model_id, json.dumps([task.options.get("do"), task.n, task.seed]).encode())

    def send(self, request):
        do, n, seed = json.loads(request.body)
        with trace.get_tracer("transport").start_as_current_span("POST"):
            if do == "fail":
                raise RateLimited(f"too fast with '{SECRET}'", request_ids=["id-slow"])
            if do == "refuse":
                raise ContentFiltered(f"not '{SECRET}'")
        return Response(json.dumps([do, n]).encode(), request_id=f"id-{seed}", usage={"input_tokens": 7, "seconds": 1.5})

    def decode(self, task, response):
        do, n = json.loads(response.body)
        pictures = [Picture(image=limner.Image(png())) for _ in range(n)]
        if do == "filter":
            pictures[-1] = Picture(outcome="filtered", reason="nudity")
        return Decoded(pictures, usage={"output_tokens": 100 * n})


def run_sync(model, task):
    return model.run(task)


def run_async(model, task):
    return asyncio.run(model.arun(task))


@pytest.fixture(params=[run_sync, run_async], ids=["sync", "async"])
def run(request):
    return request.param


@pytest.fixture(autouse=True)
def _nothing_recorded(monkeypatch):
    for name in (CAPTURE, "LIMNER_PRICES"):
        monkeypatch.delenv(name, raising=False)
    EXPORTER.clear()
    READER.get_metrics_data()


def task(prompt=SECRET, **said):
    return Generate(prompt=prompt, **{"seed": 5, **said})


def span():
    (found,) = [one for one in EXPORTER.get_finished_spans() if one.name.startswith("generate_content")]
    return found


def points(name):
    data = READER.get_metrics_data()
    found = [
        metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
    ]
    return [point for metric in found for point in metric.data.data_points]


def test_a_run_is_a_span(run):
    run(Service(), task(n=3))
    found = span()
    assert found.name == "generate_content service.painter-1"
    assert found.kind is trace.SpanKind.CLIENT
    assert found.status.is_unset
    assert dict(found.attributes) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "service",
        "gen_ai.request.model": "service.painter-1",
        "gen_ai.output.type": "image",
        "gen_ai.request.choice.count": 3,
        "gen_ai.request.seed": 5,
        "gen_ai.response.finish_reasons": ("stop",) * 3,
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 300,
        "limner.task": "generate",
        "limner.response.ids": ("id-5", "id-7"),
        "limner.pictures.ok": 3,
        "limner.pictures.filtered": 0,
        "limner.pictures.failed": 0,
        "limner.cost.low": 0.12,
        "limner.cost.high": 0.12,
        "limner.cost.currency": "USD",
    }


@pytest.mark.parametrize("n", [1, 3])
def test_it_stands_between_the_callers_span_and_those_of_its_calls(run, n):
    with trace.get_tracer("test").start_as_current_span("web request") as outer:
        run(Service(), task(n=n))
        assert trace.get_current_span() is outer
    mine = span()
    assert mine.parent.span_id == outer.get_span_context().span_id
    posts = [one for one in EXPORTER.get_finished_spans() if one.name == "POST"]
    assert len(posts) == -(-n // 2)
    assert {post.parent.span_id for post in posts} == {mine.context.span_id}


def test_one_call_has_one_id(run):
    run(Service(), task())
    assert span().attributes["gen_ai.response.id"] == "id-5"
    assert "limner.response.ids" not in span().attributes
    assert "gen_ai.request.choice.count" not in span().attributes


def test_metrics(run):
    model = Service(model_id=f"service.{run.__name__}")
    run(model, task(n=2))
    names = {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "service",
        "gen_ai.request.model": model.model_id,
    }
    (lasted,) = [
        point
        for point in points("gen_ai.client.operation.duration")
        if point.attributes["gen_ai.request.model"] == model.model_id
    ]
    assert dict(lasted.attributes) == names
    assert (lasted.count, lasted.explicit_bounds[0], lasted.explicit_bounds[-1]) == (1, 0.01, 81.92)
    tokens = {
        point.attributes["gen_ai.token.type"]: point.sum
        for point in points("gen_ai.client.token.usage")
        if names.items() <= dict(point.attributes).items()
    }
    assert tokens == {"input": 7, "output": 200}


def test_a_failed_run(run):
    model = Service(model_id=f"service.failing-{run.__name__}")
    with pytest.raises(RateLimited):
        run(model, task(options={"do": "fail"}))
    found = span()
    assert (found.status.status_code, found.status.description) == (trace.StatusCode.ERROR, "RateLimited")
    assert found.attributes["error.type"] == "RateLimited"
    assert found.attributes["gen_ai.response.id"] == "id-slow"
    assert found.attributes["limner.pictures.ok"] == 0
    (event,) = found.events
    assert (event.name, dict(event.attributes)) == ("exception", {"exception.type": "limner.errors.RateLimited"})
    kinds = [
        point.attributes.get("error.type")
        for point in points("gen_ai.client.operation.duration")
        if point.attributes["gen_ai.request.model"] == model.model_id
    ]
    assert kinds == ["RateLimited"]


def test_a_filtered_run(run):
    with pytest.raises(ContentFiltered):
        run(Service(), task(n=2, options={"do": "filter"}))
    found = span()
    assert found.attributes["error.type"] == "ContentFiltered"
    assert found.attributes["gen_ai.response.finish_reasons"] == ("stop", "content_filter")
    EXPORTER.clear()
    run(Service().with_settings(on_filtered="return"), task(n=2, options={"do": "refuse"}))
    found = span()
    assert found.status.is_unset
    assert "error.type" not in found.attributes
    assert found.attributes["limner.pictures.filtered"] == 2
    assert found.attributes["gen_ai.response.finish_reasons"] == ("content_filter", "content_filter")


def test_a_refused_task(run):
    with pytest.raises(limner.TaskRefused):
        run(Service(), task(prompt=SECRET * 9))
    assert span().attributes["error.type"] == "TaskRefused"
    assert "limner.pictures.ok" not in span().attributes


def everything() -> str:
    return "".join(one.to_json() for one in EXPORTER.get_finished_spans() if one.name != "POST")


@pytest.mark.parametrize("value", [None, "", "NO_CONTENT", "EVENT_ONLY", "false"])
def test_no_prompt_unless_asked_for(run, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv(CAPTURE, value)
    run(Service(), task())
    for do in ("fail", "refuse"):
        with pytest.raises(limner.ProviderError):
            run(Service(), task(options={"do": do}))
    with pytest.raises(limner.TaskRefused):
        run(Service(), task(prompt=SECRET * 9))
    assert SECRET[:10] not in everything()
    assert len(EXPORTER.get_finished_spans()) == 7  # four runs, three posts


@pytest.mark.parametrize("value", ["SPAN_ONLY", "span_and_event", "true"])
def test_prompts_for_those_who_ask(run, monkeypatch, value):
    monkeypatch.setenv(CAPTURE, value)
    run(Service(), task())
    (message,) = json.loads(span().attributes["gen_ai.input.messages"])
    assert message == {"role": "user", "parts": [{"type": "text", "content": SECRET}]}
    EXPORTER.clear()
    with pytest.raises(RateLimited):
        run(Service(), task(options={"do": "fail"}))
    assert SECRET in span().events[0].attributes["exception.message"]


def test_never_a_picture(run, monkeypatch):
    monkeypatch.setenv(CAPTURE, "SPAN_ONLY")
    picture = png((64, 64))
    run(Service(), Inpaint(image=picture, prompt="a fox", mask=Mask.box((0, 0, 9, 9), size=(64, 64)), preserve=False))
    assert span().attributes["limner.task"] == "inpaint"
    assert len(everything()) < 4_000 < len(picture)
    assert base64.b64encode(picture)[:40].decode() not in everything()


def test_an_unknown_cost_is_not_there(run):
    unpriced = type("Unpriced", (Service,), {"prices": {}})
    run(unpriced(), task())
    assert not [name for name in span().attributes if "cost" in name]


def test_what_fails_in_the_plugin_costs_no_picture(run, monkeypatch, tmp_path, caplog):
    (tmp_path / "prices.json").write_text("{")
    monkeypatch.setenv("LIMNER_PRICES", str(tmp_path / "prices.json"))
    assert run(Service(), task()).image
    assert "the cost is unknown: LIMNER_PRICES" in caplog.text
    assert span().attributes["limner.pictures.ok"] == 1

    def cost_of(self, task):
        raise RuntimeError("no ledger")

    EXPORTER.clear()
    assert run(type("Broken", (Service,), {"cost_of": cost_of})(), task()).image
    assert "no ledger" in caplog.text
    assert span()


def test_a_model_of_this_machine_is_internal():
    limner.get_model("sketch").generate("a fox", size=(64, 64))
    assert span().kind is trace.SpanKind.INTERNAL
    assert span().attributes["gen_ai.provider.name"] == "limner.sketch"


RUN = "import os, sys, limner; {}; limner.get_model('sketch').generate('a fox', size=(64, 64)); print({})"
NAMES = ("limner_opentelemetry.recording", "opentelemetry.trace", "opentelemetry.sdk.trace")


@pytest.mark.parametrize(
    ("before", "loaded"),
    [
        ("pass", [False, False, False]),
        ("import opentelemetry.trace", [True, True, False]),
        ("os.environ['OTEL_PYTHON_TRACER_PROVIDER'] = 'sdk_tracer_provider'", [True, True, True]),
    ],
)
def test_without_opentelemetry_nothing_of_it_is_imported(before, loaded):
    code = RUN.format(before, f"[name in sys.modules for name in {NAMES}]")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == f"{loaded}\n"
