"""The kit passes what is right and catches each fault by the check that is meant for it.

``pytest tests/testing --hypothesis-seed=N`` with ten values of N is ten runs with other examples.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import pytest
import right_plugin
import wrong_fifth
import wrong_third
from caught import CAUGHT
from faults import limited_options
from hypothesis import Phase, settings
from limner import Decoded, Generate, LimnerError, Model, Request, Response, Task
from limner.limits import Items, Text
from limner.testing import Conformance
from limner.testing import conformance as kit
from right_others import OTHERS, Rack
from unusual_plugins import Unusual
from wire import KeySettings
from wrong_plugins import CAUGHT_BY, FAULTS

pytest_plugins = ["pytester"]

PYTEST_OUTCOMES = (pytest.skip.Exception, pytest.fail.Exception, pytest.xfail.Exception)


@pytest.fixture(autouse=True)
def _no_shrinking() -> Iterator[None]:
    """That a fault is found is what counts here, not how small; among 100 examples, as a plugin author has by default."""
    settings.register_profile("found", settings.get_profile("default"), phases=[Phase.generate], database=None)
    settings.register_profile("few", settings.get_profile("found"), max_examples=10)
    chosen = settings.get_current_profile_name()
    settings.load_profile("found")
    yield
    settings.load_profile(chosen)


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """What a wrong plugin does to the environment ends with its test."""
    with mock.patch.dict(os.environ):
        yield


def conformance_of(model: type[Model], **more: Any) -> Conformance:
    """The right plugin's documents with a model; a plugin of another kind, or with other documents, brings its own."""
    if issubclass(model, Unusual):
        return attrs.evolve(model.conformance(), **more)
    key = {"api_key": "key-of-the-tests"} if hasattr(attrs.fields(model.Settings), "api_key") else {}
    given: dict[str, Any] = {
        "model": model(),
        "body_schema": right_plugin.SCHEMA,
        "body_problems": right_plugin.problems,
        "examples": right_plugin.examples(),
        "vary_painter": right_plugin.vary,
        "endpoint": lambda url: model(model.Settings.of({"endpoint_url": url, **key})),
        "answer": right_plugin.paint,
        "reference_painter": right_plugin.paint,
        "recorded": right_plugin.recorded(),
        "module": "right_plugin",
    }
    return Conformance(**given | getattr(model, "documented", {}) | more)


def check(name: str) -> Callable[[Conformance], None]:
    found: Callable[[Conformance], None] = getattr(kit, name)
    return found


def caught(name: str, conformance: Conformance) -> str:
    """What a check says of a plugin that it must not pass."""
    try:
        check(name)(conformance)
    except PYTEST_OUTCOMES as outcome:
        pytest.fail(f"{name} ended in {outcome!r}")
    except (AssertionError, LimnerError, pickle.PicklingError) as error:
        return "\n".join([f"{error}", *error.__notes__])
    return pytest.fail(f"{name} passed")


class Tagged(right_plugin.Palette):
    """It takes a list of texts, of which the kit may say one in the prompt as well."""

    limits = limited_options(Generate, tags=Items(Text(200, source="Palette"), 1, 5, source="Palette"))


JOBS = {
    "test_jobs_end_with_pictures",
    "test_failures_of_jobs_submit_nothing_twice",
    "test_jobs_side_by_side_keep_their_pictures",
    "test_waiting_for_a_job_ends",
}
OFFLINE = {
    *("test_offline_models_stay_offline", "test_offline_answers_follow_the_request"),
    *("test_offline_settings_are_used", "test_cancelled_work_stops", "test_offline_edits_follow_the_task"),
    "test_offline_pictures_follow_each_parameter",
}
ELSEWHERE = JOBS | OFFLINE
"""What the right plugin cannot show; right plugins of other kinds do."""


@pytest.mark.parametrize("name", [name for name in kit.__all__ if name not in ELSEWHERE])
def test_the_right_plugin_passes_every_check(name: str) -> None:
    try:
        check(name)(conformance_of(right_plugin.Palette))
    except pytest.skip.Exception as skipped:
        pytest.fail(f"{name} was skipped: {skipped}")


@pytest.mark.parametrize("plugin", OTHERS, ids=lambda plugin: plugin.__name__)
def test_right_plugins_of_other_kinds_pass_every_check(plugin: type[Unusual]) -> None:
    skipped = set()
    for name in kit.__all__:
        try:
            check(name)(conformance_of(plugin))
        except pytest.skip.Exception:
            skipped.add(name)
    assert skipped & ELSEWHERE == (JOBS if plugin.offline else OFFLINE)


@pytest.mark.parametrize("name", [*sorted(JOBS), "test_recorded_answers_decode_as_recorded", "test_progress_is_true"])
def test_a_right_plugin_with_jobs_of_several_pictures_passes(name: str) -> None:
    check(name)(conformance_of(Rack))


CHECKS_OF_RETRIES = (
    *("test_send_calls_once", "test_send_keeps_the_timeout", "test_send_names_each_failure"),
    *("test_retry_after_is_in_seconds", "test_attempts_are_counted", "test_secrets_are_never_shown"),
)


@pytest.mark.parametrize("name", CHECKS_OF_RETRIES)
def test_the_right_plugin_may_try_again_while_the_provider_is_busy(name: str) -> None:
    def endpoint(url: str) -> Model:
        return right_plugin.Palette(KeySettings(endpoint_url=url, api_key="key-of-the-tests", retries=2))

    check(name)(conformance_of(right_plugin.Palette, endpoint=endpoint))


def test_the_right_plugin_may_match_its_versions() -> None:
    check("test_interface_of_names")(conformance_of(wrong_fifth.MatchesItsVersions))


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits too long is found sooner."""
    monkeypatch.setattr("limner.testing.conformance.sending._PATIENCE", 2.0)
    monkeypatch.setattr("limner.testing.conformance.calls.PATIENCE", 4.0)
    monkeypatch.setattr("limner.testing.conformance.jobs.PATIENCE", 4.0)


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_fault_is_caught(fault: type[Model]) -> None:
    name, words = CAUGHT_BY[fault]
    said = caught(name, conformance_of(fault))
    assert words in said
    assert "contract: " in said


MORE = [(module, fault) for module, faults in CAUGHT.items() for fault in faults]


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize(("module", "fault"), MORE, ids=[fault for _, fault in MORE])
def test_the_fault_of_the_larger_sets_is_caught(module: str, fault: str) -> None:
    said = caught(CAUGHT[module][fault], conformance_of(getattr(importlib.import_module(module), fault)))
    assert "contract: " in said


@pytest.mark.parametrize("words", wrong_third.REPORTS)
def test_wrong_progress_is_caught(words: str) -> None:
    def answer(request: Request) -> Response:
        wrong_third.REPORTS[words]()
        return right_plugin.paint(request)

    assert words in caught("test_progress_is_true", conformance_of(right_plugin.Palette, answer=answer))


def test_a_combination_that_is_documented_must_not_be_refused() -> None:
    made = conformance_of(wrong_third.RefusesWhatIsDocumented, body_problems=wrong_third.problems_of_moods)
    said = caught("test_limits_reach_the_ends_of_the_schema", made)
    assert "check refuses options.mood='wild' with options.finish='gloss'" in said


def test_a_stored_retry_after_is_in_the_error() -> None:
    stored = [attrs.evolve(one, headers={"Retry-After": "7"}) for one in right_plugin.recorded() if one.status == 429]
    check("test_send_names_each_failure")(conformance_of(right_plugin.Palette, recorded=stored))
    said = caught("test_send_names_each_failure", conformance_of(wrong_fifth.ForgetsRetryAfter, recorded=stored))
    assert "retry_after=None, not 7" in said


def test_recorded_usage_is_compared() -> None:
    stored = [attrs.evolve(one, usage={"credits": 2}) for one in right_plugin.recorded()[:1]]
    check("test_recorded_answers_decode_as_recorded")(conformance_of(right_plugin.Palette, recorded=stored))
    parts = [
        attrs.evolve(one, body=one.body.replace(b'"credits": 2', b'"credits": 2.5'), usage={"credits": 2.5})
        for one in stored
    ]
    said = caught("test_recorded_answers_decode_as_recorded", conformance_of(right_plugin.Palette, recorded=parts))
    assert "the usage is {}; recorded: {'credits': 2.5}" in said


def test_retries_that_the_provider_documents_are_no_fault() -> None:
    check("test_send_calls_once")(conformance_of(wrong_third.TriesAgainAfterFaults, retryable=(429, 500, 503)))


class ThroughAnSdk(right_plugin.Palette):
    """Its SDK takes arguments and writes the JSON itself."""

    def send(self, request: Request) -> Response:
        arguments = json.loads(request.body)
        return super().send(attrs.evolve(request, body=json.dumps(arguments, indent=1).encode()))


class SeedInAHeader(right_plugin.Palette):
    """Its provider chooses the seed of a call, and says it in a header."""

    def decode(self, task: Task, response: Response) -> Any:
        made: Any = super().decode(task, response)
        seed = int(response.metadata["x-seed"])
        return Decoded([attrs.evolve(one, seed=seed) for one in made.pictures], usage=made.usage)


def test_a_seed_may_come_in_a_header() -> None:
    def answer(request: Request) -> Response:
        return attrs.evolve(right_plugin.paint(request), metadata={"x-seed": "1234567"})

    check("test_pictures_are_the_providers_bytes")(conformance_of(SeedInAHeader, answer=answer))


def test_an_sdk_may_write_the_body_anew() -> None:
    check("test_send_posts_the_request")(conformance_of(ThroughAnSdk))


def test_a_list_may_hold_a_text_of_the_prompt() -> None:
    check("test_lists_keep_their_order")(conformance_of(Tagged))


def test_a_stored_answer_needs_no_seed() -> None:
    stored = [attrs.evolve(one, task=attrs.evolve(one.task, seed=None)) for one in right_plugin.recorded()[:1]]
    check("test_sync_equals_async")(conformance_of(right_plugin.Palette, recorded=stored))


def test_a_failing_transport_that_takes_headers_is_asked_for_request_ids() -> None:
    from wire import failure

    def failing(status: int, body: bytes, headers: dict[str, str]) -> Callable[[Request], Response]:
        def send(request: Request) -> Response:
            raise failure(right_plugin.Palette.Settings(), status, body, None)

        return send

    said = caught("test_send_names_each_failure", conformance_of(right_plugin.Palette, endpoint=None, failing=failing))
    assert "the request id" in said


LIGHT = "from limner import hookimpl\nfrom right_plugin import Palette\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a plugin's module, and name it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(code: str) -> str:
        (tmp_path / "spoilt_module.py").write_text(LIGHT + code)
        return "spoilt_module"

    yield write
    sys.modules.pop("spoilt_module", None)


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("test_interface_of_the_import", "import PIL.Image, numpy_is_not_there", "numpy_is_not_there"),
        ("test_interface_of_the_import", "import PIL.Image", "loads PIL"),
        ("test_interface_of_the_import", "import json; json.dumps = lambda *_, **__: '{}'", "json.dumps"),
        ("test_interface_of_the_import", "import ssl; ssl._create_default_https_context = None", "ssl._create_default"),
        ("test_interface_of_the_import", "import os; os.environ.setdefault('PALETTE_HOME', '/')", "the environment"),
        ("test_interface_of_the_import", "import os; os.umask(0)", "os.umask"),
        ("test_interface_of_the_import", "import mimetypes; mimetypes.add_type('image/x', '.x')", "the media types"),
        ("test_interface_of_the_import", "import http.client as h; h.HTTPConnection.debuglevel = 1", "debuglevel"),
        ("test_interface_of_the_import", "import ssl; TLS = ssl.create_default_context()", "trusted certificates"),
        ("test_interface_of_the_import", "import os, tempfile; os.rmdir(tempfile.mkdtemp())", "os.mkdir"),
        ("test_interface_of_the_import", "import logging; logging.getLogger('httpx').setLevel(30)", "logging"),
        ("test_interface_of_the_import", "import pathlib; pathlib.Path('/etc/hosts').read_text()", "reads /etc/hosts"),
        ("test_interface_of_the_import", "import os; HOME = os.environ.get('PALETTE_HOME')", "the variable PALETTE_HOME"),
        ("test_interface_of_the_import", "import os; TOKEN = os.getenv('PALETTE_TOKEN')", "the variable PALETTE_TOKEN"),
        ("test_interface_of_the_import", "Palette.mro()[1].plan = None", "limner.model.Model.plan"),
        ("test_interface_of_the_hook", "def limner_models(): return [Palette]", "not marked with @hookimpl"),
        ("test_interface_of_the_hook", "@hookimpl\ndef limner_models(): return Palette", "not a list"),
        ("test_interface_of_the_hook", "@hookimpl\ndef limner_models(): return []", "offers [], not Palette"),
    ],
)
def test_the_fault_of_the_module_is_caught(module: Callable[[str], str], name: str, code: str, words: str) -> None:
    assert words in caught(name, conformance_of(right_plugin.Palette, module=module(code)))


def test_every_check_catches_some_fault() -> None:
    of_the_module = {"test_interface_of_the_import", "test_interface_of_the_hook"}
    of_what_is_given = {"test_interface_of_deviations", "test_recorded_answers_cover_every_task"}
    larger = {check for faults in CAUGHT.values() for check in faults.values()}
    of_what_is_given |= {"test_examples_say_every_parameter", "test_progress_is_true"}
    named = {check for check, _ in CAUGHT_BY.values()} | larger | of_the_module | of_what_is_given
    assert named == set(kit.__all__)


def test_every_task_needs_a_recorded_answer_and_there_is_a_refusal() -> None:
    name, stored = "test_recorded_answers_cover_every_task", right_plugin.recorded()
    without_vary = [recorded for recorded in stored if recorded.task.kind != "vary"]
    assert "stored for vary" in caught(name, conformance_of(right_plugin.Palette, recorded=without_vary))
    assert "filters, fails or refuses" in caught(name, conformance_of(right_plugin.Palette, recorded=stored[:6]))


def test_a_declared_deviation_is_an_expected_failure() -> None:
    forgetful = next(fault for fault in FAULTS if fault.__name__ == "ForgetsNegativePrompt")
    declared = conformance_of(forgetful, deviations={"test_every_change_reaches_the_request": "the API has no such word"})
    with pytest.raises(pytest.xfail.Exception, match="the API has no such word"):
        check("test_every_change_reaches_the_request")(declared)


def test_a_deviation_must_fail() -> None:
    declared = conformance_of(right_plugin.Palette, deviations={"test_numbers_are_rounded": "they were not once"})
    with pytest.raises(pytest.fail.Exception, match="take its deviation out: they were not once"):
        check("test_numbers_are_rounded")(declared)


@pytest.mark.parametrize(
    ("deviations", "words"),
    [({"test_no_such_check": "?"}, "which is not a check of the kit"), ({"test_encode_is_pure": " "}, "has no reason")],
)
def test_a_deviation_names_a_check_and_a_reason(deviations: dict[str, str], words: str) -> None:
    assert words in caught("test_interface_of_deviations", conformance_of(right_plugin.Palette, deviations=deviations))


NEEDS = {
    "body_schema": {"test_bodies_keep_the_provider_schema", "test_limits_reach_the_ends_of_the_schema"},
    "answer": {
        *("test_n_pictures_come_back", "test_pictures_have_the_asked_size", "test_pictures_are_the_providers_bytes"),
        *("test_run_sends_what_plan_shows", "test_sync_equals_async", "test_results_survive_pickle_and_json"),
        *("test_decode_is_pure", "test_truncated_answers_are_refused", "test_wrong_types_are_refused"),
        *("test_damaged_pictures_are_refused", "test_missing_pictures_lose_no_others", "test_odd_metadata_is_refused"),
    },
    "reference_painter": {
        *(
            "test_mask_opens_what_is_white",
            "test_grey_of_a_mask_keeps_its_order",
            "test_expand_adds_where_it_says",
            "test_preserve_keeps_pixels_exactly",
        ),
    },
    "examples": {"test_examples_are_encoded_as_documented", "test_examples_say_every_parameter"},
    "vary_painter": {"test_strength_departs_from_the_picture"},
    "service": {*JOBS},
    "endpoint": {
        *("test_diagnose_tells_the_truth", "test_available_ids_are_texts", "test_retry_after_is_in_seconds"),
        *("test_settings_are_used", "test_attempts_are_counted", "test_a_setting_overrides_the_environment"),
        *("test_send_calls_once", "test_send_posts_the_request", "test_send_uses_its_own_settings"),
        *("test_send_keeps_the_timeout", "test_send_names_each_failure", "test_send_reads_odd_failures"),
        "test_send_tells_the_request_id",
    },
    "recorded": {
        *("test_recorded_answers_cover_every_task", "test_recorded_answers_decode_as_recorded"),
        "test_filtered_is_never_a_plain_success",
    },
}


@pytest.mark.parametrize("field", NEEDS)
def test_what_is_not_given_skips_its_checks_and_says_what_to_give(field: str) -> None:
    empty: object = () if field in {"recorded", "examples"} else None
    less = {"body_problems": None} if field == "body_schema" else {}
    for name in NEEDS[field]:
        with pytest.raises(pytest.skip.Exception, match=rf"give Conformance\({field}="):
            check(name)(conformance_of(right_plugin.Palette, **{field: empty}, **less))


@pytest.mark.parametrize("over", ["a model", "its send"])
def test_failing_takes_the_place_of_an_endpoint(over: str) -> None:
    from wire import failure

    def send(status: int, body: bytes) -> Callable[[Request], Response]:
        def failing(request: Request) -> Response:
            raise failure(right_plugin.Palette.Settings(), status, body, None)

        return failing

    def failing(status: int, body: bytes) -> object:
        made = conformance_of(right_plugin.Palette)
        return send(status, body) if over == "its send" else made.connected(send(status, body))

    told = conformance_of(right_plugin.Palette, endpoint=None, failing=failing)
    check("test_send_names_each_failure")(told)
    wrong = conformance_of(right_plugin.Palette, endpoint=None, failing=lambda status, body: failing(404, body))
    assert "must be" in caught("test_send_names_each_failure", wrong)


def test_what_crashes_in_what_was_given_is_told_as_that() -> None:
    def answer(request: Request) -> Response:
        raise KeyError("count")

    said = caught("test_n_pictures_come_back", conformance_of(right_plugin.Palette, answer=answer))
    assert "Conformance(answer=...) raised KeyError('count')" in said
    said = caught("test_n_pictures_come_back", conformance_of(right_plugin.Palette, answer=lambda request: None))
    assert "instead of a Response(bytes)" in said


def test_body_problems_take_the_place_of_a_schema() -> None:
    told = conformance_of(right_plugin.Palette, body_schema=None, body_problems=lambda request: ["colours are out"])
    assert "colours are out" in caught("test_bodies_keep_the_provider_schema", told)


def test_a_schema_for_each_kind() -> None:
    kinds: list[str] = []

    def schema(kind: str) -> dict[str, Any]:
        kinds.append(kind)
        return right_plugin.SCHEMA

    check("test_bodies_keep_the_provider_schema")(conformance_of(right_plugin.Palette, body_schema=schema))
    assert set(kinds) == {kind.kind for kind in right_plugin.Palette.limits}


TEST_FILE = """
import pytest
from right_plugin import SCHEMA, Palette, examples, paint, problems, recorded, vary
{fault}
from limner.testing import Conformance
from limner.testing.conformance import *

@pytest.fixture(scope="{scope}")
def conformance():
    return Conformance(
        model={model}(),
        body_schema=SCHEMA,
        body_problems=problems,
        examples=examples(),
        answer=paint,
        reference_painter=paint,
        vary_painter=vary,
        endpoint=lambda url: {model}({model}.Settings.of({{"endpoint_url": url, "api_key": "key-of-the-tests"}})),
        recorded=recorded(),
        module="right_plugin",
    )
"""


def test_a_plugins_test_file_is_a_few_lines(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST_FILE.format(fault="", scope="module", model="Palette"))
    run = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error", "-k", "interface or jobs")
    interface = [name for name in kit.__all__ if "interface" in name]
    jobs = [name for name in kit.__all__ if "jobs" in name]
    others = len(kit.__all__) - len(interface) - len(jobs)
    run.assert_outcomes(passed=len(interface), skipped=len(jobs), deselected=others)


def test_a_failure_shows_contract_and_task(pytester: pytest.Pytester) -> None:
    fault = "from wrong_requests import DropsAnOption"
    pytester.makepyfile(TEST_FILE.format(fault=fault, scope="session", model="DropsAnOption"))
    run = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "every_change")
    run.stdout.fnmatch_lines(
        [
            "E*options.mood='calm' and options.mood='wild' make the same requests*",
            "E*task: Generate(*",
            "E*contract: Changing any field*",
        ],
        consecutive=False,
    )
