"""The plugin says which words of a prompt it paints and which it does not know."""

from __future__ import annotations

import subprocess
import sys

import limner
import pytest
from limner.testing.pictures import mask, picture
from limner_sketch.mapping import prompt_wording
from limner_sketch.painter.lexicon import LEXICON
from limner_sketch.painter.pixels import difference
from limner_sketch.painter.scene import paint
from limner_sketch.painter.wording import wording

BEACH = "a spaceship and planes over a wide beach at sunset"


def test_known_and_unknown_words_are_told_apart() -> None:
    painted, not_painted, unknown = wording("generate", BEACH)
    assert painted == ("beach", "sunset")
    assert not_painted == ()
    assert unknown == ("spaceship", "planes", "wide")


def test_it_reads_as_one_line() -> None:
    assert str(wording("generate", "a beach, a spaceship")) == "painted: beach; not known: spaceship"
    assert str(wording("generate", "")) == ""


def test_words_are_the_prompts_own() -> None:
    assert wording("generate", "Kittens by the SEASIDE").painted == ("kittens", "seaside")


def test_words_of_the_negative_prompt_are_not_painted() -> None:
    assert wording("generate", "a beach with a boat", ["boat", "fog"]).painted == ("beach",)


def test_a_fourth_thing_is_known_but_not_painted() -> None:
    four = wording("generate", "a fox, a cat, a dog and a horse")
    assert four.painted == ("fox", "cat", "dog")
    assert four.not_painted == ("horse",)
    assert paint("a fox, a cat, a dog", (96, 72), 1).size == (96, 72)


@pytest.mark.parametrize("task", ["inpaint", "outpaint"])
def test_an_edit_says_what_it_leaves_out(task: str) -> None:
    edit = wording(task, "a red boat, a fox and a rainbow")
    assert edit.painted == ("red", "boat")
    assert edit.not_painted == ("fox", "rainbow")


@pytest.mark.parametrize("word", LEXICON, ids=lambda word: word.name)
def test_what_is_said_to_be_painted_changes_the_picture(word: object) -> None:
    name = word.name  # type: ignore[attr-defined]
    assert wording("generate", f"a landscape {name}").painted == (name,)
    assert difference(paint("a landscape", (96, 72), 3), paint(f"a landscape {name}", (96, 72), 3)) > 0


def test_every_task_with_a_prompt_has_its_wording() -> None:
    image, hole = picture((64, 64)), mask((64, 64), (0, 0, 8, 8))
    for task in (
        limner.Generate(prompt="a fox", negative_prompt="rain"),
        limner.Vary(image=image, prompt="a fox"),
        limner.Inpaint(image=image, mask=hole, prompt="a fox"),
        limner.Outpaint(image=image, expand=(64, 0, 0, 0), prompt="a fox"),
    ):
        assert prompt_wording(task) == (("fox",), (), ())
    for silent in (limner.Vary(image=image), limner.RemoveBackground(image=image), limner.Upscale(image=image)):
        assert prompt_wording(silent) is None


def test_reading_a_prompt_loads_no_pillow() -> None:
    script = (
        "import sys, limner; from limner_sketch.mapping import prompt_wording;"
        "print(prompt_wording(limner.Generate(prompt='a fox')), 'PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "painted: fox False"
