"""The painter keeps its promises: any size, the same pixels for the same words, different ones for others."""

import os
import random
import subprocess
import sys
from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limner_sketch.painter.lexicon import LEXICON
from limner_sketch.painter.pixels import difference
from limner_sketch.painter.scene import paint
from PIL import ImageStat

PROMPTS = (
    "a beautiful mountain landscape",
    "a cup of coffee",
    "a fox",
    "a red door",
    "a lighthouse by the sea at sunset",
    "city at night in the rain",
    "a wide beach",
    "",
)
SMALL = (96, 72)

sides = st.integers(64, 160)
words = st.lists(st.sampled_from([word.name for word in LEXICON]) | st.text(max_size=6), max_size=6).map(" ".join)


@settings(max_examples=25, deadline=None)
@given(words, st.tuples(sides, sides), st.integers(-(2**40), 2**70))
def test_any_words_any_size_any_seed(prompt: str, size: tuple[int, int], seed: int) -> None:
    picture = paint(prompt, size, seed)
    assert (picture.mode, picture.size) == ("RGB", size)
    assert max(ImageStat.Stat(picture).stddev) > 3


@pytest.mark.parametrize("size", [(64, 64), (65, 67), (64, 1024), (1024, 64), (333, 77)])
@pytest.mark.parametrize("prompt", ["mountain lake forest", "sea boat", "desert storm snow fog", "city night", "a red door"])
def test_extreme_sizes(prompt: str, size: tuple[int, int]) -> None:
    assert paint(prompt, size, 0).size == size


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_same_arguments_give_the_same_pixels(prompt: str) -> None:
    random.seed(1)
    first = paint(prompt, SMALL, 10)
    random.seed(2)
    assert paint(prompt, SMALL, 10).tobytes() == first.tobytes()


def test_another_process_paints_the_same_pixels() -> None:
    script = (
        "import hashlib; from limner_sketch.painter.scene import paint;"
        f"print(hashlib.sha256(b''.join(paint(p, {SMALL}, 7).tobytes() for p in {PROMPTS})).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "123", "PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    here = sha256(b"".join(paint(prompt, SMALL, 7).tobytes() for prompt in PROMPTS)).hexdigest()
    assert there.stdout.strip() == here


@pytest.mark.parametrize("prompt", PROMPTS)
def test_seeds_give_visibly_different_pictures(prompt: str) -> None:
    pictures = [paint(prompt, SMALL, seed) for seed in (0, 1, 2, 3)]
    assert min(difference(one, other) for one, other in combinations(pictures, 2)) >= 2
    changes = [difference(one, other) for one, other in combinations(pictures, 2)]
    assert sum(changes) / len(changes) >= 6


def test_prompts_give_visibly_different_pictures() -> None:
    pictures = [paint(prompt, SMALL, 5) for prompt in PROMPTS]
    assert min(difference(one, other) for one, other in combinations(pictures, 2)) >= 4


def test_prompts_that_differ_in_a_joining_word_differ_too() -> None:
    assert paint("a fox", SMALL, 5).tobytes() != paint("the fox", SMALL, 5).tobytes()


def test_surrogates_and_control_characters_are_only_words() -> None:
    assert paint("\ud800 \x00\x1f fox", SMALL, 5).size == SMALL
