"""Plugins that make wrong requests, one fault each."""

from __future__ import annotations

import datetime
import io
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
from faults import Body, Spoilt, caught_by, limited
from limner import (
    Generate,
    Image,
    Inpaint,
    Picture,
    Problem,
    Request,
    Response,
    Result,
    Task,
    TaskRefused,
    Upscale,
)
from limner.limits import Integer, PromptText, Real, Seed, Text
from right_plugin import DOCS, Palette

# ---------------------------------------------------------------------------------------------- encoding


@caught_by("test_allowed_tasks_are_encoded", "instead of Request(model_id, bytes)")
class BodyIsText(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        return Request(request.model_id, request.body.decode())  # type: ignore[arg-type]


@caught_by("test_allowed_tasks_are_encoded", "encode failed: KeyError('snow')")
class EncodeKnowsFewMoods(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        {"calm": 1, "wild": 2}[body.get("mood", "calm") if body.get("steps") != 10 else "snow"]


@caught_by("test_every_parameter_can_be_said", "no value of options.tiling is ever allowed")
class RefusesEveryTiling(Palette):
    def check(self, task: Task) -> Iterator[Problem]:
        if "tiling" in task.options:
            yield Problem("options.tiling", "", "is never right")


@caught_by("test_every_parameter_can_be_said", "give the Text an example")
class PatternWithoutExample(Palette):
    limits = limited(Inpaint, mask_prompt=Text(pattern="[a-z]+", source=DOCS))


@caught_by("test_every_change_reaches_the_request", "make the same requests")
class ForgetsNegativePrompt(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.pop("without", None)


@caught_by("test_every_change_reaches_the_request", "options.mood")
class DropsAnOption(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.pop("mood", None)


@caught_by("test_every_change_reaches_the_request", "guidance_scale")
class ClampsInSilence(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" in body:
            body["guidance"] = min(body["guidance"], 19.9)


@caught_by("test_every_change_reaches_the_request", "guidance_scale")
class RoundsGuidance(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" in body:
            body["guidance"] = round(body["guidance"])


@caught_by("test_every_change_reaches_the_request", "image")
class MaskSentAsImage(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "keep_mask" in body:
            body["pictures"] = [body["keep_mask"]]


@caught_by("test_every_change_reaches_the_request", "mask")
class GreyIsLost(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        return super().pictures(task if mask is None else attrs.evolve(task, mask=mask.hardened()))


@caught_by("test_every_change_reaches_the_request", "image")
class SendsTheFirstOfTwoImages(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["pictures"] = body.get("pictures", [])[:1]


@caught_by("test_every_change_reaches_the_request", "strength")
class StrengthTestedByTruth(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if not getattr(task, "strength", None) and "fidelity" in body:
            body["fidelity"] = 0.5


@caught_by("test_bodies_keep_the_provider_schema", "None is not of type")
class NullForNone(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.setdefault("guidance", None)


@caught_by("test_bodies_keep_the_provider_schema", "is too long")
class EscapesUnicode(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].encode("ascii", "backslashreplace").decode()


@caught_by("test_bodies_keep_the_provider_schema", "4294967296 is greater than the maximum")
class SeedOneTooHigh(Palette):
    limits = limited(Generate, seed=Seed(0, 2**32, source=DOCS))


@caught_by("test_bodies_keep_the_provider_schema", "9 is less than the minimum")
class StepsOneTooLow(Palette):
    limits = limited(Generate, steps=Integer(9, 50, source=DOCS))


@caught_by("test_bodies_keep_the_provider_schema", "is too long")
class PromptOneTooLong(Palette):
    limits = limited(Upscale, prompt=PromptText(501, source=DOCS))


@caught_by("test_limits_reach_the_ends_of_the_schema", "prompt ends at")
class PromptOneTooShort(Palette):
    limits = limited(Upscale, prompt=PromptText(499, source=DOCS))


@caught_by("test_limits_reach_the_ends_of_the_schema", "steps ends at '49'")
class StepsOneTooFew(Palette):
    limits = limited(Generate, steps=Integer(10, 49, source=DOCS))


@caught_by("test_limits_reach_the_ends_of_the_schema", "steps ends at '11'")
class StepsStartTooLate(Palette):
    limits = limited(Inpaint, steps=Integer(11, 50, source=DOCS))


@caught_by("test_limits_reach_the_ends_of_the_schema", "guidance_scale ends at '15.0'")
class GuidanceTooNarrow(Palette):
    limits = limited(Generate, guidance_scale=Real(1.0, 15.0, source=DOCS))


@caught_by("test_texts_arrive_whole", "does not contain prompt unchanged")
class CutsThePrompt(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"][:400]


@caught_by("test_texts_arrive_whole", "does not contain prompt unchanged")
class StripsThePrompt(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].strip()


@caught_by("test_texts_arrive_whole", "does not contain mask_prompt unchanged")
class LosesUnicode(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "where" in body:
            body["where"] = body["where"].encode("ascii", "replace").decode()


@caught_by("test_pictures_travel_byte_for_byte", "is not in the body byte for byte")
class ReencodesJpeg(Palette):
    def pictures(self, task: Task) -> Body:
        image = getattr(task, "image", None)
        if isinstance(image, Image) and image.media_type == "image/jpeg":
            buffer = io.BytesIO()
            image.pil().save(buffer, "JPEG", quality=95)
            task = attrs.evolve(task, image=Image(buffer.getvalue()))
        return super().pictures(task)


@caught_by("test_numbers_are_rounded", "the body contains 0.30000000000000004")
class UnroundedStrength(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "fidelity" in body:
            body["fidelity"] = 1 - task.strength  # type: ignore[attr-defined]


@caught_by("test_encode_is_pure", "in the year 2001")
class ReadsTheClock(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"at": round(time.time() / 1e9)}


@caught_by("test_encode_is_pure", "in the year 2001")
class ReadsTheCalendar(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"day": str(datetime.datetime.now(datetime.UTC).date())}


@caught_by("test_encode_is_pure", "encoded twice")
class RandomInEncode(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"id": random.random()}


@caught_by("test_encode_is_pure", "encoded twice")
class CountsItsCalls(Spoilt):
    made = 0

    def spoil(self, task: Task, body: Body) -> None:
        self.made += 1
        body["extra"] = {"id": self.made}


@caught_by("test_encode_changes_nothing", "encode changed prompt=")
class MutatesTheTask(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        if getattr(task, "prompt", None) is not None:
            object.__setattr__(task, "prompt", "a fox, masterpiece")
        return request


@caught_by("test_encode_changes_nothing", "encode changed options=")
class MutatesTheOptions(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        task.options._values.pop("finish", None)
        return request


@caught_by("test_called_model_id_is_the_callers", "the request goes to 'palette.painter-9'")
class IgnoresTheModelId(Palette):
    def encode(self, task: Task) -> Request:
        return attrs.evolve(super().encode(task), model_id=self.id)


# ---------------------------------------------------------------------------------------------- refusals, account


@caught_by("test_refused_tasks_send_nothing", "a request was sent")
class AsksBeforeItRefuses(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        self.send(Request(self.model_id, b"{}"))
        return super().run(task, fit=fit, on_filtered=on_filtered)


@caught_by("test_refused_tasks_send_nothing", "was not refused")
class AnswersFromNowhere(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return super().run(task, fit=fit, on_filtered=on_filtered)
        except TaskRefused:
            return Result(model=self.id, task=task, pictures=())


@caught_by("test_refused_tasks_send_nothing", "a request was sent")
class AlwaysNearest(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return super().run(task, fit="nearest", on_filtered=on_filtered)


@caught_by("test_refusals_say_what_is_right", "the refusal names")
class RefusesInShort(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return super().run(task, fit=fit, on_filtered=on_filtered)
        except TaskRefused as refusal:
            raise TaskRefused([Problem("task", "", "is wrong")], self.id) from refusal


@caught_by("test_account_is_complete", "seed is not in the account")
class HidesTheSeed(Palette):
    def plan(self, task: Task, *, fit: Any = None) -> Any:
        made = super().plan(task, fit=fit)
        return attrs.evolve(made, account=tuple(entry for entry in made.account if entry.parameter != "seed"))


class Growing(PromptText):
    def adapted(self, value: Any) -> tuple[Any, str]:
        return (f"{value}.", "a full stop was missing") if isinstance(value, str) and len(value) < 400 else (value, "")


@caught_by("test_nearest_keeps_the_limits", "a different request in strict mode")
class AdaptsAgainAndAgain(Palette):
    limits = limited(Upscale, prompt=Growing(500, required=True, source=DOCS))


@caught_by("test_any_task_is_planned_or_refused", "check failed: UnicodeEncodeError")
class ChecksAsciiAlone(Palette):
    def check(self, task: Task) -> Iterator[Problem]:
        if isinstance(getattr(task, "prompt", None), str):
            task.prompt.encode("latin-1")  # type: ignore[attr-defined]
        yield from super().check(task)


# ---------------------------------------------------------------------------------------------- seeds


@caught_by("test_seed_zero_is_a_seed", "seed 0 is omitted from the body")
class DropsSeedZero(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if not body.get("seed"):
            body.pop("seed", None)


@caught_by("test_drawn_seed_is_sent", "none was drawn")
class DrawsNoSeed(Palette):
    limits = limited(Generate, seed=Integer(0, 2**32 - 1, source=DOCS))


@caught_by("test_drawn_seed_is_sent", "make the same request")
class SendsNoSeed(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.pop("seed", None)


@caught_by("test_each_call_has_its_own_seed", "two calls make the same request")
class SameSeedForAllCalls(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "seed" in body:
            body["seed"] //= 100


@caught_by("test_n_pictures_come_back", "became BadResponse")
class IgnoresN(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.pop("count", None)


@caught_by("test_n_pictures_come_back", "became BadResponse")
class TooManyPictures(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return [*super().decode(task, response)] * 2


@caught_by("test_n_pictures_come_back", "the first picture's seed is")
class TellsAnotherSeed(Palette):
    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        return made if made.seed is None else attrs.evolve(made, seed=made.seed + 1)
