"""Every word of the lexicon moves the picture by what its entry states."""

from functools import cache

import pytest
from limner_sketch.painter.lexicon import DIFFERENCE, LEXICON, UNKNOWN_DIFFERENCE, Measure, Word, read
from limner_sketch.painter.pixels import difference
from limner_sketch.painter.scene import paint
from PIL import Image, ImageStat

SIZE = (128, 96)
SEEDS = (1, 2, 3, 4)


@cache
def landscape(words: str, seed: int) -> Image.Image:
    return paint(f"a landscape {words}", SIZE, seed)


def part_of(picture: Image.Image, part: str) -> Image.Image:
    half = SIZE[1] // 2
    return picture.crop({"all": (0, 0, *SIZE), "upper": (0, 0, SIZE[0], half), "lower": (0, half, *SIZE)}[part])


def measured(picture: Image.Image, measure: Measure) -> float:
    red, green, blue = ImageStat.Stat(picture).mean
    return {
        "lightness": 0.299 * red + 0.587 * green + 0.114 * blue,
        "red": red - (green + blue) / 2,
        "green": green - (red + blue) / 2,
        "blue": blue - (red + green) / 2,
        "warmth": red - blue,
    }[measure]


@pytest.mark.parametrize("word", LEXICON, ids=lambda word: word.name)
def test_a_word_changes_the_picture(word: Word) -> None:
    changes = [difference(landscape("", seed), landscape(word.name, seed)) for seed in SEEDS]
    assert sum(changes) / len(changes) >= DIFFERENCE[word.kind]


@pytest.mark.parametrize("word", [word for word in LEXICON if word.shift is not None], ids=lambda word: word.name)
def test_a_word_moves_its_measure(word: Word) -> None:
    shift = word.shift
    assert shift is not None

    def mean(words: str) -> float:
        return sum(measured(part_of(landscape(words, seed), shift.part), shift.measure) for seed in SEEDS) / len(SEEDS)

    moved = mean(word.name) - mean("")
    assert moved / shift.least >= 1, f"{shift.measure} of {shift.part} moved by {moved:.1f}"


def test_names_and_synonyms_are_unique() -> None:
    terms = [term for word in LEXICON for term in (word.name, *word.others)]
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("word", LEXICON, ids=lambda word: word.name)
def test_a_synonym_is_the_same_word(word: Word) -> None:
    for other in word.others:
        assert read(f"some {other}").known == (word,)


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Mountains, LAKES and rivers!", ("mountain", "lake", "river")),
        ("cities at night", ("city", "night")),
        ("beaches; foxes. leaves", ("beach", "fox")),
        ("cherries and daisies", ("flower",)),
        ("a sea of sea", ("sea",)),
        ("", ()),
    ],
)
def test_reading(prompt: str, names: tuple[str, ...]) -> None:
    assert tuple(word.name for word in read(prompt).known) == names


def test_unknown_words_are_kept_and_joining_words_are_not() -> None:
    brief = read("The zebra of a zebra in Ünterland at sea")
    assert brief.unknown == ("zebra", "ünterland")


@pytest.mark.parametrize("word", ["zebra", "quixotic", "日本", "beautiful", "xyzzy"])
def test_an_unknown_word_moves_the_picture(word: str) -> None:
    for seed in SEEDS:
        assert difference(landscape("", seed), landscape(word, seed)) >= UNKNOWN_DIFFERENCE
