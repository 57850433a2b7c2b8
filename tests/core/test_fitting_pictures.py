"""fit and pictures: scaled with their masks and borders, turned upright, and never lost."""

from __future__ import annotations

from io import BytesIO

import attrs
import limner
import PIL.Image
import pytest
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, Upscale, Vary
from limner.fitting import canvas_size, fit
from limner.limits import Expand, MaskPicture, Pictures, SizeRule, TaskLimits
from limner.limits import Picture as PictureLimit

from .fakes import LIMITS, OPTIONS, SOURCE, png
from .refusals import entry, refusal

GENERATE = LIMITS[Generate]
IMAGE = Image(png((32, 24)))


def exif(orientation: int, size=(32, 24), gps: bool = False) -> Image:
    picture, tags, buffer = PIL.Image.new("RGB", size, "tomato"), PIL.Image.Exif(), BytesIO()
    picture.paste("navy", (0, 0, size[0] // 2, size[1] // 2))
    tags[0x0112] = orientation
    if gps:
        tags.get_ifd(0x8825)[1] = "N"
    picture.save(buffer, "JPEG", exif=tags, quality=95)
    return Image(buffer.getvalue())


def test_a_picture_within_limits_travels_byte_for_byte():
    image = exif(1, gps=True)
    fitted = fit(RemoveBackground(image=image), LIMITS[RemoveBackground])
    assert fitted.task.image.data == image.data
    assert entry(fitted, "image").outcome == "sent"


@pytest.mark.parametrize("strip", [False, True])
def test_a_rotated_picture_becomes_upright_whatever_becomes_of_its_metadata(strip):
    image = exif(6, gps=True)
    mask = Mask.box((0, 0, 8, 8), size=(24, 32))
    fitted = fit(Inpaint(image=image, mask=mask), LIMITS[Inpaint], strip_metadata=strip)
    sent = fitted.task.image
    assert (sent.media_type, sent.orientation, sent.size) == ("image/png", 1, (24, 32))
    assert sent.pil().convert("RGB").tobytes() == image.pil().tobytes()
    assert entry(fitted, "image").outcome == "adjusted"
    assert "upright PNG" in entry(fitted, "image").why
    assert "metadata" in entry(fitted, "image").why


def test_strip_metadata_is_in_the_account():
    image = exif(1, gps=True)
    fitted = fit(RemoveBackground(image=image), LIMITS[RemoveBackground], strip_metadata=True)
    assert entry(fitted, "image").why == "metadata taken out"
    assert not fitted.task.image.pil().getexif()
    assert fitted.task.image.pil().tobytes() == image.pil().tobytes()
    plain = Image(png((32, 32)))
    assert (
        entry(fit(RemoveBackground(image=plain), LIMITS[RemoveBackground], strip_metadata=True), "image").outcome == "sent"
    )


def test_metadata_is_taken_out_of_several_pictures_and_of_options():
    fitted = fit(Vary(image=[exif(1), png((32, 32))]), LIMITS[Vary], strip_metadata=True)
    assert entry(fitted, "image").why == "metadata taken out"
    task = Generate(prompt="a", options={"condition_image": exif(1)})
    assert entry(fit(task, GENERATE, strip_metadata=True), "options.condition_image").why == "metadata taken out"


def test_alpha_becomes_a_mask_unless_the_model_reads_it():
    cut = PIL.Image.new("RGBA", (32, 32), (9, 9, 9, 255))
    cut.paste((0, 0, 0, 100), (0, 0, 8, 32))
    task = Inpaint(image=cut, mask="alpha")
    fitted = fit(task, LIMITS[Inpaint])
    assert fitted.task.mask == Mask.box((0, 0, 8, 32), size=(32, 32))
    assert "transparency" in entry(fitted, "mask").why
    assert "black and white" in entry(fitted, "mask").why
    reads = TaskLimits({**LIMITS[Inpaint].parameters, "mask": MaskPicture(alpha=True, source=SOURCE)})
    assert fit(task, reads).task.mask == "alpha"
    flat = TaskLimits(
        {"image": PictureLimit(alpha=False, source=SOURCE), "mask": MaskPicture(alpha=True, grey=False, source=SOURCE)}
    )
    assert fit(task, flat).task.mask == Mask.box((0, 0, 8, 32), size=(32, 32))
    assert fit(task, flat).repeatable().mask == "alpha"


def test_grey_is_refused_or_hardened():
    mask = Mask((32, 24), bytes([200] * (16 * 24) + [20] * (16 * 24)))
    task = Inpaint(image=IMAGE, mask=mask)
    assert "hardened" in refusal(task)["mask"]
    assert fit(task, LIMITS[Inpaint], "nearest").task.mask == mask.hardened()


def test_a_scaled_picture_brings_its_mask_along_and_tells_the_size_to_restore():
    image = Image(png((128, 96)))
    task = Inpaint(image=image, mask=Mask.box((0, 0, 64, 96), size=(128, 96)), preserve=False)
    assert "nearest is 64x48" in refusal(task)["image"]
    fitted = fit(task, LIMITS[Inpaint], "nearest")
    assert fitted.task.image.size == fitted.task.mask.size == (64, 48)
    assert fitted.task.mask == Mask.box((0, 0, 32, 48), size=(64, 48))
    assert fitted.restored_size == (128, 96)
    assert fitted.repeatable().image == image
    assert fitted.repeatable().mask == task.mask
    assert "scaled with the picture" in entry(fitted, "mask").why
    assert fit(Inpaint(image=IMAGE, mask_prompt="x"), LIMITS[Inpaint]).restored_size is None


def test_a_canvas_is_scaled_in_its_shape():
    task = Outpaint(image=Image(png((64, 48))), expand=(32, 0, 32, 48))
    assert "128x96" in refusal(task)["expand"]
    fitted = fit(task, LIMITS[Outpaint], "nearest")
    assert fitted.task.image.size == (32, 24)
    assert fitted.task.expand == (16, 0, 16, 24)
    assert fitted.restored_size == (128, 96)
    assert fitted.repeatable().expand == task.expand


def test_a_scaled_picture_brings_its_border_along():
    task = Outpaint(image=Image(png((128, 128))), expand=(32, 0, 0, 32))
    rule = SizeRule(16, 64, source=SOURCE)
    limits = TaskLimits({"image": PictureLimit(size=rule, source=SOURCE), "expand": Expand(48, canvas=rule, source=SOURCE)})
    assert "51x51" in refusal(task, mode="nearest")["expand"], "the picture's own rule wants sides divisible by 8"
    fitted = fit(task, limits, "nearest")
    width, height = fitted.task.image.size
    left, top, right, bottom = fitted.task.expand
    assert canvas_size((width, height), fitted.task.expand) == (64, 64)
    assert (top, right) == (0, 0)
    assert abs(left / 64 - 32 / 160) < 0.02
    assert abs(bottom / 64 - 32 / 160) < 0.02
    assert fitted.restored_size == (160, 160)


def test_a_border_that_is_too_wide_becomes_narrower_for_good():
    rule = SizeRule(1, 1000, source=SOURCE)
    limits = TaskLimits(
        {"image": PictureLimit(size=rule, source=SOURCE), "expand": Expand(48, canvas=rule, source=SOURCE)},
    )
    task = Outpaint(image=IMAGE, expand=(100, 0, 0, 0))
    assert "48" in refusal(task, limits)["expand"]
    fitted = fit(task, limits, "nearest")
    assert fitted.task.expand == fitted.repeatable().expand == (48, 0, 0, 0)
    assert fitted.restored_size is None, "the picture comes back as it is, not stretched"
    assert entry(fitted, "expand").asked == (100, 0, 0, 0)


def test_too_many_bytes_shrink_the_picture():
    noise = PIL.Image.effect_noise((256, 256), 90)
    limits = TaskLimits({"image": PictureLimit(max_bytes=10_000, source=SOURCE)})
    fitted = fit(RemoveBackground(image=noise), limits, "nearest")
    assert len(fitted.task.image.data) <= 10_000
    assert fitted.task.image.size[0] > 50
    with_rule = TaskLimits(
        {"image": PictureLimit(max_bytes=10_000, size=SizeRule(16, 512, multiple_of=32, source=SOURCE), source=SOURCE)}
    )
    sent = fit(RemoveBackground(image=noise), with_rule, "nearest").task.image
    assert len(sent.data) <= 10_000
    assert sent.size[0] % 32 == 0
    hopeless = TaskLimits({"image": PictureLimit(max_bytes=10, source=SOURCE)})
    assert "at most 10" in refusal(RemoveBackground(image=noise), hopeless, "nearest")["image"]


def test_a_picture_that_cannot_be_decoded_is_one_problem_among_the_others():
    whole = png((32, 32), "red")
    at = whole.index(b"IDAT") + 10
    damaged = Image(whole[:at] + bytes(8) + whole[at + 8 :])
    limits = TaskLimits({"image": PictureLimit(("image/jpeg",), source=SOURCE)})
    found = refusal(Upscale(image=damaged, seed=3), limits, model="m")
    assert set(found) == {"image", "seed"}
    assert "decoded" in found["image"]


def test_other_formats_become_png_and_the_account_says_what_was_lost():
    buffer = BytesIO()
    frames = [PIL.Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    fitted = fit(RemoveBackground(image=buffer.getvalue()), LIMITS[RemoveBackground])
    assert fitted.task.image.media_type == "image/png"
    assert "all frames but the first" in entry(fitted, "image").why
    several = TaskLimits({"image": Pictures(PictureLimit(source=SOURCE), 2, source=SOURCE)})
    fitted = fit(Vary(image=[png(), buffer.getvalue()]), several)
    assert entry(fitted, "image").why.startswith("picture 2: made an upright PNG")


def test_too_many_pictures_are_refused_in_both_modes():
    for mode in ("strict", "nearest"):
        assert "at most 2" in refusal(Vary(image=[png()] * 3), mode=mode)["image"]


def test_joined_texts_are_in_the_account():
    task = Generate(prompt=["a", "b"], negative_prompt=["c"])
    fitted = fit(task, GENERATE)
    assert (fitted.task.prompt, fitted.task.negative_prompt) == ("a, b", "c")
    assert entry(fitted, "prompt").why
    assert entry(fitted, "negative_prompt").why


def test_weights_a_model_does_not_know_are_refused_or_dropped():
    task = Generate(prompt=[limner.WeightedText("a", 2), "b"])
    assert "without weights" in refusal(task)["prompt"]
    assert fit(task, GENERATE, "nearest").task.prompt == "a, b"
    negative = Generate(prompt=[limner.WeightedText("a", -1), "b"])
    assert "prompt" in refusal(negative, mode="nearest"), "a negative part cannot be said without weights"


def test_fitted_options_keep_the_pictures_that_were_asked_for():
    task = Generate(prompt="a", options={"condition_image": exif(6), "style": "Line Art"})
    fitted = fit(task, GENERATE, "nearest")
    assert fitted.repeatable().options["condition_image"] == task.options["condition_image"]
    assert fitted.task.options["condition_image"].orientation == 1
    assert fitted.task.options["style"] == fitted.repeatable().options["style"] == "line-art"
    assert fitted.task.options["quality"] == "standard"
    assert set(OPTIONS) > set(fitted.task.options)


# ---------------------------------------------------------------------------------------------- the picture's own size


FOLLOWS = TaskLimits({**LIMITS[Outpaint].parameters}, own_size=SOURCE)
HALF = Mask.box((0, 0, 16, 24), size=(32, 24))


@pytest.mark.parametrize("mode", ["strict", "nearest"])
@pytest.mark.parametrize(("expand", "own"), [(None, (32, 24)), ((8, 0, 8, 8), (48, 32))])
def test_the_pictures_own_size_may_be_said_and_another_may_not(mode, expand, own):
    task = Outpaint(image=IMAGE, mask=HALF if expand is None else None, expand=expand, prompt="a fox", size=own)
    fitted = fit(task, FOLLOWS, mode)
    assert fitted.task.size is None
    assert entry(fitted, "size") == limner.Entry(
        "size", "dropped", own, None, f"the result has the size of the picture, {own[0]}x{own[1]}; none is sent"
    )
    other = attrs.evolve(task, size=(64, 48))
    if mode == "nearest":
        assert entry(fit(other, FOLLOWS, mode), "size").outcome == "dropped"
    else:
        said = refusal(other, FOLLOWS)["size"]
        assert f"the result has the size of the picture, {own[0]}x{own[1]}; leave size out" in said


def test_the_own_size_of_a_variation_is_that_of_its_first_picture():
    limits = TaskLimits({"image": LIMITS[Vary].parameters["image"]}, own_size=SOURCE)
    task = Vary(image=[IMAGE, Image(png((16, 16)))], size=(32, 24))
    assert entry(fit(task, limits), "size").outcome == "dropped"
    assert "the picture, 32x24" in refusal(attrs.evolve(task, size=(16, 16)), limits)["size"]


def test_without_such_a_document_the_pictures_own_size_is_refused_too():
    limits = TaskLimits(FOLLOWS.parameters)
    assert "not supported" in refusal(Inpaint(image=IMAGE, mask=HALF, prompt="a fox", size=(32, 24)), limits)["size"]
