"""Edits at any picture size: the surroundings of the mask are sent, everything else stays exactly as it was."""

from __future__ import annotations

import io
from typing import ClassVar

import limner
import numpy
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Image, Inpaint, Mask, Model, Picture, Request, Response, TaskRefused
from limner.images.compositing import cut
from limner.limits import Count, MaskPicture, PromptText, SizeRule, Sizes, TaskLimits
from limner.limits import Picture as PictureLimit
from limner.regions import region_around

SOURCE = "test"
RULES = [
    SizeRule(320, 1408, source=SOURCE),
    SizeRule(64, 1024, multiple_of=64, max_aspect=2.0, source=SOURCE),
    SizeRule(16, 3840, multiple_of=16, max_aspect=3, min_pixels=655_360, max_pixels=8_294_400, source=SOURCE),
    Sizes([(1024, 1024), (1536, 1024), (1024, 1536)], source=SOURCE),
    Sizes([(512, 512)], source=SOURCE),
]


def noise(size: tuple[int, int], mode: str = "RGB") -> Image:
    buffer = io.BytesIO()
    pixels = numpy.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), "uint8")
    PIL.Image.fromarray(pixels).convert(mode).save(buffer, "PNG")
    return Image(buffer.getvalue())


def pixels(image: Image) -> numpy.ndarray:
    return numpy.asarray(image.pil().convert("RGB"))


@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
@given(data=st.data())
def test_a_region_is_of_an_allowed_shape_and_holds_the_box(rule, data):
    picture = data.draw(st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
    left, top = (data.draw(st.integers(0, side - 1)) for side in picture)
    box = (left, top, data.draw(st.integers(left + 1, picture[0])), data.draw(st.integers(top + 1, picture[1])))
    region = region_around(box, picture, rule)
    assert rule.wrong(region.size) is None
    (x, y, right, bottom), (width, height) = region.box, region.size
    assert x <= box[0]
    assert y <= box[1]
    assert right >= box[2]
    assert bottom >= box[3]
    across, down = (right - x) / width, (bottom - y) / height
    assert abs(across - down) <= max(1 / width, 1 / height), "what is sent has the shape of what was cut out"


def test_a_small_mask_in_a_large_picture_is_sent_at_full_resolution():
    region = region_around((2000, 1000, 2200, 1300), (4000, 3000), RULES[0])
    left, top, right, bottom = region.box
    assert (right - left, bottom - top) == region.size
    assert left >= 0
    assert top >= 0
    assert right <= 4000
    assert bottom <= 3000


def test_beyond_the_picture_its_border_is_continued():
    image = noise((6, 4))
    found = pixels(cut(image, (-2, -1, 8, 5), (10, 6)))
    expected = numpy.pad(pixels(image), ((1, 1), (2, 2), (0, 0)), mode="edge")
    assert (found == expected).all()


class Inverting(Model):
    """Inverts what the mask opens, in the size that it is sent, and answers in sizes of its own where told to."""

    id = "inverting.painter-1"
    rule: ClassVar[SizeRule] = RULES[0]
    answers: ClassVar[tuple[int, int] | None] = None
    limits: ClassVar = {
        Inpaint: TaskLimits(
            {
                "image": PictureLimit(("image/png",), size=RULES[0], source=SOURCE),
                "mask": MaskPicture(source=SOURCE),
                "prompt": PromptText(source=SOURCE),
                "n": Count(source=SOURCE),
            }
        )
    }
    sent: ClassVar[list[Inpaint]] = []

    def encode(self, task):
        self.sent.append(task)
        return Request(self.model_id, b"{}")

    def send(self, request):
        return Response(b"{}")

    def decode(self, task, response):
        image, mask = numpy.asarray(task.image.pil().convert("RGB")), numpy.asarray(task.mask.pil())[..., None] / 255
        painted = PIL.Image.fromarray((image * (1 - mask) + (255 - image) * mask).round().astype("uint8"))
        buffer = io.BytesIO()
        (painted if self.answers is None else painted.resize(self.answers)).save(buffer, "PNG")
        return [Picture(image=Image(buffer.getvalue()))]


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((4000, 300), (3500, 100, 3700, 200)),
        ((200, 150), (10, 10, 60, 60)),
        ((3000, 2500), (0, 0, 300, 300)),
        ((3000, 2500), (2900, 2400, 3000, 2500)),
        ((600, 200), (0, 0, 600, 200)),
        ((1, 900), (0, 5, 1, 9)),
    ],
)
def test_an_inpaint_of_any_size_changes_what_the_mask_opens_and_nothing_else(size, box):
    image, mask = noise(size), Mask.box(box, size=size)
    result = Inverting().inpaint(image, "x", mask=mask, fit="nearest")
    found, original = pixels(result.image.image), pixels(image)
    left, top, right, bottom = box
    opened = numpy.asarray(mask.pil()) > 0
    assert result.image.size == size
    assert (found[~opened] == original[~opened]).all()
    sent = Inverting.sent[-1]
    assert Inverting.rule.wrong(sent.image.size) is None
    assert sent.mask.size == sent.image.size
    if "scaled" not in str(result.account):
        assert (found[top:bottom, left:right] == 255 - original[top:bottom, left:right]).all()
    why = {entry.parameter: entry for entry in result.account}["image"].why
    assert "surroundings of the mask" in why
    assert result.image.provenance["task"]["image"]["$picture"] == image.sha256


def test_a_whole_run_can_be_repeated_from_its_provenance():
    from limner.documents import restore

    image, mask = noise((3000, 300)), Mask.box((100, 100, 200, 200), size=(3000, 300))
    model = Inverting()
    result = model.inpaint(image, "x", mask=mask, fit="nearest")
    task = restore(result.image.provenance["task"], {image.sha256: image, mask.sha256: mask})
    again = model.run(task, fit="nearest")
    assert pixels(again.image.image).tobytes() == pixels(result.image.image).tobytes()


def test_strict_refuses_and_names_the_way():
    image, mask = noise((3000, 300)), Mask.box((100, 100, 200, 200), size=(3000, 300))
    with pytest.raises(TaskRefused, match="fit='nearest' sends the surroundings of the mask"):
        Inverting().inpaint(image, "x", mask=mask)


def test_without_preserve_the_whole_picture_is_scaled():
    image, mask = noise((3000, 1500)), Mask.box((100, 100, 200, 200), size=(3000, 1500))
    Inverting().inpaint(image, "x", mask=mask, fit="nearest", preserve=False)
    assert Inverting.sent[-1].image.size == (1408, 704)


def test_an_answer_of_another_shape_is_said(monkeypatch):
    monkeypatch.setattr(Inverting, "answers", (1024, 1024))
    image, mask = noise((640, 320)), Mask.box((100, 100, 200, 200), size=(640, 320))
    with pytest.warns(UserWarning, match="1024x1024"):
        result = Inverting().inpaint(image, "x", mask=mask)
    assert result.image.size == (640, 320)
    (warning,) = result.warnings
    assert warning == "the provider returned 1024x1024 pixels for 640x320; the picture was stretched to fit"
    monkeypatch.setattr(Inverting, "answers", (1280, 640))
    assert Inverting().inpaint(image, "x", mask=mask).warnings == ()


def test_a_model_whose_results_have_their_own_sizes_gets_the_size_of_what_is_sent():
    limits = TaskLimits(
        {
            **Inverting.limits[Inpaint].parameters,
            "image": PictureLimit(("image/png",), source=SOURCE),
            "size": Sizes([(1024, 1024), (1536, 1024)], default=(1024, 1024), source=SOURCE),
        }
    )
    from limner.fitting import fit

    image, mask = noise((600, 200)), Mask.box((100, 50, 200, 100), size=(600, 200))
    fitted = fit(Inpaint(image=image, prompt="x", mask=mask), limits, "nearest")
    assert fitted.task.size == fitted.task.image.size == fitted.region.size
    assert limner.Mask is type(fitted.task.mask)
