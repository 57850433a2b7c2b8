"""Plugins that send another meaning than was said: directions, words, pictures, defaults, combinations, limits."""

from __future__ import annotations

import io
import os
import threading
import time
import unicodedata
from pathlib import Path
from typing import Any

import attrs
from faults import Body, Spoilt, limited, limited_options
from limner import Generate, Image, Inpaint, Mask, Task, Upscale, Vary
from limner.limits import Choice, Items, NegativeText, Pictures, SizeRule, Text
from limner.limits import Picture as PictureLimit
from right_plugin import DOCS, Palette

# ---------------------------------------------------------------------------------------------- directions


class StrengthTurnedRound(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "fidelity" in body:
            body["fidelity"] = round(1 - body["fidelity"], 6)


class GuidanceTurnedRound(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" in body:
            body["guidance"] = 21.0 - body["guidance"]


class FlagTurnedRound(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "tiling" in body:
            body["tiling"] = not body["tiling"]


class MoodsSwapped(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "mood" in body:
            body["mood"] = {"calm": "wild", "wild": "calm"}[body["mood"]]


class StepsTurnedRoundOfVary(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Vary) and "steps" in body:
            body["steps"] = 60 - body["steps"]


class SquaredGuidance(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" in body:
            body["guidance"] = 1 + (body["guidance"] - 1) ** 2 / 19


class HeightFirst(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "width" in body:
            body["width"], body["height"] = body["height"], body["width"]


# ---------------------------------------------------------------------------------------------- masks


class GreyTurnedRound(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask):
            levels = bytes([0, *range(254, 0, -1), 255])
            task = attrs.evolve(task, mask=Mask(mask.size, mask.data.translate(levels)))
        return super().pictures(task)


class DarkGreyTurnedRound(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask):
            levels = bytes([0, *(200 - level if level < 199 else level for level in range(1, 256))])
            task = attrs.evolve(task, mask=Mask(mask.size, mask.data.translate(levels)))
        return super().pictures(task)


# ---------------------------------------------------------------------------------------------- words


class SmallLetters(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].lower()


class Normalized(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "without" in body:
            body["without"] = [unicodedata.normalize("NFKC", text) for text in body["without"]]


class AddsQuality(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            if len(part["text"]) < 450:
                part["text"] += ", masterpiece, 4k"


class StripsLaterParts(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ())[1:]:
            part["text"] = part["text"].strip()


class OneBlank(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "where" in body:
            body["where"] = " ".join(body["where"].split(" "))
            body["where"] = body["where"].replace("  ", " ")


class WeightsOfTheOthers(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        parts = body.get("words", [])
        weights = [part["weight"] for part in parts]
        for part, weight in zip(parts, reversed(weights), strict=True):
            part["weight"] = weight


# ---------------------------------------------------------------------------------------------- combinations


class LosesSeedWithSteps(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "steps" in body and "guidance" in body and "without" in body:
            body.pop("seed", None)


class LosesMoodBesideColours(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "colours" in body:
            body.pop("mood", None)


class FidelityByDefaultBesideWords(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "words" in body and "fidelity" in body:
            body["fidelity"] = 0.5


class LosesNegativeOnInpaintWithSteps(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Inpaint) and "steps" in body:
            body.pop("without", None)


# ---------------------------------------------------------------------------------------------- pictures


def again(image: Image, form: str, **how: Any) -> Image:
    buffer = io.BytesIO()
    image.pil().save(buffer, form, **how)
    return Image(buffer.getvalue())


class Repainting(Palette):
    """Makes another picture of each."""

    def pictures(self, task: Task) -> Body:
        image = getattr(task, "image", None)
        if isinstance(image, tuple):
            task = attrs.evolve(task, image=tuple(map(self.other, image)))
        elif image is not None and getattr(task, "mask", None) is None:
            task = attrs.evolve(task, image=self.other(image))
        return super().pictures(task)

    def other(self, image: Image) -> Image:
        raise NotImplementedError


class EncodesPngAgain(Repainting):
    def other(self, image: Image) -> Image:
        return again(image, "PNG") if image.media_type == "image/png" else image


class FlattensAlpha(Repainting):
    def other(self, image: Image) -> Image:
        return image.flattened() if image.has_alpha else image


class ShrinksLargePictures(Repainting):
    def other(self, image: Image) -> Image:
        return image.resized((256, 256)) if max(image.size) > 256 else image


class ShrinksHeavyPictures(Repainting):
    def other(self, image: Image) -> Image:
        return again(image, "PNG", optimize=True) if len(image.data) > 1_000_000 else image


class StripsJpegs(Repainting):
    def other(self, image: Image) -> Image:
        return image.stripped() if image.media_type == "image/jpeg" else image


# ---------------------------------------------------------------------------------------------- defaults


class TrustsTheProvidersStrength(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("fidelity") == 0.5:
            del body["fidelity"]


class TrustsTheProvidersFinish(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("finish") == "matt":
            del body["finish"]


class StepsOfItsOwn(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if task.kind == "generate":
            body.setdefault("steps", 28)


# ---------------------------------------------------------------------------------------------- limits


class MoodMissing(Palette):
    limits = limited_options(Generate, mood=Choice(("calm",), source=DOCS))


class MoodTooMany(Palette):
    limits = limited_options(Generate, mood=Choice(("calm", "wild", "sad"), source=DOCS))


class SizesTooNarrow(Palette):
    limits = limited(Generate, size=SizeRule(64, 504, multiple_of=8, default=(128, 128), source=DOCS))


class SizesTooCoarse(Palette):
    limits = limited(Generate, size=SizeRule(64, 512, multiple_of=16, default=(128, 128), source=DOCS))


class SizesTooFine(Palette):
    limits = limited(Vary, size=SizeRule(64, 512, multiple_of=4, default=(128, 128), source=DOCS))


class PicturesTooNarrow(Palette):
    limits = limited(Upscale, image=PictureLimit(size=SizeRule(8, 511, source=DOCS), required=True, source=DOCS))


class PicturesTooWide(Palette):
    limits = limited(Upscale, image=PictureLimit(size=SizeRule(7, 512, source=DOCS), required=True, source=DOCS))


class WebpToo(Palette):
    limits = limited(
        Upscale,
        image=PictureLimit(
            ("image/png", "image/jpeg", "image/webp"), size=SizeRule(8, 512, source=DOCS), required=True, source=DOCS
        ),
    )


class NoJpeg(Palette):
    limits = limited(
        Upscale, image=PictureLimit(("image/png",), size=SizeRule(8, 512, source=DOCS), required=True, source=DOCS)
    )


class OneColourLess(Palette):
    limits = limited_options(
        Generate,
        colours=Items(Text(pattern="#[0-9a-f]{6}", example="#00ff7f", source=DOCS), min_items=1, max_items=2, source=DOCS),
    )


class OnePictureOnly(Palette):
    limits = limited(
        Vary,
        image=Pictures(
            PictureLimit(size=SizeRule(8, 512, source=DOCS), required=True, source=DOCS), 3, required=True, source=DOCS
        ),
    )


class NegativeTooLong(Palette):
    limits = limited(Generate, negative_prompt=NegativeText(301, several=True, source=DOCS))


# ---------------------------------------------------------------------------------------------- lists, numbers


class NegativesSorted(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "without" in body:
            body["without"] = sorted(body["without"])


class PartsReversed(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.get("words", []).reverse()


class PicturesReversed(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.get("pictures", []).reverse()


class ColoursOnce(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "colours" in body:
            body["colours"] = list(dict.fromkeys(body["colours"]))


class GuidanceInTenths(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" in body:
            body["guidance"] = round(body["guidance"], 1)


class EvenSteps(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("steps", 0) % 2 and body["steps"] > 30:
            body["steps"] -= 1


class SeedInFloat(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "seed" in body:
            body["seed"] = body["seed"] ^ 1


# ---------------------------------------------------------------------------------------------- the world outside


class ReadsTheEnvironment(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"user": os.environ.get("USER", "nobody")}


class ReadsTheHome(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"home": len(str(Path.home()))}


class ReadsTheThread(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"thread": threading.current_thread().name}


class ReadsTheYear(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"year": time.strftime("%Y")}


class KeepsTheTask(Palette):
    last: Any = None

    def encode(self, task: Task) -> Any:
        self.last = task
        return super().encode(task)


class DependsOnTheOrderOfASet(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"words": "".join({"one", "two", "three", "four", "five", "six"})}


class WaitsInEncode(Palette):
    def encode(self, task: Task) -> Any:
        time.sleep(0)
        return super().encode(task)
