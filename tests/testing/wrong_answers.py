"""Plugins that make the wrong thing of masks and answers, one fault each."""

from __future__ import annotations

import base64
import datetime
import json
import pickle
from collections.abc import Sequence
from typing import Any

import attrs
from faults import Body, Spoilt, caught_by
from limner import (
    BadResponse,
    ContentFiltered,
    Image,
    Mask,
    Outpaint,
    Picture,
    ProviderError,
    Response,
    Result,
    Task,
    expand_canvas,
)
from right_plugin import Palette

# ---------------------------------------------------------------------------------------------- masks


@caught_by("test_mask_opens_what_is_white", "means something else to the provider")
class InvertedMask(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        return super().pictures(task if mask is None else attrs.evolve(task, mask=mask.inverted()))


@caught_by("test_mask_opens_what_is_white", "pixels to repaint were kept")
class ForgetsTheMaskOfOutpaint(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if task.kind == "outpaint":
            body.pop("keep_mask", None)


@caught_by("test_expand_adds_where_it_says", "not where they should be")
class LeftAndRightSwapped(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "border" in body:
            body["border"] |= {"left": body["border"]["right"], "right": body["border"]["left"]}


@caught_by("test_expand_adds_where_it_says", "the returned picture has the size")
class ClockwiseFromTheTop(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "border" in body:
            left, top, right, bottom = task.expand  # type: ignore[attr-defined]
            body["border"] = {"left": top, "top": right, "right": bottom, "bottom": left}


@caught_by("test_expand_adds_where_it_says", "the area around the picture was not painted")
class ClosesWhatItAdds(Palette):
    def pictures(self, task: Task) -> Body:
        if isinstance(task, Outpaint) and task.expand is not None:
            canvas, mask = expand_canvas(task.image, task.expand)
            closed = bytearray(len(mask.data))
            closed[mask.data.index(255)] = 1  # an all-black mask would be refused
            task = attrs.evolve(task, image=canvas, expand=None, mask=Mask(mask.size, bytes(closed)))
        return super().pictures(task)


@caught_by("test_preserve_keeps_pixels_exactly", "preserve=True")
class GivesTheProvidersPixels(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        result = super().run(task, fit=fit, on_filtered=on_filtered)
        return attrs.evolve(result, pictures=tuple(attrs.evolve(one, image=one.raw) for one in result.pictures))


@caught_by("test_preserve_keeps_pixels_exactly", "preserve=None")
class PreservesOnlyWhenTold(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        if getattr(task, "preserve", True) is None:
            task = attrs.evolve(task, preserve=False)
        return super().run(task, fit=fit, on_filtered=on_filtered)


# ---------------------------------------------------------------------------------------------- answers


@caught_by("test_pictures_have_the_asked_size", "was requested")
class WidthAndHeightSwapped(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "width" in body:
            body["width"], body["height"] = body["height"], body["width"]


@caught_by("test_pictures_are_the_providers_bytes", "is not in the response that it was decoded from")
class ReencodesPictures(Palette):
    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        return made if made.image is None else attrs.evolve(made, image=made.image.resized((32, 32)))


@caught_by("test_pictures_are_the_providers_bytes", "not in the order")
class LastPictureFirst(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return list(reversed(super().decode(task, response)))


@caught_by("test_sync_equals_async", "sync and async raised")
class AsyncHidesErrors(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return await super().arun(task, fit=fit, on_filtered=on_filtered)
        except ProviderError:
            return Result(model=self.id, task=task, pictures=())


@caught_by("test_run_sends_what_plan_shows", "differ from the plan")
class SendsTwice(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        super().run(task, fit=fit, on_filtered=on_filtered)
        return super().run(task, fit=fit, on_filtered=on_filtered)


@caught_by("test_sync_equals_async", "async")
class AsyncForgetsTheSeed(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        if getattr(task, "seed", None) is not None:
            task = attrs.evolve(task, seed=1)
        return await super().arun(task, fit=fit, on_filtered=on_filtered)


@caught_by("test_tasks_survive_pickle_and_json", "after pickle, it makes different requests")
class EncodesTheAddress(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"id": id(task.options)}


class Tied(Image):
    def __getstate__(self) -> bytes:
        raise pickle.PicklingError("a picture with a file handle")


@caught_by("test_results_survive_pickle_and_json", "a file handle")
class PicturesWithHandles(Palette):
    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        return made if made.image is None else attrs.evolve(made, mask=Tied(made.image.data))


@caught_by("test_decode_is_pure", "with another date")
class DatesItsPictures(Palette):
    def picture(self, one: Any) -> Picture:
        return attrs.evolve(super().picture(one), reason=f"in {datetime.datetime.now(datetime.UTC).year}")


# ---------------------------------------------------------------------------------------------- hostile and recorded answers


@caught_by("test_wrong_types_are_refused", "makes decode raise KeyError")
class LeaksKeyErrors(Palette):
    def picture(self, one: Any) -> Picture:
        return super().picture(one) if isinstance(one, dict) and one["state"] else Picture(outcome="failed")


@caught_by("test_truncated_answers_are_refused", "makes decode raise JSONDecodeError")
class LeaksJsonErrors(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        json.loads(response.body)
        return super().decode(task, response)


@caught_by("test_arbitrary_answers_are_refused", "makes decode raise RecursionError")
class LeaksRecursionErrors(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        try:
            json.loads(response.body)
        except ValueError as error:
            raise BadResponse("no JSON") from error
        return super().decode(task, response)


@caught_by("test_damaged_pictures_are_refused", "makes decode raise")
class TrustsPictures(Palette):
    def picture(self, one: Any) -> Picture:
        if isinstance(one, dict) and isinstance(one.get("image"), str):
            return Picture(image=Image(base64.b64decode(one["image"])))
        return super().picture(one)


@caught_by("test_damaged_pictures_are_refused", "has the outcome ok")
class GreyInPlaceOfDamage(Palette):
    def picture(self, one: Any) -> Picture:
        try:
            return super().picture(one)
        except BadResponse:
            import PIL.Image

            return Picture(image=Image.read(PIL.Image.new("L", (8, 8))))


@caught_by("test_filtered_is_never_a_plain_success", "must raise ContentFiltered")
class FilteredAsOk(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        return [one if one.outcome == "ok" else made[0] for one in made]


@caught_by("test_filtered_is_never_a_plain_success", "has no reason")
class FilteredWithoutReason(Palette):
    def picture(self, one: Any) -> Picture:
        return attrs.evolve(super().picture(one), reason="")


@caught_by("test_recorded_answers_decode_as_recorded", "fault.json")
class SwallowsErrorAnswers(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return [] if b'"fault"' in response.body else super().decode(task, response)


@caught_by("test_recorded_answers_decode_as_recorded", "recorded: ('ok',)")
class MisspellsAName(Palette):
    def picture(self, one: Any) -> Picture:
        return super().picture({**one, "state": one.get("status", "fine")} if "status" in one else {**one, "state": None})


@caught_by("test_recorded_answers_decode_as_recorded", "all-blocked.json")
class BlockedIsAnotherError(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        try:
            return super().decode(task, response)
        except ContentFiltered as error:
            raise BadResponse(str(error)) from error
