"""What a mask keeps comes back exactly; all else, grey too, as painted; the provider's own picture stays in raw."""

from __future__ import annotations

import random
from typing import ClassVar

import limner
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Generate, Image, Inpaint, Mask, Outpaint, Vary
from limner.limits import Count, Expand, MaskPicture, SizeRule, TaskLimits
from limner.limits import Picture as PictureLimit
from limner.testing.strategies import masks

from .fakes import SOURCE, Fake, fake, inverted, png


class AnySize(Fake):
    """The same, without a rule for sizes and with grey masks."""

    limits: ClassVar = {
        Inpaint: TaskLimits({"image": PictureLimit(source=SOURCE), "mask": MaskPicture(source=SOURCE)}),
        Outpaint: TaskLimits(
            {"image": PictureLimit(source=SOURCE), "mask": MaskPicture(source=SOURCE), "expand": Expand(source=SOURCE)}
        ),
        Vary: Fake.limits[Vary],
    }


MODEL = fake(inverted, AnySize)


def noisy(size: tuple[int, int], mode: str = "RGB") -> Image:
    """A picture in which every pixel differs."""
    dots = random.Random(repr(size))
    channels = [PIL.Image.frombytes("L", size, dots.randbytes(size[0] * size[1])) for _ in mode]
    return Image.read(PIL.Image.merge(mode, channels))


def pixels(picture) -> list:
    image = picture.pil()
    return list(image.get_flattened_data())


def check_kept(original: Image, mask: Mask, result: limner.Result) -> None:
    picture = result.image
    assert picture.size == original.size
    assert picture.media_type == "image/png"
    assert picture.raw.size == original.size
    for was, raw, now, level in zip(pixels(original), pixels(picture.raw), pixels(picture), mask.data, strict=True):
        assert raw == tuple(255 - value for value in was)
        if level == 0:
            assert now == was
        else:  # the provider mixed grey by the mask that it was sent
            assert now == raw


SIZES = st.tuples(st.integers(1, 24), st.integers(1, 24))
MASKS = SIZES.flatmap(
    lambda size: masks(size) | st.binary(min_size=size[0] * size[1], max_size=size[0] * size[1]).map(lambda b: Mask(size, b))
).filter(lambda mask: not mask.is_black)


@given(MASKS)
def test_kept_pixels_are_exact_and_grey_is_as_it_was_painted(mask):
    original = noisy(mask.size)
    check_kept(original, mask, MODEL.run(Inpaint(image=original, mask=mask)))
    check_kept(original, mask, MODEL.run(Outpaint(image=original, mask=mask, preserve=True)))


@given(SIZES, st.tuples(*[st.integers(0, 9)] * 4).filter(any))
def test_outpainting_keeps_the_picture_where_it_lies(size, expand):
    original = noisy(size)
    result = MODEL.run(Outpaint(image=original, expand=expand))
    left, top, right, bottom = expand
    assert result.image.size == (left + size[0] + right, top + size[1] + bottom)
    inner = (left, top, left + size[0], top + size[1])
    assert result.image.pil().crop(inner).tobytes() == original.pil().tobytes()
    canvas, mask = limner.expand_canvas(original, expand)
    check_kept(canvas, mask, result)
    assert mask.pil().crop(inner).getextrema() == (0, 0)
    assert mask.data.count(0) == size[0] * size[1]


@pytest.mark.parametrize("kind", [Inpaint, Outpaint])
def test_preserve_false_leaves_the_providers_picture(kind):
    mask = Mask.box((0, 0, 4, 4), size=(8, 8))
    picture = MODEL.run(kind(image=noisy((8, 8)), mask=mask, preserve=False)).image
    assert picture.image == picture.raw


def test_alpha_tells_what_is_kept():
    original = PIL.Image.new("RGBA", (8, 8), (10, 20, 30, 255))
    original.paste((10, 20, 30, 0), (0, 0, 4, 8))
    result = MODEL.run(Inpaint(image=original, mask="alpha")).image.pil()
    assert result.getpixel((6, 6)) == (10, 20, 30, 255)
    assert result.getpixel((1, 1)) == (245, 235, 225, 255)


def test_alpha_of_a_model_that_reads_it_tells_what_is_kept_too():
    class Reads(AnySize):
        limits: ClassVar = {
            Inpaint: TaskLimits({"image": PictureLimit(source=SOURCE), "mask": MaskPicture(alpha=True, source=SOURCE)})
        }

    original = PIL.Image.new("LA", (8, 8), (10, 255))
    original.putpixel((0, 0), (10, 0))
    result = fake(inverted, Reads).run(Inpaint(image=original, mask="alpha")).image.pil()
    assert result.getpixel((6, 6)) == (10, 10, 10, 255)
    assert result.getpixel((0, 0)) == (245, 245, 245, 255)


def test_a_scaled_input_comes_back_in_its_own_size():
    class Small(AnySize):
        limits: ClassVar = {
            Inpaint: TaskLimits(
                {
                    "image": PictureLimit(size=SizeRule(8, 16, source=SOURCE), source=SOURCE),
                    "mask": MaskPicture(source=SOURCE),
                }
            )
        }

    model, original = fake(inverted, Small, fit="nearest"), noisy((64, 48))
    mask = Mask.box((0, 0, 32, 48), size=(64, 48))
    kept = model.run(Inpaint(image=original, mask=mask)).image
    assert kept.size == (64, 48)
    assert kept.raw.size == (16, 12)
    assert kept.pil().crop((32, 0, 64, 48)).tobytes() == original.pil().crop((32, 0, 64, 48)).tobytes()
    plain = model.run(Inpaint(image=original, mask=mask, preserve=False)).image
    assert (plain.size, plain.raw.size) == ((64, 48), (16, 12))


def test_the_border_of_a_canvas_continues_the_edge():
    image = Image(png((2, 2), "red"))
    canvas, mask = limner.expand_canvas(image, (1, 2, 3, 4))
    assert canvas.size == mask.size == (6, 8)
    assert set(pixels(canvas)) == {(255, 0, 0)}


def test_there_is_nothing_to_keep_without_a_picture():
    result = fake().run(Generate(prompt="a"))
    assert result.image.raw is result.image.image


@pytest.mark.parametrize("fit", ["strict", "nearest"])
def test_a_canvas_that_could_not_be_laid_back_is_refused_before_anything_is_sent(fit, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 2000)
    sent = []

    class Small(AnySize):
        """The picture that is sent is scaled; the one that is laid back is not."""

        limits: ClassVar = {
            Outpaint: TaskLimits(
                {
                    "image": PictureLimit(size=SizeRule(1, 10, source=SOURCE), source=SOURCE),
                    "expand": Expand(source=SOURCE),
                }
            )
        }

        def encode(self, task):
            return limner.Request(self.model_id, b"{}")

        def send(self, request):
            sent.append(request)
            return limner.Response(b"{}")

    size = (8, 8) if fit == "strict" else (40, 40)
    task = Outpaint(image=noisy(size), expand=(30, 30, 30, 30))
    with pytest.raises(limner.TaskRefused, match="canvas"):
        Small().run(task, fit=fit)
    assert sent == []


def test_what_is_laid_back_is_made_once_for_all_pictures(monkeypatch):
    from limner import running

    class Several(AnySize):
        limits: ClassVar = {
            Outpaint: TaskLimits({**AnySize.limits[Outpaint].parameters, "n": Count(1, source=SOURCE)}),
        }

    made, expand_canvas = [], running.expand_canvas
    monkeypatch.setattr(running, "expand_canvas", lambda *said: made.append(said) or expand_canvas(*said))
    result = fake(inverted, Several).run(Outpaint(image=noisy((12, 9)), expand=(1, 2, 3, 4), n=3))
    assert len(result.pictures) == 3
    assert len(made) == 1
