"""What edits keep, what they change, and by how much."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limner_sketch.painter import noise, subjects, variation
from limner_sketch.painter.filling import diffuse, feather
from limner_sketch.painter.inpainting import inpaint
from limner_sketch.painter.matting import connected, remove_background
from limner_sketch.painter.outpainting import outpaint
from limner_sketch.painter.pixels import binary, difference, distance, edges, flatten
from limner_sketch.painter.scene import paint, set_stage
from limner_sketch.painter.upscaling import upscale
from limner_sketch.painter.variation import LEAST_CHANGE, replaced, vary
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, ImageStat

SIZE = (120, 90)
STRENGTHS = (0, 0.25, 0.5, 0.75, 1)
SEAM = 2.5
"""Neither at the border of an outpainted picture nor within 4 pixels outside it is a step larger than this many times
the mean step between neighbouring columns inside."""

Box = tuple[int, int, int, int]


def photo(size: tuple[int, int] = SIZE) -> Image.Image:
    return paint("mountain lake", size, 77)


def speckled(size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.frombytes("RGB", size, noise.stream("speckles").randbytes(3 * size[0] * size[1]))


INPUTS: dict[str, Callable[[], Image.Image]] = {
    "white": lambda: Image.new("RGB", SIZE, "white"),
    "black": lambda: Image.new("RGB", SIZE, "black"),
    "grey": lambda: Image.new("RGB", SIZE, (128, 128, 128)),
    "red": lambda: Image.new("RGB", SIZE, "red"),
    "photo": photo,
    "speckled": speckled,
    "its own painting": lambda: paint("a wide beach", SIZE, 4),
}


@pytest.mark.parametrize("prompt", ["a wide beach", "", "city at night"])
@pytest.mark.parametrize("name", INPUTS)
def test_a_variation_moves_away_as_the_strength_rises(name: str, prompt: str) -> None:
    picture = INPUTS[name]()
    moved = [difference(vary(picture, prompt, strength, 4), picture) for strength in STRENGTHS]
    assert moved[0] == 0
    assert all(before <= after for before, after in pairwise(moved))
    assert moved[-1] >= LEAST_CHANGE


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.integers(0, 255)] * 3), st.text(max_size=8), st.integers(0, 9))
def test_full_strength_changes_any_plain_picture(colour: tuple[int, int, int], prompt: str, seed: int) -> None:
    picture = Image.new("RGB", (64, 64), colour)
    assert difference(vary(picture, prompt, 1, seed), picture) >= LEAST_CHANGE


def test_strength_0_is_the_picture_itself_only_resized() -> None:
    picture = photo()
    assert vary(picture, "a fox", 0, 1).tobytes() == picture.tobytes()
    assert vary(picture, "a fox", 0, 1, (64, 80)).size == (64, 80)
    assert vary(picture, "a fox", 0, 1, SIZE).tobytes() == picture.tobytes()


def test_strength_1_does_not_show_the_picture() -> None:
    light, dark = Image.new("RGB", SIZE, (250, 250, 250)), Image.new("RGB", SIZE, (240, 245, 255))
    assert vary(light, "a fox", 1, 1).tobytes() == vary(dark, "a fox", 1, 1).tobytes()


def kept(mask: Image.Image) -> Image.Image:
    return mask.point(lambda value: 0 if value else 255)


def same_where(region: Image.Image, first: Image.Image, second: Image.Image) -> bool:
    largest = ImageChops.multiply(ImageChops.difference(first, second), Image.merge("RGB", [region] * 3))
    return largest.getbbox() is None


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    """Draw masks of every kind: plain, tiny, boxes, blobs, grey, noise."""
    mask = Image.new("L", SIZE, draw(st.sampled_from((0, 0, 0, 255))))
    pen = ImageDraw.Draw(mask)
    for _ in range(draw(st.integers(0, 3))):
        x, y = draw(st.integers(0, SIZE[0] - 1)), draw(st.integers(0, SIZE[1] - 1))
        box = [x, y, x + draw(st.integers(0, 60)), y + draw(st.integers(0, 60))]
        shape = draw(st.sampled_from((pen.rectangle, pen.ellipse)))
        shape(box, fill=draw(st.integers(0, 255)))
    return mask


@settings(max_examples=40, deadline=None)
@given(masks(), st.sampled_from(("", "a red door", "a wide beach", "denser trees", "modern windows")), st.integers(0, 3))
def test_an_edit_keeps_what_its_mask_keeps(mask: Image.Image, prompt: str, seed: int) -> None:
    picture = photo()
    for edit in (inpaint, outpaint):
        edited = edit(picture, mask, prompt, seed)
        assert (edited.mode, edited.size) == ("RGB", SIZE)
        assert same_where(kept(mask), edited, picture)


@pytest.mark.parametrize("prompt", ["", "a red door", "a wide beach"])
def test_nothing_opened_changes_nothing(prompt: str) -> None:
    for edit in (inpaint, outpaint):
        assert edit(photo(), Image.new("L", SIZE), prompt, 1).tobytes() == photo().tobytes()


@pytest.mark.parametrize("prompt", ["", "a red door", "a wide beach"])
def test_everything_opened_ignores_the_picture(prompt: str) -> None:
    everything = Image.new("L", SIZE, 255)
    for edit in (inpaint, outpaint):
        assert edit(photo(), everything, prompt, 1).tobytes() == edit(speckled(), everything, prompt, 1).tobytes()


def test_what_is_under_an_opaque_mask_never_shows() -> None:
    mask = Image.new("L", SIZE)
    mask.paste(255, (30, 20, 80, 70))
    other = photo()
    other.paste("magenta", (30, 20, 80, 70))
    for edit in (inpaint, outpaint):
        for prompt in ("", "a boat", "a wide beach"):
            assert edit(photo(), mask, prompt, 1).tobytes() == edit(other, mask, prompt, 1).tobytes()


def test_a_grey_mask_blends() -> None:
    picture, grey = Image.new("RGB", SIZE, "black"), Image.new("L", SIZE)
    grey.paste(128, (30, 20, 80, 70))
    full = grey.point(lambda value: 255 if value else 0)
    half, whole = (ImageStat.Stat(inpaint(picture, mask, "a white door", 1)).sum[0] for mask in (grey, full))
    assert 0.4 * whole < half < 0.6 * whole


def test_a_plain_hole_is_filled_with_what_surrounds_it() -> None:
    picture, mask = Image.new("RGB", SIZE, (200, 80, 40)), Image.new("L", SIZE)
    picture.paste("blue", (30, 20, 80, 70))
    mask.paste(255, (30, 20, 80, 70))
    assert difference(inpaint(picture, mask, "", 1), Image.new("RGB", SIZE, (200, 80, 40))) < 0.5


def test_a_fill_lies_between_its_sides() -> None:
    picture, hole = Image.new("RGB", SIZE, "black"), Image.new("L", SIZE)
    picture.paste("white", (80, 0, *SIZE))
    hole.paste(255, (40, 0, 80, SIZE[1]))
    filled = diffuse(picture, hole)
    left, right = filled.getpixel((42, 45)), filled.getpixel((77, 45))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[0] < 90
    assert right[0] > 165


@pytest.mark.parametrize(("prompt", "channel"), [("a red door", 0), ("a green door", 1), ("a blue door", 2)])
def test_inpainting_paints_what_the_prompt_names_in_its_colour(prompt: str, channel: int) -> None:
    picture, mask = Image.new("RGB", SIZE, (150, 150, 150)), Image.new("L", SIZE)
    mask.paste(255, (40, 10, 75, 85))
    means = ImageStat.Stat(inpaint(picture, mask, prompt, 1), mask).mean
    assert means[channel] == max(means)
    assert means[channel] - min(means) > 20


def step(picture: Image.Image, x: int, top: int, bottom: int) -> float:
    """Return the mean step from column x - 1 to column x."""
    return difference(picture.crop((x - 1, top, x, bottom)), picture.crop((x, top, x + 1, bottom)))


@pytest.mark.parametrize("prompt", ["", "a wide beach", "city at night", "a mountain"])
@pytest.mark.parametrize("turned", [False, True], ids=["sides", "top and bottom"])
def test_outpainting_leaves_no_seam(prompt: str, turned: bool) -> None:
    for seed in range(3):
        inner = paint("a landscape", SIZE, seed)
        box: Box = (0, 40, SIZE[0], 40 + SIZE[1]) if turned else (50, 0, 50 + SIZE[0], SIZE[1])
        canvas = Image.new("RGB", (SIZE[0] + (0 if turned else 100), SIZE[1] + (80 if turned else 0)))
        canvas.paste(inner, box[:2])
        mask = Image.new("L", canvas.size, 255)
        mask.paste(0, box)
        painted = outpaint(canvas, mask, prompt, seed)
        assert painted.crop(box).tobytes() == inner.tobytes()
        if turned:
            painted, box = painted.transpose(Image.Transpose.TRANSPOSE), (box[1], box[0], box[3], box[2])
        inside = [step(painted, x, box[1], box[3]) for x in range(box[0] + 1, box[2])]
        for x in (*range(box[0] - 4, box[0] + 1), *range(box[2], box[2] + 5)):
            assert step(painted, x, box[1], box[3]) <= SEAM * sum(inside) / len(inside)


@pytest.mark.parametrize("texture", [0, 6])
@pytest.mark.parametrize("background", [(255, 255, 255), (30, 90, 60), (200, 210, 220)])
def test_a_disc_is_cut_out(background: tuple[int, int, int], texture: int) -> None:
    picture = Image.new("RGB", SIZE, background)
    ImageDraw.Draw(picture).ellipse([35, 20, 85, 70], fill=(200, 40, 160))
    if texture:
        grain = speckled().point(lambda value: value * texture // 64)
        picture = ImageChops.add(picture, grain, 1, -2 * texture)
    cut = remove_background(picture)
    assert (cut.mode, cut.size) == ("RGBA", SIZE)
    alpha = cut.getchannel("A")
    assert [alpha.getpixel(corner) for corner in ((0, 0), (119, 0), (0, 89), (119, 89))] == [0, 0, 0, 0]
    assert alpha.getpixel((60, 45)) == 255
    disc = Image.new("L", SIZE)
    ImageDraw.Draw(disc).ellipse([35, 20, 85, 70], fill=255)
    assert ImageStat.Stat(ImageChops.difference(alpha, disc)).mean[0] < 8


def test_a_hole_inside_the_subject_stays_opaque() -> None:
    picture = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(picture).ellipse([25, 10, 95, 80], outline="navy", width=14)
    assert remove_background(picture).getpixel((60, 45)) == (255, 255, 255, 255)


@pytest.mark.parametrize("name", INPUTS)
def test_something_always_stays(name: str) -> None:
    assert remove_background(INPUTS[name]()).getchannel("A").getextrema()[1] == 255


@settings(max_examples=15, deadline=None)
@given(st.tuples(st.integers(64, 300), st.integers(64, 300)))
def test_enlarging_keeps_the_picture(size: tuple[int, int]) -> None:
    larger = upscale(photo(), size)
    assert (larger.mode, larger.size) == ("RGB", size)
    assert difference(larger.resize(SIZE, Image.Resampling.BOX), photo()) < 12


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "1", "I;16", "CMYK", "RGBX"])
def test_every_mode_is_taken(mode: str) -> None:
    picture = Image.new(mode, SIZE)
    mask = Image.new("L", SIZE)
    mask.paste(255, (10, 10, 40, 40))
    for result in (
        vary(picture, "a fox", 0.5, 1),
        inpaint(picture, mask, "a fox", 1),
        outpaint(picture, mask, "a fox", 1),
        upscale(picture, SIZE),
    ):
        assert (result.mode, result.size) == ("RGB", SIZE)
    assert remove_background(picture).mode == "RGBA"


def blended(replacing: Image.Image) -> Image.Image:
    """Return where a variation shows both pictures at once."""
    return replacing.point(lambda value: 255 if 48 < value < 208 else 0)


@pytest.mark.parametrize("prompt", ["a fox", "a lighthouse by the sea at sunset", "a wide beach"])
@pytest.mark.parametrize("strength", [0.3, 0.5, 0.7])
def test_a_variation_is_no_double_exposure(prompt: str, strength: float) -> None:
    """Next to no pixel with an edge in either picture shows both; under a plain blend, all of them do."""
    size = (320, 240)
    base, scene = paint(prompt, size, 3), paint("a boat on the lake", size, 5)
    detail = binary(ImageChops.lighter(edges(base), edges(scene)).point(lambda value: 255 if value > 40 else 0))
    both = ImageChops.multiply(blended(replaced(base, scene, strength)), detail)
    assert ImageStat.Stat(both).sum[0] <= 0.1 * ImageStat.Stat(detail).sum[0]


@pytest.mark.parametrize("name", ["fox", "house", "lighthouse", "balloon", "door", "dog"])
@pytest.mark.parametrize("seed", [1, 3])
def test_the_subject_of_its_own_picture_is_cut_out(name: str, seed: int) -> None:
    """The painter's own mask says what the subject is: most of it stays, most of the backdrop goes."""
    size = (320, 240)
    drawn: list[Image.Image] = []
    stage = set_stage(f"a {name}", size, seed)
    for background in ("black", "white"):
        sheet = Image.new("RGB", size, background)
        subjects.paint(sheet, stage)
        drawn.append(sheet)
    if name == "door":  # its wall covers everything: the door is where it differs from the wall
        thing = Image.new("L", size)
        thing.paste(255, (round(size[0] * 0.42), round(size[1] * 0.3), round(size[0] * 0.58), round(size[1] * 0.86)))
    else:
        thing = distance(*drawn).point(lambda value: 255 if value < 8 else 0)
    alpha = remove_background(paint(f"a {name}", size, seed)).getchannel("A")
    backdrop = ImageOps.invert(thing.filter(ImageFilter.MaxFilter(9))) if name != "door" else None
    assert ImageStat.Stat(alpha, thing).mean[0] >= 0.8 * 255
    if backdrop is not None:
        assert ImageStat.Stat(alpha, backdrop).mean[0] <= 0.06 * 255


@pytest.mark.parametrize("prompt", ["", "a wide beach", "a fox"])
def test_outpainting_repeats_nothing_of_the_picture(prompt: str) -> None:
    """A post near the border of a plain landscape has no mirror image beyond it."""
    canvas, mask = Image.new("RGB", (240, 90), (120, 170, 220)), Image.new("L", (240, 90), 255)
    canvas.paste((70, 110, 50), (0, 48, 240, 90))
    without = canvas.copy()
    mask.paste(0, (120, 0, 240, 90))
    canvas.paste("black", (130, 38, 136, 62))
    assert outpaint(canvas, mask, prompt, 2).crop((0, 0, 120, 90)).tobytes() == (
        outpaint(without, mask, prompt, 2).crop((0, 0, 120, 90)).tobytes()
    )


@pytest.mark.parametrize("prompt", ["", "a wide beach"])
def test_inpainting_leaves_no_halo(prompt: str) -> None:
    """The steps across the hole's edge are like those elsewhere in the picture."""
    for seed in range(3):
        picture = paint("a meadow", (240, 180), seed)
        hole = Image.new("L", picture.size)
        hole.paste(255, (90, 60, 150, 120))
        painted = inpaint(picture, hole, prompt, seed)
        usual = [step(picture, x, 60, 120) for x in range(1, 240)]
        for x in (90, 150):
            assert step(painted, x, 60, 120) <= 2 * sum(usual) / len(usual)


def test_transparent_parts_lie_on_white() -> None:
    assert flatten(Image.new("RGBA", (2, 2), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_edits_leave_their_inputs_alone() -> None:
    picture, mask = photo(), Image.new("L", SIZE, 255)
    mask.paste(0, (20, 20, 60, 60))
    for edit in (inpaint, outpaint):
        edit(picture, mask, "a fox", 1)
    vary(picture, "a fox", 0, 1).paste("red", (0, 0, *SIZE))
    remove_background(picture)
    assert picture.tobytes() == photo().tobytes()


def test_a_feather_never_leaves_its_mask_for_good() -> None:
    mask = Image.new("L", (200, 200), 255)
    mask.paste(0, (80, 80, 120, 120))
    soft = feather(mask, 40)
    assert soft.getpixel((0, 0)) == 255
    assert soft.crop((80, 80, 120, 120)).getextrema()[1] <= 8


def test_the_tones_of_a_variation_lie_far_enough_apart() -> None:
    assert 255 * (1 - variation._TONE) > 2 * (LEAST_CHANGE + 1)


@pytest.mark.parametrize(("hour", "lightness"), [("at night", 32), ("", None)])
def test_an_outpaint_keeps_the_light_of_the_picture(hour: str, lightness: int | None) -> None:
    """What is painted beside a night is a night, and beside a day a day."""
    picture = paint(f"a city {hour}", (240, 180), 1)
    canvas, mask = Image.new("RGB", (400, 180)), Image.new("L", (400, 180), 255)
    canvas.paste(picture, (160, 0))
    mask.paste(0, (160, 0, 400, 180))
    new = ImageStat.Stat(outpaint(canvas, mask, "a city", 2).crop((0, 0, 120, 60)).convert("L")).mean[0]
    assert new < lightness if lightness is not None else new > 110


@pytest.mark.parametrize("strength", [0.3, 0.5, 0.7])
@pytest.mark.parametrize(
    ("prompt", "then"), [("a fox in a meadow", "at night"), ("a city at night", "snow"), ("mountains", "")]
)
def test_a_variation_leaves_no_scraps(prompt: str, then: str, strength: float) -> None:
    """What is replaced, and what is kept, is in one or two parts."""
    size = (320, 240)
    mask = replaced(paint(prompt, size, 1), paint(then, size, 5), strength, has_thing=False)
    coarse = mask.resize((64, 48), Image.Resampling.BOX).point(lambda value: 255 if value > 127 else 0)
    for parts in (connected(coarse), connected(ImageChops.invert(coarse))):
        assert len(parts) <= 3


def test_a_subject_gives_way_with_its_surroundings() -> None:
    """Nothing of another light is left in the middle of a picture whose foreground is kept."""
    size = (320, 240)
    fox, night = paint("a fox in a meadow", size, 1), paint("at night", size, 5)
    body = (160, 180)
    kept = [replaced(fox, night, strength, has_thing=False).getpixel(body) for strength in (0.4, 0.6, 1.0)]
    assert kept == [0, 0, 255]
