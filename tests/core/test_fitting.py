"""fit: within the limits or refused, and an account of every input."""

from __future__ import annotations

from io import BytesIO

import attrs
import limner
import PIL.Image
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, TaskRefused, Upscale, Vary
from limner.fitting import canvas_size, fit
from limner.limits import Count, Expand, MaskPicture, Pictures, Seed, SizeRule, TaskLimits
from limner.limits import Picture as PictureLimit
from limner.tasks import TASKS
from limner.testing.strategies import outside, tasks, tasks_within

from .fakes import LIMITS, OPTIONS, PER_CALL, SOURCE, TOP_SEED, Fake, png

ANY_TASK = st.one_of([tasks(kind) for kind in TASKS.values()])
WITHIN = st.one_of([tasks_within(Fake, kind) for kind in TASKS.values()])
GENERATE = LIMITS[Generate]
IMAGE = Image(png((32, 24)))


@st.composite
def near_misses(draw: st.DrawFn) -> limner.Task:
    """Tasks with some values just beyond a limit, and some that the model has no word for."""
    kind = draw(st.sampled_from(list(TASKS.values())))
    task = draw(tasks_within(Fake, kind))
    limits = LIMITS[kind]
    fields = [field.name for field in attrs.fields(kind)]
    moved = {}
    for name, limit in limits.parameters.items():
        if name in fields and name not in {"image", "mask", "expand"} and draw(st.booleans()):
            moved |= {} if outside(limit).is_empty else {name: draw(outside(limit))}
    for name, limit in limits.options.items():
        if draw(st.booleans()) and not outside(limit).is_empty:
            moved["options"] = {**moved.get("options", task.options), name: draw(outside(limit))}
    if draw(st.booleans()):
        moved["options"] = {**moved.get("options", task.options), "stile": "anime"}
    if kind is Generate and draw(st.booleans()):
        moved["size"] = draw(st.tuples(st.integers(1, 3000), st.integers(1, 3000)))
    if kind in {Vary, Inpaint, Outpaint, RemoveBackground} and getattr(task, "mask", None) is None and draw(st.booleans()):
        width, height = draw(st.integers(1, 150)), draw(st.integers(1, 150))
        image = Image(png((width, height)))
        moved["image"] = (image,) if kind is Vary else image
    try:
        return attrs.evolve(task, **moved)
    except TaskRefused:
        assume(False)
        raise


def said(task: limner.Task) -> set[str]:
    return {name for name, _ in task.said()} | {f"options.{k}" for k, v in task.options.items() if v is not None}


def check_account(task: limner.Task, fitted) -> None:
    entries = {entry.parameter: entry for entry in fitted.account}
    assert len(entries) == len(fitted.account), "each input once"
    assert said(task) <= set(entries)
    for name, entry in entries.items():
        before = task.options.get(name[8:]) if name.startswith("options.") else getattr(task, name)
        after = fitted.task.options.get(name[8:]) if name.startswith("options.") else getattr(fitted.task, name)
        assert entry.asked == before
        assert entry.used == after
        assert (entry.outcome == "defaulted") == (before is None)
        assert entry.outcome != "sent" or before == after
        assert (entry.outcome in {"adjusted", "dropped"}) == bool(entry.why)
        assert (entry.outcome == "dropped") == (after is None)
        assert name in str(entry)
    for name in said(fitted.task) - said(task):
        assert entries[name].outcome == "defaulted"


def check_within(fitted) -> None:
    limits = LIMITS[type(fitted.task)]
    for name, value in fitted.task.said():
        if name != "preserve":
            assert limits.parameters[name].wrong(value) is None
    for name, value in fitted.task.options.items():
        assert limits.options[name].wrong(value) is None
    task = fitted.task
    if isinstance(task, Outpaint) and task.expand is not None:
        assert limits.parameters["expand"].wrong_canvas(canvas_size(task.image.size, task.expand)) is None
    if isinstance(getattr(task, "mask", None), Mask):
        assert task.mask.size == task.image.size
    if getattr(task, "seed", None) is not None and getattr(task, "n", None) is not None:
        last = task.seed + (task.n - 1) // PER_CALL * PER_CALL
        assert last <= TOP_SEED


def check_idempotent(fitted, mode: str) -> None:
    again = fit(fitted.task, LIMITS[type(fitted.task)], mode)
    assert again.task == fitted.task
    assert {entry.outcome for entry in again.account} <= {"sent"}


@given(WITHIN)
def test_strict_changes_nothing_but_what_was_not_said(task):
    fitted = fit(task, LIMITS[type(task)])
    for name, value in task.said():
        if name in {"image", "mask"}:  # the encoding may change, and "alpha" becomes a mask
            continue
        assert getattr(fitted.task, name) == value or fitted_as_joined(getattr(fitted.task, name), value)
    assert {entry.outcome for entry in fitted.account} <= {"sent", "defaulted", "adjusted"}
    check_account(task, fitted)
    check_within(fitted)
    check_idempotent(fitted, "strict")


def fitted_as_joined(used: object, asked: object) -> bool:
    """The model takes one text: several that are neutral were joined."""
    return isinstance(asked, tuple) and used == ", ".join(getattr(part, "text", part) for part in asked)


@given(st.one_of(near_misses(), WITHIN, ANY_TASK), st.sampled_from(["strict", "nearest"]), st.booleans())
def test_what_comes_out_is_within_the_limits_or_refused_with_reasons(task, mode, strip):
    limits = LIMITS[type(task)]
    try:
        fitted = fit(task, limits, mode, strip_metadata=strip, model="fake.painter-1")
    except TaskRefused as refused:
        said_why = [problem.limit for problem in refused.problems]
        assert said_why
        assert all(said_why)
        return
    check_account(task, fitted)
    check_within(fitted)
    check_idempotent(fitted, mode)


@given(near_misses())
def test_strict_names_everything_that_is_wrong(task):
    limits = LIMITS[type(task)]
    wrong = {
        name
        for name, value in task.said()
        if name in limits.parameters and limits.parameters[name].wrong(limits.parameters[name].adapted(value)[0])
    }
    wrong |= {f"options.{name}" for name, value in task.options.items() if name not in limits.options}
    wrong |= {f"options.{k}" for k, v in task.options.items() if k in limits.options and limits.options[k].wrong(v)}
    if wrong:
        with pytest.raises(TaskRefused) as refused:
            fit(task, limits)
        assert wrong <= {problem.parameter for problem in refused.value.problems}


def refusal(task, limits=None, mode="strict", **more) -> dict[str, str]:
    with pytest.raises(TaskRefused) as refused:
        fit(task, limits or LIMITS[type(task)], mode, **more)
    return {problem.parameter: str(problem) for problem in refused.value.problems}


def entry(fitted, name: str):
    return next(entry for entry in fitted.account if entry.parameter == name)


def test_every_problem_comes_at_once_with_value_limit_and_source():
    task = Generate(
        prompt="x" * 61, n=30, size=(1, 2), guidance_scale=0, steps=9, seed=1001, options={"stile": 1, "tile": 1}
    )
    found = refusal(task, max_n=20)
    assert set(found) == {"prompt", "n", "size", "guidance_scale", "steps", "seed", "options.stile", "options.tile"}
    assert SOURCE in found["steps"]
    assert "steps=9" in found["steps"]
    assert "10 to 50" in found["steps"]
    assert "nearest is 10" in found["steps"]


def test_an_unknown_option_is_refused_with_the_nearest_name_or_dropped_with_it():
    task = Generate(prompt="a", options={"qualty": "premium"})
    assert "options.quality" in refusal(task)["options.qualty"]
    dropped = entry(fit(task, GENERATE, "nearest"), "options.qualty")
    assert dropped.outcome == "dropped"
    assert "options.quality" in dropped.why


def test_a_parameter_the_model_has_no_word_for():
    limits = attrs.evolve(GENERATE, parameters={"prompt": GENERATE.parameters["prompt"]})
    task = Generate(prompt="a", seed=0, guidance_scale=0.0)
    assert set(refusal(task, limits)) == {"seed", "guidance_scale"}
    assert {e.parameter for e in fit(task, limits, "nearest").account if e.outcome == "dropped"} == {
        "seed",
        "guidance_scale",
    }


@pytest.mark.parametrize("mode", ["strict", "nearest"])
def test_words_masks_and_pictures_are_never_dropped(mode):
    nothing = TaskLimits({})
    assert set(refusal(Generate(prompt="a", n=2), nothing, mode)) == {"prompt", "n"}
    mask = Mask.box((0, 0, 2, 2), size=IMAGE.size)
    assert set(refusal(Inpaint(image=IMAGE, mask=mask), nothing, mode)) == {"image", "mask"}
    assert set(refusal(Inpaint(image=IMAGE, mask_prompt="door"), nothing, mode)) == {"image", "mask_prompt"}
    assert set(refusal(Outpaint(image=IMAGE, keep_prompt="door"), nothing, mode)) == {"image", "keep_prompt"}
    assert set(refusal(Outpaint(image=IMAGE, expand=(1, 0, 0, 0)), nothing, mode)) == {"image", "expand"}
    assert "prompt" in refusal(Generate(prompt="x" * 61), mode=mode), "a prompt is never cut"


@pytest.mark.parametrize("mode", ["strict", "nearest"])
def test_max_n_is_money(mode):
    assert "max_n" in refusal(Generate(prompt="a", n=21), mode=mode, max_n=20)["n"]
    assert fit(Generate(prompt="a", n=20), GENERATE, mode, max_n=20).task.n == 20


def test_what_is_needed_is_asked_for():
    limits = attrs.evolve(
        GENERATE, parameters={**GENERATE.parameters, "steps": attrs.evolve(GENERATE.parameters["steps"], required=True)}
    )
    assert "is needed" in refusal(Generate(prompt="a"), limits)["steps"]


def test_zero_is_a_value():
    limits = attrs.evolve(
        GENERATE,
        parameters={**GENERATE.parameters, "guidance_scale": limner.limits.Real(0.0, 1.0, default=0.7, source=SOURCE)},
    )
    fitted = fit(Generate(prompt="a", seed=0, guidance_scale=0), limits)
    assert (fitted.task.seed, fitted.task.guidance_scale) == (0, 0.0)
    assert (entry(fitted, "seed").outcome, entry(fitted, "guidance_scale").outcome) == ("sent", "sent")
    assert fit(Generate(prompt="a"), limits).task.guidance_scale == 0.7


def test_a_default_of_zero_or_false_is_sent():
    limits = TaskLimits(
        {"prompt": GENERATE.parameters["prompt"], "guidance_scale": limner.limits.Real(default=0.0, source=SOURCE)},
        {"tile": limner.limits.Flag(default=False, source=SOURCE)},
    )
    fitted = fit(Generate(prompt="a"), limits)
    assert fitted.task.guidance_scale == 0.0
    assert fitted.task.options["tile"] is False


# ---------------------------------------------------------------------------------------------- seeds


def seeds(per_call: int, top: int, least: int = 0) -> TaskLimits:
    return TaskLimits(
        {
            "prompt": GENERATE.parameters["prompt"],
            "n": Count(per_call, source=SOURCE),
            "seed": Seed(least, top, source=SOURCE),
        }
    )


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.integers(0, 12))
def test_a_drawn_seed_leaves_room_for_every_call(n, per_call, least, reach):
    limits = seeds(per_call, least + reach, least)
    further = (n - 1) // per_call * per_call
    if further > reach:
        assert "seed" in refusal(Generate(prompt="a", n=n), limits)
        return
    fitted = fit(Generate(prompt="a", n=n), limits)
    assert least <= fitted.task.seed <= least + reach - further
    assert entry(fitted, "seed").outcome == "defaulted"


def test_drawn_seeds_reach_both_ends():
    drawn = {fit(Generate(prompt="a", n=3), seeds(1, 3)).task.seed for _ in range(100)}
    assert drawn == {0, 1}


def test_a_default_n_counts_too():
    limits = attrs.evolve(seeds(1, 3), parameters={**seeds(1, 3).parameters, "n": Count(1, default=4, source=SOURCE)})
    fitted = fit(Generate(prompt="a"), limits)
    assert (fitted.task.n, fitted.task.seed) == (4, 0)


def test_a_seed_without_room_is_refused_or_lowered():
    task = Generate(prompt="a", n=3, seed=9)
    assert "7 at most" in refusal(task, seeds(1, 9))["seed"]
    fitted = fit(task, seeds(1, 9), "nearest")
    assert fitted.task.seed == 7
    assert "first can be 7" in entry(fitted, "seed").why
    assert fit(Generate(prompt="a", n=3, seed=9), seeds(3, 9)).task.seed == 9, "one call needs no room"
    assert "seed" in refusal(task, seeds(1, 1), "nearest"), "three seeds do not fit into two"


def test_seed_0_where_the_provider_takes_it_for_random():
    assert "1 to 9" in refusal(Generate(prompt="a", seed=0), seeds(1, 9, 1))["seed"]
    fitted = fit(Generate(prompt="a", seed=0), seeds(1, 9, 1), "nearest")
    assert fitted.task.seed == 1
    assert entry(fitted, "seed").why


@pytest.mark.parametrize("mode", ["strict", "nearest"])
def test_numbers_beyond_any_float(mode):
    task = Generate(prompt="a", seed=10**400, steps=10**400, size=(10**400, 1), options={"tile": 10**400})
    assert {"size", "options.tile"} <= set(refusal(task, mode=mode))
    if mode == "nearest":
        fitted = fit(Generate(prompt="a", seed=10**400, steps=10**400), GENERATE, mode)
        assert (fitted.task.seed, fitted.task.steps) == (TOP_SEED, 50)


# ---------------------------------------------------------------------------------------------- pictures


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
    assert fit(task, flat).asked.mask == "alpha"


def test_grey_is_refused_or_hardened():
    mask = Mask((32, 24), bytes([200] * (16 * 24) + [20] * (16 * 24)))
    task = Inpaint(image=IMAGE, mask=mask)
    assert "hardened" in refusal(task)["mask"]
    assert fit(task, LIMITS[Inpaint], "nearest").task.mask == mask.hardened()


def test_a_scaled_picture_brings_its_mask_along_and_tells_the_size_to_restore():
    image = Image(png((128, 96)))
    task = Inpaint(image=image, mask=Mask.box((0, 0, 64, 96), size=(128, 96)))
    assert "nearest is 64x48" in refusal(task)["image"]
    fitted = fit(task, LIMITS[Inpaint], "nearest")
    assert fitted.task.image.size == fitted.task.mask.size == (64, 48)
    assert fitted.task.mask == Mask.box((0, 0, 32, 48), size=(64, 48))
    assert fitted.restore == (128, 96)
    assert fitted.asked.image == image
    assert fitted.asked.mask == task.mask
    assert "scaled with the picture" in entry(fitted, "mask").why
    assert fit(Inpaint(image=IMAGE, mask_prompt="x"), LIMITS[Inpaint]).restore is None


def test_a_canvas_is_scaled_in_its_shape():
    task = Outpaint(image=Image(png((64, 48))), expand=(32, 0, 32, 48))
    assert "128x96" in refusal(task)["expand"]
    fitted = fit(task, LIMITS[Outpaint], "nearest")
    assert fitted.task.image.size == (32, 24)
    assert fitted.task.expand == (16, 0, 16, 24)
    assert fitted.restore == (128, 96)
    assert fitted.asked.expand == task.expand


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
    assert fitted.restore == (160, 160)


def test_a_border_that_is_too_wide_becomes_narrower_for_good():
    rule = SizeRule(1, 1000, source=SOURCE)
    limits = TaskLimits(
        {"image": PictureLimit(size=rule, source=SOURCE), "expand": Expand(48, canvas=rule, source=SOURCE)},
    )
    task = Outpaint(image=IMAGE, expand=(100, 0, 0, 0))
    assert "48" in refusal(task, limits)["expand"]
    fitted = fit(task, limits, "nearest")
    assert fitted.task.expand == fitted.asked.expand == (48, 0, 0, 0)
    assert fitted.restore is None, "the picture comes back as it is, not stretched"
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
    assert fitted.asked.options["condition_image"] == task.options["condition_image"]
    assert fitted.task.options["condition_image"].orientation == 1
    assert fitted.task.options["style"] == fitted.asked.options["style"] == "line-art"
    assert fitted.task.options["quality"] == "standard"
    assert set(OPTIONS) > set(fitted.task.options)
